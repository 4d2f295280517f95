"""The command `medallion`, without Spark: what it asks of dbt, what it exits with, what it says."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import nullcontext
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result
from conftest import ROOT
from filelock import FileLock

from medallion import bare, cli, console, display, errors, lake, shell

pytestmark = pytest.mark.engines()

COMMANDS = [
    "demo",
    "build",
    "resume",
    "watch",
    "backfill",
    "rebuild",
    "maintain",
    "trends",
    "query",
    "show",
    "why",
    "access",
    "releases",
    "rollback",
    "diff",
    "docs",
    "serve",
    "optimize",
    "vacuum",
    "drop",
    "status",
    "has-new",
    "wait",
]
COMMANDS += ["drift", "quarantine", "quarantine list", "quarantine show", "quarantine replay", "quarantine discard"]
COMMANDS += ["init", "source", "source new", "source remove"]


KEPT_RUN_RESULTS = list(display.RUN_RESULTS)


class FakeDbt:
    """Stands for dbtRunner: notes each invocation and answers with what was told for lines of this pattern."""

    def __init__(self) -> None:
        self.invocations: list[list[str]] = []
        self.answers: list[tuple[str, Any]] = []

    def answer(self, pattern: str, **answer: Any) -> None:
        self.answers.append((pattern, answer))

    def rows(self, within: str, *rows: dict[str, Any]) -> None:
        """Rows of the queries whose SQL has `within` in it."""
        self.answer(f"show .*{within}", rows=rows)

    def runner(self, manifest: Any = None, callbacks: Any = ()) -> Any:
        self.callbacks = callbacks
        return self

    def invoke(self, arguments: list[str]) -> SimpleNamespace:
        self.invocations.append(arguments)
        line = " ".join(arguments)
        answer = next(
            (answer for fits, answer in self.answers if re.match(fits, line) and answer.get("times", 1) > 0), {}
        )
        if "times" in answer:
            answer["times"] -= 1
        events = [("error", "NodeError", text) for text in answer.get("errors", [])]
        events += [("info", "PrintEvent", text) for text in answer.get("printed", [])]
        for level, name, text in events:
            for callback in self.callbacks:
                callback(SimpleNamespace(info=SimpleNamespace(level=level, name=name, msg=text)))
        table = SimpleNamespace(rows=answer.get("rows", []))
        nodes = answer.get("nodes", [node("silver_orders")])
        for one in nodes:
            one.agate_table = table
        result = SimpleNamespace(results=nodes, nodes=answer.get("manifest", {}), sources={})
        return SimpleNamespace(success=answer.get("success", True), exception=answer.get("exception"), result=result)

    @property
    def commands(self) -> list[str]:
        """The invocations but for parse, as one line each, without what every build leaves out."""
        lines = [" ".join(arguments) for arguments in self.invocations if arguments[0] != "parse"]
        return [line.replace(" --exclude-resource-type unit_test", "") for line in lines]


def node(name: str, kind: str = "model", status: str = "success", message: str = "", **more: Any) -> SimpleNamespace:
    """A result of dbt's for one node."""
    of = SimpleNamespace(name=name, resource_type=kind, config=SimpleNamespace(meta=more.pop("meta", {})), **more)
    return SimpleNamespace(node=of, status=status, message=message, failures=more.get("failures"), execution_time=1.0)


def failure(message: str, kind: str = "model", status: str = "error") -> dict[str, Any]:
    """The parts of an answer in which a node failed."""
    return {"errors": [message], "nodes": [node("silver_orders", kind, status, message)]}


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeDbt:
    fake = FakeDbt()
    monkeypatch.setattr("dbt.cli.main.dbtRunner", fake.runner)
    # Spark may be running in this very process, for other tests.
    for module in (shell, cli):
        monkeypatch.setattr(module, "stop_spark", lambda: None)
    monkeypatch.setattr(shell, "silence_pyspark", lambda: None)
    monkeypatch.setattr(cli.signal, "signal", lambda *_: None)
    monkeypatch.setattr(display, "RUN_RESULTS", [tmp_path / "run_results.json", tmp_path / "of_sail.json"])
    monkeypatch.setattr(shell, "private", lambda: None)
    monkeypatch.setenv("DBT_TARGET_PATH", "")
    monkeypatch.delenv("DBT_TARGET_PATH")
    monkeypatch.setenv("MEDALLION_HOME", str(tmp_path / "lake"))
    monkeypatch.setenv("MEDALLION_LANDING", str(tmp_path / "landing"))
    monkeypatch.delenv("DBT_TARGET", raising=False)
    monkeypatch.setenv("PYTHONWARNINGS", os.environ.get("PYTHONWARNINGS", ""))
    for name in ("DBT_USE_COLORS", "no_proxy", "NO_PROXY", *bare.OTHER_SPARKS):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return fake


def medal(*arguments: str) -> Result:
    return CliRunner().invoke(cli.main, list(arguments))


HEALTH = {
    "layer": "gold", "table_name": "daily_sales_by_product", "row_count": 1234, "file_count": 2, "size_bytes": 1536000,
    "written_utc": "2026-01-02 03:04",
}  # fmt: skip


# The builders --------------------------------------------------------------------------------------------------------


def test_operation_keeps_its_artifacts_apart() -> None:
    assert shell.operation("vacuum_tables", table="gold.t", layer=None, apply=True) == [
        "run-operation", "vacuum_tables", "--args", '{"table": "gold.t", "apply": true}',
        "--target-path", "target/upkeep",
    ]  # fmt: skip


