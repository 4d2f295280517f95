"""Compares a lake with the truth that the generator wrote beside the files."""

from __future__ import annotations

import datetime
import json
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

# The silver table that answers for the records of a source.
SILVER = {
    "orders": "silver_order_lines",
    "web_events": "silver_web_events",
    "marketplace_orders": "silver_marketplace_orders",
    "customers": "silver_customer_changes",
    "products": "silver_product_listings",
}


def read_truth(landing: Path) -> dict[str, Any]:
    """The generator's truth.json of a landing folder."""
    return json.loads((landing / "truth.json").read_text(encoding="utf-8"))


def plain(value: Any) -> Any:
    """A value of a table as truth.json writes it: dates, times and decimals as text."""
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    return value


def differences(lake: Any, truth: dict[str, Any]) -> dict[str, Any]:
    """What of the lake is not as the truth says; empty when all is."""
    found: dict[str, Any] = {}

    def compare(what: str, actual: Any, expected: Any) -> None:
        if actual != expected:
            found[what] = {"actual": actual, "expected": expected}

    for source, expected in truth["bronze"].items():
        [(rows, unreadable)] = lake.sql(f"select count(*), count(unreadable_reason) from {{bronze}}.bronze_{source}")
        compare(f"bronze {source}", {"rows": rows, "unreadable": unreadable}, expected)
    for source, expected in truth["quarantine"].items():
        rows = lake.sql(
            "select array_join(array_sort(violated_rules), ','), count(*) "
            f"from {{silver}}.quarantine_{source} group by 1"
        )
        compare(f"quarantine {source}", dict(rows), expected)
    for table, expected in truth["silver"].items():
        [(rows,)] = lake.sql(f"select count(*) from {{silver}}.{table}")
        compare(f"silver {table}", rows, expected["rows"])
    for source, table in SILVER.items():
        query = f"select place, sum(record_count) from {{ops}}.row_ledger where source = '{source}' group by place"
        places = Counter(dict(lake.sql(query)))
        compare(f"ledger {source}, landed", places.total(), truth["bronze"][source]["rows"])
        compare(f"ledger {source}, unreadable", places["unreadable"], truth["bronze"][source]["unreadable"])
        bad = sum(truth["quarantine"][source].values())
        compare(f"ledger {source}, bad", places["quarantined"] + places["unreadable"], bad)
        rows = truth["silver"][table]["rows"]
        deletes = truth["silver"][table].get("deletes", 0)
        compare(f"ledger {source}, rows", places["new"], rows - deletes)
        compare(f"ledger {source}, deletes", places["deleted"], deletes)
    for table, expected in truth["gold"].items():
        rows = lake.sql(f"select {', '.join(expected['columns'])} from {{gold}}.{table}")
        actual = Counter(tuple(plain(value) for value in row) for row in rows)
        wanted = Counter(tuple(row) for row in expected["rows"])
        if actual != wanted:
            found[f"gold {table}"] = {
                "only in lake": list((actual - wanted).elements())[:5],
                "only in truth": list((wanted - actual).elements())[:5],
            }
    return found
