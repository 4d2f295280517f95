"""The holes of dbt-spark on Delta that macros/patches and macros/materializations close; each test fails without.

`test_upstream_*` show the opposite: when one of them fails, upstream is mended and its override can go.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from conftest import ROOT, Lake
from dbt.cli.main import dbtRunner, dbtRunnerResult
from deltalake import DeltaTable, write_deltalake

pytestmark = pytest.mark.engines("spark")

FIXTURES = Path(__file__).parent / "overrides_project"


# A table, an incremental one, a seed and a snapshot whose first build was killed while it wrote.
LEFT_BY_A_KILL = ["silver.settings", "silver.merged", "silver.exact", "silver.kept"]


def messages(result: dbtRunnerResult) -> dict[str, str]:
    """What dbt says of each node, by the node's name."""
    return {r.node.name: r.message or "" for r in result.result.results}


def operations(lake: Lake, name: str) -> list[str]:
    """A table's Delta history, oldest first."""
    return [row["operation"] for row in reversed(lake.spark.sql(f"describe history {lake.table(name)}").collect())]


def properties(lake: Lake, name: str) -> dict[str, str]:
    return dict(lake.sql(f"show tblproperties {lake.table(name)}"))


def comments(lake: Lake, name: str) -> dict[str, str | None]:
    return {name: comment for name, _, comment in lake.sql(f"describe table {lake.table(name)}")}


def made_elsewhere(folder: Path) -> None:
    """A table that the catalog does not know, whose log was cleaned of its first commit."""
    for number in range(3):
        write_deltalake(folder, pa.table({"id": [number]}), mode="append")
    DeltaTable(folder).create_checkpoint()
    (folder / "_delta_log" / f"{0:020}.json").unlink()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the fixture project, whose seeds the tests may change."""
    return Path(shutil.copytree(FIXTURES, tmp_path_factory.mktemp("overrides") / "project"))


@pytest.fixture(scope="module")
def kit(new_lake, project: Path) -> Lake:
    """The fixture project with the overrides, built once: a grant or unit test that fails its node fails them all."""
    lake = new_lake("kit", project_dir=project)
    lake.variables = {"macros": os.path.relpath(ROOT / "macros", project), "location_root": str(project / "located")}
    (project / "seeds" / "many.csv").write_text("id,name\n" + "".join(f"{i},name {i}\n" for i in range(2500)))
    for table in LEFT_BY_A_KILL:
        (lake.path(table) / "_delta_log").mkdir(parents=True)
        (lake.path(table) / "part-00000-left.snappy.parquet").write_bytes(b"PAR1, and then the run was killed")
    made_elsewhere(lake.path("silver.elsewhere"))
    lake.build("--exclude", "tag:refused", "without_config")
    return lake


@pytest.fixture(scope="module")
def refused(kit: Lake) -> dict[str, str]:
    """Messages of the nodes that must not be built."""
    return messages(kit.dbt("build", "--select", "tag:refused", "without_config"))


def test_schemas_have_their_real_names(kit: Lake):
    assert kit.sql("select layer from {silver}.located") == [("silver",)]
    assert kit.sql("select layer from {gold}.located") == [("gold",)]


@pytest.mark.parametrize(
    ("prefix", "model", "expected"),
    [
        ("", "homeless.sql", "model 'homeless' has no schema"),
        ("Dev-", "silver/homeless.sql", "lower-case letters, digits and _"),
    ],
)
def test_a_schema_that_cannot_be_is_refused_when_parsing(kit: Lake, project: Path, prefix, model, expected):
    path = project / "models" / model
    path.write_text("select 1 as id")
    try:
        result = replace(kit, prefix=prefix).dbt("parse")
    finally:
        path.unlink()
    assert expected in str(result.exception)


def test_seed_values_are_exact(kit: Lake):
    rows = kit.sql("select * from {silver}.exact order by id nulls last")
    assert rows == [
        (
            -9223372036854775808,
            "two\nlines",
            "None",
            Decimal("0.1000"),
            12.5,
            False,
            dt.date(2026, 2, 28),
            dt.datetime(2026, 1, 31, 10, 11, 12),
        ),
        (
            9007199254740993,
            r"""it's "quoted" \n \ %s {{ x }} é 日本 😀""",
            "007",
            Decimal("1234567890123456.7891"),
            0.1,
            True,
            dt.date(2026, 1, 31),
            dt.datetime(2026, 1, 31, 10, 11, 12, 123456),
        ),
        (None,) * 8,
    ]
    assert [type for _, type, _ in kit.sql("describe table {silver}.exact")] == [
        *("bigint", "string", "string", "decimal(20,4)", "double", "boolean", "date", "timestamp")
    ]
    assert kit.sql("select count(*), count(distinct name), sum(id) from {silver}.many") == [(2500, 2500, 3123750)]


