"""Bronze: every record of every file once, whatever the file is called and however it is written."""

from __future__ import annotations

import bz2
import gzip
import json
import os
import subprocess
import sys
from datetime import datetime, timezone

import pytest
from conftest import ENGINE, NO_TESTS, ROOT, delta_rs
from dbt.adapters.spark.impl import SparkAdapter
from deltalake import DeltaTable
from lakes import HEADER, declare

pytestmark = pytest.mark.engines("sail", in_soak="spark")

LINE = "{},A1,THING,2,2026-01-01 10:00:00,1.50,17850.0,France\n"
BRONZE = ("--select", "bronze_orders", "bronze_web_events")


def records(lake, source, columns="record"):
    return lake.sql(f"select {columns} from {{bronze}}.bronze_{source} order by source_file, record_number")


def at_statement(monkeypatch, part, action):
    """Have something happen right after dbt sent the first statement that has `part` in it."""
    execute = SparkAdapter.execute

    def patched(self, sql, *args, **kwargs):
        result = execute(self, sql, *args, **kwargs)
        if part in sql:
            monkeypatch.undo()
            action(self, sql)
        return result

    monkeypatch.setattr(SparkAdapter, "execute", patched)


AFTER_LISTING = "as known_size"


@pytest.fixture(scope="module")
def hostile(new_lake):
    """One lake with every odd file that bronze must take."""
    lake = new_lake("hostile")
    lake.drop_file("orders/a 1.csv", HEADER + '1,A,"x, ""q""\nline2",5,2026-01-01 10:00:00,1,,\n')
    lake.drop_file(
        "orders/b%20'o\"+é,{x}`.csv",
        "\ufeffStockCode,InvoiceNo,Quantity,Country,CustomerID,UnitPrice,InvoiceDate,Description,more\r\n"
        "S,3,7,F,1,2.5,T,D,x\r\nS2,4\r\nS3,5,6,7,8,9,10,11,12,13\r\n",
    )
    lake.drop_file("orders/header only.csv", HEADER)
    lake.drop_file("orders/empty.csv", "")
    lake.drop_file("orders/blank.csv", "\r\n\r\n")
    lake.drop_file("orders/empty.csv.gz", gzip.compress(b""))
    lake.drop_file("orders/empty.csv.bz2", bz2.compress(b""))
    lake.drop_file("orders/2026/01/dt=2026-01-01/deep.csv", HEADER + LINE.format(10) + '9,Z,"unclosed,5\n')
    lake.drop_file("orders/zipped.csv.gz", gzip.compress((HEADER + LINE.format(7)).encode()))
    lake.drop_file("orders/repeated names.csv", HEADER.strip() + ",A,A,\n" + LINE.format(8).strip() + ",1,2,3\n")
    lake.drop_file("orders/upper.csv.GZ", gzip.compress((HEADER + LINE.format(6)).encode()))
    lake.drop_file("orders/.hidden.csv", HEADER + LINE.format(99))
    lake.drop_file("orders/_being written.csv", HEADER + LINE.format(99))
    lake.drop_file("web_events/1.json", '\ufeff{"a":1}\r\n\r\n{"a":\n[1]\n{"b":"x"}')
    lake.drop_file("web_events/blank.json", "\n\n")
    lake.build(*BRONZE)
    return lake


def test_every_name_is_read(hostile):
    files = {row[0] for row in records(hostile, "orders", "source_file")}
    assert files == {
        "orders/a 1.csv",
        "orders/b%20'o\"+é,{x}`.csv",
        "orders/2026/01/dt=2026-01-01/deep.csv",
        "orders/zipped.csv.gz",
        "orders/repeated names.csv",
        "orders/upper.csv.GZ",
    }


def test_csv_is_read_by_the_header_of_its_file(hostile):
    [(fields,)] = hostile.sql(
        "select fields from {bronze}.bronze_orders where source_file like 'orders/b%' and unreadable_reason is null"
    )
    assert fields == {
        "StockCode": "S",
        "InvoiceNo": "3",
        "Quantity": "7",
        "Country": "F",
        "CustomerID": "1",
        "UnitPrice": "2.5",
        "InvoiceDate": "T",
        "Description": "D",
        "more": "x",
    }


