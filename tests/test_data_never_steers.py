"""Values that look like instructions, names or paths, in every text field of every source: they stay values."""

from __future__ import annotations

import csv
import io
import json
import unicodedata

import pytest
from conftest import NO_TESTS

pytestmark = pytest.mark.engines("sail", in_soak="spark")

VALUES = [
    '/* medallion {"skip": true} */',
    "/* medallion x */",
    "{{ ref('x') }}",
    "{% raw %}",
    "'; drop table silver_customers; --",
    '"; drop table x; --',
    "\x1b[31mred\x1b[0m\x1b]0;title\x07",
    "${spark.master}",
    "\u202egpj.exe",
    "a\0b",
    "../../etc/passwd",
    "\\' or 1=1 --",
    "%s %(a)s {0}",
    "null) union select 1 --",
    "`x`",
]
EVENT = {
    "event_id": "e", "user_id": "u", "event_type": "page_view", "raw_time": "2026-01-01 10:00:00", "page": "/",
    "product_id": "P", "session": {"session_id": "s", "referrer": "r"},
}  # fmt: skip
ORDER = {
    "InvoiceNo": "1", "StockCode": "A1", "Description": "THING", "Quantity": "2",
    "InvoiceDate": "2026-01-01 10:00:00", "UnitPrice": "1.50", "CustomerID": "17850", "Country": "France",
}  # fmt: skip
SALE = {
    "id": "m", "rev": 1, "placed_at": "2026-01-05T10:00:00Z", "currency": "EUR",
    "buyer": {"ref": "b", "country": "France"}, "lines": [{"no": 1, "sku": "A1", "qty": 1, "price": 1.5}],
}  # fmt: skip
CUSTOMER = {
    "operation": "insert", "sequence": 1, "customer_id": "c", "status": "active", "email": "a@example.com",
    "country": "France", "updated_at": "2026-01-01 10:00:00",
}  # fmt: skip
PRODUCT = {
    "product_id": "P", "name": "THING", "category": "things", "list_price": "1.50",
    "extracted_at": "2026-01-01 10:00:00",
}  # fmt: skip
# A record of each source, what makes each one another record, the table that takes the good ones, and which of its
# columns hold which fields as they came.
SOURCES = {
    "web_events": (EVENT, "event_id", "silver_web_events", {"page": "page", "session.referrer": "referrer"}),
    "orders": (ORDER, "InvoiceNo", "silver_order_lines", {"Description": "description", "Country": "country"}),
    "marketplace_orders": (SALE, "id", "silver_marketplace_orders", {"buyer.country": "country"}),
    "customers": (CUSTOMER, "customer_id", "silver_customer_changes", {"email": "email", "country": "country"}),
    "products": (PRODUCT, "product_id", "silver_product_listings", {"name": "name", "category": "category"}),
}


def with_value(record, path: str, value: str):
    """A copy of a record that has a value in a field, for instance `lines[].sku`."""
    copy = json.loads(json.dumps(record))
    *folders, field = path.split(".")
    place = copy
    for folder in folders:
        place = place[folder.removesuffix("[]")]
        place = place[0] if folder.endswith("[]") else place
    place[field] = value
    return copy


def texts(record, above: str = "") -> list[str]:
    """The paths of the fields of a record, those within objects and lists too."""
    found = []
    for field, value in record.items():
        path = f"{above}{field}"
        if isinstance(value, dict):
            found += texts(value, f"{path}.")
        elif isinstance(value, list):
            found += texts(value[0], f"{path}[].")
        else:
            found.append(path)
    return found


def hostile(source: str) -> list[tuple[str, str, dict]]:
    """Field, value and record: each value in each field, all of them other records."""
    record, key, _, _ = SOURCES[source]
    return [
        (path, value, with_value(with_value(record, key, f"{path} {number}"), path, value))
        for path in texts(record)
        for number, value in enumerate(VALUES)
    ]


def written(source: str, records: list[dict]) -> str:
    if source not in ("orders", "products"):
        return "\n".join(json.dumps(record) for record in records)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(SOURCES[source][0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue()


@pytest.fixture(scope="module")
def lake(new_lake):
    """Builds of good records, of the hostile ones, whose keys an incremental run then touches, and of good ones."""
    lake = new_lake("steered")
    lake.results = []
    for number in range(3):
        for source, (record, key, _, _) in SOURCES.items():
            good = [with_value(record, key, f"good {number}")]
            records = [record for _, _, record in hostile(source)] if number == 1 else good
            lake.drop_file(f"{source}/{number}.x", written(source, records))
        lake.results.append(lake.dbt("build", *NO_TESTS))
    return lake


def test_the_builds_go_through(lake):
    for result in lake.results:
        assert result.success, lake.explain(result)


@pytest.mark.parametrize("source", SOURCES)
def test_bronze_has_each_value_as_it_came(lake, source):
    column = "fields" if source in ("orders", "products") else "record"
    rows = lake.sql(
        f"select {column}, unreadable_reason from {{bronze}}.bronze_{source} where source_file like '%/1.x'"
        " order by record_number"
    )
    assert [reason for _, reason in rows] == [None] * len(hostile(source))
    found = [row if isinstance(row, dict) else json.loads(row) for row, _ in rows]
    assert found == [record for _, _, record in hostile(source)]


def visible(value: str) -> str:
    """A text as silver has it: without control characters and marks that nobody sees (docs/decisions.md)."""
    return "".join(letter for letter in value if unicodedata.category(letter) not in ("Cc", "Cf"))


@pytest.mark.parametrize("source", SOURCES)
def test_silver_has_the_values_and_every_record_one_place(lake, source):
    _, _, table, columns = SOURCES[source]
    numbers = f"select record_number from {{silver}}.{table} where source_file like '%/1.x'"
    good = {number for (number,) in lake.sql(numbers)}
    refused = f"select record_number from {{silver}}.quarantine_{source} where source_file like '%/1.x'"
    bad = {number for (number,) in lake.sql(refused)}
    assert good & bad == set()
    assert good | bad <= set(range(1, len(hostile(source)) + 1))
    places = f"select sum(record_count) from {{ops}}.row_ledger where source = '{source}'"
    assert lake.sql(places) == [(len(hostile(source)) + 2,)]
    for path, column in columns.items():
        expected = {n: visible(value) for n, (field, value, _) in enumerate(hostile(source), start=1) if field == path}
        rows = f"select record_number, {column} from {{silver}}.{table} where source_file like '%/1.x'"
        assert {n: visible(value) for n, value in lake.sql(rows) if n in expected} == expected, path


@pytest.mark.parametrize("source", SOURCES)
def test_later_records_reach_silver(lake, source):
    rows = f"select count(*) from {{silver}}.{SOURCES[source][2]} where source_file like '%/2.x'"
    assert lake.sql(rows) == [(1,)]


def test_gold_and_latest_versions_follow(lake):
    """The keys stand in the plan of a write, whose words are read back."""
    for table, key in (
        ("silver.silver_customers", "customer_id"),
        ("silver.silver_products", "product_id"),
        ("gold.dim_customers", "customer_id"),
        ("gold.dim_products", "product_id"),
    ):
        schema, name = table.split(".")
        keys = {value for (value,) in lake.sql(f"select {key} from {{{schema}}}.{name}")}
        assert {"good 0", "good 2", *(value for value in VALUES if value.isprintable())} <= keys, table
