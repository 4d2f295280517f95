"""What Sail cannot do, statement by statement, as docs/engines.md has it; and its server, commands and data sources.

A gap that is found closed is good news: the pinned Sail can do it, and a workaround can go.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from conftest import NO_TESTS, ROOT, Lake, alone
from deltalake import DeltaTable
from lakes import HEADER, line

from medallion import cli, sail, sail_sources, shell

pytestmark = pytest.mark.engines("sail")

TABLE = "gaps.t (a int, b array<string>) using delta location '{folder}/t'"
GAPS = {
    "transactions on insert": "insert into gaps.t with ('txnAppId' = 'a', 'txnVersion' = '1') select 1, array('x')",
    "history": "describe history gaps.t",
    "detail": "describe detail gaps.t",
    "properties": "show tblproperties gaps.t",
    "restore": "restore table gaps.t to version as of 0",
    "versions before a checkpoint": "select * from gaps.checkpointed version as of 5",
    "optimize": "optimize gaps.t",
    "zorder": "optimize gaps.t zorder by (a)",
    "vacuum": "vacuum gaps.t",
    "change data feed": (
        "create table gaps.feed (a int) using delta location '{folder}/feed' "
        "tblproperties ('delta.enableChangeDataFeed' = 'true')"
    ),
    "table_changes": "select * from table_changes('gaps.t', 0)",
    "new columns": "alter table gaps.t add columns (c int)",
    "column comments": "alter table gaps.t alter column a comment 'x'",
    "table comments": "comment on table gaps.t is 'x'",
    "comment with query": "create or replace table gaps.c using delta location '{folder}/c' comment 'x' as select 1 a",
    "replace by other columns": "create or replace table gaps.t using delta location '{folder}/t' as select 1 as other",
    "registered array columns": "create table gaps.again (a int, b array<string>) using delta location '{folder}/t'",
    "dropping constraints": "alter table gaps.t drop constraint if exists c",
    "cache": "cache table gaps.t",
    "scripts": "begin select 1; end",
    "qualify": "select a from gaps.t qualify row_number() over (order by a) = 1",
    "except": "select * except (a) from gaps.t",
    "file metadata": "select _metadata.file_path from gaps.t",
    "options of a query": "select * from text.`{folder}` with (wholetext = 'true')",
    "filter on lateral view": "select x from gaps.t lateral view explode(b) as x where x = 'x'",
    "try_divide of decimals": "select try_divide(cast(1 as decimal(18, 0)), cast(3 as decimal(18, 0)))",
    "files in mixed folders": "select path from binaryFile.`{folder}/mixed`",
}


@pytest.fixture(scope="module")
def folder(spark, tmp_path_factory):
    path = tmp_path_factory.mktemp("gaps")
    for file in ("1.txt", "day=1/2.txt"):
        (path / "mixed" / file).parent.mkdir(parents=True, exist_ok=True)
        (path / "mixed" / file).write_text("x\n")
    spark.sql("create schema if not exists gaps")
    spark.sql("create table " + TABLE.format(folder=path))
    spark.sql(f"create table gaps.checkpointed (a int) using delta location '{path}/checkpointed'")
    for number in range(10):
        spark.sql(f"insert into gaps.checkpointed select {number}")
    return path


@pytest.mark.parametrize("gap", GAPS)
def test_the_gap_is_still_there(spark, folder, gap):
    says = ".*".join(map(re.escape, gaps_in_docs()[gap].split(" ... ")))
    said = None
    try:
        spark.sql(GAPS[gap].format(folder=folder)).collect()
    except Exception as error:
        said = str(error)
    if said is None:
        pytest.fail(f"Sail {spark.version} can do this now: {gap}", pytrace=False)
    assert re.search(says, said), f"docs/engines.md has another error for {gap}"


def gaps_in_docs() -> dict[str, str]:
    """What Sail says of each gap."""
    table = (ROOT / "docs" / "engines.md").read_text().partition("| gap |")[2].partition("\n\n")[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]
    return {row[0]: row[2].removesuffix(" ...") for row in rows}


def test_the_docs_have_these_gaps():
    assert list(gaps_in_docs()) == list(GAPS)


def test_json_with_something_behind_it_is_taken_for_good(spark):
    [(value,)] = spark.sql("""select try_parse_json('{"a": 1} x') is null""").collect()
    assert not value, "Sail now finds text behind a JSON value: _is_malformed can be simpler"


def test_merge_does_not_look_at_the_constraints_of_a_registered_table(spark, tmp_path):
    """Which every table of the lake is: the catalog of a session knows of constraints that were added in it only."""
    location = f"using delta location '{tmp_path}/checked'"
    spark.sql(f"create table gaps.made (a int) {location}")
    spark.sql("alter table gaps.made add constraint positive check (a > 0)")
    spark.sql(f"create table gaps.checked {location}")
    with pytest.raises(Exception, match="CHECK constraint positive"):
        spark.sql("insert into gaps.checked values (-1)").collect()
    spark.sql("merge into gaps.checked as t using (select -1 as a) as s on t.a = s.a when not matched then insert *")
    [(count,)] = spark.sql("select count(*) from gaps.checked").collect()
    assert count == 1, "Sail's MERGE now refuses what breaks a CHECK constraint: docs/engines.md can say so"


def test_a_blank_in_a_path_is_written_wrongly(spark, tmp_path):
    name = f"gaps.t{uuid.uuid4().hex}"
    spark.sql("create schema if not exists gaps")
    spark.sql(f"create table {name} (a int) using delta location '{tmp_path}/a blank'")
    assert not (tmp_path / "a blank").exists(), "Sail now keeps blanks: lake_location can allow them"


def test_a_lake_in_such_a_path_is_refused(lake, monkeypatch, tmp_path):
    monkeypatch.setenv("MEDALLION_HOME", str(tmp_path / "a blank"))
    result = lake.dbt("build", "--select", "bronze_orders")
    assert not result.success
    assert "Set MEDALLION_HOME to a folder whose path has letters" in str(result.exception) + lake.explain(result)
    assert not (tmp_path / "a blank").exists()


def test_upkeep_by_bare_dbt_is_refused(lake):
    for operation in ("optimize_tables", "vacuum_tables"):
        result = lake.dbt("run-operation", operation)
        assert not result.success


# The server ----------------------------------------------------------------------------------------------------------

OWN = """
import sys
from medallion import sail, shell
with shell.sail_session():
    print(sail.port(), flush=True)
    sys.stdin.read()
