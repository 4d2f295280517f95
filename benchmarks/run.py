"""Measure the project against the floor (floor.py) and write docs/performance.md.

Each measurement is a child process of its own, started cold; the two sides alternate, and the floor compares its tables
with the project's each time. A difference ends the benchmark.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timezone
from decimal import Decimal
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

import click

from medallion import sail
from medallion.generate import generate

ROOT = Path(__file__).resolve().parents[1]
REAL_DATA = ROOT.parent / "shared" / "data" / "online_retail"
WITHOUT_TESTS = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
REPEATS = {"demo": 3, "real": 1, "million": 1, "engines": 3, "checks": 3, "watch": 5}
CASES = ("demo", "real", "million", "engines", "checks", "incremental", "watch")
# What the floor of DuckDB writes, with all that these tables need.
SAME_TABLES = [
    "--select", "+daily_sales_by_product", "+sales_by_region", "+customer_lifetime_value", "+daily_global_sales",
    "--indirect-selection", "cautious",
]  # fmt: skip
# Macros that only check or count, and the files they are in.
CHECKS = {
    "balance_rows": "macros/ledger/account.sql",
    "record_fields": "macros/bronze/record_batch.sql",
    "assert_rows": "macros/contracts/contract.sql",
    "keep_constraints": "macros/contracts/contract.sql",
}
# What Sail should reach: what, the run that shows it, and the most it may take, in words and in seconds, given those of
# DuckDB and of dbt's own start.
TARGETS = [
    (
        "change one model, build it with its tests",
        "Sail, one model edited, with its tests",
        "5 s",
        lambda duckdb, start: 5.0,
    ),
    ("the demo, with all tests", "Sail, demo with tests", "20 s", lambda duckdb, start: 20.0),
    ("the real data, without tests", "Sail", "2.5 x DuckDB", lambda duckdb, start: 2.5 * duckdb),
    ("nothing new", "Sail, nothing new", "dbt's own start + 1 s", lambda duckdb, start: start + 1),
]


@dataclass
class Run:
    """One dbt build, as a process of its own."""

    seconds: float
    dbt_seconds: float
    commits: int
    statements: int
    engine_seconds: float  # of all statements of nodes, with the fetching of their rows, added up
    costs: dict[str, float]  # kind of work -> seconds; together the seconds of the process


@dataclass
class Case:
    """What was measured on one set of landing files."""

    title: str
    untested: list[Run] = field(default_factory=list)
    tested: list[Run] = field(default_factory=list)
    floor: list[dict[str, Any]] = field(default_factory=list)


def say(text: str) -> None:
    click.echo(f"{datetime.now():%H:%M:%S} {text}")


def fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


# One measurement ----------------------------------------------------------------------------------------------------


def child(command: list[str], log: Path, cwd: Path = ROOT, **environment: str) -> tuple[float, float]:
    """Run a process, from the project's root unless said; returns its start (epoch) and its seconds."""
    # From the environment only the benchmark's own lake may speak, not the user's.
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DBT_", "MEDALLION_"))}
    with log.open("w") as output:
        started = time.time()
        code = subprocess.run(
            command, cwd=cwd, env={**kept, **environment}, stdout=output, stderr=subprocess.STDOUT
        ).returncode
        seconds = time.time() - started
    if code:
        raise click.ClickException(f"{command[0]} ended with {code}:\n" + "\n".join(log.read_text().splitlines()[-30:]))
    return started, seconds