def test_seed_keeps_comments_and_properties(kit: Lake):
    assert comments(kit, "silver.exact") == {
        **{"id": "Larger than 2 to the power of 53.", "text": 'A \\d, and it\'s "quoted".', "code": "Two\nlines.\n"},
        **dict.fromkeys(["amount", "ratio", "is_open", "day", "at"]),
    }
    assert properties(kit, "silver.exact")["delta.enableChangeDataFeed"] == "true"
    assert ("Comment", "Every kind of value that upstream's seeds lose.", "") in kit.sql(
        "describe extended {silver}.exact"
    )


def test_seed_commits_only_changes_and_replaces_atomically(kit: Lake, project: Path):
    before = kit.versions()
    result = kit.build("--resource-type", "seed", "--exclude", "tag:refused")
    assert messages(result)["exact"].startswith("UNCHANGED 3")
    assert kit.versions() == before
    assert operations(kit, "silver.exact") == ["CREATE OR REPLACE TABLE AS SELECT", "CHANGE COLUMNS"]

    file, declared = project / "seeds" / "many.csv", project / "seeds" / "_seeds.yml"
    content = file.read_text()
    declared.write_text(
        declared.read_text().replace("  - name: many\n", "  - name: many\n    config: {column_types: {id: int}}\n")
    )
    file.write_text("id,name\n1,one\nx2,two\n")
    result = kit.dbt("seed", "--select", "many")
    assert "Seed 'many', column 'id': no valid int: x2" in messages(result)["many"]
    assert kit.sql("select count(*) from {silver}.many") == [(2500,)], "a failed seed must leave the old rows"

    file.write_text(content)
    kit.build("--select", "many")
    assert kit.sql("select distinct typeof(id) from {silver}.many") == [("int",)], "another type is a change as well"

    declared.write_text(declared.read_text().replace("{id: int}", "{id: int}, liquid_clustered_by: id"))
    kit.build("--select", "many")
    assert kit.spark.sql(f"describe detail {kit.table('silver.many')}").collect()[0]["clusteringColumns"] == ["id"]

    file.write_text("id,name\n")
    kit.build("--select", "many", "--full-refresh")
    assert kit.sql("select * from {silver}.many") == []
    assert operations(kit, "silver.many") == ["CREATE OR REPLACE TABLE AS SELECT"] * 4


def test_seed_that_cannot_be_replaced_is_refused(kit: Lake, refused: dict[str, str]):
    assert "has a location_root. Remove it" in refused["located_seed"]
    assert "no valid int: twelve" in refused["wrong_value"]
    assert kit.spark.sql(f"show tables in {kit.prefix}silver like 'located_seed'").collect() == []


def test_files_of_a_killed_first_build_are_written_over(kit: Lake):
    for table in LEFT_BY_A_KILL:
        assert len(list(kit.path(table).glob("*-left.snappy.parquet"))) == 1
        assert kit.sql(f"select count(*) from {{silver}}.{table.removeprefix('silver.')}") > [(0,)]


def test_tables_of_the_lake_are_found_by_any_commit(kit: Lake):
    assert kit.sql("select id from {silver}.elsewhere order by id") == [(0,), (1,), (2,)]


def test_strategies_and_configs_that_do_not_hold_are_refused(kit: Lake, refused: dict[str, str]):
    assert "incremental_strategy 'insert_overwrite' of overwriting is refused" in refused["overwriting"]
    assert refused["batched"] == "ERROR"  # dbt keeps what a batch says to itself
    assert "the config incremental_predicates is not supported here. Use merge_prune" in refused["predicated"]
    assert "the config merge_update_columns is not supported here. Use merge_exclude_columns" in refused["narrowed"]
    assert "the config sql_header is not supported here" in refused["headed"]
    found = kit.spark.sql(f"show tables in {kit.prefix}silver like 'overwriting|batched|predicated|narrowed|headed'")
    assert found.collect() == []


def test_merge_and_staging_over_several_runs(kit: Lake):
    """A NULL key is no new row, what is no newer updates nothing, and tables of one name keep their own rows."""
    for _ in range(3):
        kit.build("--select", "merged", "staged", "gold_staged")
    assert kit.sql("select * from {silver}.merged order by id") == [(None, 1), (1, 1)]
    merges = [commit["operationMetrics"] for commit in kit.commits("silver.merged") if commit["operation"] == "MERGE"]
    assert {(m["numTargetRowsUpdated"], m["numTargetRowsInserted"]) for m in merges} == {("0", "0")}
    assert kit.sql("select layer, count(*) from {silver}.staged group by layer") == [("silver", 4)]
    assert kit.sql("select layer, count(*) from {gold}.staged group by layer") == [("gold", 4)]


def test_a_location_of_its_own_is_refused_in_a_lake_of_folders(kit: Lake, refused: dict[str, str]):
    assert "location_root does not work in a lake on this machine" in refused["located_elsewhere"]
    assert not kit.path("silver.located_elsewhere").exists()


