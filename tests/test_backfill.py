"""Days, or whole tables, computed again from bronze: what was changed by hand ends as the models make it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import NO_TESTS, ROOT, TARGET, Lake
from lakes import HEADER, contents, differences

from medallion import errors, sail
from medallion.generate import generate

pytestmark = pytest.mark.engines("sail")

GOLD = ["customer_lifetime_value", "daily_global_sales", "daily_sales_by_product", "daily_user_activity"]
GOLD += ["dim_customers", "sales_by_region"]
MODELS = [f"+{name}" for name in GOLD]
ALL = ("--select", *MODELS, *NO_TESTS)
FROM_BRONZE = (*ALL, "--exclude", "tag:bronze")
LINE = "{},A1,THING,2,{} 10:00:00,1.50,17850,France\n"
ONE, TWO, THREE = (f"2026-01-0{day}" for day in (2, 3, 4))
# Every way in which a row can be wrong: gone, other, in excess, in another place; in tables with a day and without.
DAMAGE = [
    "delete from {{silver}}.silver_order_lines where sales_date = date'{day}'",
    "update {{silver}}.silver_web_events set page = 'changed' where activity_date = date'{day}'",
    "insert into {{silver}}.silver_customer_changes select concat('x', customer_id), sequence, operation, status, "
    "email, country, timestamp'{day} 10:00:00', is_delete, record_hash, source_file, record_number, batch_id, "
    "first_batch_id, ingested_at from {{silver}}.silver_customer_changes limit 2",
    "update {{silver}}.silver_marketplace_orders set sales_date = sales_date + interval 60 days "
    "where sales_date = date'{day}'",
    "update {{silver}}.silver_web_events set activity_date = date'{day}' where event_at < date'2026-01-02'",
    "delete from {{gold}}.daily_user_activity where activity_date = date'{day}'",
    "update {{gold}}.daily_sales_by_product set units = units + 1 where sales_date = date'{day}'",
]


def rows(lake: Lake) -> dict:
    """What the tables say; a row that was gone comes back with the lineage of the record that it was made of."""
    return contents(lake.path("silver.x").parents[1], lake.prefix, same_portions=False)


def backfill(lake: Lake, start: str, end: str, *arguments: str, **variables):
    """By bare dbt; the end is the first day that is left out."""
    days = ("--event-time-start", start, "--event-time-end", end)
    return lake.build(*days, *(arguments or FROM_BRONZE), **variables)


def damage(lake: Lake, *days: str) -> None:
    for day in days:
        for statement in DAMAGE:
            lake.sql(statement.format(day=day))


@pytest.fixture(scope="module")
def living(new_lake) -> Lake:
    lake = new_lake("backfill")
    for day in (2, 4):
        generate(lake.landing, seed=3, days=4, events=400, from_day=day - 2, to_day=day)
        lake.build(*ALL)
    assert {ONE, TWO, THREE} <= {
        day for (day,) in lake.sql("select cast(sales_date as string) from {silver}.silver_order_lines")
    }
    return lake


def test_damaged_days_end_as_before(living: Lake):
    before = rows(living)
    damage(living, TWO, THREE)
    living.build(*FROM_BRONZE)  # gold follows what was changed by hand
    wrong = differences(rows(living), before)
    assert {"silver.silver_marketplace_orders", "gold.daily_sales_by_product", "gold.dim_customers"} <= wrong.keys()
    backfill(living, THREE, "2026-01-05")
    backfill(living, TWO, THREE)
    assert differences(rows(living), before) == {}


def test_only_the_days_are_computed_again(living: Lake):
    before = rows(living)
    tables = {"{silver}.silver_order_lines": "sales_date", "{gold}.daily_user_activity": "activity_date"}
    for table, day in tables.items():
        living.sql(f"delete from {table} where {day} in (date'{ONE}', date'{THREE}')")
    backfill(living, THREE, "2026-01-05")
    for table, day in tables.items():
        found = living.sql(
            f"select distinct cast({day} as string) from {table} where {day} in (date'{ONE}', date'{THREE}')"
        )
        assert found == [(THREE,)], table
    backfill(living, ONE, TWO)
    assert differences(rows(living), before) == {}


def test_rows_that_are_right_are_not_written(living: Lake):
    before = living.versions(with_runs=False)
    backfill(living, TWO, THREE, *FROM_BRONZE, "tag:gold", "silver_customers")
    assert living.versions(with_runs=False) == before


def test_a_plan_writes_nothing(living: Lake, monkeypatch: pytest.MonkeyPatch):
    right = rows(living)
    living.sql(f"delete from {{silver}}.silver_web_events where activity_date = date'{TWO}'")
    before = living.versions()
    days = ("--event-time-start", TWO, "--event-time-end", THREE)
    with monkeypatch.context() as patch:
        patch.setenv("MEDALLION_BACKFILL_PLAN", "1")
        result = living.dbt("run", *days, "--select", *MODELS)
        assert result.success, Lake.explain(result)
        told = {r.node.name: r.message for r in result.result.results}
        assert told["bronze_orders"] == told["quarantine_orders"] == told["silver_order_lines"] == "nothing"
        assert told["silver_web_events"].endswith(" rows missing, 0 different, 0 in excess, of 0")
        [(sold,)] = living.sql(f"select count(*) from {{gold}}.daily_sales_by_product where sales_date = date'{TWO}'")
        assert told["daily_sales_by_product"] == f"values of sales_date: 1 ({sold} rows now)"
        assert told["daily_user_activity"].endswith(", what changes in silver_web_events")
        for refused in (("build", *days), ("run",)):
            assert "MEDALLION_BACKFILL_PLAN is set" in Lake.explain(living.dbt(*refused, "--select", *MODELS))
    part = living.dbt("run", "--event-time-start", f"{TWO}T10:00:00", "--event-time-end", THREE, "--select", *MODELS)
    assert "a backfill is one of whole days" in Lake.explain(part)
    assert living.versions() == before
    backfill(living, TWO, THREE)
    assert differences(rows(living), right) == {}


def test_gold_follows_a_backfill_of_silver_alone(living: Lake):
    """As after a kill between the two: rows of old batches have changed, by a MERGE as ever."""
    before = rows(living)
    living.sql(f"delete from {{silver}}.silver_order_lines where sales_date = date'{TWO}'")
    living.build(*FROM_BRONZE)
    assert "gold.daily_sales_by_product" in differences(rows(living), before)
    backfill(living, TWO, THREE, "--select", "silver_order_lines", *NO_TESTS)
    living.build(*FROM_BRONZE)
    assert differences(rows(living), before) == {}
    write = [c for c in living.commits("gold.daily_sales_by_product") if c["operation"] == "WRITE"][-1]
    assert TWO in write["operationParameters"]["predicate"]
    assert THREE not in write["operationParameters"]["predicate"]


def test_what_arrives_in_between_is_not_lost(living: Lake):
    day = "select count(*) from {{silver}}.silver_order_lines where sales_date = date'{}' and product_id = 'A1'"
    sales = "select sum(units) from {{gold}}.daily_sales_by_product where sales_date = date'{}' and product_id = 'A1'"
    living.drop_file("orders/late_1.csv", HEADER + LINE.format(900001, ONE) + LINE.format(900002, TWO))
    living.build("--select", "bronze_orders", "quarantine_orders", *NO_TESTS)
    backfill(living, TWO, THREE)  # silver has not read the batch
    living.drop_file("orders/late_2.csv", HEADER + LINE.format(900003, ONE) + LINE.format(900004, TWO))
    living.build("--select", "bronze_orders", "quarantine_orders", "silver_order_lines", *NO_TESTS)
    backfill(living, TWO, THREE, "--select", *GOLD, *NO_TESTS)  # gold has not
    for date in (ONE, TWO):
        assert living.sql(day.format(date)) == [(2,)]
        assert living.sql(sales.format(date)) == [(4,)]


@pytest.mark.soak
def test_what_is_not_as_its_model_makes_it_is_found(living: Lake, tmp_path: Path):
    """By `medallion` in a process of its own, with a copy of the project whose model gives another result each time."""
    project = tmp_path / "project"
    shutil.copytree(ROOT, project, ignore=shutil.ignore_patterns(".*", "target", "logs", "tests", "docs", "benchmarks"))
    model = project / "models/gold/dim_customers.sql"
    model.write_text(model.read_text().replace(" country,", " concat(country, cast(rand() as string)) as country,"))
    (tmp_path / "packages").mkdir()
    (tmp_path / "packages/medallion").symlink_to(project / "scripts")
    living.sql(f"update {{gold}}.daily_user_activity set event_count = 0 where activity_date = date'{TWO}'")
    before = living.versions()

    variables = json.dumps({"schema_prefix": living.prefix, "max_quarantine_share": 1})
    command = [sys.executable, "-m", "medallion", "rebuild", *MODELS, "--verify"]
    done = subprocess.run(
        [*command, "--target", TARGET, "--vars", variables],
        env=os.environ | {"PYTHONPATH": str(tmp_path / "packages"), sail.VARIABLE: "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == errors.DATA, done.stdout + done.stderr
    wrong = ", ".join(living.table(f"gold.{name}") for name in ("daily_user_activity", "dim_customers"))
    assert f"2 of 14 tables differ from what their models make of bronze: {wrong}." in done.stderr
    assert living.versions() == before
    assert not (Path(os.environ["MEDALLION_HOME"]) / "rebuilt").exists()
