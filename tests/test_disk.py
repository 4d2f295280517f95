"""A full disk, and a disk or a project that cannot be written: a clear sentence; the next build completes the lake."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import NO_TESTS, ROOT, alone
from lakes import build_alone, contents, differences, unbalanced

from medallion.generate import generate

pytestmark = pytest.mark.engines("sail")

# In a mount namespace of its own: a disk of 1 MB, half of what the build writes, then with room, then read-only; then a
# read-only project. $1: the disk, $2: a folder that stays.
SCRIPT = """
mount -t tmpfs -o size=1m tmpfs "$1" || exit 77
options="--target sail --target-path $2/target $BUILD_OPTIONS"
build() { "$BUILD_PYTHON" -m medallion build $options > "$2/$3" 2>&1; }
build "$1" "$2" full && exit 1
mount -o remount,size=500m "$1"
build "$1" "$2" room || exit 2
mount -o remount,ro "$1"
build "$1" "$2" read_only && exit 3
mount -o remount,rw "$1"
mount --bind . . && mount -o remount,bind,ro . || exit 77
# by its name, as this shell is still in the folder below the mount
(cd "$PWD" && build "$1" "$2" read_only_project) && exit 4
cp -r "$1/warehouse" "$2/warehouse"
"""


@pytest.mark.skipif(not shutil.which("unshare"), reason="there is no unshare here to make a small disk with")
def test_a_full_or_read_only_disk(tmp_path: Path):
    disk, kept, landing = tmp_path / "disk", tmp_path / "kept", tmp_path / "landing"
    disk.mkdir(), kept.mkdir()
    generate(landing, seed=7, days=4, events=1500)
    words = {"BUILD_PYTHON": sys.executable, "BUILD_OPTIONS": " ".join(NO_TESTS)}
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", SCRIPT, "sh", str(disk), str(kept)]
    environment = alone(disk, landing) | words
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    if run.returncode == 77 or "unshare" in run.stderr:
        pytest.skip(f"no small disk can be made here: {run.stderr.strip()}")
    said = {file.name: file.read_text() for file in kept.iterdir() if file.is_file()}
    assert run.returncode == 0, said
    assert "The disk is full; make room and run the command again" in said["full"]
    assert "cannot be written" in said["read_only"]
    assert f"{ROOT / 'target'}, which cannot be written (Read-only file system)" in said["read_only_project"]
    assert not any("Traceback" in text for text in said.values())

    build_alone(tmp_path / "home", landing)
    expected = contents(tmp_path / "home" / "warehouse", same_portions=False)
    assert differences(contents(kept / "warehouse", same_portions=False), expected) == {}
    assert unbalanced(kept / "warehouse") == []
