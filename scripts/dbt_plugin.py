"""What bare dbt loads in this project's environment, as the module dbt_medallion that setup.py puts there.

It changes nothing that dbt does; it prepares the process as `medallion` does (bare.py).
"""

from __future__ import annotations

import os
from pathlib import Path

from dbt.flags import get_flags
from dbt.plugins.manager import dbtPlugin

from medallion import bare
from medallion.lake import private, reader_groups


class Medallion(dbtPlugin):
    def initialize(self) -> None:
        if self.project_name != "medallion":
            return
        flags = get_flags()
        target = getattr(flags, "TARGET", None) or "local"
        private()
        logs = Path(flags.LOG_PATH)
        if logs.is_dir() and logs.stat().st_uid == os.getuid():  # dbt made it before this was loaded
            logs.chmod(0o700 if reader_groups() else 0o777 & ~umask())
        bare.prepare(target)
        if target == "sail":
            bare.be_brief()


def umask() -> int:
    now = os.umask(0)
    os.umask(now)
    return now


plugins = [Medallion]
