"""Hostile input: each record ends in a named place, or the build names the file it cannot read and takes in nothing.

One table a format: a file, what it holds, and the place of each record that bronze finds in it: `silver`, or why it is
in quarantine. Where the engines cannot agree, the table has a place for each, and docs/engines.md names it.
"""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import zipfile

import pyarrow.parquet
import pytest
from conftest import ENGINE, NO_TESTS, delta_rs
from lakes import HEADER, line

from medallion.errors import explain

OTHER_ORDER = HEADER.replace("InvoiceNo,StockCode", "StockCode,InvoiceNo")
INJECTIONS = ["'; drop table x; --", "{{ jinja }}", "{% raw %}", "`", "*/ /*", "${x}", "\\", "\\'", "%s %(a)s", "\x1f"]
# A colon, as in a time of day, is what Hadoop has trouble with.
NAMES = [
    *[name for name in INJECTIONS if "/" not in name],
    "10:00",
    "*/x",
    "?",
    "[a]",
    "{a,b}",
    "#",
    "a%2Fb",
    "new\nline",
    "é",
]


def event(name: str, more: str = "", **changes) -> str:
    fields = {"event_id": name, "user_id": "u", "event_type": "page_view", "raw_time": "2026-01-01 10:00:00", **changes}
    return json.dumps(fields)[:-1] + more + "}"


def by_engine(spark: list[str], sail: list[str]) -> list[str]:
    return {"spark": spark, "sail": sail}[ENGINE]


def zipped(files: dict[str, str]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content * 100)
    return packed.getvalue()


def parquet() -> bytes:
    file = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table({"InvoiceNo": ["1"] * 1000}), file)
    return file.getvalue()


def nested(levels: int) -> str:
    return ', "x": ' + "[" * levels + "]" * levels


