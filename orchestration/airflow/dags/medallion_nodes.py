"""The pipeline of medallion_daily, with a task for each table: one dbt process builds, and the tasks below it turn
green, red or skipped as dbt has it for the table and its tests. Use it in place of medallion_daily.

The tables are those of the manifest: .venv/bin/dbt parse --target sail --target-path target/sail, after each change.
"""

from __future__ import annotations

import json
import os
from datetime import datetime, timezone
from pathlib import Path

from airflow.sdk import DAG, CronDataIntervalTimetable, Param, TaskGroup, TriggerRule
from medallion_outcomes import mirrored
from medallion_tasks import GOLD, PROJECT, RETRIES, SOURCES, WAITING, DataHaveArrived, MedallionOperator, MirroredNode

MANIFEST = Path(os.environ.get("MEDALLION_MANIFEST") or PROJECT / "target/sail/manifest.json")

with DAG(
    dag_id="medallion_nodes",
    doc_md=__doc__,
    schedule=CronDataIntervalTimetable("0 0 * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
    default_args=RETRIES,
    params={"sources": Param(SOURCES, type="array", description="Sources whose files of the day a run waits for.")},
    render_template_as_native_obj=True,
    tags=["medallion"],
) as dag:
    arrived = DataHaveArrived(task_id="data_have_arrived", sources="{{ params.sources }}", **WAITING)
    build = MedallionOperator(task_id="build", arguments=["build", "--skip-code"], reports_nodes=True)
    # Skipped where the build was; a red or unfinished build stops everything behind it.
    publish = MedallionOperator(task_id="publish", arguments=["docs"], outlets=GOLD)
    optimize = MedallionOperator(task_id="optimize", arguments=["optimize"])
    vacuum = MedallionOperator(task_id="vacuum", arguments=["vacuum", "--apply"])
    arrived >> build >> publish >> optimize >> vacuum

    tables = mirrored(json.loads(MANIFEST.read_text()))
    groups = {layer: TaskGroup(group_id=layer) for layer in sorted({name.partition(".")[0] for name in tables})}
    tasks = {}
    for name, table in tables.items():
        layer, _, table_name = name.partition(".")
        tasks[name] = MirroredNode(
            task_id=table_name,
            task_group=groups[layer],
            nodes=table["nodes"],
            trigger_rule=TriggerRule.ALL_DONE,
            retries=0,
        )
        build >> tasks[name]
    for name, table in tables.items():
        for above in table["upstream"]:
            tasks[above] >> tasks[name]
