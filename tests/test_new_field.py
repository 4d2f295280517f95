"""A field that the feed brings from some day on reaches silver by a change of the model, old bronze rows included."""

from __future__ import annotations

import shutil

import pytest
from conftest import ROOT

pytestmark = pytest.mark.engines("sail", in_soak="spark")

OLD = '{"event_id": "1", "user_id": "7", "event_type": "search", "raw_time": "2026-01-01 10:00:00"}\n'
NEW = OLD.replace('"1"', '"2"').replace("}", ', "device": {"os": "Linux", "browser": "Firefox"}}')
SELECT = ("--select", "+silver_web_events", "--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")


def put_in(file, before: str, line: str) -> None:
    """Insert a line before another one in a model."""
    text = file.read_text()
    assert text.count(before) == 1
    file.write_text(text.replace(before, line + before))


def test_a_field_that_appears_later_reaches_silver_from_bronze_alone(new_lake, tmp_path):
    lake = new_lake("device")
    lake.drop_file("web_events/1.json", OLD)
    lake.drop_file("web_events/2.json", NEW)
    lake.build(*SELECT)
    assert "device_os" not in lake.spark.table(lake.table("silver.silver_web_events")).columns
    shutil.rmtree(lake.landing)
    bronze = lake.version("bronze.bronze_web_events")

    project = tmp_path / "project"
    folders = ["models", "macros", "seeds", "snapshots", "dbt_packages"]
    for name in folders:
        shutil.copytree(ROOT / name, project / name)
    for name in ("dbt_project.yml", "packages.yml"):
        shutil.copy(ROOT / name, project)
    silver = project / "models" / "silver"
    put_in(silver / "judged" / "judged_web_events.sql", "product_id string, session", "device struct<os: string>, ")
    put_in(
        silver / "judged" / "judged_web_events.sql",
        "        {{ plain_id('event.session.session_id') }}",
        "        event.device.os as device_os,\n",
    )
    put_in(silver / "silver_web_events.sql", "        referrer,\n", "        device_os,\n")
    lake.project_dir = project
    lake.build("--select", "judged_web_events", "silver_web_events", *SELECT[2:])

    assert lake.sql("select event_id, device_os from {silver}.silver_web_events order by 1") == [
        ("1", None),
        ("2", "Linux"),
    ]
    assert lake.version("bronze.bronze_web_events") == bronze
