"""The pipeline once a day: wait for the day's files, build and test everything, publish, look after the tables.

docs/orchestration.md says how to set it up and what was tried. Needed: the connection `medallion`.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta, timezone

from airflow.sdk import DAG, Asset, CronDataIntervalTimetable, Param
from medallion_tasks import PROJECT, DataHaveArrived, MedallionOperator

SOURCES = ["customers", "marketplace_orders", "orders", "products", "web_events"]
# One asset a gold table, for DAGs that wait for it: schedule=[Asset("medallion://gold/sales_by_region")].
GOLD = [
    Asset(name=f"gold.{model.stem}", uri=f"medallion://gold/{model.stem}")
    for model in sorted((PROJECT / "models/gold").glob("*.sql"))
    if not model.stem.startswith("int_")
]

with DAG(
    dag_id="medallion_daily",
    doc_md=__doc__,
    schedule=CronDataIntervalTimetable("0 0 * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,  # a lake has one writer at a time
    default_args={
        # Only codes that a retry can help get this far: the others fail or skip the task at once.
        "retries": 5,
        "retry_delay": timedelta(seconds=float(os.environ.get("MEDALLION_RETRY_SECONDS", 120))),
    },
    params={"sources": Param(SOURCES, type="array", description="Sources whose files of the day a run waits for.")},
    render_template_as_native_obj=True,
    tags=["medallion"],
) as dag:
    arrived = DataHaveArrived(
        task_id="data_have_arrived",
        sources="{{ params.sources }}",
        poke_interval=float(os.environ.get("MEDALLION_POKE_SECONDS", 60)),
        timeout=timedelta(hours=12),
    )
    # Everything new, whatever its day: late files of other days are part of it. Tests included.
    build = MedallionOperator(task_id="build", arguments=["build"])
    # All tests have passed: the docs site is made anew, and the gold tables are announced.
    publish = MedallionOperator(task_id="publish", arguments=["docs"], outlets=GOLD)
    optimize = MedallionOperator(task_id="optimize", arguments=["optimize"])
    vacuum = MedallionOperator(task_id="vacuum", arguments=["vacuum", "--apply"])

    arrived >> build >> publish >> optimize >> vacuum