JSON = {
    # broken JSON
    "truncated": (event("truncated")[:-20], ["malformed_json"]),
    "truncated letter": ('{"event_id": "é'.encode()[:-1], ["not_utf8"]),
    "two records on a line": (event("a") + event("b") + "\n" + event("c") + ",", ["malformed_json"] * 2),
    "text behind": (event("d") + " // x\n" + event("e") + "\0\n" + event("f") + "}", ["malformed_json"] * 3),
    "no object": (
        "[1]\nnull\n{}\n",
        ["not_a_json_object"] * 2 + ["event_id_present, user_id_present, event_time_valid, event_type_known"],
    ),
    "repeated key": (event("g", ', "event_id": "h"') + "\n" + event("i", ', "x": 1, "x": 2'), ["malformed_json"] * 2),
    "other types": (
        '{"event_id": {}, "user_id": [1], "event_type": true, "raw_time": 20260101}',
        ["event_time_valid, event_type_known"],
    ),
    "2,000 levels": (event("j", nested(2000)), ["malformed_json"]),
    "100,000 levels": ("[" * 100_000, ["json_array"]),
    "200 levels": (event("k", nested(200)), by_engine(["silver"], ["malformed_json"])),
    "100 levels": (event("l", nested(100)), ["silver"]),
    # numbers
    "no number": (
        "\n".join(event("m", f', "x": {x}') for x in ("NaN", "Infinity", "-Infinity", "+1", "007", "0x1F", ".5")),
        ["malformed_json"] * 7,
    ),
    "128 bits": (event("n", ', "x": 340282366920938463463374607431768211456'), ["silver"]),
    "1e999": (event("o", ', "x": 1e999'), by_engine(["silver"], ["malformed_json"])),
    # bytes
    "latin-1": ((event("p") + "\n" + event("q", ', "page": "Café"')).encode("latin-1"), ["silver", "not_utf8"]),
    "utf-16": ((event("r") + "\n" + event("s")).encode("utf-16"), ["file_is_utf16"]),
    "utf-16, no mark": ((event("r") + "\n" + event("s")).encode("utf-16-be"), ["file_is_utf16"]),
    "byte-order marks": ("\ufeff" + event("t") + "\n\ufeff" + event("u"), ["silver", "malformed_json"]),
    "half a surrogate": (
        event("v", ', "page": "\\ud800"') + "\n" + event("v2", ', "page": "\0"'),
        ["malformed_json"] * 2,
    ),
    "surrogate bytes": (event("w", ', "page": "x"').encode().replace(b'"x"', b'"\xed\xa0\x80"'), ["not_utf8"]),
    "NUL": ("\0" * 100, ["malformed_json"]),
    "escaped NUL": (event("x", page="a\0b"), ["silver"]),
    "10 MB": (event("y", page="x" * 10_000_000), ["silver"]),
    "line ends": (
        "\r\n".join((event("z1"), event("z2") + "\n" + event("z3") + "\r" + event("z4"), event("z5"))),
        ["silver"] * 5,
    ),
    "blank": ("\r\n \n\n\r", []),
    "x.json/part": (event("in a folder"), ["silver"]),
    "U+FFFD": (
        (event("fffd", ', "page": "\ufffd"') + "\n").encode()
        + b'{"event_id": "\xe9"}\n'
        + event("fffd 2", ', "page": "\ufffd"').encode(),
        ["silver", "not_utf8", "silver"],
    ),
    # files of another kind
    "behind white space": ("\t" + event("tab") + "\n \t" + event("tab 2") + "\r\n\t\u00a0\n", ["silver"] * 2),
    "array": ("\n[\n" + event("array") + ",\n" + event("array 2") + "\n]\n", ["json_array"] * 4),
    "array, one line": ("[" + event("array 3") + "]\n", ["json_array"]),
    "pretty": (json.dumps({"event_id": "pretty", "x": {"a": 1}}, indent=1), ["json_over_several_lines"] * 6),
    "zip": (zipped({"1.json": event("zip")}), ["file_is_zip"]),
    "gzip": (gzip.compress(event("gzip").encode()), ["file_is_gzip"]),
    # injection
    "injection": (
        "\n".join(event(f"i{i}", page=text) for i, text in enumerate(INJECTIONS)),
        ["silver"] * len(INJECTIONS),
    ),
    "injected keys": (event("keys", **dict.fromkeys(INJECTIONS, 1)), ["silver"]),
    "injected type": (event("type", event_type="' or 1=1 --"), ["event_type_known"]),
    # an id of invisible characters only is no id
    "names/": {f"names/{name}": (event(name), ["event_id_present" if name == "\x1f" else "silver"]) for name in NAMES},
}
CSV = {
    # headers
    "no header": (line("1") + line("2"), ["unknown_header"] * 2),
    "no header, one line": (line("3"), ["unknown_header"]),
    "header only": (HEADER, []),
    "title": ("Orders\n" + HEADER + line("4"), ["unknown_header"] * 3),
    "lower case": (HEADER.lower() + line("5"), ["silver"]),
    "repeated name": (HEADER.strip() + ",x,x\n" + line("6").strip() + ",1,2\n", ["silver"]),
    "repeated name, taken": (
        HEADER.strip() + ",x,x,x_10\n" + line("7").strip() + ",1,2,3\n",
        ["unreadable_header"] * 2,
    ),
    "repeated column": (
        HEADER.strip() + ",invoice no\n" + line("8").strip() + ",9\n",
        ["repeated_column: InvoiceNo"] * 2,
    ),
    "two names": ("InvoiceNo,StockCode\n6,7\n", ["unknown_header"] * 2),
    "101 names": ("a," * 100 + HEADER + line("9"), ["unreadable_header"] * 2),
    "unclosed name": ('InvoiceNo,"StockCode\n' + line("10"), ["unclosed_quote"] * 2),
    "quoted names behind a mark": ("\ufeff" + HEADER.replace("InvoiceNo", '"InvoiceNo"') + line("11"), ["silver"]),
    "semicolons": ((HEADER + line("12")).replace(",", ";"), ["wrong_separator: semicolon"] * 2),
    "tabs": ((HEADER + line("13")).replace(",", "\t"), ["wrong_separator: tab"] * 2),
    "other writing": (
        '\n \t\r\n\ufeffinvoiceno, Stock\u00a0Code ,"Descrip\ntion", QUANTITY,Invoice Date,Unit\u200bPrice,'
        '"Customer ID",COUNTRY\n' + line("46"),
        ["silver"],
    ),
    "missing": (
        HEADER.replace("CustomerID", "customer").replace("Country", "Land") + line("47"),
        ["missing_column: CustomerID; Country"] * 2,
    ),
    "no header, a name": (line("48", "Country") + line("49", "StockCode"), ["unknown_header"] * 2),
    "two files": (HEADER + line("50") + HEADER + line("51"), ["silver", "repeated_header", "silver"]),
    "two files, other order": (
        HEADER + line("52") + OTHER_ORDER + "A1,53,THING,2,2026-01-01 10:00:00,1.50,17850,France\n",
        ["silver", "other_header", "other_header"],
    ),
    "two files, other writing": (
        HEADER
        + line("54")
        + "\ufeff"
        + OTHER_ORDER.upper().replace(",", " , ")
        + "A1,55,THING,2,2026-01-01 10:00:00,1.50,1,France\n",
        ["silver", "other_header", "other_header"],
    ),
    "two files, no line end": (
        HEADER
        + line("56")
        + line("57").strip()
        + OTHER_ORDER
        + "A1,58,THING,2,2026-01-01 10:00:00,1.50,17850,France\n",
        ["silver", "other_header", "other_header"],
    ),
    "names as values": (HEADER + line("59", "Country") + line("60", "StockCode"), ["silver"] * 2),
    # quotes
    "line break": (HEADER + line("61", '"a, ""b""\nc"') + line("62", '"a\r\n\r\nb"'), ["silver"] * 2),
    "inches": (HEADER + line("63", '5" PIPE') + line("64", "5'' PIPE \"x\""), ["silver"] * 2),
    "blanks round quotes": (HEADER + line("65", ' "THING"\t') + line("66", '\u00a0"THING" '), ["silver"] * 2),
    "two stray quotes": (
        HEADER + line("67") + line("68", '"12 INCH') + line("69") + line("70", '"14 INCH') + line("71"),
        ["silver"] + ["text_behind_quote"] * 3 + ["silver"],
    ),
    "stray quotes round records": (
        HEADER + line("72", '"12 INCH') + line("73") + line("74", '14 INCH"') + line("75"),
        ["records_in_quotes"] * 3 + ["silver"],
    ),
    "stray quotes in neighbours": (
        HEADER + line("76", '"12 INCH') + line("77", '14 INCH"') + line("78"),
        ["records_in_quotes"] * 2 + ["silver"],
    ),
    "a record in a text": (
        HEADER + line("79", '"see:\n' + line("80").strip() + '\nend"') + line("81"),
        ["records_in_quotes"] * 3 + ["silver"],
    ),
    "text behind a quote": (
        HEADER + line("82", '"THING"x') + line("83", '"a"b"') + line("84"),
        ["text_behind_quote"] * 2 + ["silver"],
    ),
    "a quote in a quoted text": (HEADER + line("85", '"a "b" c"') + line("86"), ["text_behind_quote", "silver"]),
    # records
    "truncated": (HEADER + line("14") + line("15")[:20], ["silver", "too_few_fields"]),
    "unclosed": (
        HEADER + line("16") + line("17", '"THING') + line("18"),
        ["silver", "unclosed_quote", "unclosed_quote"],
    ),
    "150 fields": (HEADER + "," * 150 + "\n" + line("19"), ["too_many_fields", "silver"]),
    "30,000 fields": (HEADER + "," * 30_000 + "\n" + line("19b"), ["too_many_fields", "silver"]),
    "numbers": (
        HEADER
        + "".join(
            line("20", quantity=n, price=n)
            for n in ("99999999999999999999", "NaN", "-Infinity", "1e3", "0x1", "1_000", "٢")
        )
        + line("21", quantity="2147483648")
        + line("22", price="99999999999999999999")
        + line("23", price="1.23456"),
        ["quantity_valid, unit_price_valid"] * 7 + ["quantity_valid"] + ["unit_price_valid"] * 2,
    ),
    "dates": (
        HEADER
        + "".join(
            line("24", date=date)
            for date in ("0001-01-01 00:00:00", "9999-12-31 23:59:59", "2026-02-30 00:00:00", "01/02/2026 10:00")
        ),
        ["invoice_date_plausible"] * 2 + ["invoice_date_valid", "silver"],
    ),
    # bytes
    "latin-1": ((HEADER + line("25", "Café") + line("26")).encode("latin-1"), ["silver"] * 2),
    "latin-1 name": (("Café," + HEADER + "x," + line("27")).encode("latin-1"), ["silver"]),
    "utf-16": ((HEADER + line("28").strip()).encode("utf-16"), ["file_is_utf16"]),
    "utf-16, no mark": ((HEADER + line("28").strip()).encode("utf-16-be"), ["file_is_utf16"]),
    "NUL": (HEADER + line("29", "a\0b") + "\0" + line("30") + "\0\n", ["silver"] * 2 + ["too_few_fields"]),
    "NUL only": ("\0" * 100, ["unknown_header"]),
    "NUL in a number": (HEADER + line("31", quantity="2\0"), ["silver"]),
    "separators": (HEADER + line("32", "\x1f") + line("33", "\x1e"), ["silver"] * 2),
    "10 MB": (HEADER + line("34", "x" * 10_000_000), ["silver"]),
    "line ends": (HEADER + line("35").replace("\n", "\r\n") + line("36"), ["silver"] * 2),
    "carriage returns": ((HEADER + line("37") + line("38")).replace("\n", "\r"), ["silver"] * 2),
    "line ends, the first of two": (
        HEADER.replace("\n", "\r\n") + line("39") + line("40").replace("\n", "\r\n") + line("41"),
        ["silver"] * 3,
    ),
    "x.csv/part": (HEADER + line("42"), ["silver"]),
    "windows-1252": (
        (HEADER + line("87", "Café x") + line("88")).encode("latin-1").replace(b" x", b" \x80"),
        ["silver"] * 2,
    ),
    "no windows-1252": (
        (HEADER + line("89", "Café x") + line("90")).encode("latin-1").replace(b" x", b" \x81"),
        ["not_utf8", "silver"],
    ),
    "two encodings": (
        HEADER.encode() + line("91", "Café").encode("latin-1") + line("92", "Café").encode(),
        ["not_utf8", "silver"],
    ),
    "U+FFFD": (HEADER + line("93", "Caf\ufffd"), ["silver"]),
    # files of another kind
    "zip": (zipped({"1.csv": HEADER + line("94")}), ["file_is_zip"]),
    "book.xlsx": (zipped({"[Content_Types].xml": "<x/>", "xl/workbook.xml": "<x/>"}), ["file_is_zip"]),
    "parquet": (parquet(), ["file_is_parquet"]),
    "gzip": (gzip.compress((HEADER + line("95")).encode()), ["file_is_gzip"]),
    "bzip2": (bz2.compress((HEADER + line("95")).encode()), ["file_is_bzip2"]),
    "xz": (lzma.compress((HEADER + line("95")).encode()), ["file_is_xz"]),
    "html": ("<!DOCTYPE html>\n<html><body>502</body></html>\n", ["file_is_html"]),
    # injection
    "injection": (
        HEADER + "".join(line(f"43{i}", text) for i, text in enumerate(INJECTIONS)),
        ["silver"] * len(INJECTIONS),
    ),
    "injected names": (",".join(INJECTIONS) + "," + HEADER + "x," * len(INJECTIONS) + line("44"), ["silver"]),
    "names/": {f"names/{name}": (HEADER + line(f"45{i}"), ["silver"]) for i, name in enumerate(NAMES)},
}


