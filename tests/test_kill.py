"""A build that is killed (kill -9, in a process of its own) and run again ends as an undisturbed one."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest
from conftest import ENGINE
from lakes import build_alone, contents, differences, start_build, unbalanced

from medallion.generate import generate

pytestmark = pytest.mark.engines("sail", in_soak="spark")

# On Spark, where a process takes long to start, one source and what hangs on it.
SELECT = (
    []
    if ENGINE == "sail"
    else ["--select", "+silver_order_lines", "+daily_sales_by_product", "+customer_lifetime_value"]
)
# A build is killed as soon as this table has a new commit: in bronze, around silver, in the books, in gold, in the
# snapshot.
MOMENTS = ["bronze.bronze_orders", "silver.silver_order_lines", "gold.daily_sales_by_product"]
if ENGINE == "sail":
    MOMENTS += [
        "silver.quarantine_orders",
        "ops.row_ledger",
        "ops.batch_fields",
        "ops.file_ledger",
        "gold.exchange_rate_history",
    ]


def wait_for(condition, process: subprocess.Popen) -> None:
    """Return when the condition holds or the build has ended."""
    while process.poll() is None and not condition():
        time.sleep(0.02)


def kill(process: subprocess.Popen) -> bool:
    """Kill the whole process group at once; whether it was still running."""
    running = process.poll() is None
    if running:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return running


def commits(home: Path, table: str) -> int:
    return len(list((home / "warehouse" / table.replace(".", ".db/", 1) / "_delta_log").glob("*.json")))


def tables(home: Path) -> dict[str, Counter]:
    """The rows of all tables, whatever portions their files came in; the books must balance."""
    assert unbalanced(home / "warehouse") == []
    return contents(home / "warehouse", same_portions=False)


def drop(landing: Path, last: int, from_day: int = 0) -> None:
    generate(landing, seed=7, days=len(MOMENTS), events=1500, from_day=from_day, to_day=last)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> dict[str, Counter]:
    folder = tmp_path_factory.mktemp("undisturbed")
    drop(folder / "landing", len(MOMENTS))
    build_alone(folder / "home", folder / "landing", *SELECT)
    return tables(folder / "home")


def test_killed_builds_end_as_an_undisturbed_one(undisturbed, tmp_path):
    home, landing = tmp_path / "home", tmp_path / "landing"
    killed = []
    for day, moment in enumerate(MOMENTS):
        drop(landing, day + 1, from_day=day)
        if moment == "gold.exchange_rate_history":  # written once, as long as no rate changes
            shutil.rmtree(home / "warehouse" / "gold.db" / "exchange_rate_history")
        before = commits(home, moment)
        process = start_build(home, landing, *SELECT)
        wait_for(lambda table=moment, known=before: commits(home, table) > known, process)
        if kill(process):
            killed.append(moment)
    build_alone(home, landing, *SELECT)
    assert killed == MOMENTS
    assert differences(tables(home), undisturbed) == {}


@pytest.mark.skipif(ENGINE == "spark", reason="the same lock on both engines, and three builds more")
def test_of_two_builds_at_once_one_works_and_the_other_stops(undisturbed, tmp_path):
    home, landing = tmp_path / "home", tmp_path / "landing"
    drop(landing, len(MOMENTS))
    first = start_build(home, landing, *SELECT)
    wait_for((home / "lock").exists, first)
    (home / "output").rename(home / "output of the first")
    second = start_build(home, landing, *SELECT)
    assert second.wait(timeout=600) == 3
    assert f"Process {first.pid} is writing to the lake" in (home / "output").read_text()
    wait_for(lambda: commits(home, MOMENTS[0]), first)
    assert kill(first)
    build_alone(home, landing, *SELECT)
    assert differences(tables(home), undisturbed) == {}


@pytest.mark.soak
def test_many_random_kills(tmp_path):
    """Each build has a day of new files and is killed at any time; after 25 kills a fresh lake is their measure."""
    wanted = int(os.environ.get("MEDALLION_KILLS", "100"))
    generator = random.Random(7)
    home, landing, undisturbed_home = folders = [tmp_path / name for name in ("home", "landing", "undisturbed")]
    kills = 0
    while kills < wanted:
        lot = min(25, wanted - kills)
        killed = kill_builds(home, landing, lot, seed=kills, generator=generator)
        build_alone(home, landing, *SELECT)
        build_alone(undisturbed_home, landing, *SELECT)
        assert differences(tables(home), tables(undisturbed_home)) == {}
        kills += killed
        print(f"{kills} kills survived")
        for folder in folders:
            shutil.rmtree(folder)


def kill_builds(home: Path, landing: Path, wanted: int, seed: int, generator: random.Random) -> int:
    """Kill so many builds of a growing lake, each somewhere between its start and a tenth after its usual end."""

    def next_day(day: int) -> None:
        generate(landing, seed=seed, days=100, events=2_000, from_day=day, to_day=day + 1, truth=False)

    next_day(0)
    build_alone(home, landing, *SELECT)
    next_day(1)
    started = time.monotonic()
    build_alone(home, landing, *SELECT)
    whole = time.monotonic() - started

    killed = 0
    for day in range(2, 100):
        next_day(day)
        process = start_build(home, landing, *SELECT)
        end = time.monotonic() + generator.uniform(0.1, 1.1) * whole
        wait_for(lambda end=end: time.monotonic() > end, process)
        if kill(process):
            killed += 1
        else:
            assert process.returncode == 0, (home / "output").read_text()
        if killed == wanted:
            break
    return killed
