"""Trends of runs, nodes, arrivals and commits, from books that a test wrote by hand beside those of a build."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import pytest
from conftest import NO_TESTS, Lake
from lakes import HEADER, line, show

pytestmark = pytest.mark.engines("sail", in_soak="spark")

TODAY = datetime.now(timezone.utc).date()
LAST_WEEK = TODAY - timedelta(days=7)


def arrive(lake: Lake, records: dict[date, int], source: str = "customers") -> None:
    rows = ", ".join(
        f"('{source}', 'f{number}', {number}, 1, timestamp'{day}', {count}, 0, timestamp'{day} 03:00:00')"
        for number, (day, count) in enumerate(records.items())
    )
    lake.sql(f"insert into {{ops}}.file_ledger values {rows}")


@pytest.fixture(scope="module")
def fed(new_lake) -> Lake:
    lake = new_lake("trends")
    lake.drop_file("orders/1.csv", HEADER + line("1") + line("2", quantity="none"))
    lake.build("--select", "+silver_order_lines", *NO_TESTS)
    return lake


def test_a_day_is_compared_with_its_weekday(fed: Lake):
    usual = {LAST_WEEK - timedelta(days=days): 100 for days in range(1, 36)}
    usual |= {LAST_WEEK - timedelta(days=7 * weeks): 1_000 for weeks in range(1, 6)}
    arrive(fed, usual | {LAST_WEEK: 400, LAST_WEEK + timedelta(days=1): 199, LAST_WEEK + timedelta(days=2): 201})
    found = {
        (row["source"], row["ingested_date"]): (row["record_count"], row["usual_count"])
        for row in show(fed, "arrival_trend()")
        if row["is_unusual"]
    }
    # too few, too many, and none at all on each of the days since
    expected = {LAST_WEEK: (400, 1_000), LAST_WEEK + timedelta(days=2): (201, 100)}
    expected |= {LAST_WEEK + timedelta(days=days): (0, 100) for days in range(3, 7)}
    assert found == {("customers", day): counts for day, counts in expected.items()}
    assert not any(row["is_unusual"] for row in show(fed, "arrival_trend(min_history=7)"))


def test_runs_say_what_they_took_in(fed: Lake):
    (run,) = show(fed, "run_trend()")
    assert (run["table_count"], run["failed_count"]) == (3, 0)
    assert (run["record_count"], run["quarantined_share"]) == (2, 0.5)
    assert run["seconds"] > 0


def test_slow_nodes_are_found_by_their_median(fed: Lake):
    for number, seconds in enumerate([10, 30, 20]):
        fed.sql(
            f"insert into {{ops}}.node_results values ('{number}', 'model.medallion.slow', 'model', 'success',"
            f" {seconds}, 0, '', timestamp'2026-01-01', timestamp'2026-01-0{number + 1}')"
        )
    found = {row["unique_id"]: row for row in show(fed, "node_trend()")}["model.medallion.slow"]
    assert (found["last_seconds"], found["median_seconds"], found["run_count"]) == (20, 20, 3)
    found = {row["unique_id"]: row for row in show(fed, "node_trend(runs=1)")}["model.medallion.slow"]
    assert (found["median_seconds"], found["run_count"]) == (20, 1)


def test_commits_say_what_they_wrote(fed: Lake):
    fed.drop_file("orders/2.csv", HEADER + line("3") + line("4"))
    fed.build("--select", "+silver_order_lines", *NO_TESTS)
    newest, first = show(fed, "commit_trend(table='silver.silver_order_lines')")[:2]
    assert (newest["operation"], newest["rows_inserted"], newest["rows_updated"]) == ("MERGE", 2, 0)
    assert first["rows_inserted"] == 1
    assert newest["bytes_added"] > 0