class Bench:
    """The folders of a benchmark: two lakes, landing files, dbt's artifacts, logs."""

    def __init__(self, work: Path) -> None:
        # Marked, because all of it is removed.
        if work.exists() and any(work.iterdir()) and not (work / ".benchmark").exists():
            raise click.UsageError(f"{work} is not empty and not from an earlier benchmark; name another --work.")
        self.work = fresh(work)
        (work / ".benchmark").touch()
        self.lake, self.floor_lake = work / "lake", work / "floor"
        self.landing, self.target, self.logs = work / "landing", work / "target", work / "logs"
        self.logs.mkdir()
        self.count = 0

    def dbt(self, *arguments: str, target: str = "local", project: Path = ROOT) -> tuple[float, float, str]:
        """dbt on the benchmark's lake: start, seconds, dbt's log (a JSON object a line)."""
        self.count += 1
        log = self.logs / f"dbt{self.count}"
        command = [str(Path(sys.executable).with_name("dbt")), *arguments, "--target", target, "--no-use-colors"]
        command += ["--project-dir", str(project), "--profiles-dir", str(project), "--log-format-file", "json"]
        command += ["--target-path", str(self.target / project.name / target), "--log-path", str(log)]
        places = {"MEDALLION_HOME": str(self.lake), "MEDALLION_LANDING": str(self.landing)}
        places["MEDALLION_SAIL_PORT"] = str(sail.port())
        started, seconds = child(command, log.with_suffix(".out"), **places)
        return (
            started,
            seconds,
            "".join(part.read_text(errors="replace") for part in sorted(log.glob("dbt.log*"), reverse=True)),
        )

    def project(
        self, label: str, *arguments: str, tests: bool = False, target: str = "local", project: Path = ROOT
    ) -> Run:
        """One `dbt build`."""
        commits = count_commits(self.lake)
        words = (*arguments, *(() if tests else WITHOUT_TESTS))
        started, seconds, log = self.dbt("build", *words, target=target, project=project)
        results = json.loads((self.target / project.name / target / "run_results.json").read_text())
        run = Run(
            seconds,
            results["elapsed_time"],
            count_commits(self.lake) - commits,
            log.count('"name": "SQLQueryStatus"'),
            statement_seconds(log),
            costs(results["results"], started, started + seconds),
        )
        say(f"{label}: {target}, {'with' if tests else 'without'} tests {seconds:.1f} s, {run.commits} commits")
        return run

    def floor(self, label: str, warm: bool) -> dict[str, Any]:
        """The floor in a new process; ends the benchmark when its tables are not the project's."""
        fresh(self.floor_lake)
        result = self.work / "floor.json"
        command = [sys.executable, "-m", "benchmarks.floor", "--landing", str(self.landing), "--result", str(result)]
        command += ["--compare", str(self.lake / "warehouse"), "--started", str(time.time()), *(["--warm"] * warm)]
        child(command, self.logs / "floor.out", MEDALLION_HOME=str(self.floor_lake))
        found = json.loads(result.read_text())
        if found["differences"]:
            raise click.ClickException(f"{label}: floor and project differ.\n" + "\n".join(found["differences"]))
        text = f"{label}: floor {found['cold']:.1f} s cold" + (f", {found['warm']:.1f} s warm" if warm else "")
        say(f"{text}; {found['tables']} tables equal, revenue {found['revenue'].get('gold.daily_global_sales')}")
        return found

    def measure(self, case: Case, repeats: int) -> None:
        """Both sides in turn on the landing files, each on an empty lake; tests and the warm floor once."""
        for repeat in range(repeats):
            label = f"{case.title}, {repeat + 1}/{repeats}"
            fresh(self.lake)
            case.untested.append(self.project(label))
            case.floor.append(self.floor(label, warm=repeat == 0))
        fresh(self.lake)
        case.tested.append(self.project(case.title, tests=True))

    def duckdb(self, label: str) -> float:
        """Seconds of the second floor; ends the benchmark when its rows or revenue are not the project's."""
        result = self.work / "duckdb.json"
        command = [sys.executable, "-m", "benchmarks.duckdb_floor", "--landing", str(self.landing)]
        command += ["--lake", str(fresh(self.floor_lake)), "--result", str(result), "--started", str(time.time())]
        child(command, self.logs / "duckdb.out")
        found = json.loads(result.read_text())
        ours = {path: rows_of(self.lake / "warehouse" / path.replace("/", ".db/")) for path in found["rows"]}
        revenue = revenue_of(self.lake / "warehouse/gold.db/daily_global_sales")
        if found["rows"] != ours or Decimal(found["revenue"]) != revenue:
            raise click.ClickException(f"{label}: DuckDB and project differ.\n{found}\n{ours}, {revenue}")
        say(f"{label}: DuckDB {found['seconds']:.1f} s, revenue {found['revenue']}")
        return found["seconds"]

    def engines(self, repeats: int, events: int, days: int) -> dict[str, list[Any]]:
        """The real data on both engines and by DuckDB in turn, then what a day of work on Sail is made of."""
        found: dict[str, list[Any]] = defaultdict(list)
        fresh(self.lake)
        edited = self.copy_project("edited")
        for project in (ROOT, edited):
            self.dbt("parse", target="sail", project=project)
        with sail.own_server():
            for repeat in range(repeats):
                label = f"engines, {repeat + 1}/{repeats}"
                fresh(self.lake)
                found["Spark"].append(self.project(label))
                fresh(self.lake)
                found["Sail"].append(self.project(label, target="sail"))
                found["DuckDB"].append(self.duckdb(label))
                fresh(self.lake)
                found["Sail, the same six tables with tests"].append(
                    self.project(label, *SAME_TABLES, tests=True, target="sail")
                )
                fresh(self.lake)
                found["Sail, with tests"].append(self.project(label, tests=True, target="sail"))
                found["Sail, nothing new"].append(self.project(label, target="sail"))
                found["Sail, nothing new, with tests"].append(self.project(label, tests=True, target="sail"))
                with (edited / "models/gold/sales_by_region.sql").open("a") as model:
                    model.write(f"-- edit {repeat}\n")
                one = ("--select", "sales_by_region", "--full-refresh")
                found["Sail, one model edited, with its tests"].append(
                    self.project(label, *one, tests=True, target="sail", project=edited)
                )
                found["dbt's own start (dbt ls)"].append(self.dbt("ls", "--quiet", target="sail")[1])
            land("demo", self.landing, events, days)
            for repeat in range(repeats):
                fresh(self.lake)
                label = f"demo on Sail, {repeat + 1}/{repeats}"
                found["Sail, demo with tests"].append(self.project(label, tests=True, target="sail"))
        return found

    def copy_project(self, name: str) -> Path:
        """The dbt project, to be changed."""
        hidden = shutil.ignore_patterns(".*", "target", "logs", "tests", "docs")
        return shutil.copytree(ROOT, fresh(self.work / "projects") / name, ignore=hidden)

    def checks(self, repeats: int) -> dict[str, list[tuple[Run, Run]]]:
        """The real data with and without what only checks or counts, in turn, on both engines."""
        bare = self.copy_project("unchecked")
        for macro, file in CHECKS.items():
            text, count = re.subn(
                rf"({{%- macro {macro}\(.*?\) -%}})",
                r"\1{{- return('') -}}",
                (bare / file).read_text(),
                flags=re.DOTALL,
            )
            if count != 1:
                raise click.ClickException(f"{file} has no macro {macro} any more; mend CHECKS.")
            (bare / file).write_text(text)
        found: dict[str, list[tuple[Run, Run]]] = {"local": [], "sail": []}
        with sail.own_server():
            for target, runs in found.items():
                for project in (ROOT, bare):
                    self.dbt("parse", target=target, project=project)
                for repeat in range(repeats):
                    label = f"checks, {repeat + 1}/{repeats}"
                    pair = []
                    for project in (ROOT, bare):
                        fresh(self.lake)
                        pair.append(self.project(f"{label}, {project.name}", target=target, project=project))
                    runs.append((pair[0], pair[1]))
        return found

    def grow(self, history: int, new: int, days: int, events: int, target: str) -> dict[str, Any]:
        """A lake that holds the days [new - history, new): a run without news, then one with the day `new`."""
        label = f"{history} days of history"
        plan = {"out": self.landing, "days": days, "events": events, "truth": False}
        fresh(self.landing), fresh(self.lake)
        generate(from_day=new - history, to_day=new, **plan)
        found: dict[str, Any] = {"history": history, "all": self.project(f"{label}, all at once", target=target)}
        found["nothing"] = self.project(f"{label}, nothing new", target=target)
        found["nothing, tested"] = self.project(f"{label}, nothing new", tests=True, target=target)
        generate(from_day=new, to_day=new + 1, **plan)
        found["day"] = self.project(f"{label}, one new day", target=target)
        if target == "local":
            found["floor"] = self.floor(f"{label} and the new day", warm=False)
        return found

    def watch(self, repeats: int, events: int, days: int) -> dict[str, list[float]]:
        """Files dropped and models saved beside `medallion watch`, on the demo's lake, with a copy of the project."""
        land("demo", self.landing, events, days)
        fresh(self.lake)
        project = self.copy_project("watched")
        packages = fresh(self.work / "packages")
        (packages / "medallion").symlink_to(project / "scripts")
        (packages / "benchmarks").symlink_to(ROOT / "benchmarks")
        result = self.work / "watch.json"
        command = [sys.executable, "-m", "benchmarks.watching", "--folder", str(self.landing), "--result", str(result)]
        places = {"MEDALLION_HOME": str(self.lake), "MEDALLION_LANDING": str(self.landing), "PYTHONPATH": str(packages)}
        child([*command, "--repeats", str(repeats)], self.logs / "watch.out", cwd=packages, **places)
        say("watch: measured")
        return json.loads(result.read_text())