def test_clustering_and_properties_come_from_config(kit: Lake):
    detail = kit.spark.sql(f"describe detail {kit.table('silver.settings')}").collect()[0]
    assert detail["clusteringColumns"] == ["id"]
    found = properties(kit, "silver.settings")
    assert found["delta.appendOnly"] == "true"
    assert found["delta.deletedFileRetentionDuration"] == "interval 20 days"
    assert found["team's name"] == "it's ours"


def test_clustering_that_cannot_work_is_refused(kit: Lake, refused: dict[str, str]):
    assert "Use liquid_clustered_by" in refused["bucketed"]
    assert "liquid_clustered_by and zorder exclude each other" in refused["clustered_twice"]
    assert kit.spark.sql(f"show tables in {kit.prefix}silver like 'bucketed|clustered_twice'").collect() == []


def test_grants_do_not_fail_a_model_where_the_catalog_has_none(kit: Lake):
    assert kit.sql("select * from {silver}.settings") == [(1,)]


def test_a_description_does_not_make_a_table_a_view(kit: Lake):
    kit.build("--select", "looks_like_a_view")
    assert kit.sql("select * from {silver}.looks_like_a_view") == [(1,), (1,)]
    assert operations(kit, "silver.looks_like_a_view")[-1] == "WRITE"


def test_view_comments_stand(kit: Lake):
    assert comments(kit, "silver.documented_view") == {"id": 'It\'s a "view".'}


def test_helper_macros_are_right(kit: Lake):
    answers = {question: ours for question, ours, _ in kit.sql("select * from {silver}.answers")}
    assert answers == {
        "safe_cast": "try_cast('abc' as int)",
        "staging": "silver__orders__dbt_tmp",
    }


def test_deduplicate_keeps_rows_with_nulls(kit: Lake):
    assert kit.sql("select id, version, note from {silver}.deduplicated order by id") == [(1, 2, "new"), (2, 1, None)]


def test_upstream_helper_macros_are_wrong(kit: Lake):
    wrong = {question for question, ours, upstream in kit.sql("select * from {silver}.answers") if ours != upstream}
    assert wrong == {"safe_cast", "staging"}


def test_snapshot_that_would_go_wrong_is_refused(kit: Lake, refused: dict[str, str]):
    assert "hard_deletes: new_record writes rows of NULLs" in refused["new_record"]
    assert "would be written to the schema ops" in refused["without_config"]
    assert kit.spark.sql(f"show tables in {kit.prefix}silver like 'new_record|without_config'").collect() == []


def test_snapshot_survives_a_dropped_column_and_leaves_no_view(kit: Lake):
    result = kit.dbt("build", "--select", "state", "kept", narrow=True, fail=True)
    assert "no_such_table" in messages(result)["kept"]
    rows = kit.sql("select id, name, extra, dbt_valid_to is null from {silver}.kept order by name")
    assert rows == [(1, "a", "more", False), (1, "b", None, True)]
    views = kit.spark.sql(f"show views in {kit.prefix}silver like 'kept*'").collect()
    assert [row["viewName"] for row in views if not row["isTemporary"]] == []


def test_session_time_zone_must_be_utc(kit: Lake, capsys: pytest.CaptureFixture[str]):
    assert kit.dbt("run-operation", "assert_ready").success
    command = ["run-operation", "assert_ready", "--project-dir", str(kit.project_dir), "--quiet"]
    command += ["--profiles-dir", str(FIXTURES / "new_york"), "--target-path", str(kit.target_path)]
    try:
        assert not dbtRunner().invoke([*command, "--vars", f"{{macros: '{kit.variables['macros']}'}}"]).success
    finally:
        kit.spark.conf.set("spark.sql.session.timeZone", "UTC")
    assert "time zone is America/New_York" in capsys.readouterr().out


def test_upstream_loses_history_and_repeats_seeds(kit: Lake, new_lake, project: Path):
    """The same project without the overrides; upstream's schema is `ops_silver`."""
    for macro in ("engines/port.sql",):  # needed to parse the project
        (project / "plain" / macro).parent.mkdir(parents=True)
        shutil.copy(ROOT / "macros" / macro, project / "plain" / macro)
    lake = new_lake("plain", project_dir=project)
    lake.variables = {"macros": "plain", "location_root": str(project / "plain")}
    nodes = ("looks_like_a_view", "located_seed", "exact")
    for _ in range(2):
        result = lake.dbt("build", "--select", *nodes)
    assert messages(result)["exact"] not in ("", "OK"), "a quote in a value breaks upstream's seed"
    assert lake.sql("select * from ops_silver.located_seed") == [(1,), (1,)]
    assert lake.sql("select * from ops_silver.looks_like_a_view") == [(1,)]
    lake.spark.sql("drop schema ops_silver cascade")
