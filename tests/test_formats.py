"""JSON documents, Parquet and text by pattern: hostile files and the place of each record, as in test_hostile_input.py;
and the options of sources.
"""

from __future__ import annotations

import gzip
import io
import json
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet
import pytest
from conftest import NO_TESTS
from lakes import HEADER, declare

from medallion import landing

pytestmark = pytest.mark.engines("sail", in_soak="spark")


def event(name: str, **changes) -> dict:
    return {"event_id": name, "user_id": "u", "event_type": "page_view", "raw_time": "2026-01-01 10:00:00", **changes}


def pretty(*values) -> str:
    return "\n".join(json.dumps(value, indent=2, ensure_ascii=False) for value in values)


def nested(levels: int) -> list:
    value: list = []
    for _ in range(levels - 1):
        value = [value]
    return value


INNER = '{"event_id": "1e999999", "x": 2.50, "y": 12345678901234567890123, "z": "],}\\"[{\\\\", "é": [{ }, [ ]]}'
NO_EVENT = "event_id_present, user_id_present, event_time_valid, event_type_known"
# A file, what it holds, and each of its records with its place: `silver`, or why it is in quarantine.
DOCUMENTS = {
    "array": (pretty([event("a"), event("b")]), ["silver"] * 2),
    "object": (pretty(event("c")), ["silver"]),
    "one line": (json.dumps([event("d"), event("e")]), ["silver"] * 2),
    "several": (pretty(event("f"), [event("g"), event("h")], event("i")), ["silver"] * 4),
    "lines": (f"{json.dumps(event('j'))}\n\n{json.dumps(event('k'))}\r\n", ["silver"] * 2),
    "empty list": ("[\n]\n", []),
    "blank": (" \n\r\n", []),
    "mark": ("\ufeff" + pretty([event("l")]), ["silver"]),
    "packed.json.gz": (gzip.compress(pretty([event("m")]).encode()), ["silver"]),
    "brackets in texts": (pretty([event("n", page='],[{"\\'), event("o", page="é 😀")]), ["silver"] * 2),
    # a broken record leaves the others alone
    "one broken": (
        f"[{json.dumps(event('p'))}, {{'x': 1}}, {json.dumps(event('q'))}]", ["silver", "malformed_json", "silver"],
    ),
    "no comma": (f"[{json.dumps(event('r'))} {json.dumps(event('s'))}]", ["malformed_json"]),
    "no objects": ('[1, "x", null, [2], {}]', ["not_a_json_object"] * 4 + [NO_EVENT]),
    "latin-1": (pretty([event("t"), event("u", page="Café")]).encode("latin-1"), ["silver", "not_utf8"]),
    # brackets that don't match: nothing is guessed
    "cut": (pretty([event("v"), event("w")])[:-30], ["malformed_json"]),
    "cut in a text": (pretty([event("x"), event("y")])[:40], ["malformed_json"]),
    "one bracket more": (pretty([event("z")]) + "]", ["malformed_json"]),
    "other bracket": (pretty([event("aa")])[:-1] + "}", ["malformed_json"]),
    "text": ("a,b\n1,2\n", ["malformed_json"]),
    "number": ("42", ["not_a_json_object"]),
    "38 levels": (pretty([event("bb", x=nested(38))]), ["silver"]),
    "39 levels": (pretty([event("cc", x=nested(39))]), ["nested_too_deep"]),
    "200,000 open": ("[" * 200_000, ["malformed_json"]),
    # files of another kind
    "gzip": (gzip.compress(pretty([event("dd")]).encode()), ["file_is_gzip"]),
    "utf-16": (pretty([event("ee")]).encode("utf-16"), ["file_is_utf16"]),
}  # fmt: skip
# The same for a source whose records lie under $.data.orders.
UNDER = {
    "list": (
        '{"page": 1, "data": {"orders": [' + INNER + ', {"id": 2}\n], "orders_": []}, "x": "orders"}',
        [None, None],
    ),
    "object": ('{"data": {"orders": {"id": 1}}}', [None]),
    "empty": ('{"data": {"orders": []}}', []),
    "pages": ('{"data": {"orders": [{"id": 1}]}}\n{"data": {"orders": [{"id": 2}]}}', [None, None]),
    "elsewhere": ('{"orders": [{"id": 1}], "data": {}}', ["no_records_at: $.data.orders"]),
    "null": ('{"data": {"orders": null}}', ["no_records_at: $.data.orders"]),
    "message": ('{"error": "busy"}', ["no_records_at: $.data.orders"]),
    "list at the top": ('[{"id": 1}]', ["no_records_at: $.data.orders"]),
    "twice": ('{"data": {"orders": [{"id": 1}], "orders": [{"id": 2}]}}', ["malformed_json"]),
    "cut": ('{"data": {"orders": [{"id": 1}', ["malformed_json"]),
    "key in a text": ('{"x": "\\"data\\": {\\"orders\\": [1]}"}', ["no_records_at: $.data.orders"]),
}
LOG = '203.0.113.9 - jane doe [10/Oct/2026:13:55:36 -0700] "GET /a?b=\\"c\\" HTTP/1.1" 200 - "-" "Mozilla/5.0 (é)"'
LOGS = {
    "good": (f"{LOG}\n\n{LOG}\r\n", [None, None]),
    "no request": (LOG.replace('GET /a?b=\\"c\\" HTTP/1.1', "\\x16\\x03"), [None]),
    "no match": (f"x\n{LOG} more\n{LOG[:60]}\n {LOG}\n{LOG}", ["pattern_not_matched"] * 4 + [None]),
    "other line ends": (f"{LOG}\u2028\n{LOG}\r{LOG}", ["pattern_not_matched", None, None]),
    "latin-1": (f"{LOG}\n{LOG[:-4]}".encode("latin-1"), ["not_utf8", "pattern_not_matched"]),
    "NUL": ("\0" * 50 + "\n" + LOG.replace("jane", "ja\0ne"), ["pattern_not_matched", None]),
    "gzip": (gzip.compress(LOG.encode()), ["file_is_gzip"]),
}
# A bracket in a class, one that is escaped, groups that have no name, and one that takes no part.
PATTERN = r"(?P<InvoiceNo>\d+)\|(?<StockCode>[^|(]*)\|(?:a|b)(\(|\))(?<Description>\w+)?.*"
TEXTS = {"own": ("12|A1|a(Ünit\u0085!\n13|B|b)\n١٢|C|a(\n14|(|a(\n", [None, None, None, "pattern_not_matched"])}
ROWS = {
    "id": pyarrow.array([1, 12345678901234567, None]),
    "amount": pyarrow.array([Decimal("1.50"), None, Decimal("-1234567890123456.78")], pyarrow.decimal128(18, 2)),
    "at": pyarrow.array([datetime(2026, 1, 1, 10, 0, 0, 123456, timezone.utc)] * 3, pyarrow.timestamp("us", "UTC")),
    "day": [date(2026, 1, 2)] * 3,
    "ratio": [0.1, float("nan"), 1e300],
    "bytes": [b"\xff\x00", b"", None],
    'odd ` name, "x"': ["it's", "], {", None],
    "nested": [{"a": 1, "list": [1, 2]}, {"a": None, "list": []}, None],
    "none": pyarrow.array([None] * 3, pyarrow.string()),
}


