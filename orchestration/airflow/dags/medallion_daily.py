"""The pipeline once a day: wait for the day's files, build and test everything, publish, look after the tables.

docs/orchestration.md says how to set it up and what was tried. Needed: the connection `medallion`.
"""

from __future__ import annotations

from datetime import datetime, timezone

from airflow.sdk import DAG, CronDataIntervalTimetable, Param
from medallion_tasks import GOLD, RETRIES, SOURCES, WAITING, DataHaveArrived, MedallionOperator

with DAG(
    dag_id="medallion_daily",
    doc_md=__doc__,
    schedule=CronDataIntervalTimetable("0 0 * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,  # a lake has one writer at a time
    default_args=RETRIES,
    params={"sources": Param(SOURCES, type="array", description="Sources whose files of the day a run waits for.")},
    render_template_as_native_obj=True,
    tags=["medallion"],
) as dag:
    arrived = DataHaveArrived(task_id="data_have_arrived", sources="{{ params.sources }}", **WAITING)
    # Everything new, whatever its day: late files of other days are part of it. Tests included.
    build = MedallionOperator(task_id="build", arguments=["build", "--skip-code"])
    # All tests have passed: the docs site is made anew, and the gold tables are announced.
    publish = MedallionOperator(task_id="publish", arguments=["docs"], outlets=GOLD)
    optimize = MedallionOperator(task_id="optimize", arguments=["optimize"])
    vacuum = MedallionOperator(task_id="vacuum", arguments=["vacuum", "--apply"])

    arrived >> build >> publish >> optimize >> vacuum
