"""What a run did is in ops.node_results; a test is not run again until it, or a table that it reads, has changed."""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest
from conftest import ENGINE, ROOT, TARGET, Lake
from dbt.cli.main import dbtRunner

pytestmark = pytest.mark.engines("sail")

EVENT = '{{"event_id": "{id}", "user_id": "u", "event_type": "search", "raw_time": "2026-01-01 10:00:00"}}\n'
BUILD = ("--select", "+silver_web_events", "--exclude-resource-type", "unit_test")
UNIQUE = "unique_silver_web_events_event_id"
KNOWN_USER = "not_null_silver_web_events_user_id"


def build(lake: Lake, *more: str, **variables: Any) -> tuple[dict[str, str], set[str]]:
    """Status of each test of a build, by name, and the tests that asked the engine what they are there to ask."""
    asked: set[str] = set()

    def note(event: Any) -> None:
        name = event.data.node_info.unique_id if event.info.name == "SQLQuery" else ""
        if name.startswith("test.") and "count(*) as failures" in event.data.sql:
            asked.add(name.split(".")[2])

    settings = {"schema_prefix": lake.prefix, "landing_root": str(lake.landing), "max_quarantine_share": 1, **variables}
    command = ["build", *BUILD, *more, "--target", TARGET, "--vars", json.dumps(settings), "--quiet"]
    places = [
        "--project-dir",
        str(lake.project_dir),
        "--profiles-dir",
        str(ROOT),
        "--target-path",
        str(lake.target_path),
    ]
    result = dbtRunner(callbacks=[note]).invoke([*command, *places])
    assert result.result, result.exception
    tests = [r for r in result.result.results if r.node.resource_type == "test"]
    return {r.node.name: str(r.status) for r in tests}, asked


def results(lake: Lake, name: str) -> list[str]:
    rows = lake.sql(f"select status from {{ops}}.node_results where unique_id like '%.{name}%' order by ended_at")
    return [status for (status,) in rows]


@pytest.fixture
def fed(lake: Lake, tmp_path) -> Lake:
    lake.project_dir = tmp_path / "project"
    shutil.copytree(ROOT, lake.project_dir, ignore=shutil.ignore_patterns(".*", "target", "logs", "tests", "docs"))
    # a field that no record has: the test of drift warns
    lake.drop_file("web_events/1.json", EVENT.format(id=1) + EVENT.format(id=2))
    return lake


@pytest.mark.engines("spark", "sail")
def test_an_unchanged_test_has_its_result_without_a_query(fed: Lake):
    statuses, asked = build(fed)
    assert set(statuses.values()) == {"pass", "warn"}
    assert asked == statuses.keys()
    before = fed.versions()

    again, asked = build(fed)
    assert (again, asked) == (statuses, set())
    assert fed.versions() == before, "a run that learned nothing must commit nothing"

    if ENGINE == "sail":
        assert build(fed, run_all_tests=True) == (statuses, set(statuses))

    # a new batch changes all tables; one by hand changes one
    fed.drop_file("web_events/2.json", EVENT.format(id=3))
    assert build(fed)[1] == {name for name in statuses if "_event_types_event" not in name}  # no new seed
    fed.sql("insert into {silver}.silver_web_events select * from {silver}.silver_web_events where event_id = '3'")
    for _ in range(2):  # a failure is not taken from memory
        broken, asked = build(fed)
        assert [name for name, status in broken.items() if status == "fail"] == [UNIQUE]
        assert UNIQUE in asked
        assert not any("bronze" in name for name in asked)
    fed.sql("delete from {silver}.silver_web_events where event_id = '3'")
    assert build(fed)[0][UNIQUE] == "pass"
    assert build(fed)[1] == set()
    assert results(fed, UNIQUE)[-4:] == ["pass", "fail", "fail", "pass"]


def test_a_changed_test_runs_again(fed: Lake):
    build(fed)
    yaml = fed.project_dir / "models/silver/_silver.yml"
    text = yaml.read_text()
    user = text.index("- name: user_id", text.index("- name: silver_web_events"))
    later = "{where: \"user_id <> 'u'\"}"
    for config in ("{severity: warn}", later, later.replace("'u'", "current_user()")):
        changed = text[user:].replace("data_tests: [not_null]", f"data_tests: [not_null: {{config: {config}}}]", 1)
        yaml.write_text(text[:user] + changed)
        assert build(fed)[1] == {KNOWN_USER}, config
        assert build(fed)[1] == set()
    # one that depends on the time runs on every build
    changed = text[user:].replace(
        "data_tests: [not_null]", 'data_tests: [not_null: {config: {where: "event_at < current_timestamp()"}}]', 1
    )
    yaml.write_text(text[:user] + changed)
    before = fed.versions()
    for _ in range(2):
        assert build(fed)[1] == {KNOWN_USER}
    assert fed.versions() == before


def test_a_run_says_what_each_node_did(fed: Lake):
    build(fed)
    [(models, tests, oldest)] = fed.sql(
        "select count_if(resource_type = 'model' and status = 'success' and seconds > 0), "
        "count_if(resource_type = 'test'), min(started_at) <= min(ended_at) from {ops}.node_results"
    )
    assert (models, oldest) == (3, True)
    assert tests == 10
    fed.drop_file("web_events/2.json", "not JSON\n" * 9)
    build(fed, max_quarantine_share=0.5)
    assert results(fed, "silver_web_events")[-1] == "error"
