"""One engine for the whole test session, and many small lakes in it.

dbt runs in this process (`dbtRunner`), so that the engine starts once: Spark, or Sail (MEDALLION_ENGINE=sail).
A `Lake` keeps tests apart by a schema prefix and a landing folder of its own; all share one warehouse below a temporary
MEDALLION_HOME.
"""

from __future__ import annotations

import itertools
import json
import os
import pprint
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from dbt.artifacts.resources import FileHash
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest
from dbt.version import __version__ as dbt_version

from medallion import sail

ROOT = Path(__file__).resolve().parent.parent
REAL_DATA = ROOT.parent / "shared" / "data" / "online_retail"
NO_TESTS = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
Edit = tuple[str, str, str]  # a pattern of files, a text in them, and what stands there instead
ENGINE = os.environ.get("MEDALLION_ENGINE", "spark")
TARGET = {"spark": "local", "sail": "sail"}[ENGINE]
# Where both engines are tested, one after the other, the tests without engine run with the first.
WITH_NO_ENGINE = os.environ.get("MEDALLION_NO_ENGINE", "yes") == "yes"


def engines_of(item: pytest.Item) -> tuple[str, ...]:
    """Both, unless the test or its module is marked: with those that it runs on, none if it needs no engine; `in_soak`
    is one that it runs on in the soak tests only, as what it tests is the same on both.
    """
    mark = item.get_closest_marker("engines")
    if not mark:
        return ("spark", "sail")
    if not mark.args:
        return (ENGINE,) if WITH_NO_ENGINE else ()
    return (*mark.args, mark.kwargs.get("in_soak", ""))


@pytest.hookimpl(tryfirst=True)  # before pytest takes out what is marked soak
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what is not for the engine of this session."""
    for item in items:
        if (mark := item.get_closest_marker("engines")) and mark.kwargs.get("in_soak") == ENGINE:
            item.add_marker("soak")
    left_out = [item for item in items if ENGINE not in engines_of(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in set(left_out)]


def pytest_report_header() -> str:
    return f"engine: {ENGINE}"


class Parsed:
    """The project as dbt has parsed it, lent from lake to lake; parsing takes longer than most builds.

    Other variables mean parsing all of it again, by dbt's rule. Of a lake only the prefix of its schemas is in what dbt
    keeps, so with another prefix of the same length, and the hash of the other variables, it is right for another lake.
    """

    def __init__(self) -> None:
        self.known: dict[str, tuple[bytes, bytes, bytes]] = {}
        self.projects: dict[Path, Path] = {}  # last one by target path; dbt takes two files of one time for the same

    def lend(self, target_path: Path, project_dir: Path, variables: dict[str, Any]) -> None:
        """Put it where dbt looks for it, unless dbt has parsed this project with these variables there itself."""
        file = target_path / "partial_parse.msgpack"
        key, prefix, digest = self._of(variables)
        content, old_prefix, old_digest = self.known.get(key, (b"", b"", b""))
        is_own = self.projects.get(target_path) == project_dir and file.exists() and digest in file.read_bytes()
        self.projects[target_path] = project_dir
        if content and len(prefix) == len(old_prefix) and not is_own:
            target_path.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content.replace(old_prefix, prefix).replace(old_digest, digest))

    def keep(self, target_path: Path, variables: dict[str, Any]) -> None:
        file = target_path / "partial_parse.msgpack"
        key, prefix, digest = self._of(variables)
        if prefix and key not in self.known and file.exists() and digest in (content := file.read_bytes()):
            self.known[key] = (content, prefix, digest)

    @staticmethod
    def _of(variables: dict[str, Any]) -> tuple[str, bytes, bytes]:
        """The variables but for those of a lake, its prefix, and dbt's hash of all (ManifestLoader's state check)."""
        words = [pprint.pformat(json.loads(json.dumps(variables))), "", TARGET, dbt_version]
        shared = {name: value for name, value in variables.items() if name not in ("schema_prefix", "landing_root")}
        digest = FileHash.from_contents("\x00".join(words)).checksum
        return json.dumps(shared, sort_keys=True), variables.get("schema_prefix", "").encode(), digest.encode()


parsed = Parsed()


def run_dbt(
    *args: str,
    project_dir: Path = ROOT,
    target_path: Path | None = None,
    edits: Sequence[Edit] = (),
    **variables: Any,
) -> dbtRunnerResult:
    """Run dbt in this process and return its result, whatever it is; `variables` become `--vars`."""
    command = [*args, "--project-dir", str(project_dir), "--profiles-dir", str(ROOT), "--quiet", "--target", TARGET]
    if variables:
        command += ["--vars", json.dumps(variables)]
    if not target_path:
        return dbtRunner().invoke(command)
    command += ["--target-path", str(target_path), "--log-path", str(target_path / "logs")]
    parsed.lend(target_path, project_dir, variables)
    if edits:
        manifest = dbtRunner().invoke(["parse", *command[len(args) :]]).result
        return dbtRunner(manifest=edited(manifest, edits)).invoke(command)
    result = dbtRunner().invoke(command)
    if project_dir == ROOT:
        parsed.keep(target_path, variables)
    return result


def edited(manifest: Manifest, edits: Sequence[Edit]) -> Manifest:
    """The parsed project with changed SQL, which dbt need not parse again as it changes no ref and no config."""
    for files, old, new in edits:
        macros = [macro for macro in manifest.macros.values() if fnmatch(macro.original_file_path, files)]
        nodes = [node for node in manifest.nodes.values() if fnmatch(node.original_file_path, files)]
        assert any(old in macro.macro_sql for macro in macros) or any(old in node.raw_code for node in nodes), old
        for macro in macros:
            macro.macro_sql = macro.macro_sql.replace(old, new)
        for node in nodes:
            node.raw_code = node.raw_code.replace(old, new)
    return manifest


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
    # with the variables of a lake, so that it parses for all of them
    own = {"schema_prefix": "t0000_", "max_quarantine_share": 1}
    result = run_dbt("show", "--inline", "select 1", target_path=home / "target", **own)
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
    edits: Sequence[Edit] = ()

    def dbt(self, *args: str, **variables: Any) -> dbtRunnerResult:
        """Run dbt on this lake; returns the result without judging it."""
        own = {"schema_prefix": self.prefix, "landing_root": str(self.landing), "max_quarantine_share": 1}
        # artifacts take as long to write as a small table
        quick = ["--no-write-json"] if args[0] in ("build", "run") else []
        own |= self.variables | variables
        project = {"project_dir": self.project_dir, "target_path": self.target_path, "edits": self.edits}
        return run_dbt(*args, *quick, **project, **own)

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
        prefix = f"t{next(_numbers):04}_"
        folder = tmp_path_factory.mktemp(prefix + name)
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