"""


def listens(port: int, host: str = sail.HOST) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((host, port)) == 0


def free_port() -> int:
    with socket.socket() as free:
        free.bind((sail.HOST, 0))
        return free.getsockname()[1]


def test_a_command_has_a_server_of_its_own_that_goes_with_it(tmp_path):
    """Nobody else finds it, and not even kill -9 leaves it behind."""
    port = free_port()
    environment = os.environ | {sail.VARIABLE: str(port), "MEDALLION_HOME": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-c", OWN], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as command:
        own = int(command.stdout.readline())
        assert own != port
        assert (listens(own), listens(port)) == (True, False)
        command.kill()
    assert not listens(own)


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_serve(tmp_path, signum):
    port = free_port()
    environment = os.environ | {sail.VARIABLE: str(port), "MEDALLION_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "medallion", "serve"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as server:
        assert f"sc://127.0.0.1:{port}" in server.stdout.readline()
        assert server.stdout.readline() == f"Where dbt runs: export MEDALLION_SAIL_PORT={port}\n"
        assert listens(port)
        if sys.platform == "linux":  # elsewhere this is no address of the machine
            assert not listens(port, "127.0.0.2")
        second = CliRunner(env={sail.VARIABLE: str(port)}).invoke(cli.main, ["serve"])
        assert (second.exit_code, "already" in second.output) == (2, True)
        server.send_signal(signum)
        assert server.wait(timeout=10) == 0
    assert not listens(port)


LONG = "select max(id * id % 1000003) as a from range(1000000000000)"


def cut_short(session, statement: str, cut) -> str:
    """What a statement that would take hours ends with when `cut` is called meanwhile."""
    said = []

    def run() -> None:
        try:
            session.sql(statement).collect()
        except Exception as error:
            said.append(str(error))

    running = threading.Thread(target=run, daemon=True)
    running.start()
    time.sleep(1)
    assert said == []
    cut()
    running.join(timeout=10)
    assert not running.is_alive()
    return said[0]


def test_what_a_killed_command_left_running_is_ended_before_the_next_one_writes(spark, monkeypatch, tmp_path):
    """A served Sail goes on with the INSERT of a client that was killed."""
    monkeypatch.setenv("MEDALLION_HOME", str(tmp_path))
    dead = sail.connect()
    (tmp_path / "sail-session").write_text(dead.session_id)
    dead.sql("create schema if not exists killed")
    dead.sql(f"create table killed.t (a bigint) using delta location '{tmp_path}/t'")

    def next_command() -> None:
        with shell.interruptible("the next one"):
            assert (tmp_path / "sail-session").read_text() == "the next one"

    assert "operation not found" in cut_short(dead, f"insert into killed.t {LONG}", next_command)
    assert len(list((tmp_path / "t" / "_delta_log").glob("*.json"))) == 1
    assert not (tmp_path / "sail-session").exists()
    dead.stop()


def test_a_command_that_ends_leaves_nothing_for_the_next_one(spark, monkeypatch, tmp_path):
    monkeypatch.setenv("MEDALLION_HOME", str(tmp_path))
    with pytest.raises(SystemExit), shell.interruptible("this one"):
        raise SystemExit(0)
    assert not (tmp_path / "sail-session").exists()


def test_a_session_that_has_ended_stops_no_command(spark, monkeypatch, tmp_path):
    """A command that was killed may have come so far."""
    monkeypatch.setenv("MEDALLION_HOME", str(tmp_path))
    ended = sail.connect()
    ended.stop()
    (tmp_path / "sail-session").write_text(ended.session_id)
    with shell.interruptible("this one"):
        pass
    assert not (tmp_path / "sail-session").exists()


def test_two_commands_on_a_served_sail(tmp_path):
    port = free_port()
    environment = alone(tmp_path, tmp_path / "landing")
    environment |= {sail.VARIABLE: str(port), "DBT_TARGET_PATH": str(tmp_path / "target")}
    command = [sys.executable, "-m", "medallion"]
    with subprocess.Popen([*command, "serve"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as server:
        server.stdout.readline()
        build = [*command, "build", "--target", "sail", "--select", "countries", *NO_TESTS]
        ended = [subprocess.run(build, cwd=ROOT, env=environment, capture_output=True, text=True) for _ in range(2)]
        server.terminate()
    assert [command.returncode for command in ended] == [0, 0], [command.stdout + command.stderr for command in ended]


def test_a_signal_ends_what_a_served_sail_is_doing(spark):
    assert "operation not found" in cut_short(spark, LONG, shell.stop_statements)


# Its commands --------------------------------------------------------------------------------------------------------

ORDERS = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
ORDERS += "1,A1,THING,2,2026-01-01 10:00:00,1.50,17850,France\n"


@pytest.fixture(scope="module")
def orders(new_lake) -> Lake:
    lake = new_lake("orders")
    lake.drop_file("orders/1.csv", ORDERS)
    lake.build("--select", "bronze_orders")
    return lake


def medal(lake: Lake, *arguments: str, monkeypatch: pytest.MonkeyPatch) -> Result:
    monkeypatch.setattr(cli.signal, "signal", lambda *_: None)
    monkeypatch.setenv("DBT_TARGET_PATH", str(lake.target_path))
    variables = json.dumps({"schema_prefix": lake.prefix, "landing_root": str(lake.landing)})
    return CliRunner().invoke(cli.main, [*arguments, "--target", "sail", "--vars", variables])


def test_status_and_docs_see_the_tables(orders, monkeypatch):
    result = medal(orders, "status", monkeypatch=monkeypatch)
    assert re.search(r"bronze +bronze_orders +1 +1 ", result.output), result.output
    assert medal(orders, "docs", monkeypatch=monkeypatch).exit_code == 0
    catalog = json.loads((orders.target_path / "catalog.json").read_text())
    assert {"record", "fields", "batch_id"} <= set(catalog["nodes"]["model.medallion.bronze_orders"]["columns"])


def test_tables_can_be_looked_at(orders, monkeypatch):
    def ask(*arguments: str) -> Result:
        return medal(orders, *arguments, monkeypatch=monkeypatch)

    sql = "select record_number, 'bronze.x' as text from bronze.bronze_orders -- one;\n where record like '1,A1%';"
    assert json.loads(ask("query", sql, "--format", "json").stdout) == [{"record_number": 1, "text": "bronze.x"}]
    shown = ask("show", "ops.file_ledger", "--format", "csv").stdout.splitlines()
    assert shown[0].startswith("source,source_file,batch_id")
    assert shown[1].startswith("orders,orders/1.csv,1")
    assert re.search(r"\b45\b", ask("query", "select 40 + 5 as answer").output)
    cut = ask("query", "select explode(sequence(1, 5)) as n", "--limit", "2", "--format", "json")
    assert json.loads(cut.stdout) == [{"n": 1}, {"n": 2}]
    assert "The first 2 rows" in cut.stderr
    assert "No rows." in ask("query", "select 1 where false").output
    before = orders.versions()
    for arguments, sentence in (
        (("show", "gold.nothing"), "There is no table gold.nothing"),
        (("show", "bronze_orders"), "name layer and table"),
        (("query", "delete from bronze.bronze_orders"), "Only a SELECT"),
        (("query", "select no_such_column from bronze.bronze_orders"), "no_such_column"),
    ):
        result = ask(*arguments)
        assert result.exit_code in (1, 2)
        assert sentence in result.output
        assert "Traceback" not in result.output
    assert orders.versions() == before


def test_upkeep_does_what_pays_and_then_nothing(new_lake, monkeypatch):
    lake = new_lake("upkeep")
    lake.drop_file("orders/1.csv", ORDERS)
    lake.build("--select", "bronze_orders")
    for _ in range(33):
        lake.sql("insert into {bronze}.bronze_orders select * from {bronze}.bronze_orders limit 1")

    def maintain(*arguments: str) -> dict[str, dict]:
        result = medal(lake, "maintain", "--json", *arguments, monkeypatch=monkeypatch)
        assert result.exit_code == 0, result.output
        return {job["table"]: job for job in json.loads(result.stdout)["tables"]}

    before = lake.versions()
    plan = maintain("--plan")
    assert plan.keys() == before.keys()
    assert [name for name, job in plan.items() if job["todo"]] == ["bronze.bronze_orders"]
    assert (plan["bronze.bronze_orders"]["files"], plan["bronze.bronze_orders"]["todo"]) == (34, ["optimize"])
    assert lake.versions() == before
    assert maintain()["bronze.bronze_orders"]["done"] == ["optimized, files: 34 before, 1 now"]
    after = lake.versions()
    assert {name for name in after if after[name] != before[name]} == {"bronze.bronze_orders"}
    assert not any(job["todo"] for job in maintain().values())
    assert lake.versions() == after
    assert lake.sql("select count(*) from {bronze}.bronze_orders") == [(34,)]


def test_a_table_whose_upkeep_fails_does_not_stop_the_others(orders, monkeypatch):
    orders.sql("insert into {bronze}.bronze_orders select * from {bronze}.bronze_orders")
    for file in orders.path("bronze.bronze_orders").glob("*.parquet"):
        file.rename(file.with_suffix(".hidden"))
    result = medal(orders, "optimize", "--force", monkeypatch=monkeypatch)
    for file in orders.path("bronze.bronze_orders").glob("*.hidden"):
        file.rename(file.with_suffix(".parquet"))
    assert result.exit_code == 1
    assert "bronze.bronze_orders: FAILED" in result.output
    assert "ops.file_ledger: " in result.output
    assert "tables failed: bronze.bronze_orders" in result.output


def test_gold_follows_silver_past_a_checkpoint(lake):
    first, second, third = (f"2026-01-0{day} 10:00:00" for day in (1, 2, 3))
    lake.drop_file("orders/1.csv", HEADER + line("1", date=first) + line("2", date=second))
    lake.build("--select", "+daily_sales_by_product", *NO_TESTS)
    lake.drop_file("orders/2.csv", HEADER + line("3", date=second) + line("4", date=third))
    lake.build("--select", "+silver_order_lines", *NO_TESTS)
    DeltaTable(str(lake.path("silver.silver_order_lines"))).create_checkpoint()
    lake.build("--select", "daily_sales_by_product", *NO_TESTS)
    days = "select day(sales_date), units from {gold}.daily_sales_by_product order by 1"
    assert lake.sql(days) == [(1, 2), (2, 4), (3, 2)]


# Its data sources ----------------------------------------------------------------------------------------------------


def test_only_the_newest_commits_are_read(tmp_path):
    table = tmp_path / "schema" / "table"
    log = table / "_delta_log"
    log.mkdir(parents=True)
    (tmp_path / "schema" / "left_by_a_killed_run" / "_delta_log").mkdir(parents=True)
    for version in range(3):
        (log / f"{version:020}.json").write_text(
            '{"protocol": {}}\n' + json.dumps({"commitInfo": {"operation": f"WRITE {version}"}}, separators=(",", ":"))
        )
    for other in (f"{3:020}.checkpoint.{uuid.uuid4()}.json", f"{0:020}.{3:020}.compacted.json", "_commits.json"):
        (log / other).write_text("not a commit")
    (log / f"{0:020}.json").write_text("not read")
    found = list(sail_sources.LakeCommits.rows(f"{table}#2"))
    assert [(row[0], row[2], row[-1]) for row in found] == [(2, "WRITE 2", True), (1, "WRITE 1", True)]
    (log / "_last_checkpoint").write_text('{"version": 2, "size": 1}')
    found = list(sail_sources.LakeCommits.rows(f"{table}#2"))
    assert [(row[0], row[-1]) for row in found] == [(2, True), (1, False)]
    assert list(sail_sources.LakeCommits.rows(f"{tmp_path}/none#2")) == []


def test_files_come_in_parts(monkeypatch, tmp_path):
    monkeypatch.setattr(sail_sources, "PART_BYTES", 10)
    sizes = {"a": 4, "b": 6, "c": 1, "d": 30, "e.gz": 1, "f": 2}
    for name, size in sizes.items():
        (tmp_path / name).write_bytes(b"x" * size)
    files = [str(tmp_path / name) for name in [*sizes, "gone"]]
    parts = [part["files"] for part in sail_sources.LandingContents.parts(str(tmp_path), json.dumps(files))]
    assert [[Path(file).name for file in part] for part in parts] == [["a", "b"], ["c"], ["d"], ["e.gz", "f", "gone"]]


def test_tables_of_a_schema_are_told_with_their_state(tmp_path):
    import pyarrow
    from deltalake import write_deltalake

    (tmp_path / "left_by_a_killed_run" / "_delta_log").mkdir(parents=True)
    for _ in range(2):
        write_deltalake(str(tmp_path / "t"), pyarrow.table({"a": [1]}), mode="append")
    [(name, version, committed_at, properties, columns, since)] = sail_sources.LakeTables.rows(f"{tmp_path}#*")
    assert (name, version, json.loads(properties), json.loads(columns), since) == (
        "t",
        1,
        {},
        ["a"],
        2,
    )
    assert committed_at == (tmp_path / "t" / "_delta_log" / f"{1:020}.json").stat().st_mtime_ns // 1_000_000
    assert next(sail_sources.LakeCheckpoints.rows(f"{tmp_path}#t,nowhere"))[:2] == ("t", 1)
    assert [row[-1] for row in sail_sources.LakeTables.rows(f"{tmp_path}#*")] == [0]


def test_a_file_that_is_too_large_is_refused(monkeypatch, tmp_path):
    """With 10 bytes in the place of 2 GB; an unpacked file counts as what it holds."""
    monkeypatch.setattr(sail_sources, "MOST_BYTES", 10)
    fits, large, packed = tmp_path / "fits", tmp_path / "large", tmp_path / "packed.gz"
    fits.write_bytes(b"x" * 10)
    large.write_bytes(b"x" * 11)
    packed.write_bytes(sail_sources.gzip.compress(b"x" * 11))
    rows = list(sail_sources.LandingContents.rows([str(fits), str(large), str(packed)]))
    assert (rows[0][3], rows[0][-1]) == ("x" * 10, None)
    for row, file in zip(rows[1:], (large, packed), strict=True):
        assert row[3] is None
        assert f"Cannot read {file} (it holds 2 GB or more, which only Spark reads: --target local)" in row[-1]


def test_an_object_store_is_no_empty_lake(lake):
    lake.landing = "s3a://bucket/landing"
    result = lake.dbt("build", "--select", "bronze_orders")
    assert "folders of this machine only, not s3a://bucket/landing/orders" in lake.explain(result)


def test_numbers_of_a_record_keep_their_characters(spark, lake):
    record = (
        r'{"id": 12345678901234567890123, "p": 2.50, "e": -1e2, "s": "1.50 \" 7, [3", "n": null, '
        r'"l": [{"a": 1.10}, {"a": "2.20"}], "t": true, "q": "a\\"}'
    )
    fields = "id string, p string, e string, s string, n string, l array<struct<a string>>, t string, q string"
    result = lake.dbt("compile", "--inline", "{{ json_fields('record', '" + fields + "') }}")
    expression = result.result.results[0].node.compiled_code
    quoted = record.replace("\\", "\\\\")
    [(row,)] = spark.sql(f"select {expression} from (select '{quoted}' as record)").collect()
    texts = ("12345678901234567890123", "2.50", "-1e2", '1.50 " 7, [3', None, [("1.10",), ("2.20",)], "true", "a\\")
    assert row == texts
    assert spark.sql(f"select {expression} from (select 'not one 1' as record)").collect()[0][0][0] is None