def rows_of(table: Path) -> int:
    from deltalake import DeltaTable

    return sum(DeltaTable(str(table)).get_add_actions(flatten=True).column("num_records").to_pylist())


def revenue_of(table: Path) -> Decimal:
    from deltalake import DeltaTable

    return sum(DeltaTable(str(table)).to_pyarrow_table(columns=["net_revenue"]).column(0).to_pylist())


def statement_seconds(log: str) -> float:
    """Seconds from each statement to the next thing its node does: dbt says OK before it fetches the rows."""
    began: dict[str, datetime] = {}
    seconds = 0.0
    for line in log.splitlines():
        event = json.loads(line)["info"]
        thread, at = event["thread"], datetime.fromisoformat(event["ts"].replace("Z", "+00:00"))
        if thread.startswith("ThreadPool"):  # several threads of one name
            continue
        if thread in began and event["name"] != "SQLQueryStatus":
            seconds += (at - began.pop(thread)).total_seconds()
        if event["name"] == "SQLQuery":
            began[thread] = at
    return seconds


def count_commits(lake: Path) -> int:
    return sum(1 for _ in lake.glob("warehouse/*/*/_delta_log/" + "[0-9]" * 20 + ".json"))


def kind_of(unique_id: str) -> str:
    """What a node's time is counted as."""
    kind, _, name = unique_id.split(".")[:3]
    if kind != "model":
        return {"test": "tests", "unit_test": "unit tests", "operation": "hooks"}.get(kind, f"{kind}s")
    path = next((ROOT / "models").rglob(f"{name}.sql"))
    return path.relative_to(ROOT / "models").parts[0]


