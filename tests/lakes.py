"""Whole lakes: what several modules fill them with, build them by, and compare them by."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import yaml
from conftest import NO_TESTS, ROOT, TARGET, Lake, alone, delta_rs
from deltalake import DeltaTable

from medallion.generate import generate

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"

# When and by which run a row was written, which differs between any two lakes; with which batch, and when its file was
# written, which differs where the same files came in other portions.
CLOCK = {"ingested_at", "recorded_at", "discarded_at", "invocation_id"}
CLOCK |= {"dbt_scd_id", "dbt_updated_at", "dbt_valid_from", "dbt_valid_to"}
PORTIONS = {"batch_id", "first_batch_id", "version_batch_id", "file_modified_at"}
SEEDS = [7, 21, 99]
DAYS = [(0, 16), (16, 17), (17, 30)]
# What may differ between two ways to the same data: when and with what batch a row came, from which of equal records.
LINEAGE = {"ingested_at", "batch_id", "first_batch_id", "version_batch_id", "source_file", "record_number"}
TABLES = [
    "silver.silver_order_lines",
    "silver.silver_web_events",
    "silver.silver_marketplace_orders",
    "silver.silver_customer_changes",
    "silver.silver_customers",
    "silver.silver_product_listings",
    "silver.silver_product_sightings",
    "silver.silver_products",
    "silver.quarantine_orders",
    "silver.quarantine_web_events",
    "silver.quarantine_marketplace_orders",
    "silver.quarantine_customers",
    "silver.quarantine_products",
    "gold.daily_user_activity",
    "gold.conversion_funnel",
    "gold.daily_sales_by_product",
    "gold.sales_by_region",
    "gold.customer_lifetime_value",
    "gold.daily_global_sales",
    "gold.fct_active_users",
    "gold.dim_customers",
    "gold.dim_products",
    "gold.product_history",
]
SOURCES = ["customers", "marketplace_orders", "orders", "products", "web_events"]


def contents(warehouse: Path, prefix: str = "", same_portions: bool = True) -> dict[str, Counter]:
    """The rows of every Delta table of a lake by `schema.table`, those of the ops schema included.

    What each run did is no part of it. Where the files came in other portions, the books cannot agree, nor which of
    equal records silver kept.
    """
    found = {}
    for log in warehouse.glob(f"{prefix}*.db/*/_delta_log"):
        table = log.parent
        layer = table.parent.stem.removeprefix(prefix)
        if table.name in ("node_results", "releases"):
            continue
        names = {field.name for field in DeltaTable(str(table)).schema().fields} - CLOCK
        if not same_portions:
            if layer == "ops":
                continue
            names -= PORTIONS if layer == "bronze" else PORTIONS | {"source_file", "record_number"}
        columns = [f'"{name}"' for name in sorted(names)]
        if table.name == "exchange_rate_history":
            columns.append("dbt_valid_to is null as is_current")
        rows = delta_rs(table, f"select {', '.join(columns)} from t")
        found[f"{layer}.{table.name}"] = Counter(map(repr, rows))
    return found


def differences(one: dict[str, Counter], other: dict[str, Counter]) -> dict[str, Any]:
    """Tables that are missing in one of two lakes, or do not hold the same rows; some of them."""
    found: dict[str, Any] = dict.fromkeys(one.keys() ^ other.keys(), "in one lake only")
    for name in one.keys() & other.keys():
        if one[name] != other[name]:
            found[name] = [list(rows.elements())[:3] for rows in (one[name] - other[name], other[name] - one[name])]
    return found


def unbalanced(warehouse: Path, prefix: str = "") -> list[str]:
    """Where the books of a lake do not agree with bronze, or say something twice."""

    def table(name: str) -> Path:
        schema, _, table = name.partition(".")
        return warehouse / f"{prefix}{schema}.db" / table

    found = []
    count = "select source, batch_id, cast(sum(record_count) as bigint) from t group by source, batch_id"
    files = {row[:2]: row[2] for row in delta_rs(table("ops.file_ledger"), count) if row[2]}
    rows = {row[:2]: row[2] for row in delta_rs(table("ops.row_ledger"), count)}
    bronze = {}
    for source in SOURCES:
        if not table(f"bronze.bronze_{source}").exists():
            continue
        by_batch = delta_rs(table(f"bronze.bronze_{source}"), "select batch_id, count(*) from t group by batch_id")
        bronze |= {(source, batch): landed for batch, landed in by_batch}
    for name, counted in (("file_ledger", files), ("row_ledger", rows)):
        found += [f"{name}: {key} {counted.get(key)}, bronze {bronze.get(key)}"
                  for key in sorted(counted.keys() | bronze.keys()) if counted.get(key) != bronze.get(key)]  # fmt: skip
    for name, key in {
        "file_ledger": "source, source_file, batch_id",
        "row_ledger": "source, batch_id, place, reason, invocation_id",
        "batch_fields": "source, batch_id, field",
    }.items():
        twice = delta_rs(table(f"ops.{name}"), f"select {key} from t group by {key} having count(*) > 1")
        found += [f"{name}: twice {row}" for row in twice]
    return found


def clone(lake: Lake, new_lake) -> Lake:
    """The same tables under another prefix, in the same landing folder."""
    other = new_lake("mutant")
    warehouse = lake.path("silver.x").parents[1]
    for schema in warehouse.glob(f"{lake.prefix}*.db"):
        shutil.copytree(schema, warehouse / schema.name.replace(lake.prefix, other.prefix, 1))
    other.landing = lake.landing
    return other


def show(lake: Lake, macro: str) -> list[dict[str, Any]]:
    """The rows of a SELECT, or of a macro that is one, as `medallion` asks for them."""
    inline = macro if "{{" in macro else "{{ " + macro + " }}"
    result = lake.dbt("show", "--inline", inline, "--limit", "-1", "--log-level", "none")
    assert result.success, result.exception
    return [dict(row) for row in result.result.results[0].agate_table.rows]


def declare(lake: Lake, folder: Path, **sources: dict[str, Any]) -> None:
    """Have the lake built by a copy of the project whose sources are declared otherwise."""
    lake.project_dir = folder / "project"
    shutil.copytree(ROOT, lake.project_dir, ignore=shutil.ignore_patterns(".*", "target", "logs", "tests", "docs"))
    landing = lake.project_dir / "models" / "landing.yml"
    declared = yaml.safe_load(landing.read_text())
    for table in declared["sources"][0]["tables"]:
        if meta := sources.get(table["name"]):
            table["config"]["meta"] = {"path": table["name"], **meta}
            if "columns" in meta:
                table["columns"] = [{"name": name} for name in table["config"]["meta"].pop("columns")]
    landing.write_text(yaml.safe_dump(declared))


def drop(lake, seed: int, from_day: int, to_day: int, days: int = 30) -> None:
    generate(lake.landing, seed=seed, days=days, from_day=from_day, to_day=to_day)


def different_tables(one, other, tables=TABLES) -> list[str]:
    """Tables that do not hold the same rows in both lakes, lineage aside."""
    found = []
    for name in tables:
        left, right = (lake.spark.read.format("delta").load(str(lake.path(name))) for lake in (one, other))
        columns = [c for c in left.columns if c not in LINEAGE]
        left, right = left.select(columns), right.select(columns)
        if left.exceptAll(right).count() or right.exceptAll(left).count():
            found.append(name)
    return found


def line(number: str, description="THING", quantity="2", price="1.50", date="2026-01-01 10:00:00") -> str:
    return f"{number},A1,{description},{quantity},{date},{price},17850,France\n"


def start_build(home: Path, landing: Path, *selection: str) -> subprocess.Popen:
    """A real build on a lake of its own, as leader of its process group."""
    # dbt finds the project parsed there
    options = ["--quiet", "--target", TARGET, "--target-path", f"target/tests/{TARGET}"]
    home.mkdir(parents=True, exist_ok=True)
    with (home / "output").open("w") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "medallion", "build", *selection, *NO_TESTS, *options],
            cwd=ROOT,
            env=alone(home, landing),
            start_new_session=True,
            stdout=output,
            stderr=subprocess.STDOUT,
        )


def build_alone(home: Path, landing: Path, *selection: str) -> None:
    process = start_build(home, landing, *selection)
    assert process.wait(timeout=600) == 0, (home / "output").read_text()
