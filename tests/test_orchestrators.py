"""The orchestrators of `orchestration/`, really run: `make orchestrators`. Not part of the normal suite: minutes, and
environments of their own (`make orchestration`).

Airflow has SQLite, the LocalExecutor and the loopback address only.
"""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from airflow_outcomes import FAKE, days
from conftest import ROOT
from lakes import contents, differences, unbalanced

from medallion.generate import generate

pytestmark = [pytest.mark.orchestrator, pytest.mark.engines("sail")]

AIRFLOW = ROOT / ".venv-airflow/bin/airflow"
DAGSTER = ROOT / ".venv-dagster/bin/dagster"
DAG = "medallion_daily"
DAYS = [f"2026-01-0{day}" for day in range(1, 6)]
CHAIN = ["data_have_arrived", "build", "publish", "optimize", "vacuum"]


class Airflow:
    """An Airflow of the test's own, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lake = folder / "lake"
        self.landing = folder / "landing"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        # at port 1 no Sail is served: each command has its own
        places = {"DBT_TARGET": "sail", "MEDALLION_SAIL_PORT": "1"}
        places |= {"MEDALLION_HOME": str(self.lake), "MEDALLION_LANDING": str(self.landing)}
        self.environment = os.environ | {
            "AIRFLOW_HOME": str(folder / "airflow"),
            "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "orchestration/airflow/dags"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{folder}/airflow/airflow.db?timeout=60",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": port,
            "AIRFLOW__API_AUTH__JWT_SECRET": "for this test only, " * 4,
            "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
            "AIRFLOW_CONN_MEDALLION": json.dumps(
                {"conn_type": "generic", "password": "a-password-of-the-lake", "extra": {"environment": places}}
            ),
            "MEDALLION_POKE_SECONDS": "10",
            "MEDALLION_RETRY_SECONDS": "3",
            "no_proxy": "127.0.0.1",
        }
        self("db", "migrate")

    def __call__(self, *arguments: str, code: int = 0) -> str:
        done = subprocess.run(
            [str(AIRFLOW), *arguments], env=self.environment, cwd=self.folder, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert done.returncode == code, done.stdout[-5000:]
        return done.stdout

    def rows(self, query: str) -> list[tuple]:
        with closing(sqlite3.connect(f"file:{self.folder}/airflow/airflow.db?mode=ro", uri=True)) as database:
            return database.execute(query).fetchall()

    def states(self) -> dict[str, dict[str, tuple[str, int]]]:
        """State and number of attempts of each task, by the day of its run."""
        found: dict[str, dict[str, tuple[str, int]]] = {}
        query = (
            "select date(r.logical_date), t.task_id, t.state, t.try_number from task_instance t"
            " join dag_run r on r.dag_id = t.dag_id and r.run_id = t.run_id order by r.id"
        )
        for day, task, state, attempts in self.rows(query):
            found.setdefault(day, {})[task] = (state, attempts)
        return found

    def state(self, day: str, task: str) -> tuple[str | None, int]:
        return self.states().get(day, {}).get(task, (None, 0))

    @contextmanager
    def services(self) -> Iterator[None]:
        """Scheduler, processor of the DAG files, the server that tasks talk to, and what wakes deferred tasks."""
        started = []
        try:
            for service in ("api-server", "dag-processor", "scheduler", "triggerer"):
                log = (self.folder / f"{service}.log").open("w")
                started.append(subprocess.Popen(
                    [str(AIRFLOW), service], env=self.environment, cwd=self.folder, stdout=log, stderr=log,
                    start_new_session=True,
                ))  # fmt: skip
            yield
        finally:
            for process in reversed(started):
                os.killpg(process.pid, signal.SIGTERM)
            for process in started:
                try:
                    process.wait(30)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)


def until(what: Callable[[], Any], seconds: int = 300) -> Any:
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, what
        time.sleep(0.5)
    return found


def deliver(landing: Path, day: int) -> None:
    generate(landing, seed=3, days=len(DAYS), events=1000, from_day=day, to_day=day + 1, truth=False)


def medallion(folder: Path, *arguments: str) -> None:
    places = {"MEDALLION_HOME": str(folder / "lake"), "MEDALLION_LANDING": str(folder / "landing")}
    command = [sys.executable, "-m", "medallion", *arguments, "--target", "sail"]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | places | {"MEDALLION_SAIL_PORT": "1"}, capture_output=True
    )
    assert done.returncode == 0, done.stdout[-3000:]


def processes(*words: str, parent: int | None = None) -> list[int]:
    """The processes whose command line has these words, those of this user's tests only."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            above = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            places = (folder / "environ").read_bytes()
        except OSError:
            continue
        if all(word in line for word in words[:-1]) and words[-1].encode() in places and parent in (None, above):
            found.append(int(folder.name))
    return found


