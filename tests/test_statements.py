"""What a build asks of the engine, counted: statements are exact, so a build that asks more fails here."""

from __future__ import annotations

import json
from typing import Any

import pytest
from conftest import NO_TESTS, ROOT, TARGET, Lake
from dbt.cli.main import dbtRunner

from medallion.generate import generate

pytestmark = pytest.mark.engines("sail")

# Of the whole project, without tests. docs/performance.md says where they go.
FIRST_BUILD, NOTHING_NEW, ONE_NEW_DAY = 235, 16, 235


def statements(lake: Lake) -> int:
    """How many statements a build sends to the engine."""
    sent: list[str] = []

    def count(event: Any) -> None:
        if event.info.name == "SQLQuery":
            sent.append(event.data.sql)

    variables = {"schema_prefix": lake.prefix, "landing_root": str(lake.landing), "max_quarantine_share": 1}
    command = ["build", *NO_TESTS, "--quiet", "--target", TARGET, "--vars", json.dumps(variables)]
    places = ["--project-dir", str(ROOT), "--profiles-dir", str(ROOT), "--target-path", str(lake.target_path)]
    result = dbtRunner(callbacks=[count]).invoke([*command, *places])
    assert result.success, lake.explain(result)
    return len(sent)


def test_a_build_keeps_to_its_budget(lake: Lake):
    generate(lake.landing, seed=1, days=4, events=600, from_day=0, to_day=3)
    assert statements(lake) <= FIRST_BUILD
    assert statements(lake) <= NOTHING_NEW
    generate(lake.landing, seed=1, days=4, events=600, from_day=3, to_day=4)
    assert statements(lake) <= ONE_NEW_DAY
