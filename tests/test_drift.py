"""Drift of the landing files' fields is found in bronze, before anything is typed."""

from __future__ import annotations

import shutil

import pytest
from conftest import ROOT, Lake
from lakes import HEADER

pytestmark = pytest.mark.engines("sail")

EVENT = '{{"event_id": "{id}", "user_id": "1", "event_type": "search", "raw_time": "2026-01-01 10:00:00", {more}}}\n'
AS_DECLARED = EVENT.format(id=1, more='"product_id": "A", "session": {"session_id": "s"}, "page": "/"')
LINES = '[{"no": 1, "sku": "A", "qty": "1", "price": 1}, {"no": 2, "sku": "B", "qty": "1", "price": 2.5}]'
ORDER = (
    '{"id": "m1", "rev": 1, "placed_at": "2026-01-05T08:26:00Z", "currency": "GBP", '
    f'"buyer": {{"ref": "b", "country": "France"}}, "lines": {LINES}}}\n'
)
ROW = "1,A1,THING,2,2026-01-01 10:00:00,1.50,17850.0,France\n"


def found(lake: Lake) -> set[tuple]:
    result = lake.dbt("show", "--inline", "{{ field_drift() }}", "--limit", "-1")
    assert result.success, lake.explain(result)
    names = ("source", "batch_id", "kind", "field", "found", "record_count")
    return {tuple(row[name] for name in names) for row in result.result.results[0].agate_table.rows}


@pytest.mark.engines("spark")  # the next one tells all of it, on Sail
def test_drift_on_spark_too(lake):
    lake.drop_file("web_events/1.json", EVENT.format(id=1, more='"productid": "A", "session": {"session_id": "s"}'))
    lake.build("--select", "bronze_web_events", "--exclude-resource-type", "test")
    assert found(lake) == {
        ("web_events", 1, "new", "productid", "not declared; text", 1),
        ("web_events", 1, "missing", "product_id", "declared, but in no record", 0),
        ("web_events", 1, "renamed", "product_id", "perhaps productid now", 1),
    }


@pytest.mark.engines("spark", "sail")
def test_fields_are_known_as_deep_as_they_are_declared(lake, tmp_path):
    """Also those whose names hold the name of a type: numbers of any size are one shape, names are not."""
    lake.project_dir = tmp_path / "project"
    shutil.copytree(ROOT, lake.project_dir, ignore=shutil.ignore_patterns(".*", "target", "logs", "tests", "docs"))
    declared = lake.project_dir / "models/landing.yml"
    names = ["session.device", "session.device.os", "session.device.screens", "session.device.screens[].dpi"]
    new = "".join(f'          - {{name: "{name}", description: x}}\n' for name in [*names, "session.device.gone"])
    text = declared.read_text()
    head, _, rest = text.partition("      - name: web_events\n")
    declared.write_text(
        head + "      - name: web_events\n" + rest.replace("        columns:\n", "        columns:\n" + new, 1)
    )
    device = '"device": {"os": "x", "ram": 1, "screens": [{"dpi": 96, "BIGINTs": 1}, {"DOUBLEs": 1}]}'
    more = '"product_id": "A", "page": "/", "session": {"session_id": "s", ' + device + "}"
    lake.drop_file(
        "web_events/1.json", EVENT.format(id=1, more=more) + EVENT.format(id=2, more=more.replace("96", "9.6"))
    )
    lake.build("--select", "bronze_web_events", "--exclude-resource-type", "test")
    assert found(lake) == {
        ("web_events", 1, "missing", "session.device.gone", "declared, but in no record", 0),
        ("web_events", 1, "new", "session.device.ram", "not declared; number", 2),
        ("web_events", 1, "new", "session.device.screens[].BIGINTs", "not declared; number", 2),
        ("web_events", 1, "new", "session.device.screens[].DOUBLEs", "not declared; number", 2),
    }