def test_quoted_line_break_stays_in_its_record(hostile):
    [(record, fields)] = hostile.sql(
        "select record, fields from {bronze}.bronze_orders where source_file = 'orders/a 1.csv'"
    )
    assert record == '1,A,"x, ""q""\nline2",5,2026-01-01 10:00:00,1,,'
    assert fields["Description"] == 'x, "q"\nline2'
    assert fields["CustomerID"] is None


def test_broken_records_are_kept_and_marked(hostile):
    broken = hostile.sql(
        "select record, unreadable_reason from {bronze}.bronze_orders where unreadable_reason is not null order by 1"
    )
    assert broken == [
        ('9,Z,"unclosed,5', "unclosed_quote"),
        ("S2,4", "too_few_fields"),
        ("S3,5,6,7,8,9,10,11,12,13", "too_many_fields"),
    ]


def test_repeated_and_missing_header_names_lose_no_value(hostile):
    [(fields,)] = hostile.sql(
        "select fields from {bronze}.bronze_orders where source_file = 'orders/repeated names.csv'"
    )
    assert {name: fields[name] for name in ("InvoiceNo", "A", "A_10", "column_11")} == {
        "InvoiceNo": "8",
        "A": "1",
        "A_10": "2",
        "column_11": "3",
    }


def test_json_lines(hostile):
    assert records(hostile, "web_events", "record, unreadable_reason, record_number") == [
        ('{"a":1}', None, 1),
        ('{"a":', "malformed_json", 3),
        ("[1]", "not_a_json_object", 4),
        ('{"b":"x"}', None, 5),
    ]


def test_ledger_holds_every_file_that_was_read(hostile):
    ledger = dict(hostile.sql("select source_file, record_count from {ops}.file_ledger where source = 'orders'"))
    without_records = {name.removeprefix("orders/") for name, count in ledger.items() if count == 0}
    assert without_records == {"header only.csv", "blank.csv", "empty.csv.gz", "empty.csv.bz2"}
    assert ledger["orders/b%20'o\"+é,{x}`.csv"] == 3
    assert "orders/.hidden.csv" not in ledger
    assert sum(ledger.values()) == len(records(hostile, "orders"))


def test_every_row_has_its_lineage(hostile):
    [(missing,)] = hostile.sql(
        "select count(*) from {bronze}.bronze_orders where source_file is null or ingested_at is null"
        " or record_number is null or file_modified_at is null or file_size is null or batch_id is null"
    )
    assert missing == 0


def test_no_new_files_no_commit_and_a_full_refresh_changes_nothing(hostile):
    before = hostile.versions(with_runs=False)
    hostile.build(*BRONZE)
    hostile.build(*BRONZE, "--full-refresh")
    assert hostile.versions(with_runs=False) == before


def test_only_the_new_file_is_opened(lake):
    old = lake.drop_file("orders/old.csv.gz", gzip.compress((HEADER + LINE.format(1)).encode()))
    lake.build("--select", "bronze_orders")
    old.write_bytes(b"x" * old.stat().st_size)  # whoever opens it now fails
    lake.drop_file("orders/new.csv", HEADER + LINE.format(2))
    lake.build("--select", "bronze_orders")
    assert records(lake, "orders", "fields['InvoiceNo'], batch_id") == [("2", 2), ("1", 1)]


def test_missing_and_empty_folders_give_empty_tables(lake):
    (lake.landing / "orders").mkdir(parents=True)
    lake.build(*BRONZE)
    assert records(lake, "orders") == records(lake, "web_events") == []


def test_a_file_that_changed_after_ingest_is_refused_before_anything_is_written(lake):
    lake.drop_file("orders/1.csv", HEADER + LINE.format(1))
    lake.build("--select", "bronze_orders")
    before = lake.versions(with_runs=False)
    lake.drop_file("orders/1.csv", HEADER + LINE.format(1) + LINE.format(2))
    lake.drop_file("orders/2.csv", HEADER + LINE.format(3))
    result = lake.dbt("build", "--select", "bronze_orders")
    assert "orders/1.csv (was" in lake.explain(result)
    assert lake.versions(with_runs=False) == before