def parquet(columns: dict, **settings) -> bytes:
    file = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), file, **settings)
    return file.getvalue()


LONG = {"id": list(range(5000))}
PARQUET = {
    "a b.parquet": (parquet(ROWS), [None] * 3),
    "other columns.parquet": (parquet({"id": ["x"], "more": [1]}), [None]),
    "no rows.parquet": (parquet({"id": pyarrow.array([], pyarrow.int64())}), []),
    "é": (parquet(LONG, row_group_size=700), [None] * 5000),
    "cut": (parquet(LONG)[:-10], ["truncated_parquet"]),
    "text": ("id\n1\n", ["not_parquet"]),
    "magic": ("PAR1", ["truncated_parquet"]),
    "zipped": (b"PK\x03\x04" + b"\0" * 50, ["file_is_zip"]),
}
SOURCES = {
    "web_events": DOCUMENTS,
    "marketplace_orders": UNDER,
    "products": LOGS,
    "orders": TEXTS,
    "customers": PARQUET,
}


@pytest.fixture(scope="module")
def lake(new_lake, tmp_path_factory):
    lake = new_lake("formats")
    declare(
        lake,
        tmp_path_factory.mktemp("formats"),
        web_events={"format": "json_document"},
        marketplace_orders={"format": "json_document", "options": {"records": "$.data.orders"}},
        products={"format": "text", "options": {"pattern": "combined"}},
        orders={"format": "text", "options": {"pattern": PATTERN}},
        customers={"format": "parquet"},
    )
    for source, table in SOURCES.items():
        for name, (content, _) in table.items():
            lake.drop_file(f"{source}/{name}", content)
    lake.build("--select", "+silver_web_events", *(f"bronze_{source}" for source in SOURCES), *NO_TESTS)
    return lake


