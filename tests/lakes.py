"""Whole lakes, compared row by row without an engine: what the proofs of `test_kill.py`, `test_cuts.py` share."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from conftest import delta_rs
from deltalake import DeltaTable

# When and by which run a row was written, which differs between any two lakes; with which batch, and when its file was
# written, which differs where the same files came in other portions.
CLOCK = {"ingested_at", "recorded_at", "discarded_at", "invocation_id"}
CLOCK |= {"dbt_scd_id", "dbt_updated_at", "dbt_valid_from", "dbt_valid_to"}
PORTIONS = {"batch_id", "first_batch_id", "version_batch_id", "file_modified_at"}
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
