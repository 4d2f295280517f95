"""Releases: what readers of gold see beside builds that fail, succeed, or build a part; roll-back, diff and VACUUM."""

from __future__ import annotations

import json
import shutil
import threading
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest
from conftest import ROOT, Lake, delta_rs
from deltalake import DeltaTable
from test_upkeep import show

from medallion.errors import Failure
from medallion.generate import generate
from medallion.releases import roll_back
from medallion.shell import call
from medallion.upkeep import vacuum_by_delta_rs

# Of the web events and the customers: three gold tables.
GOLD = ("--select", "+fct_active_users", "+conversion_funnel", "--exclude-resource-type", "unit_test")
Gold = dict[str, Counter]


def releases(lake: Lake) -> list[tuple[int, int | None, dict[str, int]]]:
    """Id, roll-back and versions of each release, as a reader without an engine finds them."""
    rows = delta_rs(lake.path("ops.releases"), "select release_id, rolled_back_to, versions from t order by release_id")
    return [(release_id, rolled_back_to, json.loads(versions)) for release_id, rolled_back_to, versions in rows]


def at(lake: Lake, versions: dict[str, int | None]) -> Gold:
    """The rows of gold tables at some versions."""
    tables = {name: DeltaTable(str(lake.path(f"gold.{name}")), version=version) for name, version in versions.items()}
    return {name: Counter(map(repr, table.to_pyarrow_table().to_pylist())) for name, table in tables.items()}


def published(lake: Lake) -> Gold:
    return at(lake, releases(lake)[-1][2])


def written(lake: Lake) -> Gold:
    """The rows of gold as the last build left them, whatever is published."""
    return at(lake, dict.fromkeys(releases(lake)[-1][2]))


def day(lake: Lake, number: int) -> None:
    generate(lake.landing, seed=1, days=9, events=300, from_day=number, to_day=number + 1)


def command(lake: Lake) -> Any:
    """What stands for `medallion`'s dbt, on a lake of the tests."""

    def need(arguments: list[str]) -> None:
        result = lake.dbt(*arguments[:4])
        if not result.success:
            raise Failure(str(result.exception))

    return SimpleNamespace(rows=lambda sql: show(lake, sql), need=need)


@pytest.fixture
def fed(new_lake, tmp_path) -> Lake:
    """One day, built and published; a test of gold that fails on demand."""
    project = tmp_path / "project"
    shutil.copytree(ROOT, project, ignore=shutil.ignore_patterns(".*", "target", "logs", "tests", "docs"))
    (project / "tests/data").mkdir(parents=True)
    (project / "tests/data/gold_is_right.sql").write_text(
        "select 1 from {{ ref('fct_active_users') }} where {{ var('is_wrong', false) }}"
    )
    lake = new_lake("releases", project_dir=project)
    day(lake, 0)
    lake.build(*GOLD)
    assert releases(lake)[0][:2] == (1, None)
    assert published(lake) == written(lake)
    return lake


@pytest.mark.engines("spark", "sail")
def test_a_failing_build_is_not_seen(fed: Lake) -> None:
    before, versions = published(fed), fed.versions()
    fed.build(*GOLD)
    assert fed.versions() == versions, "a run with nothing new must commit nothing"

    seen: list[Gold] = []
    is_over = threading.Event()

    def read() -> None:
        while not is_over.is_set():
            seen.append(published(fed))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        day(fed, 1)
        assert not fed.dbt("build", *GOLD, is_wrong=True).success
        assert written(fed) != before
        assert published(fed) == before
        fed.build(*GOLD)
    finally:
        is_over.set()
        reader.join()
    after = published(fed)
    assert after == written(fed) != before
    assert [release_id for release_id, *_ in releases(fed)] == [1, 2]
    assert len(seen) > 1
    assert all(state in (before, after) for state in seen), "no failed state, and no mixture"

    # the views of a session, beside a build that fails
    day(fed, 2)
    assert not fed.dbt("build", *GOLD, is_wrong=True).success
    assert fed.dbt("run-operation", "name_views").success
    for name, rows in after.items():
        [(count,)] = fed.sql(f"select count(*) from {fed.table('serving')}.{name}")
        assert count == rows.total()
        assert show(fed, f"select count(*) as n from {call('published_table', name=name)}")[0]["n"] == count