def test_drift_is_found_and_stops_a_build_where_it_shall(lake, tmp_path):
    lake.project_dir = tmp_path / "project"
    shutil.copytree(ROOT, lake.project_dir, ignore=shutil.ignore_patterns(".*", "target", "logs", "tests", "docs"))
    tests = lake.project_dir / "models" / "bronze" / "_bronze.yml"
    tests.write_text(tests.read_text().replace("severity: warn", "severity: error"))
    build = ("build", "--select", "bronze_orders", "bronze_marketplace_orders", "judged_orders", "quarantine_orders")
    build += ("+silver_web_events", "--exclude-resource-type", "unit_test")

    lake.drop_file("web_events/1.json", AS_DECLARED)
    lake.drop_file("orders/1.csv", HEADER + ROW)
    lake.build(*build[1:])
    assert found(lake) == set()

    lake.drop_file(
        "web_events/2.json",
        EVENT.format(id=2, more='"productid": "A", "session": "s", "note": null')
        + EVENT.format(id=3, more='"productid": 7, "session": null')
        + "not JSON\n",
    )
    lake.drop_file(
        "orders/2.csv",
        HEADER.replace("Country", "Country,Channel") + ROW.replace(",2,", ",two,").replace("France", "France,web"),
    )
    drift = {
        ("orders", 2, "new", "Channel", "not declared; text", 1),
        ("web_events", 2, "new", "note", "not declared; ", 1),
        ("web_events", 2, "new", "productid", "not declared; number or text", 2),
        ("web_events", 2, "missing", "product_id", "declared, but in no record", 0),
        ("web_events", 2, "renamed", "product_id", "perhaps productid now", 2),
        ("web_events", 2, "retyped", "session", "text, object in batch 1", 2),
    }
    for _ in range(2):
        result = lake.dbt(*build)
        status = {r.node.name: str(r.status) for r in result.result.results}
        assert status["bronze_web_events"] == "success"
        assert status["quarantine_orders"] == "skipped"
        assert found(lake) == drift
    assert lake.sql("select count(*) from {bronze}.bronze_web_events") == [(4,)]

    # what silver has not taken in is not forgotten when the next batch is as declared
    lake.drop_file("web_events/3.json", AS_DECLARED.replace('"s"', '"s", "referer": "r"'))
    lake.drop_file("orders/3.csv", HEADER + ROW)
    lake.drop_file("orders/4.csv", HEADER.replace("Description,", "") + ROW.replace("THING,", ""))
    lake.drop_file(
        "marketplace_orders/1.json", ORDER.replace('"rev"', '"rex"').replace('"qty": "1"', '"qty": 1, "vat": 2', 1)
    )
    assert not lake.dbt(*build).success
    drift |= {
        ("web_events", 3, "new", "session.referer", "not declared; text", 1),
        ("marketplace_orders", 1, "missing", "rev", "declared, but in no record", 0),
        ("marketplace_orders", 1, "new", "rex", "not declared; number", 1),  # short names are near by chance
        ("marketplace_orders", 1, "new", "lines[].vat", "not declared; number", 1),
    }
    assert found(lake) == drift

    landing = lake.project_dir / "models" / "landing.yml"
    session = "{name: session, "
    assert session in landing.read_text()
    landing.write_text(landing.read_text().replace(session, session + "config: {meta: {types: object or text}}, "))
    drift -= {row for row in drift if row[2] == "retyped"}
    assert found(lake) == drift
    fields = "select types, record_count from {ops}.batch_fields where field = 'lines[].qty'"
    assert lake.sql(fields) == [("number or text", 1)]
    fields = "select batch_id, types, record_count from {ops}.batch_fields where source = 'web_events' and field = "
    assert lake.sql(fields + "'session' order by batch_id") == [(1, "object", 1), (2, "text", 2), (3, "object", 1)]
    assert lake.sql(fields + "'productid'") == [(2, "number or text", 2)]

    tests.write_text(tests.read_text().replace("severity: error", "severity: warn"))
    assert lake.dbt(*build).success
    assert lake.sql("select count(*) from {silver}.quarantine_orders where batch_id = 2") == [(1,)]
    assert {row for row in found(lake) if row[0] == "web_events"} == {
        row for row in drift if row[:2] == ("web_events", 3)
    }
