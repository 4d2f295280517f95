"""What a process of ours leaves open to others: sockets; and what a copied lake has to do with its original."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ENGINE, ROOT, TARGET, alone

NO_TESTS = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
LISTEN = "0A"  # the state, in /proc/net/tcp
LOOPBACK = {
    "0100007F": "127.0.0.1",
    "00000000000000000000000001000000": "::1",
    "0000000000000000FFFF00000100007F": "::ffff:127.0.0.1",
}


def listening(pid: int) -> set[str]:
    """The addresses at which a process listens, as /proc/net/tcp has them."""
    own = {str(handle.readlink()) for handle in Path(f"/proc/{pid}/fd").iterdir() if handle.is_symlink()}
    rows = [line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
    return {row[1].split(":")[0] for row in rows if row[3] == LISTEN and f"socket:[{row[9]}]" in own}


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
def test_an_engine_listens_on_loopback_only(spark):
    spark.sql("select 1").collect()
    pid = spark.sparkContext._gateway.proc.pid if ENGINE == "spark" else os.getpid()
    assert (found := listening(pid))
    assert found <= LOOPBACK.keys()


@pytest.mark.engines("sail", in_soak="spark")
def test_a_copied_lake_leaves_the_original_alone(tmp_path):
    def build(home: Path) -> None:
        environment = alone(home, tmp_path / "landing") | {"DBT_TARGET_PATH": str(tmp_path / "target")}
        command = [sys.executable, "-m", "medallion", "build", "--target", TARGET, "--full-refresh"]
        ended = subprocess.run(
            [*command, "--select", "countries", *NO_TESTS], cwd=ROOT, env=environment, capture_output=True
        )
        assert ended.returncode == 0, ended.stdout

    def state(home: Path) -> dict[Path, bytes]:
        return {path.relative_to(home): path.read_bytes() for path in (home / "warehouse").rglob("*") if path.is_file()}

    build(tmp_path / "original")
    shutil.copytree(tmp_path / "original", tmp_path / "copy")
    before = state(tmp_path / "original")
    build(tmp_path / "copy")
    assert state(tmp_path / "original") == before
    assert state(tmp_path / "copy") != before
    (tmp_path / "copy").rename(tmp_path / "moved")
    build(tmp_path / "moved")
    assert state(tmp_path / "original") == before
