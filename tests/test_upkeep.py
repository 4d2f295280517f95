"""Upkeep: what is decided from numbers, and what OPTIMIZE, ZORDER and VACUUM then do to real Delta tables."""

from __future__ import annotations

import os
import re
import shutil
import time
from types import SimpleNamespace
from typing import Any

import jinja2
import pytest
import yaml
from conftest import ENGINE, ROOT, Lake
from deltalake import DeltaTable
from lakes import show

from medallion import upkeep
from medallion.errors import Failure
from medallion.shell import call

MB = 1024 * 1024
ON_SPARK = pytest.mark.engines("spark")  # where a hook compacts after a write


# Decisions, without Spark --------------------------------------------------------------------------------------------


class Returned(Exception):
    """What dbt's `return` does."""


def call_macro(name: str, *args: Any, variables: dict[str, Any] | None = None, **kwargs: Any) -> Any:
    """The value that a macro of one file returns, or the text that it renders."""

    def leave(value: Any) -> None:
        raise Returned(value)

    def refuse(message: str) -> None:
        raise ValueError(message)

    environment = jinja2.Environment(extensions=["jinja2.ext.do"])
    environment.globals.update(
        {
            "return": leave,
            "var": lambda key, default=None: (variables or {}).get(key, default),
            "modules": {"re": re},
            "exceptions": {"raise_compiler_error": refuse},
            "commits_without_data": lambda: call_macro("commits_without_data"),
        }
    )
    (path,) = (path for path in (ROOT / "macros").rglob("*.sql") if f"macro {name}(" in path.read_text())
    macro = getattr(environment.from_string(path.read_text()).module, name)
    try:
        return str(macro(*args, **kwargs)).strip()
    except Returned as returned:
        return returned.args[0]


@pytest.mark.parametrize(
    ("numbers", "due"),
    [
        ((0, 0), False),
        ((1, 10), False),
        ((31, 31 * MB), False),
        ((32, 32 * MB), True),
        ((100, 100 * 31 * MB), True),
        ((100, 100 * 32 * MB), False),  # many files, but large ones
        ((100, 100 * MB, 100), False),  # a file a partition: nothing to merge
        ((131, 131 * MB, 100), True),
        ((3, 3 * MB, 1, 2), True),
        ((40, 40 * MB, 1, 32, 1), False),
    ],
)
def test_optimize_is_due(numbers: tuple[int, ...], due: bool) -> None:
    assert call_macro("optimize_is_due", *numbers) is due


@pytest.mark.parametrize(
    ("operations", "written"),
    [
        (["WRITE", "OPTIMIZE"], True),
        (["OPTIMIZE", "WRITE"], False),
        (["SET TBLPROPERTIES", "VACUUM END", "VACUUM START", "OPTIMIZE"], False),
        (["SET TBLPROPERTIES", "MERGE", "OPTIMIZE"], True),
        (["DROP CONSTRAINT", "ADD CONSTRAINT", "CHANGE COLUMNS", "CHANGE COLUMN", "OPTIMIZE"], False),
        (["UPDATE FIELD METADATA", "ADD FEATURE", "OPTIMIZE"], False),  # as delta-rs has it
        ([], True),
    ],
)
def test_written_since_optimize(operations: list[str], written: bool) -> None:
    assert call_macro("written_since_optimize", operations) is written


@pytest.mark.parametrize(
    ("zorder", "sql"),
    [
        (None, "optimize gold.t"),
        ([], "optimize gold.t"),
        ("id", "optimize gold.t zorder by (`id`)"),
        (["id", "sales date"], "optimize gold.t zorder by (`id`, `sales date`)"),
    ],
)
def test_optimize_sql(zorder: Any, sql: str) -> None:
    assert call_macro("optimize_sql", "gold.t", zorder) == sql


def test_optimize_policy_defaults() -> None:
    assert call_macro("optimize_policy", {}) == {
        "mode": "when_needed", "skip": False, "zorder": [], "min_files": 32, "small_file_mb": 32,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"meta": {"optimize": False}}, {"mode": "off"}),  # a bare `off` in YAML
        ({"meta": {"optimize": "off"}}, {"mode": "off"}),
        ({"optimize": "always", "meta": {"optimize": "off"}}, {"mode": "always"}),
        ({"zorder": "id"}, {"zorder": ["id"]}),
        ({"meta": {"zorder": ["id", "day"]}}, {"zorder": ["id", "day"]}),
        ({"skip_optimize": "true"}, {"skip": True}),
        ({"meta": {"skip_optimize": True}}, {"skip": True}),
        ({"meta": {"optimize_min_files": 5}}, {"min_files": 5}),
        ({"meta": None}, {"mode": "when_needed"}),
    ],
)
def test_optimize_policy_of_a_model(config: dict[str, Any], expected: dict[str, Any]) -> None:
    assert expected.items() <= call_macro("optimize_policy", config).items()