def costs(results: list[dict[str, Any]], started: float, ended: float) -> dict[str, float]:
    """Seconds by kind of work: of nodes that run side by side, each gets its share of the time."""
    spans = []
    for result in results:
        times = [datetime.fromisoformat(t[edge].replace("Z", "+00:00")) for t in result["timing"]
                 for edge in ("started_at", "completed_at") if t[edge]]  # fmt: skip
        if times:
            utc = [t.replace(tzinfo=t.tzinfo or timezone.utc).timestamp() for t in times]
            spans.append((min(utc), max(utc), kind_of(result["unique_id"])))
    first, last = min(span[0] for span in spans), max(span[1] for span in spans)
    found: dict[str, float] = defaultdict(float)
    found["start (dbt, engine, schemas)"] = first - started
    found["end (artifacts, engine stop)"] = ended - last
    edges = sorted({edge for span in spans for edge in span[:2]})
    for left, right in pairwise(edges):
        running = [kind for begin, end, kind in spans if begin <= left and right <= end]
        for kind in running or ["between nodes"]:
            found[kind] += (right - left) / max(1, len(running))
    return dict(sorted(found.items(), key=lambda item: -item[1]))


# The report -----------------------------------------------------------------------------------------------------------


def spread(values: list[float], digits: int = 1) -> str:
    """Median, and the least and greatest of several."""
    text = f"{statistics.median(values):.{digits}f}"
    return text if len(values) == 1 else f"{text} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def table(head: list[str], rows: list[list[Any]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines) + "\n"