def test_query() -> None:
    assert shell.query("select 1", 5) == [
        "show", "--inline", "select 1", "--limit", "5", "--output", "json", "--target-path", "target/upkeep",
        "--no-write-json",
    ]  # fmt: skip


def test_call() -> None:
    assert shell.call("table_list", layer=None, table="it's") == '{{ table_list(table="it\'s") }}'
    assert shell.call("table_health") == "{{ table_health() }}"


def test_options() -> None:
    assert shell.options(target="cluster", vars=None) == ["--target", "cluster"]
    assert shell.options(target=None, vars=None) == []


@pytest.mark.parametrize(
    ("message", "word"),
    [
        ("[JAVA_GATEWAY_EXITED] Java gateway process exited", "Java 17"),
        ("[DELTA_CREATE_TABLE_WITH_NON_EMPTY_LOCATION] Cannot create table", "delete the folder"),
        ("[DELTA_CONCURRENT_APPEND.WITHOUT_HINT] Transaction conflict detected", "same time"),
        ("org.apache.spark.SparkException: Not enough memory to build and broadcast the table", "spark.driver.memory"),
        ("io.delta.exceptions.ConcurrentAppendException: Files were added", "same time"),
        ("[INTERNAL_ERROR] Cannot find main error class 'DELTA_MERGE_UNRESOLVED_EXPRESSION'", "--full-refresh"),
    ],
)
def test_known_errors_are_explained(message: str, word: str) -> None:
    (meaning,) = errors.explain([message, message])
    assert word in meaning


def test_only_the_most_particular_meaning_is_told() -> None:
    (meaning,) = errors.explain(["[FAILED_READ_FILE] Encountered error: orders/1.csv (Permission denied)"])
    assert "landing file" in meaning
    own = "Cannot read orders/1.csv (Permission denied). Nothing of its batch was written; replace it."
    assert errors.explain([own]) == []


def test_plans_in_messages_are_not_taken_for_errors() -> None:
    plan = "[TABLE_OR_VIEW_NOT_FOUND] ... ResolvedIdentifier org.apache.spark.sql.delta.catalog.DeltaCatalog@1, gold.t"
    assert errors.explain([plan]) == []


def test_short_leaves_out_frames_and_stack_traces() -> None:
    message = (
        "Encountered an error:\nRuntime Error\n  Compilation Error in sql_operation inline_query (from remote)\n"
        "  No layer 'x'.\n  > in macro project_tables (a.sql)\n  > called by sql_operation\n"
        "\tat org.apache.Spark(1)\nmore"
    )
    assert errors.short([message]) == "No layer 'x'."
    assert errors.short([]) == "dbt failed; see logs/dbt.log"


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (1_536_000, "1.5 MB"), (3e15, "3000.0 TB")]
)
def test_size(number: float, text: str) -> None:
    assert console.size(number) == text


def test_cells_of_a_column_look_alike() -> None:
    assert console.cells([1234, None, 5]) == ["1,234", "", "5"]
    assert console.cells([2000, 1976.1]) == ["2,000.00", "1,976.10"]
    assert console.cells([date(2026, 1, 2), None]) == ["2026-01-02", ""]


# The commands --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_a_description_and_examples(command: str) -> None:
    result = medal(*command.split(), "--help")
    assert result.exit_code == 0
    assert "Examples:" in result.output
    assert result.output.count(f"  medallion {command}") >= 2


def test_every_command_is_tested_for_its_help() -> None:
    groups = [cli.quarantine, cli.source]
    found = [*cli.main.commands, *(f"{group.name} {name}" for group in groups for name in group.commands)]
    assert sorted(found) == sorted(COMMANDS)


def test_a_table_of_a_release_can_be_queried(fake: FakeDbt) -> None:
    assert medal("query", "select 'serving.a' from serving.b").exit_code == 0
    assert """ select 'serving.a' from {{ published_table(name="b") }} """ in fake.commands[-1]


def test_build_passes_arguments_on(fake: FakeDbt) -> None:
    result = medal("build", "--select", "tag:gold", "-x", "--vars", "{a: 1}", "--full-refresh")
    assert result.exit_code == 0
    assert fake.invocations == [
        [
            "build",
            "--exclude-resource-type",
            "unit_test",
            "--select",
            "tag:gold",
            "-x",
            "--vars",
            "{a: 1}",
            "--full-refresh",
        ]
    ]
    assert Path.cwd() == ROOT
    for words in (["--unit-tests"], ["--select", "test_type:unit"], ["--resource-type", "unit_test"]):
        assert medal("build", *words).exit_code == 0
        assert "--exclude-resource-type" not in fake.invocations[-1]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"success": True}, 0),
        ({"success": False}, 1),
        ({"success": False, "exception": RuntimeError("no such option")}, 2),
    ],
)
def test_exit_codes_are_those_of_dbt(fake: FakeDbt, answer: dict, code: int) -> None:
    fake.answer("build", **answer)
    fake.answer("docs generate", **answer)
    assert medal("build").exit_code == code
    assert medal("docs", "--serve").exit_code == code
    assert ("docs serve --host 127.0.0.1 --port 8080" in fake.commands) is (code == 0)


def test_build_explains_known_errors(fake: FakeDbt) -> None:
    fake.answer("build", success=False, errors=["x: [DELTA_MULTIPLE_SOURCE_ROW_MATCHING_TARGET_ROW_IN_MERGE] y"])
    result = medal("build")
    assert result.exit_code == 1
    assert "holds a key of the model twice" in result.output
    assert fake.commands == ["build"]