def files(source: str, table: dict, end: str) -> dict[str, tuple[bytes, list[str]]]:
    flat = {name: case for name, case in table.items() if isinstance(case, tuple)} | table["names/"]
    return {
        f"{source}/{name}{end}": (content if isinstance(content, bytes) else content.encode(), places)
        for name, (content, places) in flat.items()
    }


FILES = files("web_events", JSON, ".json") | files("orders", CSV, ".csv")
SILVER = {"web_events": "silver_web_events", "orders": "silver_order_lines"}


@pytest.fixture(scope="module")
def lake(new_lake):
    """All files of the tables, and a few things that hold no record, in one build."""
    lake = new_lake("hostile_input")
    for name, (content, _) in FILES.items():
        lake.drop_file(name, content)
    (lake.landing / "orders" / "empty folder.csv").mkdir()
    (lake.landing / "web_events" / "empty folder.json").mkdir()
    lake.build("--select", *(f"+{table}" for table in SILVER.values()), *NO_TESTS)
    return lake


@pytest.fixture(scope="module")
def found(lake):
    """The records of each file, in their order, with their places."""
    records: dict[str, list[tuple[str, str]]] = {}
    for source, table in SILVER.items():
        for file, record, place in lake.sql(
            f"""
            select
                b.source_file,
                b.record,
                concat_ws(
                    ' and ', array_join(q.violated_rules, ', '), case when s.record_number is not null then 'silver' end
                )
            from {{bronze}}.bronze_{source} as b
            left join {{silver}}.quarantine_{source} as q
                on b.source_file = q.source_file and b.record_number = q.record_number
            left join {{silver}}.{table} as s on b.source_file = s.source_file and b.record_number = s.record_number
            order by b.source_file, b.record_number
        """
        ):
            records.setdefault(file, []).append((record, place))
    return records


