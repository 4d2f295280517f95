"""Contracts hold on every run: what breaks one is refused before it is written, and tables carry their constraints."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from conftest import ENGINE, ROOT, Lake, delta_rs
from dbt.cli.main import dbtRunnerResult

BROKEN = {
    **dict.fromkeys(["wrong_type", "narrowing", "fraction", "missing_column", "extra_column"], "enforced contract"),
    **dict.fromkeys(["null_appended", "null_merged", "null_exchanged"], "id_not_null, `id` is not null: 1 row\n"),
    "check_broken": "positive, amount > 0: 2 rows\n",
    "check_unknown": "positive, amount > 0: 1 row\n",
}
only_spark = pytest.mark.skipif(ENGINE != "spark", reason="Sail leaves the constraints of tables to Spark")


@pytest.fixture(scope="module")
def kit(new_lake, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A copy of the fixture project, whose YAML the tests may change."""
    project = Path(
        shutil.copytree(Path(__file__).parent / "contracts_project", tmp_path_factory.mktemp("contracts") / "project")
    )
    lake = new_lake("contracts", project_dir=project)
    lake.variables = {"macros": os.path.relpath(ROOT / "macros", project)}
    return lake


def messages(result: dbtRunnerResult) -> dict[str, str]:
    """What dbt says of the nodes that failed, by name."""
    return {r.node.name: r.message for r in result.result.results if r.status == "error"}


def rows(lake: Lake, name: str) -> list[tuple]:
    return sorted(delta_rs(lake.path(f"gold.{name}"), "select * from t"))


def properties(lake: Lake, name: str) -> dict[str, str]:
    """Properties of a table, by the newest commit that says what the table is like."""
    found: dict[str, str] = {}
    for commit in sorted((lake.path(f"gold.{name}") / "_delta_log").glob("*.json")):
        for action in map(json.loads, commit.read_text().splitlines()):
            if "metaData" in action:
                found = action["metaData"]["configuration"]
    return found


def constraints(lake: Lake, name: str) -> dict[str, str]:
    """CHECK constraints of a table."""
    prefix = "delta.constraints."
    found = properties(lake, name).items()
    return {key.removeprefix(prefix): value for key, value in found if key.startswith(prefix)}


def test_a_broken_contract_changes_nothing_on_any_run(kit: Lake):
    def assert_refused(run: str, *args: str) -> None:
        before = {name: (kit.version(f"gold.{name}"), rows(kit, name)) for name in BROKEN if run != "first"}
        found = messages(kit.dbt("run", "--select", "matrix", *args, broken=True))
        assert found.keys() == BROKEN.keys(), run
        assert [name for name, words in BROKEN.items() if words not in found[name]] == [], run
        for name, (version, content) in before.items():
            assert (kit.version(f"gold.{name}"), rows(kit, name)) == (version, content), f"{name}, {run} run"

    assert_refused("first")
    assert [name for name in BROKEN if (kit.path(f"gold.{name}") / "_delta_log").exists()] == []
    kit.build("--select", "matrix")
    assert_refused("second")
    assert_refused("full-refresh", "--full-refresh")
    kit.build("--select", "matrix")
    assert rows(kit, "null_appended") == [(1, 2)] * 2
    assert rows(kit, "null_exchanged") == rows(kit, "null_merged") == [(1, 2)]
    assert rows(kit, "check_broken") == [(1, 2), (2, 2), (3, 2)]
    if ENGINE == "spark":
        assert kit.spark._jsparkSession.sharedState().cacheManager().isEmpty(), "staged rows must not stay in memory"


def declare(lake: Lake, name: str, checks: list[dict[str, Any]], id_is_given: bool = True, **config: Any) -> None:
    """Write the YAML of one of the models `reconciled`."""
    columns = [{"name": "id", "data_type": "int"}, {"name": "amount", "data_type": "int"}]
    columns.append({"name": "name", "data_type": "string"})
    if id_is_given:
        columns[0]["constraints"] = [{"type": "not_null"}]
    model = {"name": name, "columns": columns, "constraints": [{"type": "check"} | check for check in checks]}
    model["config"] = config
    (lake.project_dir / "models" / "reconciled" / f"_{name}.yml").write_text(json.dumps({"models": [model]}))


POSITIVE = {"name": "positive", "expression": "amount>0"}
KEPT_LONGER = {"delta.deletedFileRetentionDuration": "interval 14 days"}
KNOWN = {"name": "Known", "expression": "name  in('x y','it\\'s',\n 'z') -- nothing else"}


