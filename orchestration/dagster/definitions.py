"""The smallest Dagster project around Medallion: a model is an asset, a test a check of it, one dbt process a run.

docs/orchestration.md says how to run it. Retried is what a retry can help, as in Airflow.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dagster import AssetExecutionContext, Definitions, Failure, RetryPolicy
from dagster_dbt import DbtCliResource, dbt_assets

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parents[1]
sys.path.append(str(HERE.parent / "airflow/dags"))
from medallion_outcomes import FAIL, RETRY, outcome  # noqa: E402

# Written by: .venv/bin/dbt parse --target sail --target-path target/sail
MANIFEST = PROJECT / "target/sail/manifest.json"


@dbt_assets(manifest=MANIFEST, retry_policy=RetryPolicy(max_retries=5, delay=120))
def medallion_assets(context: AssetExecutionContext, dbt: DbtCliResource) -> Iterator[Any]:
    run = dbt.cli(["build"], context=context, raise_on_error=False)
    yield from run.stream()
    what, why = outcome(run.process.wait(), context.retry_number + 1)
    if what in (FAIL, RETRY):
        raise Failure(f"medallion build ended with code {run.process.returncode}: {why}.", allow_retries=what == RETRY)


defs = Definitions(
    assets=[medallion_assets],
    resources={
        "dbt": DbtCliResource(
            project_dir=str(PROJECT), profiles_dir=str(PROJECT), target="sail", dbt_executable=str(HERE.parent / "dbt")
        )
    },
)
