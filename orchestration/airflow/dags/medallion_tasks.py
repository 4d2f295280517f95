"""Tasks of Airflow that run a command of `medallion` and end as its exit code says."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import Asset, BaseOperator, BaseSensorOperator, Connection
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException
from medallion_outcomes import FAIL, RETRY, SKIP, SUCCESS, node_outcome, outcome

# Where the project is checked out and set up; this file lies in it unless said.
PROJECT = Path(os.environ.get("MEDALLION_PROJECT") or Path(__file__).resolve().parents[3])
CONNECTION = "medallion"
PATIENCE = 20  # seconds that a stopped command has to end

# What the DAGs share.
SOURCES = ["customers", "marketplace_orders", "orders", "products", "web_events"]
# One asset a gold table, for DAGs that wait for it: schedule=[Asset("medallion://gold/sales_by_region")].
GOLD = [
    Asset(name=f"gold.{model.stem}", uri=f"medallion://gold/{model.stem}")
    for model in sorted((PROJECT / "models/gold").glob("*.sql"))
    if not model.stem.startswith("int_")
]

# Only codes that a retry can help are retried: the others fail or skip the task at once.
RETRIES = {"retries": 5, "retry_delay": timedelta(seconds=float(os.environ.get("MEDALLION_RETRY_SECONDS", 120)))}
# The timeout of a sensor is never retried. All else is, for hours: a busy Airflow may lose track of a task that has
# rescheduled itself, and calls that a failed attempt.
WAITING = {
    "poke_interval": float(os.environ.get("MEDALLION_POKE_SECONDS", 60)),
    "timeout": timedelta(hours=12),
    "retries": 100,
}


class Command:
    """A command of `medallion` as a process, with what the connection `medallion` says of the lake."""

    process: subprocess.Popen | None = None

    def run_medallion(self, arguments: Sequence[str], context: Any, **variables: str) -> int:
        """Run it with its output in the task's log; returns the exit code."""
        self.process = subprocess.Popen(
            [str(PROJECT / ".venv/bin/medallion"), *arguments],
            cwd=PROJECT,
            env=os.environ | environment(context) | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        for line in self.process.stdout:
            self.log.info(line.rstrip())
        return self.process.wait()

    def on_kill(self) -> None:
        """A task that Airflow ends leaves no build behind."""
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)


def environment(context: Any) -> dict[str, str]:
    """The lake, its secrets and the run, as environment variables.

    The `environment` of the connection's extra has DBT_TARGET, MEDALLION_HOME, MEDALLION_LANDING and what else the
    target in profiles.yml asks for. dbt shows no variable whose name starts with DBT_ENV_SECRET, and writes those with
    DBT_ENV_CUSTOM_ENV into run_results.json.
    """
    connection = Connection.get(CONNECTION)
    found = {name: str(value) for name, value in connection.extra_dejson.get("environment", {}).items()}
    if connection.password:
        found["DBT_ENV_SECRET_MEDALLION_PASSWORD"] = connection.password
    found["DBT_ENV_CUSTOM_ENV_LOGICAL_DATE"] = day_of(context)
    found["DBT_ENV_CUSTOM_ENV_AIRFLOW_RUN"] = context["run_id"]
    found["DBT_USE_COLORS"] = "false"
    return found


def day_of(context: Any) -> str:
    """The day whose data a run is about; today's for a run that was started without a logical date."""
    return (context.get("logical_date") or context["dag_run"].run_after).strftime("%Y-%m-%d")


class MedallionOperator(Command, BaseOperator):
    """Runs a command of `medallion`: green, red, skipped or tried again as its exit code says."""

    template_fields = ("arguments",)

    def __init__(self, *, arguments: Sequence[str], reports_nodes: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.arguments = arguments
        self.reports_nodes = reports_nodes

    def execute(self, context: Any) -> None:
        code = self.run_and_report(context) if self.reports_nodes else self.run_medallion(self.arguments, context)
        what, why = outcome(code, context["ti"].try_number)
        sentence = f"medallion {' '.join(self.arguments)} ended with code {code}: {why}."
        if what == FAIL:
            raise AirflowFailException(sentence)
        if what == RETRY:
            raise AirflowException(sentence)
        if what == SKIP:
            raise AirflowSkipException(sentence)
        self.log.info(sentence)
        for asset in self.outlets:
            layer, _, table = asset.name.partition(".")
            context["outlet_events"][asset].extra = {
                "logical_date": day_of(context),
                "version": newest_version(layer, table, environment(context)),
            }

    def run_and_report(self, context: Any) -> int:
        """Run it, and leave to the mirrored tasks what dbt's log says of each node, however the command ended."""
        with tempfile.TemporaryDirectory() as folder:
            code = self.run_medallion(
                self.arguments, context, DBT_LOG_PATH=folder, DBT_LOG_FORMAT_FILE="json", DBT_LOG_LEVEL_FILE="debug"
            )
            context["ti"].xcom_push("nodes", finished_nodes(Path(folder, "dbt.log")))
        return code


def finished_nodes(log: Path) -> dict[str, str]:
    """The last status of each node that ended, from dbt's log in JSON; what a killed build had written of it counts."""
    found = {}
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []:
        try:
            event = json.loads(line)
        except ValueError:  # the last line of a killed process
            continue
        node = event.get("data", {}).get("node_info") or {}
        if event["info"]["name"] == "NodeFinished" and node:
            found[node["unique_id"]] = node["node_status"]
    return found


class MirroredNode(BaseOperator):
    """Green, red or skipped as dbt has it for a node and its tests; runs nothing."""

    def __init__(self, *, nodes: Sequence[str], build: str = "build", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.nodes = nodes
        self.build = build

    def execute(self, context: Any) -> None:
        what, why = node_outcome(self.nodes, context["ti"].xcom_pull(task_ids=self.build, key="nodes") or {})
        if what == FAIL:
            raise AirflowFailException(why)
        if what == SKIP:
            raise AirflowSkipException(why)
        self.log.info(why)


def newest_version(layer: str, table: str, variables: dict[str, str]) -> int | None:
    """The Delta version of a table in a lake on this machine, by the names in its log; None where it is elsewhere."""
    home = PROJECT / (variables.get("MEDALLION_HOME") or os.environ.get("MEDALLION_HOME") or ".lake")
    log = home / "warehouse" / f"{layer}.db" / table / "_delta_log"
    return max((int(commit.stem) for commit in log.glob("[0-9]*.json") if commit.stem.isdigit()), default=None)


class DataHaveArrived(Command, BaseSensorOperator):
    """Waits for the files of the run's day of each source, by `medallion wait`; takes no worker between two looks."""

    template_fields = ("sources",)

    def __init__(self, *, sources: Sequence[str] | str, **kwargs: Any) -> None:
        super().__init__(mode="reschedule", **kwargs)
        self.sources = sources

    def poke(self, context: Any) -> bool:
        asked = [word for source in self.sources for word in ("--for", source)]
        code = self.run_medallion(["wait", *asked, "--date", day_of(context), "--timeout", "0"], context)
        what, why = outcome(code)
        if what == FAIL:
            raise AirflowFailException(f"medallion wait ended with code {code}: {why}.")
        return what == SUCCESS