@pytest.fixture(scope="module")
def found(lake):
    """The records of each file in their order: number, record, reason."""
    records: dict[str, list[tuple]] = {}
    for source in SOURCES:
        for file, *record in lake.sql(
            "select source_file, record_number, record, unreadable_reason"
            f" from {{bronze}}.bronze_{source} order by source_file, record_number"
        ):
            records.setdefault(file, []).append(tuple(record))
    return records


@pytest.mark.parametrize(("source", "name"), [(source, name) for source, table in SOURCES.items() for name in table])
def test_every_record_is_kept_as_it_came_with_the_reason_if_it_cannot_be_read(found, source, name):
    content, places = SOURCES[source][name]
    records = found.get(f"{source}/{name}", [])
    rules = ("silver", NO_EVENT)
    assert [reason for _, _, reason in records] == [None if place in rules else place for place in places]
    if isinstance(content, bytes) and name.endswith(".gz"):
        content = gzip.decompress(content)
    if source == "customers":
        assert [number for number, _, _ in records] == list(range(1, len(records) + 1))
        return
    text = content.decode(errors="replace") if isinstance(content, bytes) else content
    assert all(record in text for _, record, _ in records)
    if source in ("web_events", "marketplace_orders"):
        assert [number for number, _, _ in records] == list(range(1, len(records) + 1))


def test_every_document_is_in_silver_or_in_quarantine(lake):
    places = lake.sql("""
        select b.source_file, coalesce(array_join(q.violated_rules, ', '), 'silver')
        from {bronze}.bronze_web_events as b
        left join {silver}.quarantine_web_events as q
            on b.source_file = q.source_file and b.record_number = q.record_number
        left join {silver}.silver_web_events as s
            on b.source_file = s.source_file and b.record_number = s.record_number
        where q.record_number is not null or s.record_number is not null
        order by b.source_file, b.record_number
    """)
    expected = {f"web_events/{name}": places for name, (_, places) in DOCUMENTS.items() if places}
    assert {file: [place for other, place in places if other == file] for file, _ in places} == expected


def test_the_ledgers_hold_every_file_and_every_record(lake):
    expected = {
        f"{source}/{name}": len(places) for source, table in SOURCES.items() for name, (_, places) in table.items()
    }
    assert dict(lake.sql("select source_file, record_count from {ops}.file_ledger")) == expected
    assert lake.sql("select sum(record_count) from {ops}.row_ledger where source = 'web_events'") == [
        (sum(len(places) for _, places in DOCUMENTS.values()),)
    ]


def test_the_text_of_an_element_is_exact(found):
    assert found["marketplace_orders/list"][0] == (1, INNER, None)


def test_named_groups_are_fields(lake):
    rows = lake.sql(
        "select fields from {bronze}.bronze_products where source_file = 'products/good' and record_number = 3"
    )
    assert rows == [({
        "host": "203.0.113.9", "ident": "-", "user": "jane doe", "time": "10/Oct/2026:13:55:36 -0700",
        "request": 'GET /a?b=\\"c\\" HTTP/1.1', "method": "GET", "path": '/a?b=\\"c\\"', "protocol": "HTTP/1.1",
        "status": "200", "bytes": "-", "referer": "-", "user_agent": "Mozilla/5.0 (é)",
    },)]  # fmt: skip
    [(fields,)] = lake.sql("select fields from {bronze}.bronze_products where source_file = 'products/no request'")
    assert (fields["request"], fields["method"]) == ("\\x16\\x03", None)
    assert [fields for (fields,) in lake.sql("select fields from {bronze}.bronze_orders order by record_number")] == [
        {"InvoiceNo": "12", "StockCode": "A1", "Description": "Ünit"},
        {"InvoiceNo": "13", "StockCode": "B", "Description": None},
        {"InvoiceNo": "١٢", "StockCode": "C", "Description": None},
        None,
    ]


def test_a_row_of_parquet_keeps_all_its_values_and_their_types(lake):
    rows = lake.sql(
        "select record, types from {bronze}.bronze_customers where source_file = 'customers/a b.parquet'"
        " order by record_number"
    )
    assert [json.loads(record, parse_constant=str) for record, _ in rows] == [
        {"at": "2026-01-01T10:00:00.123456Z", "day": "2026-01-02"} | values
        for values in (
            {"id": 1, "amount": "1.50", "ratio": 0.1, "bytes": "/wA=", "odd ` name, \"x\"": "it's",
             "nested": {"a": 1, "list": [1, 2]}},
            {"id": 12345678901234567, "ratio": "NaN", "bytes": "", "odd ` name, \"x\"": "], {", "nested": {"list": []}},
            {"amount": "-1234567890123456.78", "ratio": 1e300},
        )
    ]  # fmt: skip
    [types] = {types for _, types in rows}
    assert types.startswith(
        "id bigint, amount decimal(18,2), at timestamp, day date, ratio double, bytes binary, odd ` name"
    )
    assert lake.sql("select max(types) from {bronze}.bronze_customers where record like '%more%'") == [
        ("id string, more bigint",)
    ]