def test_a_part_of_gold_is_not_published(fed: Lake) -> None:
    before = published(fed)
    day(fed, 1)
    fed.build("--select", "+daily_user_activity", "+silver_customers")
    assert written(fed) != before
    assert published(fed) == before, "the other tables are behind"
    fed.build(*GOLD, "--exclude-resource-type", "test")
    assert published(fed) == before, "not tested"
    fed.build(*GOLD)
    assert published(fed) == written(fed) != before
    # a run of tests alone publishes too
    day(fed, 2)
    assert fed.dbt("run", *GOLD[:3]).success
    assert len(releases(fed)) == 2
    assert fed.dbt("test", *GOLD[:3]).success
    assert published(fed) == written(fed)
    assert len(releases(fed)) == 3
    # all in one statement: no release where it is switched off
    day(fed, 3)
    fed.build(*GOLD, serving_schema="")
    assert len(releases(fed)) == 3


def test_a_rollback_stays_until_told(fed: Lake) -> None:
    first = published(fed)
    day(fed, 1)
    fed.build(*GOLD)
    second = published(fed)

    # the pins only
    assert roll_back(command(fed), None, physical=False) == []
    assert releases(fed)[-1][:2] == (3, 1)
    assert (published(fed), written(fed)) == (first, second)
    fed.build(*GOLD)
    assert published(fed) == first, "the next build must not undo it"
    fed.build(*GOLD, publish=True)
    assert (published(fed), releases(fed)[-1][:2]) == (second, (4, None))

    # the tables too: the next build brings them to where they would be
    restored = roll_back(command(fed), 1, physical=True)
    assert restored == [f"gold.{name}" for name in sorted(first)]
    assert published(fed) == written(fed) == first
    fed.build(*GOLD)
    assert (published(fed), written(fed)) == (first, second)
    fed.build(*GOLD, publish=True)
    assert published(fed) == second
    versions = fed.versions()
    fed.build(*GOLD)
    assert fed.versions() == versions

    with pytest.raises(Failure):
        roll_back(command(fed), 9, physical=True)
    assert fed.versions() == versions


def test_old_releases_can_be_read_and_compared(fed: Lake) -> None:
    first = published(fed)
    day(fed, 1)
    fed.build(*GOLD)
    second = published(fed)
    for name in first:  # Sail itself reads no version before it
        DeltaTable(str(fed.path(f"gold.{name}"))).create_checkpoint()
    (fed.path("gold.fct_active_users") / "nobody's.parquet").touch()
    jobs = {job["table_name"]: job for job in show(fed, call("vacuum_jobs", layer="gold"))}
    for name in first:
        vacuum_by_delta_rs(jobs[f"gold.{name}"] | {"hours": 0}, lite=False, apply=True)
    assert not (fed.path("gold.fct_active_users") / "nobody's.parquet").exists()
    assert at(fed, releases(fed)[0][2]) == first, "VACUUM must leave what a release pins"

    found = {row["table_name"]: row for row in show(fed, call("release_diff", before=1, after=2))}
    for name in first:
        assert found[name]["added"] - found[name]["removed"] == second[name].total() - first[name].total()
        assert found[name]["added"] + found[name]["changed"] == (second[name] - first[name]).total()
    assert sum(row["changed"] for row in found.values()) > 0

    assert fed.dbt("run-operation", "rollback_release").success
    for name in first:
        rows = show(fed, f"select * from {call('published_table', name=name)}")
        assert len(rows) == first[name].total()

    # one that is not kept pins nothing
    jobs = show(fed, call("vacuum_jobs", table="gold.fct_active_users"))
    assert jobs[0]["pinned_versions"] == str(releases(fed)[0][2]["fct_active_users"])
    assert fed.dbt("run-operation", "rollback_release", "--args", "{to: 1}", keep_releases=1).success is False