def test_a_changed_file_is_read_again_or_left_alone_as_its_source_declares(lake, tmp_path):
    declare(
        lake,
        tmp_path,
        orders={"format": "csv", "when_changed": "new_version"},
        web_events={"format": "json", "when_changed": "ignore"},
    )
    build = ("--select", "+silver_order_lines", "bronze_web_events", "--exclude-resource-type", "unit_test", "test")
    bad = LINE.replace(",2,", ",two,").format(9)
    lake.drop_file("orders/1.csv", HEADER + LINE.format(1) + bad)
    lake.drop_file("web_events/1.json", "{}\n")
    lake.build(*build)
    lake.drop_file("orders/1.csv", HEADER + LINE.format(2) + bad + LINE.format(1))
    lake.drop_file("web_events/1.json", "{}\n{}\n")
    lake.build(*build)
    before = lake.versions(with_runs=False)
    lake.build(*build)
    assert lake.versions(with_runs=False) == before
    assert len(records(lake, "web_events")) == 1
    assert lake.sql("select invoice_no, batch_id from {silver}.silver_order_lines order by 1") == [("1", 1), ("2", 2)]
    places = lake.sql(
        "select batch_id, place, record_count from {ops}.row_ledger where source = 'orders' order by 1, 2"
    )
    assert places == [
        (1, "new", 1),
        (1, "quarantined", 1),
        (2, "new", 1),
        (2, "quarantined", 1),
        (2, "unchanged", 1),
    ]


# A feed, how it is declared, and the records that it has besides its header.
FEEDS = {
    "orders": ({"sep": "^"}, "StockCode^Description\nA^x,y\nonly one\n", ["A^x,y", "only one"]),
    "products": (
        {"sep": "|", "quote": "'", "escape": "\\"},
        "product_id|name\nP|'a|\\'b\\\\'\n'only|\\'one'\n",
        ["P|'a|\\'b\\\\'", "'only|\\'one'"],
    ),
    "customers": ({"sep": "'"}, "customer_id'op\nC'\"it's\"\n\"only'one\"\n", ["C'\"it's\"", '"only\'one"']),
    "web_events": ({"sep": "\t"}, "event_id\tpage\nE\t^[]\n", ["E\t^[]"]),
    "marketplace_orders": (
        {"sep": ";", "quote": "'", "encoding": "iso-8859-1"},
        "id;text\nM;'Café; it''s'\n'é;'\n",
        ["M;'Café; it''s'", "'é;'"],
    ),
}
VALUES = {
    "orders": "x,y",
    "products": "a|'b\\",
    "customers": "it's",
    "web_events": "^[]",
    "marketplace_orders": "Café; it's",
}


def test_csv_is_read_by_the_options_of_its_source(lake, tmp_path):
    declare(
        lake,
        tmp_path,
        **{
            source: {"format": "csv", "options": options, "columns": text.split("\n")[0].split(options["sep"])}
            for source, (options, text, _) in FEEDS.items()
        },
    )
    for source, (options, text, _) in FEEDS.items():
        lake.drop_file(f"{source}/1.csv", text.encode(options.get("encoding", "utf-8")))
    lake.build("--select", *(f"bronze_{source}" for source in FEEDS), *NO_TESTS)
    assert {source: [row for (row,) in records(lake, source)] for source in FEEDS} == {
        source: feed[2] for source, feed in FEEDS.items()
    }
    for source, value in VALUES.items():
        assert records(lake, source, "element_at(map_values(fields), 2)")[0] == (value,)
        reasons = records(lake, source, "unreadable_reason")
        assert reasons == [(None,), ("too_few_fields",)][: len(reasons)]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"encoding": "utf-8-sig"}, "the encoding 'utf-8-sig' is not supported"),
        ({"encoding": []}, "the encoding '' is not supported"),
        ({"quote": "||"}, "the option quote = '||' cannot be used"),
        ({"header": "false"}, "the option header = 'false' cannot be used"),
        ({"sep": "||"}, "Sail reads a separator of one character"),
    ],
)
@pytest.mark.engines("sail")
def test_an_option_that_cannot_be_used_is_refused(lake, tmp_path, options, says):
    declare(lake, tmp_path, orders={"format": "csv", "options": options})
    lake.drop_file("orders/1.csv", HEADER + LINE.format(1))
    result = lake.dbt("build", "--select", "bronze_orders")
    assert says in lake.explain(result)