@pytest.mark.parametrize("file", FILES)
def test_every_record_is_in_its_place(found, file):
    content, places = FILES[file]
    assert [place for _, place in found.get(file, [])] == places
    texts = [content.decode(errors="replace"), content.decode("windows-1252", errors="replace")]
    assert all(any(record in text for text in texts) for record, _ in found.get(file, []))


def test_the_ledgers_hold_every_file_and_every_record(lake, found):
    assert dict(lake.sql("select source_file, record_count from {ops}.file_ledger")) == {
        file: len(places) for file, (_, places) in FILES.items()
    }
    assert lake.sql("select sum(record_count) from {ops}.row_ledger") == [(sum(map(len, found.values())),)]


def test_injected_values_are_values(lake):
    for column, table in (("page", "silver_web_events"), ("description", "silver_order_lines")):
        rows = lake.sql(
            f"select {column} from {{silver}}.{table} where source_file like '%/injection.%' order by record_number"
        )
        expected = INJECTIONS if column == "page" else [None if text == "\x1f" else text for text in INJECTIONS]
        assert [value for (value,) in rows] == expected
    [(fields,)] = lake.sql("select fields from {bronze}.bronze_orders where source_file = 'orders/injected names.csv'")
    assert [fields[name] for name in INJECTIONS] == ["x"] * len(INJECTIONS)