@pytest.fixture
def airflow(tmp_path: Path) -> Airflow:
    if not AIRFLOW.exists():
        pytest.fail("No Airflow here; make orchestration sets it up.")
    return Airflow(tmp_path)


def test_one_date_twice_gives_identical_tables(airflow):
    for day in range(5):
        deliver(airflow.landing, day)
    log = airflow("dags", "test", DAG, DAYS[2])
    assert "a-password-of-the-lake" not in log
    first = contents(airflow.lake / "warehouse")
    assert first["gold.daily_sales_by_product"]
    airflow("dags", "test", DAG, DAYS[2])
    assert differences(first, contents(airflow.lake / "warehouse")) == {}
    assert {state for state, _ in airflow.states()[DAYS[2]].values()} <= {"success", "skipped"}


def test_a_failure_of_dbt_is_mirrored(airflow):
    """A file of one feed cannot be read: its tables are red or skipped, the others green, and nothing is published."""
    write_manifest()
    deliver(airflow.landing, 0)
    airflow("dags", "test", "medallion_nodes", DAYS[0])
    first = airflow.states()[DAYS[0]]
    assert len(first) == 44
    assert {state for state, _ in first.values()} == {"success"}

    deliver(airflow.landing, 1)
    (airflow.landing / "orders/late.csv.zst").write_bytes(b"Sail reads none of these")
    airflow("dags", "test", "medallion_nodes", DAYS[1], code=1)
    states = airflow.states()[DAYS[1]]
    assert {task: states[task] for task in ("data_have_arrived", "build", "publish")} == {
        "data_have_arrived": ("success", 1), "build": ("failed", 1), "publish": ("upstream_failed", 0),
    }  # fmt: skip
    expected = {
        "bronze.bronze_orders": "failed", "silver.quarantine_orders": "skipped", "silver.silver_order_lines": "skipped",
        "gold.daily_sales_by_product": "skipped", "gold.daily_user_activity": "success",
        "silver.silver_customers": "success",
    }  # fmt: skip
    assert {task: states[task][0] for task in expected} == expected


def write_manifest() -> None:
    command = [sys.executable, "-m", "dbt.cli.main", "--quiet", "parse", "--target", "sail"]
    subprocess.run([*command, "--target-path", "target/sail"], cwd=ROOT, check=True)


def test_dagster_builds_the_lake(tmp_path):
    for number in range(len(DAYS)):
        deliver(tmp_path / "landing", number)
    write_manifest()
    environment = os.environ | {
        "DAGSTER_HOME": str(tmp_path), "DAGSTER_DISABLE_TELEMETRY": "1", "MEDALLION_SAIL_PORT": "1",
        "MEDALLION_HOME": str(tmp_path / "lake"), "MEDALLION_LANDING": str(tmp_path / "landing"),
    }  # fmt: skip
    command = [DAGSTER, "asset", "materialize", "--select", "*", "-f", ROOT / "orchestration/dagster/definitions.py"]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, (done.stdout + done.stderr)[-5000:]
    plain = tmp_path / "plain"
    (plain / "landing").parent.mkdir()
    (plain / "landing").symlink_to(tmp_path / "landing")
    medallion(plain, "build")
    assert differences(*[contents(folder / "lake/warehouse") for folder in (tmp_path, plain)]) == {}


