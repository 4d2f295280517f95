"""What Sail cannot do, statement by statement; docs/engines.md says what the project does instead.

A test that fails here is good news: the pinned Sail has closed the gap, and a workaround can go.
"""

from __future__ import annotations

import uuid

import pytest
from conftest import ROOT

TABLE = "gaps.t (a int, b array<string>) using delta location '{folder}/t'"
GAPS = {
    "transactions on insert": "insert into gaps.t with ('txnAppId' = 'a', 'txnVersion' = '1') select 1, array('x')",
    "history": "describe history gaps.t",
    "detail": "describe detail gaps.t",
    "properties": "show tblproperties gaps.t",
    "restore": "restore table gaps.t to version as of 0",
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
    return path


@pytest.mark.parametrize("gap", GAPS)
def test_the_gap_is_still_there(spark, folder, gap):
    try:
        spark.sql(GAPS[gap].format(folder=folder)).collect()
    except Exception as error:
        print(f"{gap}: {str(error).splitlines()[0]}")
        return
    pytest.fail(f"Sail {spark.version} can do this now: {gap}", pytrace=False)


def test_every_gap_is_in_the_docs():
    docs = (ROOT / "docs" / "engines.md").read_text()
    assert [gap for gap in GAPS if f"| {gap} |" not in docs] == []


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