LEFT_ALONE = [
    "_1.csv", "_dt=2026.csv", "_dt=2026/1.csv", ".1.csv", "1.csv.filepart", "1.csv.part", "1.csv.PARTIAL", "1.tmp",
    "1.csv.crdownload", "1.csv.download/1.csv", ".1.csv.swp", "1.csv.swp", "1.csv~", "~$1.csv", "1.csv._COPYING_",
]  # fmt: skip
READ = ["1.csv", "a.partly", "dt=2026/1.csv", "part.csv", "a_b.csv", "tmp", "a~b.csv"]


def test_what_is_not_complete_by_its_name_is_left_alone(lake):
    for number, name in enumerate([*LEFT_ALONE, *READ]):
        lake.drop_file(f"orders/{name}", HEADER + LINE.format(number))
    lake.build("--select", "bronze_orders")
    files = [file for (file,) in lake.sql("select source_file from {ops}.file_ledger")]
    assert sorted(files) == sorted(f"orders/{name}" for name in READ)


def test_a_landing_root_that_does_not_exist_stops_the_build(lake):
    lake.landing = lake.landing.parent / "~" / "landing"
    result = lake.dbt("build", "--select", "bronze_orders")
    assert not result.success
    assert f"The landing root {lake.landing} does not exist. Set MEDALLION_LANDING" in lake.explain(result)
    assert "~ is not expanded" in lake.explain(result)
    lake.landing.mkdir(parents=True)
    lake.build("--select", "bronze_orders")
    assert records(lake, "orders") == []


@pytest.mark.parametrize("beside", [True, False])
def test_a_folder_in_another_case_stops_the_build(lake, beside):
    lake.drop_file("Orders/1.csv", HEADER + LINE.format(1))
    lake.drop_file("ORDERS_old/1.csv", HEADER + LINE.format(1))
    if beside:
        lake.drop_file("orders/2.csv", HEADER + LINE.format(2))
    result = lake.dbt("build", "--select", "bronze_orders")
    assert "is declared with the folder orders, and there is Orders/1.csv" in lake.explain(result)
    (lake.landing / "Orders").rename(lake.landing / "orders" / "more" if beside else lake.landing / "orders")
    lake.build("--select", "bronze_orders")
    assert len(records(lake, "orders")) == 1 + beside


def test_a_file_dated_far_ahead_does_not_keep_its_source_fresh(lake):
    """Freshness is the age of what came in, and nothing comes in later than now."""
    file = lake.drop_file("orders/ahead.csv", HEADER + LINE.format(1))
    ahead = datetime(2099, 1, 1, tzinfo=timezone.utc).timestamp()
    os.utime(file, (ahead, ahead))
    before = datetime.now(timezone.utc)
    lake.build("--select", "bronze_orders")
    checked = lake.dbt("source", "freshness", "--select", "source:landing.orders")
    [found] = [result for result in checked.result.results if hasattr(result, "max_loaded_at")]
    assert before <= found.max_loaded_at <= datetime.now(timezone.utc)


