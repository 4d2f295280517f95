"""Quarantine is a waiting room: after a change of the rules its records are judged again."""

from __future__ import annotations

import shutil
from collections import Counter

from conftest import ROOT, Lake
from test_scenarios import NO_TESTS, different_tables, drop

# Rules as they are, and as they were: too strict in one case, too lax in the other.
FORMERLY = {
    "unit_price is null or unit_price <= 50000": "unit_price is null or unit_price <= 3",
    "user_id_present: user_id is not null": "user_id_present: user_id not like '%7'",
    "quantity is null or quantity <> 0": "true",
}
SOURCES = ["orders", "web_events"]
REPLAY = ("build", "--full-refresh", "--select", *(f"judged_{source}+" for source in SOURCES), *NO_TESTS)


def build_in_two(lake: Lake) -> Lake:
    drop(lake, 7, 0, 10, days=20)
    lake.build(*NO_TESTS)
    drop(lake, 7, 10, 20, days=20)
    lake.build(*NO_TESTS)
    return lake


def ledger(lake: Lake, place: str) -> Counter:
    """Records in a place by source, batch and reason."""
    query = "select source, batch_id, reason, sum(record_count) from {ops}.row_ledger"
    rows = lake.sql(f"{query} where place like '{place}' group by source, batch_id, reason")
    return +Counter({tuple(key): count for *key, count in rows})


def test_replay_ends_as_if_the_rules_had_always_been_these(new_lake, tmp_path):
    right = build_in_two(new_lake("right"))
    project = tmp_path / "project"
    shutil.copytree(ROOT, project, ignore=shutil.ignore_patterns(".*", "target", "logs", "tests", "docs"))
    judged = project / "models" / "silver" / "judged" / "_judged.yml"
    for rule, former in FORMERLY.items():
        assert rule in judged.read_text()
        judged.write_text(judged.read_text().replace(rule, former))
    lake = new_lake("former")
    lake.project_dir = project
    build_in_two(lake)
    assert ledger(lake, "quarantined") != ledger(right, "quarantined")

    lake.project_dir = ROOT
    assert lake.dbt(*REPLAY).success
    assert different_tables(right, lake) == []
    for place in ("quarantined", "unreadable"):
        assert ledger(lake, place) == ledger(right, place)
    assert ledger(lake, "%").total() == ledger(right, "%").total()

    version = lake.version("ops.row_ledger")
    assert lake.dbt(*REPLAY).success
    assert different_tables(right, lake) == []
    assert lake.version("ops.row_ledger") == version
