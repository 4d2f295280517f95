"""The lake as a folder of this machine: where it is, who writes to it, which engine built it, what the last run left.

Nothing here starts dbt or an engine.
"""

from __future__ import annotations

import grp
import json
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from filelock import FileLock, Timeout

from medallion.errors import BUSY, Failure

ROOT = Path(__file__).resolve().parents[1]
# On Sail dbt has a folder of its own, as it parses the whole project again after each change of the target.
SAIL_ARTIFACTS = "target/sail"
ENGINES = {"sail": "sail", "Apache-Spark": "local"}  # how a commit begins to name its engine, and the target for it
ON_THIS_MACHINE = ("local", "sail")


def lake_home() -> Path:
    return ROOT / (os.environ.get("MEDALLION_HOME") or ".lake")


def warehouse() -> Path:
    return lake_home() / "warehouse"


def named_target(options: Sequence[str]) -> str | None:
    """The target that dbt's options or DBT_TARGET name."""
    words = iter(options)
    for word in words:
        if word in ("--target", "-t"):
            return next(words, "")
        if word.startswith("--target="):
            return word.removeprefix("--target=")
    return os.environ.get("DBT_TARGET") or None


def target_of(options: Sequence[str]) -> str:
    """The target that is named; else that of the engine that built the lake."""
    return named_target(options) or built_by() or "local"


def built_by() -> str | None:
    """The target of the engine that last wrote the file ledger; Delta's commits name it, so bare dbt counts too."""
    logs = [log for log in warehouse().glob("*ops.db/file_ledger/_delta_log") if newest_version(log) is not None]
    for log in sorted(logs, key=lambda log: log.stat().st_mtime, reverse=True):
        for commit in sorted(log.glob("[0-9]*.json"), reverse=True):
            found = re.search(r'"engineInfo":"([^"]*)"', commit.read_text(errors="replace"))
            for engine, target in ENGINES.items():
                if found and found[1].startswith(engine):
                    return target
    return None


def newest_version(log: Path) -> int | None:
    """The newest version in a Delta log."""
    if not log.is_dir():
        return None
    with os.scandir(log) as entries:
        versions = [int(entry.name[:20]) for entry in entries if re.fullmatch(r"\d{20}[.]json", entry.name)]
    return max(versions, default=None)


def versions() -> dict[Path, int]:
    """The tables of the lake with their newest versions."""
    found = {log.parent: newest_version(log) for log in warehouse().glob("*/*/_delta_log")}
    return {table: version for table, version in found.items() if version is not None}


def since_checkpoint(table: Path) -> int:
    """The commits of a table since its last checkpoint: what a reader has to read one by one."""
    log = table / "_delta_log"
    names = [entry.name for entry in log.iterdir()]
    checkpoint = max((int(name[:20]) for name in names if re.match(r"\d{20}[.]checkpoint", name)), default=-1)
    return sum(bool(re.fullmatch(r"\d{20}[.]json", name)) and int(name[:20]) > checkpoint for name in names)


def reader_groups() -> dict[str, int]:
    """The groups of this machine for the readers that `grants` names, narrowest first; none where files are private.

    Raises:
        Failure: MEDALLION_GROUPS is not of the form, or names a group that does not exist.
    """
    found = {}
    for word in filter(None, os.environ.get("MEDALLION_GROUPS", "").split(",")):
        reader, _, group = word.strip().partition("=")
        try:
            found[reader] = grp.getgrnam(group).gr_gid
        except KeyError:
            raise Failure(
                f"MEDALLION_GROUPS names the group '{group}' for '{reader}', and this machine has no such group. It is"
                " a list of reader=group, narrowest first: engineers=lake-engineers,business=lake-business."
            ) from None
    return found


def private() -> None:
    """What this process and those it starts create is for its user alone, or for the group of its folder where readers
    have groups; MEDALLION_UMASK says otherwise.

    Raises:
        Failure: the variable is no umask.
    """
    text = os.environ.get("MEDALLION_UMASK") or ("027" if reader_groups() else "077")
    if not re.fullmatch("0*[0-7]{1,3}", text):
        raise Failure(f"MEDALLION_UMASK is '{text}'; it must be a umask such as 077 (private) or 027 (group reads).")
    os.umask(int(text, 8))


def keep_private(folder: Path) -> None:
    """A folder of our own that no reader of tables needs."""
    if reader_groups():
        folder.chmod(0o700)


def need_artifacts() -> None:
    """The folders of the project that dbt writes its artifacts and logs to.

    Raises:
        Failure: one of them cannot be written.
    """
    for folder in (ROOT / "target", ROOT / "logs"):
        try:
            folder.mkdir(exist_ok=True)
            keep_private(folder)
            TemporaryFile(dir=folder).close()
        except OSError as problem:
            raise Failure(
                f"dbt writes its artifacts and logs to {folder}, which cannot be written ({problem.strerror}). Change"
                " that, or copy the project to a folder of your own. Nothing was changed."
            ) from None


@contextmanager
def lake_lock(writes: bool = True) -> Iterator[None]:
    """The lake for one writer at a time. The lock is the system's: it goes with the process, however that ends."""
    lock = FileLock(lake_home() / "lock")
    prepare(lock, writes)
    try:
        yield
    finally:
        lock.release()


def prepare(lock: FileLock, writes: bool) -> None:
    """The folder of the lake, also for readers, and the lock.

    Raises:
        Failure: the folder cannot be written, or another process has the lock.
    """
    home = lake_home()
    writer = home / "writer"
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if writes:
            lock.acquire(blocking=False)
            writer.write_text(str(os.getpid()))
    except Timeout:
        pid = writer.read_text() if writer.exists() else "of unknown number"
        raise Failure(
            f"Process {pid} is writing to the lake {home}. Wait until it has ended, or end it. Nothing was changed.",
            BUSY,
        ) from None
    except OSError as problem:
        raise not_writable(problem) from None


def not_writable(problem: OSError) -> Failure:
    return Failure(
        f"The lake folder {lake_home()} cannot be written ({problem.strerror}). Change that, or set MEDALLION_HOME to"
        " another folder."
    )


# The last run, which `medallion resume` takes up --------------------------------------------------------------------


def last_run_folder() -> Path:
    return lake_home() / "last-run"


def note_start(arguments: Sequence[str], target: str) -> None:
    """Remembers a command before it runs; a run that is killed leaves just that.

    Raises:
        Failure: the folder of the lake cannot be written.
    """
    note = {"arguments": list(arguments), "target": target}
    try:
        shutil.rmtree(last_run_folder(), ignore_errors=True)
        last_run_folder().mkdir(parents=True)
        keep_private(last_run_folder())
        (last_run_folder() / "command.json").write_text(json.dumps(note))
    except OSError as problem:
        raise not_writable(problem) from None


def note_end(run_results: Path) -> None:
    """Keeps what dbt says of the run; other commands write its artifact anew. On a full disk there is nothing to keep
    it on, and `medallion resume` runs all of it again.
    """
    kept = last_run_folder() / "run_results.json"
    try:
        if run_results.exists():
            shutil.copyfile(run_results, kept)
    except OSError:
        kept.unlink(missing_ok=True)


def noted() -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """The command of the last run, and what dbt says of it if it came to an end."""
    texts = [last_run_folder() / name for name in ("command.json", "run_results.json")]
    command, results = (json.loads(file.read_text()) if file.exists() else None for file in texts)
    return command, results