@pytest.mark.engines("spark")
def test_a_locale_without_utf_8_hides_no_file(lake):
    """Java takes it from the environment when it starts, so in a process of its own."""
    lake.drop_file("orders/é.csv", HEADER + LINE.format(1))
    home = lake.landing.parent / "home"
    environment = os.environ | {"LC_ALL": "C", "MEDALLION_LANDING": str(lake.landing), "MEDALLION_HOME": str(home)}
    dbt = [sys.executable, "-m", "dbt.cli.main", "run", "--select", "bronze_orders", "--target-path", lake.target_path]
    done = subprocess.run(dbt, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    bronze = home / "warehouse/bronze.db/bronze_orders"
    assert delta_rs(bronze, "select source_file from t") == [("orders/é.csv",)]


def test_a_file_that_nothing_is_read_from_is_named_and_not_entered_into_the_ledger(lake, monkeypatch):
    lost = lake.drop_file("orders/lost.csv", HEADER + LINE.format(1))
    lake.drop_file("orders/good.csv", HEADER + LINE.format(2))
    lake.drop_file("orders/header only.csv", HEADER)
    named = "orders/lost.csv"
    if ENGINE == "spark":  # which takes this for a compressed nothing
        zeros = lake.drop_file("orders/zeros.csv.snappy", b"\0" * 8)
        named += ", orders/zeros.csv.snappy"
    # Spark passes over a file that is gone by now, Sail over one that has become empty
    at_statement(monkeypatch, AFTER_LISTING, lambda *_: lost.unlink() if ENGINE == "spark" else lost.write_text(""))
    result = lake.dbt("build", "--select", "bronze_orders")
    assert not result.success
    assert f"nothing was read from them: {named}." in lake.explain(result)
    assert lake.sql("select count(*) from {ops}.file_ledger") == [(0,)]
    lost.write_text(HEADER + LINE.format(1))
    if ENGINE == "spark":
        zeros.unlink()
    lake.build("--select", "bronze_orders")
    assert records(lake, "orders", "fields['InvoiceNo'], batch_id") == [("2", 1), ("1", 2)]
    assert lake.sql("select source_file, record_count, batch_id from {ops}.file_ledger order by 1") == [
        ("orders/good.csv", 1, 1),
        ("orders/header only.csv", 0, 2),
        ("orders/lost.csv", 1, 2),
    ]


def test_a_file_that_grows_while_it_is_read_is_refused_by_the_next_build(lake, monkeypatch):
    file = lake.drop_file("orders/1.csv", HEADER + LINE.format(1))
    size = file.stat().st_size

    def grow(*_):
        with file.open("a") as end:
            end.write(LINE.format(2))

    at_statement(monkeypatch, AFTER_LISTING, grow)
    lake.build("--select", "bronze_orders")
    assert lake.sql("select file_size, record_count from {ops}.file_ledger") == [(size, 2)]
    before = lake.versions(with_runs=False)
    result = lake.dbt("build", "--select", "bronze_orders")
    assert f"orders/1.csv (was {size} bytes, is {file.stat().st_size})" in lake.explain(result)
    file.unlink()
    lake.build("--select", "bronze_orders")
    assert lake.versions(with_runs=False) == before
    assert records(lake, "orders", "fields['InvoiceNo']") == [("1",), ("2",)]


@pytest.mark.skipif(ENGINE == "spark", reason="there Delta takes a batch once")
def test_a_batch_that_two_builds_wrote_is_refused_until_it_is_taken_back(lake, monkeypatch):
    lake.drop_file("orders/1.csv", HEADER + LINE.format(1))
    lake.build("--select", "bronze_orders")
    lake.drop_file("orders/2.csv", HEADER + LINE.format(2))
    good = lake.version("bronze.bronze_orders")
    at_statement(monkeypatch, "insert into " + lake.table("bronze.bronze_orders"), lambda dbt, sql: dbt.execute(sql))
    for _ in range(2):
        result = lake.dbt("build", "--select", "bronze_orders")
        assert not result.success
        assert "holds batch 2 more than once" in lake.explain(result)
        assert f"to version as of {good} " in lake.explain(result)
        assert lake.sql("select count(*) from {ops}.file_ledger where batch_id > 1") == [(0,)]
    assert len(records(lake, "orders")) == 3
    DeltaTable(lake.path("bronze.bronze_orders")).restore(good)
    lake.build("--select", "bronze_orders")
    assert records(lake, "orders", "fields['InvoiceNo']") == [("1",), ("2",)]


def test_the_number_of_a_lost_batch_is_not_used_again(lake):
    """Not even by a build that was killed when it had taken the files of the lost batch off the ledger."""
    lake.drop_file("orders/1.csv", HEADER + LINE.format(1))
    lake.build("--select", "bronze_orders")
    good = lake.version("bronze.bronze_orders")
    lake.drop_file("orders/2.csv", HEADER + LINE.format(2))
    lake.build("--select", "bronze_orders")
    DeltaTable(lake.path("bronze.bronze_orders")).restore(good)
    lake.sql("delete from {ops}.file_ledger where batch_id = 2")
    lake.build("--select", "bronze_orders")
    assert records(lake, "orders", "fields['InvoiceNo'], batch_id") == [("1", 1), ("2", 3)]


def test_a_run_killed_between_bronze_and_ledger_is_made_good(lake):
    lake.drop_file("orders/1.csv", HEADER + LINE.format(1))
    lake.build("--select", "bronze_orders")
    lake.drop_file("orders/2.csv", HEADER + LINE.format(2))
    lake.build("--select", "bronze_orders")
    lake.sql("delete from {ops}.file_ledger where batch_id = 2")
    lake.drop_file("orders/3.csv", HEADER + LINE.format(3))
    lake.build("--select", "bronze_orders")
    assert records(lake, "orders", "fields['InvoiceNo'], batch_id") == [("1", 1), ("2", 2), ("3", 3)]
    assert lake.sql("select source_file, record_count from {ops}.file_ledger order by 1") == [
        ("orders/1.csv", 1),
        ("orders/2.csv", 1),
        ("orders/3.csv", 1),
    ]


def test_a_large_file_is_read_line_by_line(lake):
    """On Spark in several parts, as it reads text above 128 MB, or above the share of a core."""
    lines = [json.dumps({"event_id": str(number), "page": "x" * (number % 97)}) for number in range(1, 301)]
    lake.drop_file("web_events/1.json", "\ufeff\n \r\n" + "\r\n".join(lines))
    lake.drop_file("web_events/2.json", "{}")
    lake.drop_file("web_events/3.json", "[\n" + ",\n".join(lines) + "\n]")
    marked = [*lines[:7], lines[7].replace("}", ', "x": "\ufffd"}'), *lines[8:]]
    broken = [line.encode() for line in marked]
    broken[5] = b'{"x": "\xe9"}'
    lake.drop_file("web_events/4.json", b"\n".join(broken))
    orders = [LINE.format(number) for number in range(1, 301)]
    orders[10] = orders[10].replace("THING", '"a\nb"')
    other = HEADER.replace("InvoiceNo,StockCode", "StockCode,InvoiceNo")
    lake.drop_file("orders/1.csv", "\n\ufeff" + HEADER + "".join(orders) + HEADER + orders[0] + other + orders[1])
    plain = HEADER + "".join(orders[:9]).replace("THING", "Café \x80")
    lake.drop_file("orders/2.csv", (plain * 2).encode("latin-1"))
    lake.drop_file("orders/3.csv.gz", gzip.compress((HEADER + LINE.format(1)).encode()))
    if ENGINE == "spark":
        lake.spark.conf.set("spark.sql.files.maxPartitionBytes", "1000")
    try:
        lake.build(*BRONZE, whole_file_bytes=500)
    finally:
        if ENGINE == "spark":
            lake.spark.conf.unset("spark.sql.files.maxPartitionBytes")
    found = records(lake, "web_events", "source_file, record_number, record, unreadable_reason")
    assert [row[1:] for row in found if row[0].endswith("1.json")] == [
        (number, line, None) for number, line in enumerate(lines, start=3)
    ]
    assert {row[1:] for row in found if row[0].endswith("2.json")} == {(1, "{}", None)}
    assert [row[3] for row in found if row[0].endswith("3.json")] == ["json_array"] * 302
    assert [row[1:] for row in found if row[0].endswith("4.json")] == [
        (6, '{"x": "\ufffd"}', "not_utf8") if number == 6 else (number, line, None)
        for number, line in enumerate(marked, start=1)
    ]
    found = records(lake, "orders", "source_file, record_number, unreadable_reason, fields['Description']")
    first = [row for row in found if row[0].endswith("1.csv")]
    assert [row[1] for row in first] == list(range(1, 306))
    assert [row[1:3] for row in first if row[2]] == [
        (11, "unclosed_quote"),
        (12, "too_few_fields"),
        (302, "repeated_header"),
        (304, "other_header"),
        (305, "other_header"),
    ]
    second = [row[2:] for row in found if row[0].endswith("2.csv")]
    assert second == [(None, "Café €")] * 9 + [("repeated_header", None)] + [(None, "Café €")] * 9
    assert [row[2] for row in found if row[0].endswith("3.csv.gz")] == [None]


def test_thousands_of_small_files_in_one_drop(lake):
    for number in range(2000):
        lake.drop_file(f"web_events/{number}.json", f'{{"event_id": "{number}"}}\n')
    lake.build("--select", "bronze_web_events")
    assert lake.sql("select count(*), count(distinct source_file) from {bronze}.bronze_web_events") == [(2000, 2000)]