@pytest.mark.parametrize(("lost", "builds", "code"), [(0, 1, 0), (2, 3, 0), (9, 4, 4)])
def test_a_build_that_another_writer_came_before_is_repeated(
    fake: FakeDbt, monkeypatch: pytest.MonkeyPatch, lost: int, builds: int, code: int
) -> None:
    monkeypatch.setattr(shell, "PAUSES", [0, 0, 0])
    fake.answer("build", times=lost, success=False, **failure("[DELTA_CONCURRENT_DELETE_READ] x"))
    result = medal("build", "--select", "tag:gold")
    assert (result.exit_code, fake.commands) == (code, ["build --select tag:gold"] * builds)
    assert ("run the command again" in result.output) is (code == 4)


def test_options_reach_every_invocation(fake: FakeDbt) -> None:
    assert medal("status", "--target", "cluster", "--vars", "{a: 1}").exit_code == 0
    assert len(fake.invocations) == 2
    assert all(arguments[-4:] == ["--target", "cluster", "--vars", "{a: 1}"] for arguments in fake.invocations)


def test_status_of_an_empty_lake(fake: FakeDbt) -> None:
    result = medal("status")
    assert result.exit_code == 0
    assert "No tables yet; make some with: " in result.output
    assert "No dbt run yet." in result.output


def test_status(fake: FakeDbt) -> None:
    fake.rows("table_health", HEALTH)
    fake.rows("quarantine_summary", {"source": "orders", "rule": "quantity_not_zero", "record_count": 7})
    display.RUN_RESULTS[0].write_text(
        json.dumps(
            {
                "metadata": {"generated_at": "2026-01-02T03:04:05.678Z"},
                "args": {"which": "build"},
                "elapsed_time": 61.4,
                "results": [{"status": "success"}, {"status": "pass"}, {"status": "success"}],
            }
        )
    )
    result = medal("status")
    assert result.exit_code == 0
    for text in ["daily_sales_by_product", "1,234", "1.5 MB", "2026-01-02 03:04", "quantity_not_zero"]:
        assert text in result.output
    assert "Last run: dbt build, 2026-01-02 03:04 UTC, 61 s: 1 pass, 2 success" in result.output
    assert all(arguments[-2:] == ["--log-level", "none"] for arguments in fake.invocations)


def test_the_last_run_is_the_newest_of_any_target(fake: FakeDbt) -> None:
    run = {"metadata": {"generated_at": "2026-01-02T03:04:05Z"}, "args": {}, "elapsed_time": 1, "results": []}
    for seconds, (file, which) in enumerate(zip(display.RUN_RESULTS, ("build", "test"), strict=True)):
        file.write_text(json.dumps(run | {"args": {"which": which}}))
        os.utime(file, (seconds, seconds))
        assert f"Last run: dbt {which}," in display.last_run()


@pytest.mark.parametrize("artifact", ["{}", "[]", "not JSON", '{"results": [], "metadata": {"generated_at": null}}'])
def test_another_artifact_is_no_last_run(fake: FakeDbt, artifact: str) -> None:
    display.RUN_RESULTS[0].write_text(artifact)
    assert display.last_run() == "No dbt run yet."


def test_sail_has_a_target_folder_of_its_own(fake: FakeDbt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shell, "sail_session", lambda writes: nullcontext())
    assert medal("build").exit_code == 0
    assert "DBT_TARGET_PATH" not in os.environ
    assert medal("build", "--target", "sail").exit_code == 0
    assert ROOT / os.environ["DBT_TARGET_PATH"] / "run_results.json" in KEPT_RUN_RESULTS


def test_status_that_fails_gives_one_sentence(fake: FakeDbt) -> None:
    fake.answer("show", success=False, exception=RuntimeError("OutOfMemoryError\n\tat org.apache.spark.Boot(1)"))
    result = medal("status")
    assert result.exit_code == 2
    assert result.output.strip() == "Error: Spark ran out of memory; raise spark.driver.memory in profiles.yml."


def test_drift(fake: FakeDbt) -> None:
    assert "declared fields" in medal("drift").output
    row = {"source": "orders", "batch_id": 2, "kind": "new", "field": "Note", "found": "text", "record_count": 7}
    fake.rows("count.*field_drift", {"source": "orders", "kind": "new", "fields": 1})
    fake.rows("field_drift", row | {"to_accept": "declare it"})
    result = medal("drift", "orders")
    assert '{{ field_drift(source="orders") }}' in fake.commands[-1]
    assert result.exit_code == 0
    assert "orders, new Note: declare it" in result.output


def test_drift_has_a_limit_and_a_summary(fake: FakeDbt) -> None:
    row = {"source": "orders", "batch_id": 2, "kind": "new", "found": "text", "record_count": 7, "to_accept": "it"}
    fake.rows("count.*field_drift", {"source": "orders", "kind": "new", "fields": 60_000})
    fake.rows("field_drift", *(row | {"field": f"f{number}"} for number in range(20)))
    result = medal("drift")
    assert "--limit 20 " in fake.commands[-1]
    assert "The first 20 of 60,000" in result.output
    assert "59,980 more: " in result.output
    assert len(result.output.splitlines()) < 70