def machine() -> str:
    """Size and versions; nothing that tells whose machine it is."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    java = str(Path(os.environ["JAVA_HOME"], "bin", "java")) if os.environ.get("JAVA_HOME") else "java"
    answer = subprocess.run([java, "-version"], capture_output=True, text=True).stderr
    java_version = re.search(r'version "([^"]+)"', answer)
    import pyspark

    jars = sorted(Path(pyspark.__file__).parent.glob("jars/*delta-spark_*.jar"))
    parts = {
        "Python": platform.python_version(),
        "Java": java_version[1] if java_version else "?",
        "dbt-core": version("dbt-core"),
        "dbt-spark": version("dbt-spark"),
        "PySpark": version("pyspark"),
        "Sail": version("pysail"),
        "DuckDB": version("duckdb"),
        "Delta": jars[-1].stem.rsplit("-", 1)[1] if jars else "?",
    }
    return f"{cores} cores, {memory:.0f} GiB memory, {platform.system()} {platform.machine()}; " + ", ".join(
        f"{name} {number}" for name, number in parts.items()
    )


def cold_section(cases: list[Case]) -> str:
    rows, share_rows, named = [], [], []
    for case in cases:
        plain, tested, floor = case.untested, case.tested[0], case.floor
        ratios = [ours.seconds / theirs["cold"] for ours, theirs in zip(plain, floor, strict=True)]
        rows.append([
            case.title, spread([run.seconds for run in plain]), spread([run.dbt_seconds for run in plain]),
            spread([found["cold"] for found in floor]), f"{floor[0]['warm']:.1f}", f"**{spread(ratios, 2)}**",
            f"{tested.seconds:.1f}", plain[0].commits, plain[0].statements, tested.statements, floor[0]["statements"],
        ])  # fmt: skip
        largest = list(tested.costs.items())[:3]
        named.append(f"- {case.title}: " + ", ".join(f"{kind} {seconds:.1f} s" for kind, seconds in largest) + ".")
    for kind in dict.fromkeys(kind for case in cases for kind in case.tested[0].costs):
        share_rows.append([kind, *[f"{case.tested[0].costs.get(kind, 0):.1f}" for case in cases]])
    head = ["case", "project", "dbt's own figure", "floor, cold", "floor, warm", "project / floor",
            "project with tests", "commits", "statements", "statements with tests",
            "statements of the floor"]  # fmt: skip
    return f"""
## Everything from landing files, on an empty lake

Seconds of the whole process, start of Python and JVM included; the warm floor is the second time in one process.
"project" is without tests, because the floor checks nothing. Several runs: median (least to greatest).

{table(head, rows)}
### The three largest costs

Of the run with tests; of nodes that run side by side, each is given its share of the time, so that a column adds up.

{chr(10).join(named)}

{table(["seconds", *[case.title for case in cases]], share_rows)}"""


def incremental_section(lakes: dict[str, list[dict[str, Any]]], per_day: int) -> str:
    names = {
        "all": "the history, all at once", "nothing": "nothing new", "nothing, tested": "nothing new, with tests",
        "day": "one new day",
    }  # fmt: skip
    text = f"""
## New data on a growing lake

{per_day:,} events a day; both lakes get the same new day. Without tests unless said: tests read whole tables. The
history came in one drop, so the lakes differ in rows and landing files, not in the number of earlier runs.
"""
    for engine, (small, big) in lakes.items():
        rows = []
        for name, title in names.items():
            left, right = small[name], big[name]
            rows.append([
                title, f"{left.seconds:.1f}", f"{right.seconds:.1f}", f"**{right.seconds / left.seconds:.2f}**",
                left.commits, right.commits, left.statements, right.statements,
            ])  # fmt: skip
        if "floor" in small:
            left, right = small["floor"]["cold"], big["floor"]["cold"]
            rows.append(["floor, all again", f"{left:.1f}", f"{right:.1f}", f"**{right / left:.2f}**", *["–"] * 4])
        head = ["run", *[f"{lake['history']} days, seconds" for lake in (small, big)], "ratio"]
        head += [f"{what}, {lake['history']} days" for what in ("commits", "statements") for lake in (small, big)]
        text += f"\n### {engine}\n\n{table(head, rows)}"
        if "floor" in small:
            ratios = [
                f"{lake[name].seconds / lake['floor']['cold']:.2f}"
                for name in ("nothing", "day")
                for lake in (small, big)
            ]
            text += (
                f"\nProject / floor: nothing new {ratios[0]} and {ratios[1]}, one new day {ratios[2]} and {ratios[3]}"
                f" (on {small['history']} and {big['history']} days).\n"
            )
    return text


def checks_section(found: dict[str, list[tuple[Run, Run]]]) -> str:
    rows = []
    for target, pairs in found.items():
        cost = [100 * (full.seconds / bare.seconds - 1) for full, bare in pairs]
        rows.append([
            {"local": "Spark", "sail": "Sail"}[target], spread([full.seconds for full, _ in pairs]),
            spread([bare.seconds for _, bare in pairs]), f"**{spread(cost)}**",
            pairs[0][0].statements, pairs[0][1].statements,
        ])  # fmt: skip
    head = ["engine", "project", "without checks", "cost, %", "statements", "without checks"]
    return f"""