def test_every_reader_can_read_the_tables(lake):
    """Bytes that are no UTF-8 must not get into a table: Spark would write them, and others refuse them."""
    [(text,)] = delta_rs(lake.path("bronze.bronze_web_events"), "select record from t where record like '%Caf%'")
    assert "Caf\ufffd" in text


ZIPPED = gzip.compress("".join(event(f"zipped {i}") + "\n" for i in range(5000)).encode())
# Files that cannot be read: what they hold, or where a link leads.
REFUSED = {
    "web_events/truncated.json.gz": ZIPPED[: len(ZIPPED) // 2],
    "orders/not gzip.csv.gz": (HEADER + line("1")).encode(),
    "orders/no permission.csv": (HEADER + line("1")).encode(),
    "orders/other compression.csv.zst": b"zst",
    # only one engine minds these
    "orders/padded.csv.gz": gzip.compress((HEADER + line("1")).encode()) + b"\0" * 512,
    "orders/truncated.csv.bz2": bz2.compress((HEADER + line("1") * 5000).encode())[:-20],
    "web_events/link to nowhere.json": "nowhere",
    "web_events/link to itself": ".",
}
NOT_REFUSED = {
    "spark": {"web_events/link to nowhere.json", "web_events/link to itself"},
    "sail": {"orders/padded.csv.gz"},
}


@pytest.fixture(scope="module")
def refusing(new_lake):
    """A lake with one batch in bronze, and good files for the next one."""
    lake = new_lake("refusing")
    for batch in (1, 2):
        lake.drop_file(f"web_events/{batch}.json", event(str(batch)))
        lake.drop_file(f"orders/{batch}.csv", HEADER + line(str(batch)))
        if batch == 1:
            lake.build("--select", "bronze_web_events", "bronze_orders")
    return lake


def taken_in(lake):
    tables = ("{ops}.file_ledger", "{bronze}.bronze_web_events", "{bronze}.bronze_orders")
    return {row for table in tables for row in lake.sql(f"select source_file from {table}")}


@pytest.mark.parametrize("file", [file for file in REFUSED if file not in NOT_REFUSED[ENGINE]])
def test_a_file_that_cannot_be_read_is_named_and_nothing_of_its_batch_is_taken_in(refusing, file):
    content = REFUSED[file]
    if isinstance(content, str):
        (path := refusing.landing / file).symlink_to(content)
    else:
        path = refusing.drop_file(file, content)
    if "permission" in file:
        path.chmod(0)
        if os.access(path, os.R_OK):
            path.unlink()
            pytest.skip("root may read every file")
    before = refusing.versions(with_runs=False)
    result = refusing.dbt("build", "--select", f"bronze_{file.split('/')[0]}")
    path.unlink()
    said = refusing.explain(result)
    assert not result.success
    # Spark writes a name as a URL, and does not say what to do; the command does
    assert path.name in said or path.as_uri().split("/")[-1] in said
    assert "replace it or take it away" in "\n".join([said, *explain([said])])
    assert "Traceback" not in said
    assert refusing.versions(with_runs=False) == before
    assert taken_in(refusing) == {("web_events/1.json",), ("orders/1.csv",)}


def test_without_the_broken_files_the_next_build_goes_on(refusing):
    refusing.build("--select", "bronze_web_events", "bronze_orders")
    assert taken_in(refusing) == {
        (f"{file}",) for batch in (1, 2) for file in (f"web_events/{batch}.json", f"orders/{batch}.csv")
    }