def test_quarantine_list_and_show(fake: FakeDbt) -> None:
    fake.rows("quarantine_summary", {"source": "orders", "rule": "quantity_valid", "record_count": 7})
    fake.rows("quarantined_records", {"source_file": "orders/a.csv", "record_number": 3, "rules": "r", "record": "x,y"})
    assert "quantity_valid" in medal("quarantine", "list", "--source", "orders").output
    assert 'quarantine_summary(source="orders")' in fake.commands[-1]
    result = medal("quarantine", "show", "orders", "--rule", "r", "--limit", "9")
    assert "orders/a.csv record 3: r\nx,y\n" in result.output
    assert '{{ quarantined_records(source="orders", rule="r", is_masked=true) }}' in fake.commands[-1]
    assert "--limit 9" in fake.commands[-1]
    medal("quarantine", "show", "orders", "--unmask")
    assert '{{ quarantined_records(source="orders", is_masked=false) }}' in fake.commands[-1]


@pytest.mark.parametrize("rows", [[("quantity_valid", "", 7), ("", "customer_id_valid", 2)], []])
@pytest.mark.parametrize(("arguments", "builds"), [([], 0), (["--apply"], 1)])
def test_quarantine_replay_builds_only_when_told_to(
    fake: FakeDbt, rows: list, arguments: list[str], builds: int
) -> None:
    """With nothing in quarantine as well: stricter rules take records out of silver."""
    names = ("old_rules", "new_rules", "record_count")
    fake.rows("judged_again", *(dict(zip(names, row, strict=True)) for row in rows))
    result = medal("quarantine", "replay", "orders", *arguments)
    assert result.exit_code == 0
    for rule in ("quantity_valid", "customer_id_valid"):
        assert (rule in result.output) is bool(rows)
    assert fake.commands[0].startswith("run --select judged_orders ")
    apply = "build --full-refresh --select +judged_orders,resource_type:seed judged_orders+"
    assert fake.commands.count(apply) == builds
    assert ("Nothing was changed" in result.output) is not bool(builds)


def test_quarantine_replay_has_dbts_exit_code(fake: FakeDbt) -> None:
    fake.answer("run --select", success=False, errors=["Database Error"])
    assert medal("quarantine", "replay", "orders").exit_code == 1


@pytest.mark.parametrize(("arguments", "operations"), [([], 0), (["--apply"], 1)])
def test_quarantine_discard_writes_only_when_told_to(fake: FakeDbt, arguments: list[str], operations: int) -> None:
    fake.rows("quarantined_records", {"broke": "quantity_valid", "records": 7})
    result = medal(
        "quarantine", "discard", "orders", "--rule", "r", "--file", "orders/a.csv", "--note", "n", *arguments
    )
    assert result.exit_code == 0
    assert "quantity_valid" in result.output
    assert '{{ quarantined_records(source="orders", rule="r", source_file="orders/a.csv") }}' in fake.commands[0]
    told = json.dumps({"source": "orders", "note": "n", "rule": "r", "source_file": "orders/a.csv"})
    assert (
        sum(command.startswith(f"run-operation discard_records --args {told}") for command in fake.commands)
        == operations
    )
    assert ("Nothing was changed" in result.output) is not bool(operations)


def test_quarantine_discard_needs_a_note(fake: FakeDbt) -> None:
    assert "--note" in medal("quarantine", "discard", "orders", "--apply").output
    assert "why" in medal("quarantine", "discard", "orders", "--apply", "--note", " ").output
    assert fake.commands == []


TABLES = [{"layer": "gold", "table_name": name} for name in "ab"]
OPTIMIZE = {"location": "", "is_skipped": False, "is_due": True, "zorder": "", "num_files": 40, "size_in_bytes": 1}
VACUUM = {"location": "", "is_refused": False, "retention": "7 days", "hours": 168, "num_files": 3}


@pytest.mark.parametrize(
    ("arguments", "operation", "args"),
    [
        (["optimize"], "optimize_tables", '"force": false'),
        (["optimize", "--force"], "optimize_tables", '"force": true'),
        (["vacuum"], "vacuum_tables", None),
        (["vacuum", "--apply", "--lite"], "vacuum_tables", '"apply": true, "lite": true'),
    ],
)
@pytest.mark.parametrize("is_printed", ["1", "0"])
def test_upkeep_goes_table_by_table(
    fake: FakeDbt, monkeypatch: pytest.MonkeyPatch, arguments: list[str], operation: str, args: str, is_printed: str
) -> None:
    """Without a word that dbt prints, so DBT_PRINT changes nothing."""
    monkeypatch.setenv("DBT_PRINT", is_printed)
    fake.rows("table_list", *TABLES)
    fake.rows("optimize_jobs", OPTIMIZE)
    fake.rows("vacuum_jobs", VACUUM)
    result = medal(*arguments)
    assert result.exit_code == 0
    assert result.output.count("gold.") == 2
    done = [command for command in fake.commands if command.startswith("run-operation")]
    assert done == [
        f'run-operation {operation} --args {{"table": "gold.{table}", {args}}} --target-path target/upkeep'
        " --log-level none"
        for table in "ab" if args
    ]  # fmt: skip


def test_a_retention_that_is_too_short_is_refused(fake: FakeDbt) -> None:
    fake.rows("table_list", *TABLES)
    fake.rows("vacuum_jobs.*gold.a", VACUUM | {"is_refused": True, "retention": "1 days"})
    fake.rows("vacuum_jobs", VACUUM)
    result = medal("vacuum", "--apply")
    assert result.exit_code == errors.DATA
    assert "its retention 1 days is not at least 7 days" in result.output
    assert [command for command in fake.commands if "gold.b" in command and "run-operation" in command]
    assert not [command for command in fake.commands if "gold.a" in command and "run-operation" in command]


