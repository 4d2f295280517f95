"""Runs the DAG medallion_nodes once for each case in a JSON file, in Airflow's own Python; writes the states of tasks.

Called by test_orchestrators.py, with a project whose `medallion` is `FAKE`: it ends as the case says.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

FAKE = '''#!{python}
"""Stands for `medallion`: does what the case of the logical date says of its command and this attempt."""
import json, os, pathlib, signal, sys
command = sys.argv[1]
day = os.environ["DBT_ENV_CUSTOM_ENV_LOGICAL_DATE"]
case = json.loads(pathlib.Path("cases.json").read_text())[day]
calls = pathlib.Path("calls", day, command)
calls.parent.mkdir(parents=True, exist_ok=True)
attempt = len(calls.read_text()) if calls.exists() else 0
calls.write_text("x" * (attempt + 1))
code, statuses = (case.get(command) or [[0, {{}}]])[attempt]
if "DBT_LOG_PATH" in os.environ:
    events = [
        {{"info": {{"name": "NodeFinished"}}, "data": {{"node_info": {{"unique_id": node, "node_status": status}}}}}}
        for node, status in statuses.items()
    ]
    text = "".join(json.dumps(event) + chr(10) for event in events)
    pathlib.Path(os.environ["DBT_LOG_PATH"], "dbt.log").write_text(text + ('{{"info": {{"na' if code < 0 else ""))
print("medallion", *sys.argv[1:])
if code < 0:
    os.kill(os.getpid(), -code)
sys.exit(code)
'''


def main(project: Path) -> None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "orchestration/airflow/dags"))
    from medallion_nodes import dag

    cases = json.loads((project / "cases.json").read_text())
    found = {}
    for day in cases:
        run = dag.test(logical_date=datetime.fromisoformat(day).replace(tzinfo=timezone.utc))
        found[day] = {"run": str(run.state)} | {
            ti.task_id: [str(ti.state), ti.try_number] for ti in run.get_task_instances()
        }
    (project / "states.json").write_text(json.dumps(found))


def days(count: int) -> list[str]:
    return [(datetime(2026, 3, 1) + timedelta(days=number)).strftime("%Y-%m-%d") for number in range(count)]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