## What the ledger and the checks cost

The real data, all files at once, without tests: the project as it is, and a copy of it whose row ledger, field counts
and contract checks return at once. In turn, {len(pairs)} times; median (least to greatest).

{table(head, rows)}"""


def engines_section(found: dict[str, list[Any]]) -> str:
    duckdb = statistics.median(found["DuckDB"])
    rows = []
    for name, runs in found.items():
        if isinstance(runs[0], float):
            rows.append([name, spread(runs), "–", "–", f"{statistics.median(runs) / duckdb:.2f}", "–"])
            continue
        seconds = [run.seconds for run in runs]
        rows.append(
            [
                name,
                spread(seconds),
                spread([run.dbt_seconds for run in runs]),
                spread([run.engine_seconds for run in runs]),
                f"{statistics.median(seconds) / duckdb:.2f}",
                runs[0].commits,
            ]
        )
    start = statistics.median(found["dbt's own start (dbt ls)"])
    targets = []
    for what, name, words, limit in TARGETS:
        seconds, most = statistics.median(run.seconds for run in found[name]), limit(duckdb, start)
        targets.append([what, f"{words} ({most:.1f} s)", f"{seconds:.1f}", "yes" if seconds <= most else "**no**"])
    named = list(found["Sail, with tests"][0].costs.items())[:3]
    head = ["run", "seconds", "of these dbt's own figure", "statements, added up", "/ DuckDB", "commits"]
    return f"""
## Engines

The real data, all files at once, unless stated otherwise; the Sail server was running, Spark starts inside dbt.
Medians (least to
greatest) of {len(found["DuckDB"])} rounds, taken in turn. DuckDB with delta-rs (`benchmarks/duckdb_floor.py`) writes
bronze, silver and the gold tables that depend on the orders, 6 of the project's tables, without checks; the row
counts and
the revenue were the same each time. Several statements may run side by side, so their seconds can add up to more than
dbt's.

{table(head, rows)}
The three largest costs of "Sail, with tests": {", ".join(f"{kind} {seconds:.1f} s" for kind, seconds in named)}.

| target on Sail, server running | at most | measured, median | met |
| --- | ---: | ---: | --- |
{chr(10).join("| " + " | ".join(row) + " |" for row in targets)}
"""


def watch_section(found: dict[str, list[float]]) -> str:
    before, after = found["megabytes"]
    rows = [
        ["one small file of orders, to gold and its tests", spread(found["file"], 2), "3"],
        ["one model of gold saved, built and tested", spread(found["model"], 2), "1.5"],
        ["a look that finds nothing", spread(found["look"], 4), "–"],
    ]
    return f"""
## medallion watch

On Sail, on the lake of the demo. To each figure comes the time until the next look, half a second on average.

{table(["what", "seconds", "at most"], rows)}
Memory of the process, with the Sail server in it: {before:.0f} MB before {len(found["look"]):,} looks that find
nothing, {after:.0f} MB after them.
"""


def write_report(
    output: Path,
    command: str,
    cases: list[Case],
    engines: dict[str, list[Any]],
    checks: dict[str, list[tuple[Run, Run]]],
    lakes: dict[str, list[dict[str, Any]]],
    watched: dict[str, list[float]],
    per_day: int,
) -> None:
    text = f"""# Performance

Written by `make bench` on {date.today()}; the same command measures again. This time: `{command}`.

Machine: {machine()}.