def test_optimize_policy_takes_vars_last() -> None:
    variables = {"optimize": "off", "optimize_min_files": 7, "skip_optimize": True}
    assert call_macro("optimize_policy", {}, variables=variables)["mode"] == "off"
    policy = call_macro("optimize_policy", {"meta": {"optimize_min_files": 9}}, variables=variables)
    assert policy["min_files"] == 9
    assert policy["skip"] is False  # the var switches the hooks of a run off, not what a model says of itself


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"meta": {"optimize": "sometimes"}}, "off, when_needed or always"),
        ({"meta": {"zorder": "id"}, "liquid_clustered_by": "id"}, "exclude each other"),
    ],
)
def test_optimize_policy_refuses(config: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call_macro("optimize_policy", config)


@pytest.mark.parametrize(
    ("retention", "hours"),
    [
        (None, 168),
        ("interval 7 days", 168),
        ("interval 1 week", 168),
        ("interval '30 days'", 720),
        ("INTERVAL 168 HOURS", 168),
        ("1 hour", 1),
        ("interval 0 hours", 0),
        ("interval 1 month", None),
        ("soon", None),
    ],
)
def test_retention_hours(retention: str | None, hours: int | None) -> None:
    assert call_macro("retention_hours", retention) == hours


@pytest.mark.parametrize(
    ("arguments", "sql"),
    [
        ({}, "vacuum gold.t dry run"),
        ({"lite": True}, "vacuum gold.t lite dry run"),
        ({"dry_run": False}, "vacuum gold.t"),
        ({"lite": True, "dry_run": False}, "vacuum gold.t lite"),
    ],
)
def test_vacuum_sql_has_no_retention_of_its_own(arguments: dict[str, bool], sql: str) -> None:
    assert call_macro("vacuum_sql", "gold.t", **arguments) == sql


# Real tables ---------------------------------------------------------------------------------------------------------

PROJECT = """
name: upkeep_project
version: 0.1.0
config-version: 2
profile: medallion
macro-paths: ["{macros}"]
flags: {{send_anonymous_usage_stats: false, validate_macro_args: true}}
vars: {{optimize_min_files: 6}}
on-run-start: "{{{{ open_ledgers() }}}}"
models:
  upkeep_project:
    +materialized: incremental
    +incremental_strategy: append
    +file_format: delta
    +post-hook: "{{{{ optimize() }}}}"
    silver: {{+schema: silver}}
    gold: {{+schema: gold}}
"""
FILES = "select /*+ repartition({files}) */ id, cast(id % 7 as int) as weekday from range({rows})"
QUARANTINED = (
    "select 1 as batch_id, 'a.csv' as source_file, 1 as record_number, violated_rules, "
    "timestamp '2026-01-01' as ingested_at, 'x' as record "
)
MODELS = {
    "gold/sorted.sql": "{{ config(meta={'zorder': 'id'}) }} " + FILES.format(files=6, rows=200),
    "gold/few.sql": "{{ config(meta={'zorder': ['id']}) }} " + FILES.format(files=3, rows=30),
    "gold/hook_off.sql": "{{ config(meta={'optimize': 'off'}) }} " + FILES.format(files=6, rows=60),
    "gold/left_alone.sql": "{{ config(meta={'skip_optimize': true}) }} " + FILES.format(files=6, rows=60),
    "gold/always.sql": "{{ config(meta={'optimize': 'always', 'zorder': 'id'}) }} " + FILES.format(files=2, rows=20),
    "gold/by_part.sql": "{{ config(partition_by='part', meta={'zorder': 'id', 'optimize_min_files': 2}) }} "
    "select /*+ repartition(5, part) */ id, cast(id % 5 as int) as part from range(50)",
    "gold/short_kept.sql": "{{ config(tblproperties={'delta.deletedFileRetentionDuration': 'interval 1 hour'}) }} "
    "select 1 as id",
    "gold/a_view.sql": "{{ config(materialized='view') }} select 1 as id",
    "silver/quarantine_orders.sql": QUARANTINED
    + "from explode(array(array('a', 'b'), array('a'))) as t (violated_rules)",
    "silver/quarantine_empty.sql": QUARANTINED + "from values (array('a')) as t (violated_rules) where false",
}


@pytest.fixture(scope="module")
def kept(new_lake, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A project of small tables with the post-hook, built once."""
    project = tmp_path_factory.mktemp("upkeep")
    (project / "dbt_project.yml").write_text(PROJECT.format(macros=os.path.relpath(ROOT / "macros", project)))
    for shared in ("ops.yml", "columns.md"):  # the project's own books, and the words for their columns
        (project / "models").mkdir(exist_ok=True)
        shutil.copy(ROOT / "models" / shared, project / "models" / shared)
    for path, sql in MODELS.items():
        (project / "models" / path).parent.mkdir(parents=True, exist_ok=True)
        (project / "models" / path).write_text(sql)
    lake = new_lake("upkeep", project_dir=project)
    lake.build()
    if ENGINE == "sail":
        write_many_files(lake)
    else:  # the hook looks at a table again when its version passes a multiple of eight
        lake.sql("delete from {gold}.sorted")
        for number in range(5):
            lake.sql(f"alter table {{gold}}.sorted set tblproperties ('note' = '{number}')")
        lake.build("--select", "sorted")
    return lake


def write_many_files(lake: Lake) -> None:
    """Sail does not go by the hint in FILES."""
    for table, files, rows in (("sorted", 6, 200), ("few", 3, 30), ("hook_off", 6, 60), ("left_alone", 6, 60)):
        lake.sql(f"delete from {{gold}}.{table}")
        for part in range(files):
            some = f"where id % {files} = {part}"
            lake.sql(f"insert into {{gold}}.{table} select id, cast(id % 7 as int) from range({rows}) {some}")


def operations(lake: Lake, name: str) -> list[str]:
    """A table's history, oldest first."""
    return [commit["operation"] for commit in lake.commits(name)]


def file_count(lake: Lake, name: str) -> int:
    return len(DeltaTable(str(lake.path(name))).file_uris())


def operate(lake: Lake, macro: str, arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[bool, str]:
    """Whether upkeep went well, and what was said of it: by a run-operation, on Sail by the command's own functions."""
    given = yaml.safe_load(arguments)
    if ENGINE == "sail":
        dbt = SimpleNamespace(rows=lambda sql: show(lake, sql))
        one = upkeep.optimize_one if macro == "optimize_tables" else upkeep.vacuum_one
        flags = ("force",) if macro == "optimize_tables" else ("apply", "lite")
        ok, said = True, []
        listed = call("table_list", layer=given.get("layer"), table=given.get("table"))
        if not lake.dbt("show", "--inline", listed, "--log-level", "none").success:
            return False, ""
        for row in show(lake, listed):
            name = f"{row['layer']}.{row['table_name']}"
            try:
                said.append(f"{name}: {one(dbt, name, **{flag: given.get(flag, False) for flag in flags})}")
            except Failure as problem:
                ok = False
                said.append(f"{name}: {problem.message}")
        return ok, "\n".join(said)
    capsys.readouterr()
    result = lake.dbt("run-operation", macro, "--args", arguments)
    return result.success, capsys.readouterr().out


@ON_SPARK
def test_hook_sorts_a_table_of_many_small_files(kept: Lake) -> None:
    history = kept.spark.sql(f"describe history {kept.table('gold.sorted')} limit 1").collect()[0]
    assert (history["operation"], history["operationParameters"]["zOrderBy"]) == ("OPTIMIZE", '["id"]')
    assert file_count(kept, "gold.sorted") == 1
    assert kept.sql("select count(*), sum(id) from {gold}.sorted") == [(200, 19900)]


@ON_SPARK
@pytest.mark.parametrize(
    ("table", "files"),
    [("gold.few", 3), ("gold.hook_off", 6), ("gold.left_alone", 6), ("gold.by_part", 5)],
)
def test_hook_leaves_a_table_alone(kept: Lake, table: str, files: int) -> None:
    assert "OPTIMIZE" not in operations(kept, table)
    assert file_count(kept, table) == files


@ON_SPARK
def test_hook_always_means_after_every_write(kept: Lake) -> None:
    assert operations(kept, "gold.always")[-1] == "OPTIMIZE"
    assert file_count(kept, "gold.always") == 1


@ON_SPARK
@pytest.mark.parametrize("switch", ["variable", "environment"])
def test_hooks_are_off_for_a_run(kept: Lake, switch: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = operations(kept, "gold.always").count("OPTIMIZE")
    if switch == "environment":
        monkeypatch.setenv("MEDALLION_SKIP_OPTIMIZE", "1")
        kept.build("--select", "always")
    else:
        kept.build("--select", "always", skip_optimize=True)
    history = operations(kept, "gold.always")
    assert history.count("OPTIMIZE") == before
    assert history[-1] != "OPTIMIZE"


def test_optimize_tables(kept: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    """The job also takes the tables whose hook is off, and does nothing a second time."""
    left = operations(kept, "gold.left_alone")
    ok, out = operate(kept, "optimize_tables", "{layer: gold}", capsys)
    assert ok
    assert file_count(kept, "gold.hook_off") == 1
    assert operations(kept, "gold.left_alone") == left
    assert "gold.hook_off: optimized, files: 6 before, 1 now" in out
    if ENGINE == "sail":
        assert "gold.sorted: optimized, zorder by id, files: 6 before, 1 now" in out
        assert kept.sql("select count(*), sum(id) from {gold}.sorted") == [(200, 19900)]
    assert "gold.left_alone: left alone" in out
    assert "gold.few: nothing to do (files: 3" in out
    assert "a_view" not in out
    assert "silver" not in out

    versions = kept.versions()
    ok, out = operate(kept, "optimize_tables", "{}", capsys)
    assert ok
    assert kept.versions() == versions
    assert "optimized, " not in out


def test_optimize_tables_force_is_idempotent(kept: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    ok, _ = operate(kept, "optimize_tables", "{table: gold.few, force: true}", capsys)
    assert ok
    assert file_count(kept, "gold.few") == 1
    version = kept.version("gold.few")
    operate(kept, "optimize_tables", "{table: few, force: true}", capsys)
    assert kept.version("gold.few") == version


@pytest.mark.parametrize("arguments", ["{table: nothing}", "{layer: platinum}", "{layer: silver, table: few}"])
def test_unknown_names_are_refused(kept: Lake, arguments: str, capsys: pytest.CaptureFixture[str]) -> None:
    ok, _ = operate(kept, "optimize_tables", arguments, capsys)
    assert not ok


def test_vacuum_tables_deletes_only_when_told(kept: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    left_behind = kept.path("gold.few") / "part-of-a-killed-run.parquet"
    left_behind.write_bytes(b"")
    eight_days_ago = time.time() - 8 * 86400
    os.utime(left_behind, (eight_days_ago, eight_days_ago))
    version = kept.version("gold.few")

    ok, out = operate(kept, "vacuum_tables", "{table: few}", capsys)
    assert ok
    assert "gold.few: files to delete: 1 (retention 1 week, the default)" in out
    assert left_behind.exists()
    assert kept.version("gold.few") == version

    ok, out = operate(kept, "vacuum_tables", "{table: few, apply: true}", capsys)
    assert ok
    assert "gold.few: files deleted: 1" in out
    assert not left_behind.exists()
    assert kept.sql("select count(*) from {gold}.few") == [(30,)]

    version = kept.version("gold.few")
    ok, out = operate(kept, "vacuum_tables", "{table: few, apply: true, lite: true}", capsys)
    assert ok
    assert "nothing to delete" in out
    assert kept.version("gold.few") == version


def test_vacuum_tables_refuses_a_short_retention(kept: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    ok, out = operate(kept, "vacuum_tables", "{table: short_kept, apply: true}", capsys)
    assert not ok
    assert re.search("refused, its retention '?(interval )?1 hour'? is not at least 7 days", out)
    assert "VACUUM START" not in operations(kept, "gold.short_kept")


def test_table_health(kept: Lake) -> None:
    rows = {f"{row['layer']}.{row['table_name']}": row for row in show(kept, "table_health()")}
    assert rows["gold.sorted"]["row_count"] == 200
    assert rows["gold.sorted"]["file_count"] == 1
    assert rows["gold.sorted"]["version"] == kept.version("gold.sorted")
    assert rows["gold.sorted"]["size_bytes"] > 0
    assert rows["silver.quarantine_empty"]["row_count"] == 0
    assert "gold.a_view" not in rows
    assert next(iter(rows)).startswith("silver.")
    (written,) = kept.sql("select unix_timestamp(last_written_at) - unix_timestamp() from (" + _compiled(kept) + ")")[0]
    assert -600 < written <= 0


def _compiled(lake: Lake) -> str:
    result = lake.dbt("compile", "--inline", "{{ table_health('gold', 'sorted') }}", "--log-level", "none")
    return result.result.results[0].node.compiled_code


def test_quarantine_summary(kept: Lake) -> None:
    rows = [(row["source"], row["rule"], row["record_count"]) for row in show(kept, "quarantine_summary()")]
    assert sorted(rows) == [("orders", "a", 2), ("orders", "b", 1)]


def test_an_empty_lake_has_no_tables(kept: Lake, new_lake) -> None:
    empty = new_lake("empty", project_dir=kept.project_dir)
    for macro in ["table_health()", "table_list()", "quarantine_summary()"]:
        assert show(empty, macro) == []