def test_five_days_are_backfilled_and_two_builds_killed(airflow):
    """Each day's files come only when its run waits for them. On the second day the build is killed, on the fourth the
    Airflow process above it.
    """
    airflow.landing.mkdir()
    # before the services start: SQLite has one writer at a time
    airflow("dags", "reserialize")
    airflow("dags", "unpause", DAG)
    airflow("backfill", "create", "--dag-id", DAG, "--from-date", DAYS[0], "--to-date", DAYS[-1],
            "--max-active-runs", "1")  # fmt: skip
    with airflow.services():
        for number, day in enumerate(DAYS):
            until(lambda day=day: airflow.state(day, "data_have_arrived")[0] == "up_for_reschedule")
            deliver(airflow.landing, number)
            if number in (1, 3):
                (build,) = until(lambda: processes("medallion", "build", str(airflow.lake)))
                until(lambda: (airflow.lake / "lock").exists())
                time.sleep(6)
                above = int(Path(f"/proc/{build}/stat").read_text().rpartition(")")[2].split()[1])
                os.kill(build if number == 1 else above, signal.SIGKILL)
            until(
                lambda day=day: airflow.state(day, "vacuum")[0] in ("success", "failed", "skipped", "upstream_failed")
            )
        until(lambda: airflow.rows("select count(*) from dag_run where state = 'success'") == [(5,)], 60)
        # beside the backfill the daily run waits for yesterday's files
        states = {day: tasks for day, tasks in airflow.states().items() if day in DAYS}

    assert {day: {task: state for task, (state, _) in tasks.items()} for day, tasks in states.items()} == {
        day: dict.fromkeys(CHAIN, "success") for day in DAYS
    }
    attempts = {day: tasks["build"][1] for day, tasks in states.items()}
    assert attempts[DAYS[0]] == attempts[DAYS[2]] == attempts[DAYS[4]] == 1
    assert attempts[DAYS[1]] > 1
    assert attempts[DAYS[3]] > 1
    # one event a gold table and day
    events = dict(airflow.rows(
        "select a.uri, count(*) from asset_event e join asset a on a.id = e.asset_id group by a.uri"
    ))  # fmt: skip
    assert events["medallion://gold/sales_by_region"] == 5

    plain = airflow.folder / "plain"
    for number in range(len(DAYS)):
        deliver(plain / "landing", number)
    medallion(plain, "build")
    found = [contents(folder / "lake/warehouse", same_portions=False) for folder in (airflow.folder, plain)]
    assert differences(*found) == {}
    assert unbalanced(airflow.lake / "warehouse") == []


def test_thirty_days_in_any_order_twice(airflow):
    """Each day's files land before the first run for it, so most arrive late; the second runs find nothing to do."""
    numbers = list(range(30))
    days_of_january = [f"2026-01-{number + 1:02}" for number in numbers]
    for number, day in zip(numbers, days_of_january, strict=True):
        generate(
            airflow.folder / "arriving" / day,
            seed=5,
            days=30,
            events=3000,
            from_day=number,
            to_day=number + 1,
            truth=False,
        )
    airflow.landing.mkdir()
    tables = []
    for seed in (1, 2):
        order = random.Random(seed).sample(days_of_january, 30)
        (airflow.folder / "days.json").write_text(json.dumps(order))
        command = [AIRFLOW.parent / "python", ROOT / "tests/airflow_intervals.py", airflow.folder]
        done = subprocess.run(
            command, env=airflow.environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        assert done.returncode == 0, done.stdout[-5000:]
        states = json.loads((airflow.folder / "states.json").read_text())
        expected = dict.fromkeys(CHAIN, "success" if seed == 1 else "skipped") | {"data_have_arrived": "success"}
        assert states == [expected] * 30
        tables.append(contents(airflow.lake / "warehouse"))
    assert differences(*tables) == {}
    assert unbalanced(airflow.lake / "warehouse") == []
    plain = airflow.folder / "plain"
    plain.mkdir()
    (plain / "landing").symlink_to(airflow.landing)
    medallion(plain, "build")
    found = [contents(folder / "lake/warehouse", same_portions=False) for folder in (airflow.folder, plain)]
    assert differences(*found) == {}


def test_cosmos_watches_one_build(airflow):
    """Its sensors wait beside the producer, so it needs a scheduler; `airflow dags test` would run them first."""
    write_manifest()
    deliver(airflow.landing, 0)
    dag = "medallion_cosmos_watcher"
    airflow.environment |= {
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "orchestration/airflow/cosmos"),
        "MEDALLION_COSMOS_SELECT": "+sales_by_region",
        "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "300", "AIRFLOW__DAG_PROCESSOR__DAG_FILE_PROCESSOR_TIMEOUT": "300",
        "MEDALLION_HOME": str(airflow.lake), "MEDALLION_LANDING": str(airflow.landing), "MEDALLION_SAIL_PORT": "1",
    }  # fmt: skip
    airflow("dags", "reserialize")
    airflow("dags", "unpause", dag)
    airflow("dags", "trigger", dag)
    with airflow.services():
        (state,) = until(
            lambda: airflow.rows(
                f"select state from dag_run where dag_id = '{dag}' and state in ('success', 'failed')"
            ),
            900,
        )
    states = dict(airflow.rows(f"select task_id, state from task_instance where dag_id = '{dag}'"))
    assert state == ("success",), states
    assert set(states.values()) == {"success"}
    assert {"dbt_producer_watcher", "bronze_orders.run", "sales_by_region.run", "sales_by_region.test"} <= states.keys()
    plain = airflow.folder / "plain"
    deliver(plain / "landing", 0)
    medallion(plain, "build", "--select", "+sales_by_region")
    assert differences(*[contents(folder / "lake/warehouse") for folder in (airflow.folder, plain)]) == {}


