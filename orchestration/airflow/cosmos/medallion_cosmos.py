"""One Airflow task a model, by astronomer-cosmos. docs/orchestration.md says how it is set up and what was tried.

`medallion_cosmos`: each task is a dbt process of its own, on a Sail server that is served. Bare dbt does not know the
lake's lock, so the pool `medallion` with one slot takes its place; nothing else may build meanwhile.
`medallion_cosmos_watcher`: one task builds through `medallion`, which brings Sail along; the others show its nodes.
"""

from __future__ import annotations

import os
from datetime import datetime, timezone
from pathlib import Path

from cosmos import DbtDag, ExecutionConfig, ProfileConfig, ProjectConfig, RenderConfig
from cosmos.constants import ExecutionMode, InvocationMode, LoadMode, TestBehavior

PROJECT = Path(os.environ.get("MEDALLION_PROJECT") or Path(__file__).resolve().parents[3])

BOTH = {
    "schedule": None,
    "start_date": datetime(2026, 1, 1, tzinfo=timezone.utc),
    "catchup": False,
    "max_active_runs": 1,
    "project_config": ProjectConfig(
        dbt_project_path=PROJECT, manifest_path=PROJECT / "target/sail/manifest.json", project_name="medallion"
    ),
    "profile_config": ProfileConfig(
        profile_name="medallion", target_name="sail", profiles_yml_filepath=PROJECT / "profiles.yml"
    ),
    # dbt has one code for all failures: which of them a retry can help is not known
    "default_args": {"retries": 0},
}
RENDERED = {
    "load_method": LoadMode.DBT_MANIFEST,
    "select": os.environ.get("MEDALLION_COSMOS_SELECT", "").split(),
    "test_behavior": TestBehavior.AFTER_EACH,
}

each = DbtDag(
    dag_id="medallion_cosmos",
    execution_config=ExecutionConfig(dbt_executable_path=PROJECT / ".venv/bin/dbt"),
    # else a test between two tables runs with the first of them, before there is the second
    render_config=RenderConfig(**RENDERED, should_detach_multiple_parents_tests=True),
    operator_args={"pool": "medallion", "install_deps": False, "append_env": True},
    **BOTH,
)

watcher = DbtDag(
    dag_id="medallion_cosmos_watcher",
    execution_config=ExecutionConfig(
        execution_mode=ExecutionMode.WATCHER,
        invocation_mode=InvocationMode.SUBPROCESS,
        dbt_executable_path=PROJECT / "orchestration/dbt",
    ),
    render_config=RenderConfig(**RENDERED),
    operator_args={"install_deps": False, "append_env": True},
    **BOTH,
)
