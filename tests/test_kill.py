"""A build that is killed (kill -9, in a process of its own) and run again ends as an undisturbed one."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import ENGINE, ROOT, TARGET, delta_rs

from scripts.generate import generate

SELECT = ["--select", "quarantine_orders", "+daily_sales_by_product", "+customer_lifetime_value"]
SELECT += ["--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"]
TABLES = {
    "bronze.db/bronze_orders": ["record", "source_file", "record_number"],
    "silver.db/quarantine_orders": ["record", "source_file", "record_number"],
    "silver.db/silver_order_lines": ["order_line_id", "net_amount", "sales_date"],
    "gold.db/daily_sales_by_product": ["sales_date", "product_id", "units", "net_revenue", "order_line_count"],
    "gold.db/customer_lifetime_value": ["customer_id", "order_count", "units", "net_revenue"],
}


def start_build(home: Path, landing: Path) -> subprocess.Popen:
    """A real build on a lake of its own, as leader of its process group."""
    environment = os.environ | {"MEDALLION_HOME": str(home), "MEDALLION_LANDING": str(landing)}
    options = ["--quiet", "--target", TARGET, "--target-path", str(home / "target")]
    return subprocess.Popen(
        [sys.executable, "-m", "scripts.medallion", "build", *SELECT, *options],
        cwd=ROOT,
        env=environment,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def rows(home: Path) -> dict[str, list[tuple]]:
    """The tables' rows, sorted; read by delta-rs, so that no Spark has to start."""
    found = {}
    for table, columns in TABLES.items():
        found[table] = sorted(delta_rs(home / "warehouse" / table, f"select {', '.join(columns)} from t"), key=str)
    return found


def wait_for(condition, process: subprocess.Popen) -> None:
    """Return when the condition holds or the build has ended."""
    while process.poll() is None and not condition():
        time.sleep(0.02)


def kill(process: subprocess.Popen) -> bool:
    """Kill the whole process group at once; whether it was still running."""
    running = process.poll() is None
    if running:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    return running


def build(home: Path, landing: Path) -> None:
    process = start_build(home, landing)
    output, _ = process.communicate(timeout=600)
    assert process.returncode == 0, output


def commits(home: Path, table: str) -> int:
    return len(list((home / "warehouse" / table / "_delta_log").glob("*.json")))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> dict[str, list[tuple]]:
    folder = tmp_path_factory.mktemp("undisturbed")
    generate(folder / "landing", seed=7, days=6)
    build(folder / "home", folder / "landing")
    return rows(folder / "home")


# After bronze has its first batch and before silver; between silver and quarantine and gold; in gold.
MOMENTS = ["bronze.db/bronze_orders", "silver.db/silver_order_lines", "gold.db/daily_sales_by_product"]


def test_killed_builds_end_as_an_undisturbed_one(undisturbed, tmp_path):
    home, landing = tmp_path / "home", tmp_path / "landing"
    kills = 0
    for moment, last in zip(MOMENTS, (2, 4, 6), strict=True):
        generate(landing, seed=7, days=6, to_day=last)
        before = commits(home, moment)
        process = start_build(home, landing)
        wait_for(lambda table=moment, known=before: commits(home, table) > known, process)
        kills += kill(process)
    build(home, landing)
    assert kills == len(MOMENTS)
    assert rows(home) == undisturbed


@pytest.mark.skipif(ENGINE == "spark", reason="the same lock on both engines, and three builds more")
def test_of_two_builds_at_once_one_works_and_the_other_stops(undisturbed, tmp_path):
    home, landing = tmp_path / "home", tmp_path / "landing"
    generate(landing, seed=7, days=6)
    first = start_build(home, landing)
    wait_for((home / "lock").exists, first)
    second = start_build(home, landing)
    output, _ = second.communicate(timeout=600)
    assert second.returncode == 3
    assert f"Process {first.pid} writes to the lake" in output
    wait_for(lambda: commits(home, MOMENTS[0]), first)
    assert kill(first)
    build(home, landing)
    assert rows(home) == undisturbed


@pytest.mark.soak
def test_many_random_kills(undisturbed, tmp_path):
    generator = random.Random(7)
    home, landing = tmp_path / "home", tmp_path / "landing"
    kills = 0
    for number in range(int(os.environ.get("MEDALLION_KILLS", "100"))):
        generate(landing, seed=7, days=6, to_day=1 + number * 6 // 100)
        process = start_build(home, landing)
        end = time.monotonic() + generator.uniform(8, 60)
        wait_for(lambda end=end: time.monotonic() > end, process)
        kills += kill(process)
    generate(landing, seed=7, days=6)
    build(home, landing)
    print(f"{kills} kills")
    assert rows(home) == undisturbed
