"""Runs the DAG medallion_daily once for each day of a JSON list, in Airflow's own Python; writes the states of tasks.

Called by test_orchestrators.py. The files of a day land before the first run for it.
"""

from __future__ import annotations

import json
import shutil
import sys
from datetime import datetime, timezone
from pathlib import Path


def main(folder: Path) -> None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "orchestration/airflow/dags"))
    from medallion_daily import dag

    found = []
    for day in json.loads((folder / "days.json").read_text()):
        if (arriving := folder / "arriving" / day).exists():
            shutil.copytree(arriving, folder / "landing", dirs_exist_ok=True)
            shutil.rmtree(arriving)
        run = dag.test(logical_date=datetime.fromisoformat(day).replace(tzinfo=timezone.utc))
        found.append({ti.task_id: str(ti.state) for ti in run.get_task_instances()})
    (folder / "states.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