The floor is the same tables in plain Spark SQL without dbt (`benchmarks/floor.sql`): one session with the settings of
`profiles.yml`, every table computed as a whole, no tests, no ledger, no snapshot. It compares what it wrote with
the project's tables: silver and gold row by row, bronze and quarantine by row counts. They were equal each time.
"""
    if cases:
        text += cold_section(cases)
    if engines:
        text += engines_section(engines)
    if checks:
        text += checks_section(checks)
    if lakes:
        text += incremental_section(lakes, per_day)
    if watched:
        text += watch_section(watched)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(text, encoding="utf-8")
    say(f"wrote {output.name}")


# The command ----------------------------------------------------------------------------------------------------------


def parse_cases(context: Any, parameter: Any, value: str) -> list[str]:
    names = [name.strip() for name in value.split(",")]
    if unknown := set(names) - set(CASES):
        raise click.BadParameter(f"{', '.join(unknown)}; there are {', '.join(CASES)}.")
    return names


@click.command(context_settings={"show_default": True})
@click.option("--cases", default=",".join(CASES), callback=parse_cases, help="Which of them to measure.")
@click.option("--repeats", type=click.IntRange(1), help="Runs of each; left out: 3, or 1 of real and million.")
@click.option("--events", default=5000, help="Events of the case demo; as `make demo` has it.")
@click.option("--days", default=14, help="Days of the case demo.")
@click.option("--per-day", default=300, help="Events a day of the case incremental.")
@click.option("--history", default=10, help="Days of the smaller lake of incremental; the bigger: ten times.")
@click.option("--work", default=".lake/bench", type=click.Path(path_type=Path), help="Folder for lakes and logs.")
@click.option("--output", default="docs/performance.md", type=click.Path(path_type=Path), help="The report.")
def main(cases: list[str], repeats: int | None, work: Path, output: Path, **sizes: int) -> None:
    """Measure the project against plain Spark SQL, and the engines against DuckDB, and write the report.

    \b
    All of it:        make bench
    A quick look:     make bench ARGS="--cases demo --repeats 1 --events 500 --days 4 --output /tmp/performance.md"
    """
    os.chdir(ROOT)
    history, per_day = sizes["history"], sizes["per_day"]
    bench = Bench(work.resolve())
    given = {"cases": ",".join(cases), "repeats": repeats, **sizes}
    options = [
        f"--{option.name.replace('_', '-')} {given[option.name]}"
        for option in click.get_current_context().command.params
        if given.get(option.name) not in (None, option.default)
    ]
    command = f'make bench ARGS="{" ".join(options)}"' if options else "make bench"
    measured: list[Case] = []
    lakes: dict[str, list[dict[str, Any]]] = {}
    engines: dict[str, list[Any]] = {}
    checks: dict[str, list[tuple[Run, Run]]] = {}
    watched: dict[str, list[float]] = {}
    say("parsing the project once, as any earlier dbt command would have")
    fresh(bench.lake)
    bench.dbt("parse")
    for name in cases:
        if name == "incremental":
            days = 10 * history + 1
            with sail.own_server():
                for engine, target in (("Spark", "local"), ("Sail", "sail")):
                    lakes[engine] = [
                        bench.grow(past, days - 1, days, per_day * days, target) for past in (history, 10 * history)
                    ]
        elif name == "watch":
            watched = bench.watch(repeats or REPEATS[name], sizes["events"], sizes["days"])
        elif name in ("real", "engines", "checks") and not REAL_DATA.exists():
            say(f"{name}: the real data is not beside this checkout; left out")
            continue
        elif name == "checks":
            land("real", bench.landing, sizes["events"], sizes["days"])
            checks = bench.checks(repeats or REPEATS[name])
        elif name == "engines":
            land("real", bench.landing, sizes["events"], sizes["days"])
            engines = bench.engines(repeats or REPEATS[name], sizes["events"], sizes["days"])
        else:
            measured.append(Case(land(name, bench.landing, sizes["events"], sizes["days"])))
            bench.measure(measured[-1], repeats or REPEATS[name])
        write_report(output, command, measured, engines, checks, lakes, watched, per_day)


def land(name: str, landing: Path, events: int, days: int) -> str:
    """Write a case's landing files; returns its title."""
    fresh(landing)
    say(f"{name}: writing landing files")
    if name == "real":
        files = shutil.copytree(REAL_DATA, landing / "orders").glob("*.csv")
        return f"real data, {len(list(files))} files"
    if name == "million":
        events = 1_000_000
        generate(landing, events=events, truth=False)
        return "one million events"
    generate(landing, events=events, days=days, truth=False)
    return f"demo, {events:,} events"


if __name__ == "__main__":
    main()