def test_a_table_that_fails_does_not_stop_the_others(fake: FakeDbt) -> None:
    fake.rows("table_list", *TABLES)
    fake.rows("optimize_jobs", OPTIMIZE)
    fake.answer("run-operation .*gold.a", success=False, errors=["io.delta.exceptions.ConcurrentAppendException: x"])
    result = medal("optimize")
    assert result.exit_code == 4
    assert "gold.a: FAILED" in result.output
    assert "same time" in result.output
    assert "gold.b: optimized" in result.output
    assert "1 of 2 tables failed: gold.a" in result.output


def test_what_delta_rs_cannot_do_does_not_stop_the_others_either(
    fake: FakeDbt, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(shell, "sail_session", lambda writes: nullcontext())
    fake.rows("table_list", *TABLES)
    fake.rows("optimize_jobs.*gold.a", OPTIMIZE | {"location": str(tmp_path / "gone")})
    fake.rows("optimize_jobs", OPTIMIZE | {"is_due": False})
    result = medal("optimize", "--target", "sail")
    assert result.exit_code == 1
    assert "gold.a: FAILED\n" in result.output
    assert "gold.b: nothing to do" in result.output
    assert "1 of 2 tables failed: gold.a" in result.output


def test_optimize_takes_layer_and_table_to_the_list(fake: FakeDbt) -> None:
    result = medal("optimize", "--layer", "gold", "--table", "t")
    assert '{{ table_list(layer="gold", table="t") }}' in fake.commands[0]
    assert "No tables yet" in result.output


def test_demo_writes_files_builds_and_shows(fake: FakeDbt, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    written = {}
    generator = SimpleNamespace(generate=lambda out, **arguments: written.update(out=out, **arguments))
    monkeypatch.setitem(sys.modules, "medallion.generate", generator)
    fake.rows("table_health", HEALTH)
    fake.rows("daily_sales_by_product", {"product_id": "22423", "net_revenue": 12.5})
    result = medal("demo", "--days", "3", "--events", "10", "--seed", "7")
    assert result.exit_code == 0
    assert written == {"out": tmp_path / "landing", "days": 3, "events": 10, "seed": 7}
    assert fake.commands[0] == "build --target sail"
    for text in ["1,234", "No quarantined records.", "22423", "12.50", "medallion docs --serve"]:
        assert text in result.output


def test_demo_leaves_files_that_are_there(fake: FakeDbt, tmp_path: Path) -> None:
    (tmp_path / "mine" / "orders").mkdir(parents=True)
    (tmp_path / "mine" / "orders" / "a.csv").write_text("x")
    fake.answer("build", success=False)
    result = medal("demo", "--out", "mine")
    assert result.exit_code == 1
    assert "already has 1 files" in result.output
    assert os.environ["MEDALLION_LANDING"] == str(tmp_path / "mine")


def test_demo_refuses_an_object_store(fake: FakeDbt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDALLION_LANDING", "s3a://bucket/landing")
    result = medal("demo")
    assert result.exit_code == 2
    assert "s3a://bucket/landing" in result.output
    assert not fake.invocations


@pytest.mark.parametrize("target", ["local", "sail"])
def test_two_writers_at_once(fake: FakeDbt, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, target: str) -> None:
    monkeypatch.setattr(shell, "sail_session", lambda writes: nullcontext())
    hold = """
import sys, time
from medallion import lake
with lake.lake_lock():
    print(flush=True)
    time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", hold], stdout=subprocess.PIPE) as first:
        first.stdout.readline()
        second = medal("build", "--target", target)
        reader = medal("status", "--target", target)
        first.kill()
        first.wait()
        third = medal("build", "--target", target)
    assert second.exit_code == 3
    assert f"Process {first.pid} is writing to the lake {tmp_path / 'lake'}" in second.output
    assert fake.commands[-1] == f"build --target {target}"
    assert (reader.exit_code, third.exit_code) == (0, 0)


def test_a_lake_folder_that_cannot_be_written(fake: FakeDbt, tmp_path: Path) -> None:
    (tmp_path / "lake").touch()
    result = medal("build")
    assert result.exit_code == 2
    assert f"The lake folder {tmp_path / 'lake'} cannot be written (File exists)" in result.output
    assert not fake.invocations


def test_an_empty_home_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDALLION_HOME", "")
    assert lake.lake_home() == ROOT / ".lake"


@pytest.mark.parametrize("port", ["abc", "", "0", "70000", "-1"])
def test_a_port_that_is_none(fake: FakeDbt, monkeypatch: pytest.MonkeyPatch, port: str) -> None:
    monkeypatch.setenv("MEDALLION_SAIL_PORT", port)
    for command in (["serve"], ["status", "--target", "sail"]):
        result = medal(*command)
        assert result.exit_code == 2
        assert f"MEDALLION_SAIL_PORT is '{port}'; it must be the number of a port" in result.output


def test_a_stranger_at_the_port_of_sail(fake: FakeDbt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli.sail, "PATIENCE", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        monkeypatch.setenv("MEDALLION_SAIL_PORT", str(port := stranger.getsockname()[1]))
        result = medal("status", "--target", "sail")
    assert result.exit_code == 2
    assert f"What listens at 127.0.0.1:{port} is no Sail server, or does not answer" in result.output


def test_without_sail(fake: FakeDbt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pysail.spark", None)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setenv("MEDALLION_SAIL_PORT", str(port))
    for command in (["serve"], ["status", "--target", "sail"]):
        assert "Sail is not installed in this Python; make setup installs it." in medal(*command).output


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_command_and_what_it_started(signum: int, tmp_path: Path) -> None:
    """With a `sleep` in the place of the JVM."""
    script = """
import subprocess, sys, time, types
import pyspark
from medallion import build, shell
java = subprocess.Popen(["sleep", "60"])
pyspark.SparkContext._gateway = types.SimpleNamespace(proc=java)
with build.told(True, "build", []), shell.dbt_session(["--target", "none"]):
    print(java.pid, flush=True, file=sys.stderr)
    time.sleep(60)
"""
    started = time.monotonic()
    environment = os.environ | {"MEDALLION_HOME": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        java = int(process.stderr.readline())
        process.send_signal(signum)
        said, for_people = process.communicate()
    assert process.returncode == 128 + signum
    assert json.loads(said)["code"] == 128 + signum
    assert "Stopped." in for_people
    assert time.monotonic() - started < 60
    with pytest.raises(ProcessLookupError):
        os.kill(java, 0)


def test_a_table_is_dropped_by_its_name_only(fake: FakeDbt, tmp_path: Path) -> None:
    table = tmp_path / "lake/warehouse/gold.db/old"
    (table / "_delta_log").mkdir(parents=True)
    fake.rows("drop_job", {"row_count": 1234, "location": str(table)})
    asked = CliRunner().invoke(cli.main, ["drop", "gold.old"], input="gold.other\n")
    assert "gold.old has 1,234 rows." in asked.output
    assert "'gold.other' is not 'gold.old': nothing was deleted." in asked.output
    for refused in (["gold.old"], ["gold.old", "--confirm", "old"], ["ops.row_ledger", "--confirm", "ops.row_ledger"]):
        assert medal("drop", *refused).exit_code == errors.USAGE
    assert medal("drop", "gold.../x", "--confirm", "gold.../x").exit_code == errors.USAGE
    assert table.exists()
    assert medal("drop", "gold.old", "--confirm", "gold.old").exit_code == errors.DONE
    assert not table.exists()


def test_a_table_that_is_elsewhere_is_dropped_there(fake: FakeDbt) -> None:
    fake.rows("drop_job", {"row_count": 0, "location": ""})
    assert medal("drop", "gold.old", "--confirm", "gold.old", "--target", "cluster").exit_code == errors.DONE
    assert 'run-operation drop_table --args {"layer": "gold", "name": "old"}' in fake.commands[-1]


# The contract with orchestrators; real causes on Sail in test_outcomes ----------------------------------------------


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (failure("Got 3 results, configured to fail if != 0", "test", "fail"), errors.DATA),
        (failure("Compilation Error: 264 of 264 records are lost"), errors.DATA),
        (failure("py4j.protocol.Py4JNetworkError: Answer from Java side is empty"), errors.RETRY),
        (failure("No space left on device"), errors.USAGE),
        ({"exception": RuntimeError("Runtime Error: The profile 'medallion' does not have a target named 'x'")}, 2),
        ({"exception": RuntimeError("Could not find profile named 'medallion'")}, errors.USAGE),
        ({"exception": RuntimeError("StatusCode.UNAVAILABLE")}, errors.RETRY),
        # a retry is no use where data failed as well
        (
            {"nodes": [node("a", status="error", message="Socket closed"), node("t", "test", "fail", "Got 1 result")]},
            errors.DATA,
        ),
    ],
)
def test_exit_codes(fake: FakeDbt, monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any], code: int) -> None:
    monkeypatch.setattr(shell, "PAUSES", [])
    fake.answer("build", success=False, **answer)
    result = medal("build", "--json")
    assert (result.exit_code, json.loads(result.stdout)["code"]) == (code, code)


def test_a_backfill_is_dbts_own(fake: FakeDbt) -> None:
    days = "--event-time-start 2026-01-05 --event-time-end 2026-01-08"
    assert medal("backfill", "--start", "2026-01-05", "--end", "2026-01-07", "-s", "tag:gold").exit_code == 0
    assert fake.commands[0] == f"build {days} --select tag:gold --exclude tag:bronze resource_type:snapshot"
    fake.answer("run --event", nodes=[node("silver_orders", message="3 rows missing")])
    planned = medal("backfill", "--start", "2026-01-05", "--end", "2026-01-07", "--plan")
    assert "3 rows missing" in planned.output
    assert fake.commands[-1].startswith(f"run {days} --exclude tag:bronze resource_type:snapshot --target-path")
    assert "MEDALLION_BACKFILL_PLAN" not in os.environ
    assert medal("backfill", "--start", "2026-01-07", "--end", "2026-01-05").exit_code == errors.USAGE


def test_a_rebuild_is_a_full_refresh(fake: FakeDbt) -> None:
    assert medal("rebuild", "tag:gold", "silver_orders").exit_code == 0
    words = "--select tag:gold silver_orders --exclude tag:bronze resource_type:snapshot"
    assert fake.commands[0] == f"build --full-refresh {words}"
    refused = medal("rebuild", "tag:gold", "--verify", "--target", "cluster")
    assert refused.exit_code == errors.USAGE
    assert "--verify needs the lake's files" in refused.output


def test_json_is_all_there_is_on_stdout(fake: FakeDbt) -> None:
    skipped = [node("silver_a", status="error", message="x"), node("gold_a", status="skipped")]
    fake.answer("build", success=False, nodes=skipped, errors=["x"])
    result = medal("build", "--json", "--select", "tag:gold")
    told = json.loads(result.stdout)
    assert told["arguments"] == ["--select", "tag:gold"]
    assert [(row["name"], row["status"]) for row in told["nodes"]] == [("silver_a", "error"), ("gold_a", "skipped")]
    assert "Skipped: 1 tables (gold_a) and 0 tests, because these failed: silver_a" in result.stderr
    assert " resume" in result.stderr


def test_json_where_the_lake_is_busy(fake: FakeDbt, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "lake").mkdir()
    with FileLock(tmp_path / "lake" / "lock"):
        result = medal("build", "--json")
    assert (result.exit_code, json.loads(result.stdout)["code"]) == (errors.BUSY, errors.BUSY)
    assert not fake.invocations


def test_somebody_is_notified_of_a_failed_run(fake: FakeDbt, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    told = tmp_path / "told.json"
    monkeypatch.setenv("MEDALLION_ON_FAILURE", f"cat > {told}")
    assert medal("build").exit_code == errors.DONE
    assert not told.exists()
    fake.answer("build", success=False, **failure("Got 3 results", "test", "fail"))
    for command in (["build"], ["resume"], ["rebuild", "tag:gold"]):
        assert medal(*command).exit_code == errors.DATA
        answer = json.loads(told.read_text())
        assert (answer["command"], answer["code"]) == (command[0], errors.DATA)
        assert answer["nodes"][0]["message"] == "Got 3 results"
        told.unlink()
    (tmp_path / "lake").mkdir(exist_ok=True)
    with FileLock(tmp_path / "lake" / "lock"):
        medal("build")
    assert json.loads(told.read_text())["code"] == errors.BUSY
    monkeypatch.setenv("MEDALLION_ON_FAILURE", "exit 7 # a secret")
    result = medal("build")
    assert result.exit_code == errors.DATA
    assert "Nobody was notified: the command in MEDALLION_ON_FAILURE ended with code 7." in result.output
    assert "a secret" not in result.output


def test_a_web_hook_gets_the_json(fake: FakeDbt, monkeypatch: pytest.MonkeyPatch) -> None:
    posted = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posted.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            self.send_response(500 if self.path == "/broken" else 204)
            self.end_headers()

        def log_message(self, *words: Any) -> None:
            pass

    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")  # loopback must not go through it
    fake.answer("build", success=False, **failure("Got 3 results", "test", "fail"))
    with HTTPServer(("127.0.0.1", 0), Hook) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setenv("MEDALLION_ON_FAILURE", f"{address}/a-token")
        assert "Nobody" not in medal("build", "--json").output
        monkeypatch.setenv("MEDALLION_ON_FAILURE", f"{address}/broken")
        failed = medal("build")
        server.shutdown()
    assert [(path, answer["code"]) for path, answer in posted] == [("/a-token", errors.DATA), ("/broken", errors.DATA)]
    assert "the address in MEDALLION_ON_FAILURE did not take it (Internal Server Error)" in failed.output
    assert failed.exit_code == errors.DATA


def test_every_code_is_in_the_help() -> None:
    for code, meaning in errors.MEANINGS.items():
        assert re.search(rf"^ +{code} +{re.escape(meaning[:40])}", medal("--help").output, re.MULTILINE)


def test_resume_runs_again_what_was_killed(fake: FakeDbt) -> None:
    lake.note_start(["--select", "tag:gold"], "local")
    assert medal("resume").exit_code == 0
    assert fake.commands == ["build --select tag:gold"]


@pytest.mark.parametrize(("status", "commands"), [("error", 1), ("skipped", 1), ("pass", 0)])
def test_resume_takes_up_what_is_left(fake: FakeDbt, tmp_path: Path, status: str, commands: int) -> None:
    lake.note_start(["--full-refresh"], "local")
    (tmp_path / "results").write_text(json.dumps({"results": [{"status": status}]}))
    lake.note_end(tmp_path / "results")
    assert medal("resume").exit_code == 0
    assert len(fake.commands) == commands
    assert all(re.fullmatch("retry --state .*/resumed --target local", command) for command in fake.commands)


# What is printed ----------------------------------------------------------------------------------------------------

EVIL = "a\x1b]0;title\x07\x1b[2Jb\u202ec\u200bd\x9be\r\u2028f[bold]g\ud800"


def is_harmless(text: str) -> bool:
    return not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]", text)


def test_printable() -> None:
    assert not is_harmless(EVIL)
    shown = console.printable(EVIL)
    assert is_harmless(shown)
    assert shown == r"a\x1b]0;title\x07\x1b[2Jb\u202ec\u200bd\x9be\r\u2028f[bold]g\ud800"
    assert console.printable("Zürich 東京 😀 a\\b") == "Zürich 東京 😀 a\\b"


def test_no_command_prints_data_raw(fake: FakeDbt, capsys: pytest.CaptureFixture[str]) -> None:
    fake.rows("quarantine_summary", {"source": EVIL, "rule": EVIL, "record_count": 7})
    fake.rows("quarantined_records", dict.fromkeys(("source_file", "record_number", "rules", "record"), EVIL))
    fake.rows("count.*field_drift", {"source": EVIL, "kind": "new", "fields": 1})
    names = ("source", "batch_id", "kind", "field", "found", "record_count", "to_accept")
    fake.rows("field_drift", dict.fromkeys(names, EVIL))
    fake.rows("table_health", HEALTH | {"table_name": EVIL})
    fake.answer("build", success=False, errors=[EVIL], nodes=[node(EVIL, status="error", message=EVIL)])
    fake.rows("release_list", {"release_id": 1, "code_version": EVIL})
    commands = ["quarantine list", "quarantine show orders", "drift", "status", "build", "build --json", "releases"]
    for command in commands:
        result = medal(*command.split())
        assert is_harmless(result.output), command
        assert r"\x1b" in result.output or command == "build", command


def test_what_dbt_prints_keeps_its_colors_only() -> None:
    stream = io.StringIO()
    console.Printable(stream).write(f"\x1b[31mERROR\x1b[0m {EVIL}\n")
    assert stream.getvalue().startswith("\x1b[31mERROR\x1b[0m a\\x1b]0;title")
    assert is_harmless(stream.getvalue().replace("\x1b[31m", "").replace("\x1b[0m", ""))


def test_no_color(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert console.has_color()
    monkeypatch.setenv("NO_COLOR", "1")
    assert not console.has_color()
    assert console.console().color_system is None


def test_a_rule_that_no_record_breaks_is_a_mistake(fake: FakeDbt) -> None:
    fake.rows("quarantine_summary", {"rule": "quantity_valid"})
    fake.rows("quarantined_records")
    result = medal("quarantine", "show", "orders", "--rule", "nope")
    assert result.exit_code == errors.USAGE
    assert "rule 'nope'. Rules with records: quantity_valid." in result.output
    assert medal("quarantine", "show", "orders").exit_code == 0


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (
            "Parquet error: Failed to fetch metadata for file tmp/l/warehouse/silver.db/silver_orders/part-1.parquet:"
            " Object at location /tmp/l/warehouse/silver.db/silver_orders/part-1.parquet not found",
            ["A data file of silver.silver_orders", "medallion build --select silver_orders+ --full-refresh"],
        ),
        (
            'DeltaError: Kernel error: Expected contiguous commit files, but found gap: path: "/l/warehouse/gold.db/'
            'daily/_delta_log/00000000000000000000.json"',
            ["A commit in the log of gold.daily", "delete the folder gold.db/daily"],
        ),
        (
            "[FAILED_READ_FILE.FILE_NOT_EXIST] Encountered error while reading file:"
            " file:/l/warehouse/dev_bronze.db/bronze_orders/part-0.snappy.parquet. File does not exist.",
            ["A data file of dev_bronze.bronze_orders", "take the landing files in again"],
        ),
        ("[CAST_INVALID_INPUT] The value 'x' of the type STRING cannot be cast", ["try_cast"]),
        ("regex parse error: look-around is not supported", ["regular expression", "both"]),
        ("TTransportException: Could not connect to any of [('10.0.0.1', 10000)]", ["does not answer"]),
        ("TSocket read 0 bytes", ["does not answer"]),
        ("[FAILED_READ_FILE.FILE_NOT_EXIST] file:/landing/orders/1.csv. File does not exist.", ["executors do not"]),
    ],
)
def test_an_error_of_the_engine_is_one_sentence(message: str, words: list[str]) -> None:
    (sentence,) = errors.explain([message])
    for word in words:
        assert word in sentence


# Around it -----------------------------------------------------------------------------------------------------------


def test_other_sparks_and_proxies_are_kept_out(fake: FakeDbt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARK_HOME", "/opt/spark")
    monkeypatch.setenv("SPARK_REMOTE", "sc://somewhere")
    monkeypatch.setenv("no_proxy", "intranet")
    bare.prepare("cluster")
    assert os.environ["SPARK_HOME"] == "/opt/spark"
    bare.prepare("local")
    bare.prepare("sail")
    assert "SPARK_HOME" not in os.environ
    assert "SPARK_REMOTE" not in os.environ
    assert os.environ["no_proxy"] == "intranet,127.0.0.1,localhost"


@pytest.mark.parametrize(("umask", "mode"), [("", 0o700), ("027", 0o750)])
def test_what_is_created_is_private(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, umask: str, mode: int) -> None:
    monkeypatch.setenv("MEDALLION_UMASK", umask)
    before = os.umask(0o022)
    try:
        lake.private()
        (tmp_path / "made").mkdir()
    finally:
        os.umask(before)
    assert (tmp_path / "made").stat().st_mode & 0o777 == mode


def test_a_umask_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDALLION_UMASK", "rwx")
    with pytest.raises(errors.Failure, match="must be a umask"):
        lake.private()


def test_next_steps_can_be_pasted(tmp_path: Path) -> None:
    ask = "from medallion.command import here; print(here('medallion', '--help'))"
    environment = os.environ | {"PATH": "/usr/bin:/bin"}
    for folder in (ROOT, tmp_path):
        shown = subprocess.run(
            [sys.executable, "-c", ask], cwd=folder, env=environment, capture_output=True, text=True, check=True
        ).stdout
        pasted = subprocess.run(["sh", "-c", shown], cwd=folder, env=environment, capture_output=True, text=True)
        assert pasted.returncode == 0, shown
        assert "Exit codes" in pasted.stdout


def test_status_names_tables_that_no_model_owns(fake: FakeDbt, tmp_path: Path) -> None:
    fake.rows("table_health", HEALTH)
    mine = SimpleNamespace(schema="gold", alias="mine")
    fake.answer("parse", manifest={"m": mine})
    for table, commits in (("gold.db/mine", 1), ("gold.db/gone", 102), ("other_gold.db/theirs", 1)):
        log = tmp_path / "lake" / "warehouse" / table / "_delta_log"
        log.mkdir(parents=True)
        for version in range(commits):
            (log / f"{version:020}.json").write_text("{}")
    output = medal("status").output
    assert "No model owns: gold.gone." in output
    assert "theirs" not in output
    assert "since the last checkpoint, so every reader is slower: gold.gone (102)" in output


def test_a_group_that_this_machine_does_not_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDALLION_GROUPS", "engineers=no-such-group")
    with pytest.raises(errors.Failure, match="names the group 'no-such-group' for 'engineers'"):
        lake.private()