def test_the_rows_of_parquet_are_numbered_as_in_the_file(lake):
    assert lake.sql("""
        select count(*) from {bronze}.bronze_customers
        where source_file = 'customers/é' and get_json_object(record, '$.id') = record_number - 1
    """) == [(5000,)]


def test_drift_knows_the_fields(lake):
    fields = dict(
        lake.sql("select field, types from {ops}.batch_fields where source in ('marketplace_orders', 'orders')")
    )
    assert fields == {
        "id": "number", "event_id": "text", "x": "number", "y": "number", "z": "text", "é": "array",
        "InvoiceNo": "text", "StockCode": "text", "Description": "text",
    }  # fmt: skip


BANK = """\ufeffAccount;DE00\r
"quoted;\r
Range;all\r
# booked, "late
InvoiceNo;StockCode;Description;Quantity;InvoiceDate;UnitPrice;CustomerID;Country
1;A1;"a;
# b";2;2026-01-01 10:00:00;1.234,50;;FR\r
# "a comment\r
2;A1;b;1.000;2026-01-01 10:00:00;0,5;;FR\r
3;A1;c;1;2026-01-01 10:00:00;1.50;;FR\r
"""


def test_a_csv_has_the_options_that_people_need(new_lake, tmp_path):
    lake = new_lake("options", variables={"decimal_mark": ",", "time_formats": ["yyyy-MM-dd HH:mm:ss", "access_log"]})
    options = {"sep": ";", "skip_lines": 3, "comment": "#"}
    declare(
        lake,
        tmp_path,
        orders={"format": "csv", "options": options, "take": ["shop_*.csv", "old/*"], "leave": "*_test.csv"},
        web_events={"format": "json_document"},
    )
    judged = lake.project_dir / "models/silver/judged/judged_orders.sql"
    sql = judged.read_text()
    judged.write_text(sql.replace("plain_id(\"fields['CustomerID']\")", "name_part('shop_{shop}_{day}.csv', 'shop')"))
    lake.drop_file("orders/shop_9_2026-01-05.csv", BANK)
    for name in ("shop.csv", "shop_1_test.csv", "older/x", "old/deep/x", "SHOP_1.csv"):
        lake.drop_file(f"orders/{name}", BANK)
    lake.drop_file("orders/old/x", "\n\n\n" + HEADER.replace(",", ";") + "4;A1;d;1;2026-01-01 10:00:00;1;;FR\n")
    lake.drop_file("web_events/1.json", pretty(event("a", raw_time="10/Oct/2026:13:55:36 -0700")))
    lake.build("--select", "+silver_order_lines", "+silver_web_events", *NO_TESTS)
    columns = "invoice_no, description, quantity, cast(unit_price as string), customer_id"
    assert lake.sql(f"select {columns} from {{silver}}.silver_order_lines order by 1") == [
        ("1", "a; # b", 2, "1234.5000", "9"),
        ("2", "b", 1000, "0.5000", "9"),
        ("4", "d", 1, "1.0000", None),
    ]
    assert lake.sql("select record_number, violated_rules from {silver}.quarantine_orders") == [
        (3, ["unit_price_valid"])
    ]
    assert lake.sql("select cast(event_at as string) from {silver}.silver_web_events") == [("2026-10-10 20:55:36",)]
    assert sorted(lake.sql("select source_file, record_count from {ops}.file_ledger where source = 'orders'")) == [
        ("orders/old/x", 1),
        ("orders/shop_9_2026-01-05.csv", 3),
    ]


def test_has_new_goes_by_the_names_too():
    source = landing.Source("s", "s", "fail", Path("t"), take=("shop_*.csv", "old/*"), leave=("*_test.csv",))
    names = [
        "shop_9.csv",
        "a/shop_9.csv",
        "shop.csv",
        "shop_1_test.csv",
        "older/x",
        "old/x",
        "old/deep/x",
        "SHOP_1.csv",
    ]
    assert [name for name in names if source.takes(name)] == ["shop_9.csv", "a/shop_9.csv", "old/x"]


def test_a_name_that_parquet_cannot_have_stops_the_source(lake):
    before = lake.version("bronze.bronze_customers")
    file = lake.drop_file("customers/{a}.parquet", parquet(LONG))
    result = lake.dbt("build", "--select", "bronze_customers")
    file.unlink()
    assert "rename customers/{a}.parquet and build again" in lake.explain(result)
    assert lake.version("bronze.bronze_customers") == before
