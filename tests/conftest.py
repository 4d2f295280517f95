"""One engine for the whole test session, and many small lakes in it.

dbt runs in this process (`dbtRunner`), so that the engine starts once: Spark, or Sail (MEDALLION_ENGINE=sail).
A `Lake` keeps tests apart by a schema prefix and a landing folder of its own; all share one warehouse below a temporary
MEDALLION_HOME.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from dbt.cli.main import dbtRunner, dbtRunnerResult

from medallion import sail

ROOT = Path(__file__).resolve().parent.parent
REAL_DATA = ROOT.parent / "shared" / "data" / "online_retail"
NO_TESTS = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
ENGINE = os.environ.get("MEDALLION_ENGINE", "spark")
TARGET = {"spark": "local", "sail": "sail"}[ENGINE]
# A test module runs on both engines but for these; a test that differs from its module is marked with `engines`.
NO_ENGINE = {"test_cli", "test_generate", "test_macros", "test_orchestration", "test_project_rules", "test_setup"}
ONLY_ON_SPARK = {"test_dbt_utils", "test_engines", "test_overrides"}
# About Sail, or of so many builds that they are for the faster engine.
ONLY_ON_SAIL = {"test_any_order", "test_cuts", "test_drift", "test_landing", "test_ledger", "test_outcomes"}
ONLY_ON_SAIL |= {"test_disk", "test_quarantine", "test_releases", "test_results", "test_sail", "test_statements"}
ONLY_ON_SAIL |= {"test_watch"}
# The same macros and SQL on both engines but for the port to them, which the modules that run on both go through;
# MEDALLION_ALL=yes runs these on Spark too, for half an hour more.
if os.environ.get("MEDALLION_ALL") != "yes":
    ONLY_ON_SAIL |= {"test_bronze", "test_changed_model", "test_contributing", "test_flags", "test_new_field"}
    ONLY_ON_SAIL |= {"test_values"}
# Where both engines are tested, one after the other, the tests without engine run with the first.
WITH_NO_ENGINE = os.environ.get("MEDALLION_NO_ENGINE", "yes") == "yes"


def engines_of(item: pytest.Item) -> tuple[str, ...]:
    if mark := item.get_closest_marker("engines"):
        return mark.args
    module = item.path.stem
    if module in NO_ENGINE:
        return (ENGINE,) if WITH_NO_ENGINE else ()
    return ("spark",) if module in ONLY_ON_SPARK else ("sail",) if module in ONLY_ON_SAIL else ("spark", "sail")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what is not for the engine of this session."""
    left_out = [item for item in items if ENGINE not in engines_of(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in set(left_out)]


def pytest_report_header() -> str:
    left_out = (ONLY_ON_SPARK if ENGINE == "sail" else ONLY_ON_SAIL) | (set() if WITH_NO_ENGINE else NO_ENGINE)
    return f"engine: {ENGINE}; left out but for tests marked so: {', '.join(sorted(left_out))}"


def run_dbt(*args: str, project_dir: Path = ROOT, target_path: Path | None = None, **variables: Any) -> dbtRunnerResult:
    """Run dbt in this process and return its result, whatever it is; `variables` become `--vars`."""
    command = [*args, "--project-dir", str(project_dir), "--profiles-dir", str(ROOT), "--quiet", "--target", TARGET]
    if variables:
        command += ["--vars", json.dumps(variables)]
    if target_path:
        command += ["--target-path", str(target_path), "--log-path", str(target_path / "logs")]
    return dbtRunner().invoke(command)


def alone(home: Path, landing: Path) -> dict[str, str]:
    """The environment of a command with a lake and, on Sail, a server of its own: at port 1 it finds nobody's."""
    places = {"MEDALLION_HOME": str(home), "MEDALLION_LANDING": str(landing)}
    return os.environ | places | {sail.VARIABLE: "1"}


def delta_rs(table: Path | str, query: str) -> list[tuple]:
    """Rows of a query of the Delta table in a folder, named `t` in it; read by delta-rs, without Spark."""
    import duckdb
    from deltalake import DeltaTable, QueryBuilder

    result = QueryBuilder().register("t", DeltaTable(str(table))).execute(query).read_all()  # noqa: F841 (duckdb finds it)
    return duckdb.sql("select * from result").fetchall()


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the session's lake; set as MEDALLION_HOME for everything that runs in this process."""
    # Sail cannot have blanks in it.
    path = tmp_path_factory.mktemp("medallion home" if ENGINE == "spark" else "medallion_home")
    os.environ["MEDALLION_HOME"] = str(path)
    os.environ.pop("MEDALLION_LANDING", None)
    os.chdir(ROOT)
    return path


@pytest.fixture(scope="session")
def sail_server(home: Path):
    """A Sail server of the tests' own."""
    with sail.own_server():
        yield


@pytest.fixture(scope="session")
def spark(home: Path, request: pytest.FixtureRequest):
    """The very SparkSession that dbt uses; dbt creates it, so that the settings of profiles.yml hold."""
    from pyspark.sql import SparkSession

    if ENGINE == "sail":
        request.getfixturevalue("sail_server")
    result = run_dbt("show", "--inline", "select 1", target_path=home / "target")
    assert result.success, result.exception
    builder = SparkSession.builder
    if ENGINE == "sail":
        builder = builder.remote(f"sc://{sail.HOST}:{sail.port()}")
    yield (session := builder.getOrCreate())
    session.stop()


@dataclass
class Lake:
    """Tables of one test: schemas `<prefix>bronze`, … and a landing folder."""

    spark: Any
    prefix: str
    landing: Path
    target_path: Path
    variables: dict[str, Any] = field(default_factory=dict)
    project_dir: Path = ROOT

    def dbt(self, *args: str, **variables: Any) -> dbtRunnerResult:
        """Run dbt on this lake; returns the result without judging it."""
        own = {"schema_prefix": self.prefix, "landing_root": str(self.landing), "max_quarantine_share": 1}
        return run_dbt(
            *args, project_dir=self.project_dir, target_path=self.target_path, **(own | self.variables | variables)
        )

    def build(self, *args: str, **variables: Any) -> dbtRunnerResult:
        """Run `dbt build`; fails the test, with dbt's own messages, when a node fails."""
        result = self.dbt("build", *args, **variables)
        assert result.success, self.explain(result)
        return result

    @staticmethod
    def explain(result: dbtRunnerResult) -> str:
        """The messages of the nodes that failed."""
        if result.exception:
            return str(result.exception)
        bad = [r for r in result.result.results if r.status not in ("success", "pass", "warn", "skipped", "no-op")]
        return "\n".join(f"{r.node.unique_id}: {r.status}: {r.message}" for r in bad)

    def drop_file(self, path: str, content: str | bytes) -> Path:
        """Write one landing file."""
        file = self.landing / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    def table(self, name: str) -> str:
        """Full name of `layer.table` in this lake."""
        return f"{self.prefix}{name}"

    def sql(self, statement: str) -> list[tuple]:
        """Rows of a statement; `{name}` of a layer stands for the layer's schema."""
        layers = {layer: f"{self.prefix}{layer}" for layer in ("bronze", "silver", "gold", "ops")}
        text = statement.format(**layers)
        for schema, table in set(re.findall(r"\b(\w+)[.](\w+)", text)):
            folder = Path(os.environ["MEDALLION_HOME"]) / "warehouse" / f"{schema}.db" / table
            if schema.startswith(self.prefix) and (folder / "_delta_log").exists():
                # the catalog of a session knows what that session has used
                self.spark.sql(f"create schema if not exists {schema}").collect()
                self.spark.sql(f"create table if not exists {schema}.{table} using delta location '{folder}'").collect()
        return [tuple(row) for row in self.spark.sql(text).collect()]

    def path(self, name: str) -> Path:
        """Folder of `layer.table`, for readers other than the engine."""
        schema, table = self.table(name).split(".")
        return Path(os.environ["MEDALLION_HOME"]) / "warehouse" / f"{schema}.db" / table

    def version(self, name: str) -> int:
        """Newest Delta version of `layer.table`."""
        return max(int(commit.stem) for commit in (self.path(name) / "_delta_log").glob("*.json"))

    def versions(self, with_runs: bool = True) -> dict[str, int]:
        """Newest Delta version of every table of this lake, with or without what is noted of each run that did or met
        something.
        """
        warehouse = Path(os.environ["MEDALLION_HOME"]) / "warehouse"
        tables = [log.parent for log in warehouse.glob(f"{self.prefix}*.db/*/_delta_log")]
        names = [f"{table.parent.stem.removeprefix(self.prefix)}.{table.name}" for table in tables]
        of_runs = () if with_runs else ("ops.node_results", "ops.releases")
        return {name: self.version(name) for name in names if name not in of_runs}

    def commits(self, name: str) -> list[dict[str, Any]]:
        """What the commits of `layer.table` say of themselves, oldest first."""
        found = []
        for file in sorted((self.path(name) / "_delta_log").glob("*.json")):
            actions = [json.loads(line) for line in file.read_text().splitlines()]
            found += [action["commitInfo"] for action in actions if "commitInfo" in action]
        return found


class SailLake(Lake):
    """A lake beside those of the session's Spark, in the same warehouse, that Sail builds."""

    def dbt(self, *args: str, **variables: Any) -> Any:
        """Run dbt on this lake, in a process of its own: one process has one engine."""
        own = {"schema_prefix": self.prefix, "landing_root": str(self.landing), **self.variables, **variables}
        command = [sys.executable, "-m", "dbt.cli.main", "--quiet", "--no-use-colors", *args, "--target", "sail"]
        done = subprocess.run(
            [*command, "--vars", json.dumps(own), "--target-path", str(self.target_path)],
            cwd=ROOT,
            env=os.environ | {"MEDALLION_HOME": str(self.target_path.parent / "home")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return SimpleNamespace(success=done.returncode == 0, exception=done.stdout)


_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def new_lake(spark, tmp_path_factory):
    """Factory of lakes: `new_lake("name")`; for scenarios that several tests of a module share."""

    def make(name: str = "lake", **kwargs: Any) -> Lake:
        prefix = f"{name}_{next(_numbers)}_"
        folder = tmp_path_factory.mktemp(prefix)
        return Lake(spark, prefix, folder / "landing", folder / "target", **kwargs)

    return make


@pytest.fixture(scope="session")
def on_sail(home: Path, sail_server):
    """The same lake, for Sail."""

    def make(lake: Lake) -> SailLake:
        link = lake.target_path.parent / "home"  # Sail cannot have the blank in the path of `home`
        if not link.exists():
            link.symlink_to(home)
        return SailLake(lake.spark, lake.prefix, lake.landing, lake.target_path, lake.variables)

    return make


@pytest.fixture
def lake(new_lake) -> Lake:
    """A fresh, empty lake."""
    return new_lake()