@only_spark
def test_constraints_of_the_table_follow_the_yaml(kit: Lake):
    def operations() -> list[str]:
        """Without the marks of what the table has read."""
        names = [commit["operation"] for commit in kit.commits("gold.grown")]
        return [name for name in names if name != "SET TBLPROPERTIES"]

    build = ["--select", "+grown"]
    declare(kit, "grown", [POSITIVE])
    kit.build(*build)
    assert operations() == ["CREATE OR REPLACE TABLE AS SELECT"], "constraints must not need commits of their own"
    assert constraints(kit, "grown") == {"id_not_null": "`id` is not null", "positive": "amount>0"}
    with pytest.raises(Exception, match="CHECK constraint id_not_null"):
        kit.sql("insert into {gold}.grown values (null, 1, 'x y')")

    declare(kit, "grown", [POSITIVE, KNOWN])
    kit.build(*build)
    assert operations()[1:] == ["ADD CONSTRAINT", "WRITE"]
    assert constraints(kit, "grown")["known"] == r"name in ( 'x y' , 'it\'s' , 'z' )"
    kit.build(*build)
    assert operations()[3:] == ["WRITE"], "without a difference only rows are written"
    kit.build(*build, nothing_new=True)
    assert operations()[4:] == []

    declare(kit, "grown", [POSITIVE | {"expression": "amount > 1"}], id_is_given=False)
    kit.build(*build, nothing_new=True)
    assert operations()[4:] == ["DROP CONSTRAINT"] * 3 + ["ADD CONSTRAINT"]
    assert constraints(kit, "grown") == {"positive": "amount > 1"}

    declare(kit, "grown", [POSITIVE, {"name": "small", "expression": "amount < 2"}])
    assert "small, amount < 2: 3 rows" in messages(kit.dbt("run", *build, nothing_new=True))["grown"]
    assert "small, amount < 2: 1 row\n" in messages(kit.dbt("run", *build))["grown"]  # the new one
    assert operations()[8:] == []

    declare(kit, "grown", [], id_is_given=False, tblproperties=KEPT_LONGER)
    kit.build(*build, nothing_new=True)
    assert properties(kit, "grown").items() >= KEPT_LONGER.items()
    assert constraints(kit, "grown") == {}


@pytest.mark.skipif(ENGINE != "sail", reason="Spark drops it")
def test_sail_goes_on_with_a_constraint_that_it_cannot_drop(kit: Lake):
    declare(kit, "grown", [POSITIVE])
    kit.build("--select", "+grown")
    location = kit.path("gold.grown")
    kit.sql(f"create schema if not exists {kit.prefix}gold")
    kit.sql(f"create table if not exists {{gold}}.grown using delta location '{location}'")
    kit.sql("alter table {gold}.grown add constraint old check (amount < 9)")
    kit.build("--select", "+grown")
    assert rows(kit, "grown") == [(1, 2, "x y")] * 2
    assert constraints(kit, "grown") == {"old": "amount < 9"}

    declare(kit, "grown", [POSITIVE], tblproperties=KEPT_LONGER)
    kit.build("--select", "+grown", nothing_new=True)
    assert properties(kit, "grown").items() >= KEPT_LONGER.items()
    assert rows(kit, "grown") == [(1, 2, "x y")] * 2


@only_spark
def test_a_replaced_table_has_its_constraints_from_the_start(kit: Lake):
    declare(kit, "replaced", [POSITIVE])
    for _ in range(2):
        kit.build("--select", "replaced")
    before = kit.version("gold.replaced")
    assert before == 1, "constraints must not need commits of their own"
    assert constraints(kit, "replaced") == {"id_not_null": "`id` is not null", "positive": "amount>0"}
    assert "replaced" in messages(kit.dbt("run", "--select", "replaced", broken=True))
    assert (kit.version("gold.replaced"), rows(kit, "replaced")) == (before, [(1, 2, "x y")])


def test_constraints_that_nothing_would_hold_are_refused(kit: Lake):
    found = messages(kit.dbt("run", "--select", "refused"))
    assert "a constraint unique cannot be enforced here" in found["unique_promised"]
    assert "two constraints are named id_not_null" in found["named_twice"]
    assert r"write a quote within 'it''s' as \'" in found["quote_lost"]
    assert "no_such_column" in found["subject_unknown"]
    assert [name for name in found if kit.path(f"gold.{name}").exists()] == []