def test_a_task_that_airflow_ends_leaves_no_command_behind(tmp_path):
    command = tmp_path / ".venv/bin/medallion"
    command.parent.mkdir(parents=True)
    command.write_text("#!/bin/sh\ntrap 'echo > stopped; exit 143' TERM\necho > started\nsleep 60 & wait $!\n")
    command.chmod(0o755)
    script = (
        "import logging, pathlib, sys, threading, time; sys.path.insert(0, sys.argv[1]); import medallion_tasks\n"
        "class Task(medallion_tasks.Command): log = logging.getLogger()\n"
        "medallion_tasks.environment = lambda context: {}\n"
        "task = Task()\n"
        "ending = threading.Thread(target=lambda: print(task.run_medallion(['build'], None)))\n"
        "ending.start()\n"
        "while not pathlib.Path(sys.argv[2], 'started').exists(): time.sleep(0.1)\n"
        "task.on_kill(); ending.join()\n"
    )
    python, dags = AIRFLOW.parent / "python", ROOT / "orchestration/airflow/dags"
    environment = os.environ | {"MEDALLION_PROJECT": str(tmp_path), "AIRFLOW_HOME": str(tmp_path / "airflow")}
    done = subprocess.run([python, "-c", script, dags, tmp_path], env=environment, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "143", done.stderr
    assert (tmp_path / "stopped").exists()


# Thirty outcomes in real Airflow --------------------------------------------------------------------------------------

TESTS = {"silver_a": "unique_silver_a", "gold_a": "not_null_gold_a"}
READS = {"bronze_a": [], "silver_a": ["bronze_a"], "gold_a": ["silver_a"], "gold_b": ["silver_a"]}
TABLES = {name: f"{name.partition('_')[0]}.{name}" for name in READS}


def manifest() -> dict[str, Any]:
    nodes = {
        f"model.m.{name}": {
            "unique_id": f"model.m.{name}", "resource_type": "model", "schema": name.partition("_")[0], "alias": name,
            "config": {"materialized": "incremental"}, "depends_on": {"nodes": [f"model.m.{one}" for one in reads]},
        }
        for name, reads in READS.items()
    }  # fmt: skip
    for name, test in TESTS.items():
        nodes[f"test.m.{test}"] = {
            "unique_id": f"test.m.{test}", "resource_type": "test", "attached_node": f"model.m.{name}",
            "depends_on": {"nodes": [f"model.m.{name}"]},
        }  # fmt: skip
    return {"nodes": nodes, "unit_tests": {}}


def said(bronze="", silver="", test="", gold="", gold_test="", other="") -> dict[str, str]:
    """What dbt said of the nodes that ended; left out where it did not get there."""
    names = {
        "model.m.bronze_a": bronze, "model.m.silver_a": silver, "test.m.unique_silver_a": test,
        "model.m.gold_a": gold, "test.m.not_null_gold_a": gold_test, "model.m.gold_b": other,
    }  # fmt: skip
    return {name: status for name, status in names.items() if status}


WELL = said("success", "success", "pass", "success", "pass", "success")
FAILED_TEST = said("success", "success", "fail", "skipped", "skipped", "skipped")
FAILED_GOLD = said("success", "success", "pass", "error", "skipped", "success")
FAILED_BRONZE = said("error", "skipped", "skipped", "skipped", "skipped", "skipped")
HALF = said("success", "success")

GREEN, RED, SKIPPED, BLOCKED = "success", "failed", "skipped", "upstream_failed"
ALL_GREEN = [GREEN] * 4
ALL_SKIPPED = [SKIPPED] * 4
BEHIND = ["publish", "optimize", "vacuum"]


def case(name: str, build: list, shown: str, attempts: int, tables: list, behind: list, **others: Any) -> tuple:
    """What each attempt of the build ends with; then how the build, the tables and what comes behind are shown."""
    return name, {"build": build, **others}, shown, attempts, tables, behind


CASES = [
    case("all well", [[0, WELL]], GREEN, 1, ALL_GREEN, [GREEN] * 3),
    case("warnings only", [[0, WELL | said(test="warn")]], GREEN, 1, ALL_GREEN, [GREEN] * 3),
    case("nothing to do", [[5, {}]], SKIPPED, 1, ALL_SKIPPED, [SKIPPED] * 3),
    case("a part is selected", [[0, said("success", "success", "pass")]], GREEN, 1,
         [GREEN, GREEN, SKIPPED, SKIPPED], [GREEN] * 3),
    case("failed test", [[1, FAILED_TEST]], RED, 1, [GREEN, RED, SKIPPED, SKIPPED], [BLOCKED] * 3),
    case("failed gold test", [[1, WELL | said(gold_test="fail")]], RED, 1, [GREEN, GREEN, RED, GREEN], [BLOCKED] * 3),
    case("broken contract", [[1, FAILED_GOLD]], RED, 1, [GREEN, GREEN, RED, GREEN], [BLOCKED] * 3),
    case("changed landing file", [[1, FAILED_BRONZE]], RED, 1, [RED, SKIPPED, SKIPPED, SKIPPED], [BLOCKED] * 3),
    case("drift that stops", [[1, said("success", "skipped", "skipped", "skipped", "skipped", "skipped")]], RED, 1,
         [GREEN, SKIPPED, SKIPPED, SKIPPED], [BLOCKED] * 3),
    case("runtime error of a test", [[1, WELL | said(test="runtime error")]], RED, 1, [GREEN, RED, GREEN, GREEN],
         [BLOCKED] * 3),
    case("partial success", [[1, WELL | said(gold="partial success")]], RED, 1, [GREEN, GREEN, RED, GREEN],
         [BLOCKED] * 3),
    case("ledger out of balance", [[1, said("success", "error")]], RED, 1, [GREEN, RED, SKIPPED, SKIPPED],
         [BLOCKED] * 3),
    case("a hook failed, no node did", [[1, WELL]], RED, 1, ALL_GREEN, [BLOCKED] * 3),
    case("wrong argument", [[2, {}]], RED, 1, ALL_SKIPPED, [BLOCKED] * 3),
    case("project does not parse", [[2, {}], [0, WELL]], RED, 1, ALL_SKIPPED, [BLOCKED] * 3),
    case("busy, then free", [[3, {}], [3, {}], [0, WELL]], GREEN, 3, ALL_GREEN, [GREEN] * 3),
    case("busy for ever", [[3, {}]] * 6, RED, 6, ALL_SKIPPED, [BLOCKED] * 3),
    case("lost connection", [[4, said("success", "error")], [0, WELL]], GREEN, 2, ALL_GREEN, [GREEN] * 3),
    case("conflict after the internal repeats", [[4, FAILED_GOLD], [0, WELL]], GREEN, 2, ALL_GREEN, [GREEN] * 3),
    case("lost for ever", [[4, FAILED_BRONZE]] * 6, RED, 6, [RED, SKIPPED, SKIPPED, SKIPPED], [BLOCKED] * 3),
    case("interrupted", [[130, HALF], [0, WELL]], GREEN, 2, ALL_GREEN, [GREEN] * 3),
    case("killed", [[-9, HALF], [0, WELL]], GREEN, 2, ALL_GREEN, [GREEN] * 3),
    case("killed, all was written", [[-9, WELL], [5, WELL]], GREEN, 2, ALL_GREEN, [GREEN] * 3),
    case("killed each time", [[-9, HALF]] * 6, RED, 6, [GREEN, SKIPPED, SKIPPED, SKIPPED], [BLOCKED] * 3),
    case("terminated", [[-15, {}], [0, WELL]], GREEN, 2, ALL_GREEN, [GREEN] * 3),
    case("crashed", [[-11, {}], [0, WELL]], GREEN, 2, ALL_GREEN, [GREEN] * 3),
    case("lost, then a failed test", [[4, HALF], [1, FAILED_TEST]], RED, 2, [GREEN, RED, SKIPPED, SKIPPED],
         [BLOCKED] * 3),
    case("command not found", [[127, {}]], RED, 1, ALL_SKIPPED, [BLOCKED] * 3),
    case("a code that nobody knows", [[42, WELL]], RED, 1, ALL_GREEN, [BLOCKED] * 3),
    case("publishing fails", [[0, WELL]], GREEN, 1, ALL_GREEN, [RED, BLOCKED, BLOCKED], docs=[[2, {}]]),
    case("upkeep meets a conflict", [[0, WELL]], GREEN, 1, ALL_GREEN, [GREEN] * 3, optimize=[[4, {}], [0, {}]]),
    case("upkeep of a table failed", [[0, WELL]], GREEN, 1, ALL_GREEN, [GREEN, RED, BLOCKED], optimize=[[1, {}]]),
    case("the ledger of files cannot be read, then it can", [[0, WELL]], GREEN, 1, ALL_GREEN, [GREEN] * 3,
         wait=[[4, {}], [5, {}], [0, {}]]),
]  # fmt: skip


def test_thirty_outcomes_are_shown_right(tmp_path):
    """None that a retry cannot help is tried again, and none is green that is not."""
    airflow = Airflow(tmp_path)
    project = tmp_path / "project"
    (project / ".venv/bin").mkdir(parents=True)
    (project / ".venv/bin/medallion").write_text(FAKE.format(python=sys.executable))
    (project / ".venv/bin/medallion").chmod(0o755)
    (project / "manifest.json").write_text(json.dumps(manifest()))
    dates = days(len(CASES))
    (project / "cases.json").write_text(json.dumps({day: case[1] for day, case in zip(dates, CASES, strict=True)}))
    airflow.environment |= {
        "MEDALLION_PROJECT": str(project), "MEDALLION_MANIFEST": str(project / "manifest.json"),
        "MEDALLION_RETRY_SECONDS": "0", "MEDALLION_POKE_SECONDS": "0.1",
    }  # fmt: skip
    command = [AIRFLOW.parent / "python", ROOT / "tests/airflow_outcomes.py", project]
    done = subprocess.run(command, env=airflow.environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout[-5000:]
    found = json.loads((project / "states.json").read_text())

    wrong = {}
    for day, (name, _, shown, attempts, tables, behind) in zip(dates, CASES, strict=True):
        expected = {"data_have_arrived": GREEN, "build": shown} | dict(zip(TABLES.values(), tables, strict=True))
        expected |= dict(zip(BEHIND, behind, strict=True))
        states = found[day]
        run = "failed" if RED in expected.values() else "success"
        seen = {task: states[task][0] for task in expected}
        calls = len((project / "calls" / day / "build").read_text())
        if (seen, states["run"], states["build"][1], calls) != (expected, run, attempts, attempts):
            wrong[name] = (states, calls)
    assert wrong == {}
