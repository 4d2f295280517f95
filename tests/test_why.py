"""Why a row of gold is as it is: the records behind it add up to it, and those that were left out have a reason."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from typing import Any

import pytest
from conftest import NO_TESTS, ROOT, TARGET, Lake
from lakes import HEADER, drop

from medallion.errors import Failure
from medallion.shell import Dbt, call
from medallion.why import explain, show

pytestmark = pytest.mark.engines("sail")

LINE = "{},{},LIGHT,{},{},{},17850,France\n"
DAY = "2010-12-01"  # before the first exchange rate
ODD = "it's {{ odd }} $x 😀"  # a product whose name is no part of any language
ORDERS = [
    ("536365", "85123A", "6", f"{DAY} 08:26:00", "2.55"),
    ("536373", "85123A", "2", f"{DAY} 09:02:00", "2.75"),
    ("536365", "85123A", "6", f"{DAY} 08:26:00", "2.55"),  # again
    ("536374", "85123A", "two", f"{DAY} 09:03:00", "2.75"),
    ("536375", "85123A", "3", "2010-13-01 09:03:00", "2.75"),  # may be of the day
    ("536375", "71053", "3", "2010-13-01 09:03:00", "2.75"),
    ("536375", "71053", "1", f"{DAY} 09:03:00", "1.00"),
    ("536376", ODD, "1", f"{DAY} 09:04:00", "1.00\x1b"),
    ("536376", ODD, "1", f"{DAY} 09:05:00", "1.50"),
]
ORDER = (
    '{{"id": "{id}", "rev": {rev}, "placed_at": "{day}T10:00:00Z", "currency": "USD",'
    ' "buyer": {{"ref": "b1", "country": "France"}}, {lines}}}\n'
)
TWO = '"lines": [{"no": 1, "sku": "85123A", "qty": 2, "price": "5.00"}]'
CHANGE = (
    '{{"operation": "update", "sequence": {0}, "customer_id": "77701", "status": "active", "email": "{0}@mail.example",'
    ' "country": "France", "updated_at": "2026-01-0{0} 10:00:00"}}\n'
)
KEY = {"sales_date": DAY, "product_id": "85123A"}


@pytest.fixture(scope="module")
def lake(new_lake) -> Lake:
    lake = new_lake("why")
    drop(lake, 7, 0, 6, days=30)
    lake.drop_file("orders/why.csv", HEADER + "".join(LINE.format(*order) for order in ORDERS))
    lake.drop_file(
        "marketplace_orders/why.json",
        ORDER.format(id="m1", rev=1, day=DAY, lines=TWO) + ORDER.format(id="m2", rev=2, day=DAY, lines='"lines": []')
        + ORDER.format(id="m2", rev=1, day=DAY, lines=TWO) + ORDER.format(id="m3", rev=1, day="2026-01-05", lines=TWO),
    )  # fmt: skip
    lake.drop_file("customers/why.json", "".join(map(CHANGE.format, (1, 2, 3))))
    lake.build(*NO_TESTS)
    return lake


def dbt_of(lake: Lake) -> Dbt:
    settings = {"schema_prefix": lake.prefix, "landing_root": str(lake.landing)}
    dbt = Dbt(["--target", TARGET, "--vars", json.dumps(settings)])
    dbt.rows("select 1 as parsed")
    return dbt


@pytest.fixture(scope="module")
def dbt(lake: Lake) -> Dbt:
    return dbt_of(lake)


def values(answer: dict[str, Any], figures: str = "from_the_records") -> dict[str, Any]:
    return {row["column_name"]: row[figures] for row in answer["columns"]}


def places(answer: dict[str, Any]) -> list[tuple]:
    """Role, place and reason of the records of the hand-made files, by file and number."""
    mine = [row for row in answer["records"] if row["source_file"].partition("/")[2].startswith("why")]
    mine.sort(key=lambda row: (row["source_file"], row["record_number"]))
    return [(row["record_number"], row["role"], row["place"], row["reason"]) for row in mine]


def test_a_row_is_told_from_its_records(dbt: Dbt):
    answer = explain(dbt, "daily_sales_by_product", KEY, 0, unmask=True)
    assert answer["adds_up"]
    expected = {**KEY, "units": "8", "net_revenue": "20.8000", "order_line_count": "2"}
    assert values(answer) == values(answer, "in_the_table") == expected
    assert places(answer) == [
        (1, "behind", "new", None),
        (2, "behind", "new", None),
        (3, "left_out", "duplicate", None),
        (4, "left_out", "quarantined", "quantity_valid"),
        (5, "unclear", "quarantined", "invoice_date_valid"),
    ]
    [first] = [row for row in answer["records"] if row["record_number"] == 1 and row["role"] == "behind"]
    assert (first["source_file"], first["record"]) == ("orders/why.csv", LINE.format(*ORDERS[0]).strip())
    assert first["batch_id"] == 1
    assert first["ingested_at"]


def test_what_has_no_rate_is_left_out_with_that_reason(dbt: Dbt):
    """Column by column, as each silver table brings it; a cancelled order and an older revision are in no figure."""
    answer = explain(dbt, "daily_global_sales", {"sales_date": DAY}, 0)
    assert answer["adds_up"]
    assert values(answer, "from_silver_order_lines") == values(answer)
    assert set(values(answer, "from_silver_marketplace_orders").values()) == {None}
    assert places(answer)[:3] == [
        (1, "left_out", "filtered", "no_exchange_rate"),
        (2, "left_out", "deleted", None),
        (3, "left_out", "superseded", None),
    ]
    answer = explain(dbt, "unconverted_sales", {"sales_date": DAY, "currency": "USD"}, 0)
    assert values(answer)["amount"] == "10.0000"
    assert places(answer)[0] == (1, "behind", "new", None)

    both = explain(dbt, "daily_global_sales", {"sales_date": "2026-01-05"}, 1)
    shop, marketplace = (values(both, f"from_silver_{name}") for name in ("order_lines", "marketplace_orders"))
    for column in ("shop_revenue", "marketplace_revenue", "net_revenue", "units", "order_count"):
        assert Decimal(shop[column]) + Decimal(marketplace[column]) == Decimal(values(both, "in_the_table")[column])
    assert Decimal(marketplace["marketplace_revenue"]) > 0


def test_a_version_is_told_from_the_changes_up_to_its_end(dbt: Dbt):
    answer = explain(dbt, "dim_customers", {"customer_id": "77701", "valid_from": "2026-01-01 10:00:00"}, 0)
    assert answer["adds_up"]
    assert values(answer)["valid_to"] == "2026-01-02 10:00:00"
    assert places(answer) == [(1, "behind", "new", None), (2, "behind", "new", None)]


# Columns that count the records behind a row.
COUNTED = {"daily_sales_by_product": "order_line_count", "sales_by_region": "order_line_count",
           "daily_user_activity": "event_count"}  # fmt: skip
GOLD = sorted(path.stem for path in (ROOT / "models" / "gold").glob("*.sql") if not path.stem.startswith("int_"))


@pytest.mark.parametrize("table", GOLD)
def test_random_rows_add_up(dbt: Dbt, lake: Lake, table: str):
    [node] = [node for node in dbt.manifest.nodes.values() if node.name == table]
    names = ", ".join(f"cast({column} as string)" for column in node.primary_key)
    rows = sorted(lake.sql(f"select {names} from {{gold}}.{table}"))
    chosen = random.Random(7).sample(rows, min(5, len(rows)))
    keys = [dict(zip(node.primary_key, row, strict=True)) for row in chosen]
    queries = [f"select * from ({call('why_columns', table=table, key=key)})" for key in keys]
    columns = dbt.rows(" union all ".join(queries))
    assert [column for column in columns if not column["is_equal"]] == []
    assert len(columns) == len(keys) * len(node.columns) > 0

    answer = explain(dbt, table, keys[0], 1)
    assert answer["problems"] == []
    behind = [count["record_count"] for count in answer["counts"] if count["role"] == "behind"]
    assert sum(behind) > 0
    if table in COUNTED:
        assert sum(behind) == int(values(answer)[COUNTED[table]])


def test_values_never_become_a_part_of_the_query(dbt: Dbt, capsys: pytest.CaptureFixture[str]):
    answer = explain(dbt, "daily_sales_by_product", {"sales_date": DAY, "product_id": ODD}, 5)
    assert (answer["adds_up"], values(answer)["product_id"]) == (True, ODD)
    show("a title", answer)
    shown = capsys.readouterr().out
    assert "1.00\\x1b" in shown
    assert "\x1b" not in shown


@pytest.mark.parametrize(
    ("table", "key", "words"),
    [
        ("daily_sales_by_product", {"sales_date": DAY}, "More than one row .* key is product_id, sales_date"),
        ("daily_sales_by_product", {**KEY, "product_id": "none"}, "No row"),
        ("daily_sales_by_product", {"day": DAY}, "no column day; it has sales_date, product_id"),
        ("silver_order_lines", KEY, "cannot be explained; these can: conversion_funnel"),
    ],
)
def test_a_row_that_is_not_told_is_refused(lake: Lake, table: str, key: dict[str, str], words: str):
    with pytest.raises(Failure, match=words):
        explain(dbt_of(lake), table, key, 5)


@pytest.mark.parametrize(
    ("silver", "condition", "table", "key", "column"),
    [
        ("silver_order_lines", "invoice_no = '536373'", "daily_sales_by_product", KEY, "net_revenue"),
        ("silver_order_lines", "invoice_no = '536365'", "customer_lifetime_value", {"customer_id": "17850"}, "units"),
    ],
)
def test_a_record_that_is_gone_from_silver_is_found(
    dbt: Dbt, lake: Lake, silver: str, condition: str, table: str, key: dict[str, str], column: str
):
    lake.sql(f"delete from {{silver}}.{silver} where {condition}")
    answer = explain(dbt, table, key, 0)
    assert not answer["adds_up"]
    assert f"{column} differs" in answer["problems"]
    assert any(place == "lost" for _, _, place, _ in places(answer))
