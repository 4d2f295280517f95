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
from lakes import show

from medallion.errors import Failure
from medallion.generate import generate
from medallion.releases import roll_back
from medallion.shell import call
from medallion.upkeep import vacuum_by_delta_rs

pytestmark = pytest.mark.engines("sail", in_soak="spark")

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


def next_day(lake: Lake) -> None:
    number = len({file.name[:10] for file in (lake.landing / "web_events").glob("*.json")})
    generate(lake.landing, seed=1, days=9, events=300, from_day=number, to_day=number + 1)


def judge_gold(lake: Lake, is_wrong: bool) -> None:
    """Writes a test of gold that fails, or one that passes."""
    test = lake.project_dir / "tests/data/gold_is_right.sql"
    test.parent.mkdir(parents=True, exist_ok=True)
    test.write_text(f"select 1 from {{{{ ref('fct_active_users') }}}} where {str(is_wrong).lower()}")


def command(lake: Lake) -> Any:
    """What stands for `medallion`'s dbt, on a lake of the tests."""

    def need(arguments: list[str]) -> None:
        result = lake.dbt(*arguments[:4])
        if not result.success:
            raise Failure(str(result.exception))

    return SimpleNamespace(rows=lambda sql: show(lake, sql), need=need)


@pytest.fixture(scope="module")
def fed(new_lake, tmp_path_factory) -> Lake:
    """A lake that each test leaves with all of gold published; a test of gold fails on demand."""
    project = tmp_path_factory.mktemp("releases") / "project"
    shutil.copytree(ROOT, project, ignore=shutil.ignore_patterns(".*", "target", "logs", "tests", "docs"))
    lake = new_lake("releases", project_dir=project)
    judge_gold(lake, is_wrong=False)
    next_day(lake)
    lake.build(*GOLD)
    assert releases(lake)[0][:2] == (1, None)
    assert published(lake) == written(lake)
    return lake


def test_a_failing_build_is_not_seen(fed: Lake) -> None:
    before, versions, count = published(fed), fed.versions(), len(releases(fed))
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
        next_day(fed)
        judge_gold(fed, is_wrong=True)
        assert not fed.dbt("build", *GOLD).success
        assert written(fed) != before
        assert published(fed) == before
        assert fed.dbt("run-operation", "name_views").success
        for name, rows in before.items():
            assert fed.sql(f"select count(*) from {fed.table('serving')}.{name}") == [(rows.total(),)]
        judge_gold(fed, is_wrong=False)
        fed.build(*GOLD)
    finally:
        is_over.set()
        reader.join()
    after = published(fed)
    assert after == written(fed) != before
    assert len(releases(fed)) == count + 1
    assert len(seen) > 1
    assert all(state in (before, after) for state in seen), "no failed state, and no mixture"


def test_a_part_of_gold_is_not_published(fed: Lake) -> None:
    before, count = published(fed), len(releases(fed))
    next_day(fed)
    fed.build("--select", "+daily_user_activity", "+silver_customers", "--exclude-resource-type", "unit_test")
    assert written(fed) != before
    assert published(fed) == before, "the other tables are behind"
    fed.build(*GOLD, serving_schema="")
    assert published(fed) == before, "switched off"
    # tests alone publish too, those that need not run again included
    assert fed.dbt("test", *GOLD).success
    assert published(fed) == written(fed) != before
    assert len(releases(fed)) == count + 1


def test_a_rollback_stays_until_told(fed: Lake) -> None:
    first, (one, *_) = published(fed), releases(fed)[-1]
    next_day(fed)
    fed.build(*GOLD)
    second, (two, *_) = published(fed), releases(fed)[-1]
    assert first != second

    # the pins only
    assert roll_back(command(fed), None, physical=False) == []
    assert releases(fed)[-1][:2] == (two + 1, one)
    assert (published(fed), written(fed)) == (first, second)

    # the tables too: the next build brings them to where they would be
    restored = roll_back(command(fed), one, physical=True)
    assert sorted(restored) == [f"gold.{name}" for name in sorted(first)]
    assert published(fed) == written(fed) == first
    fed.build(*GOLD)
    assert (published(fed), written(fed)) == (first, second), "a build must not undo a rollback"
    fed.build(*GOLD, publish=True)
    assert (published(fed), releases(fed)[-1][1]) == (second, None)

    with pytest.raises(Failure):
        roll_back(command(fed), 99, physical=False)


def read_by_engine(lake: Lake, name: str) -> list[str]:
    """The rows of a table as published, as the engine reads them."""
    rows = show(lake, f"select to_json(struct(*)) as row_text from {call('published_table', name=name)}")
    return sorted(row["row_text"] for row in rows)


def test_old_releases_can_be_read_and_compared(fed: Lake) -> None:
    last = releases(fed)[-1][0]
    first = published(fed)
    as_read = {name: read_by_engine(fed, name) for name in first}
    next_day(fed)
    fed.build(*GOLD)
    second = published(fed)
    jobs = {job["table_name"]: job for job in show(fed, call("vacuum_jobs", layer="gold"))}
    for name in first:
        DeltaTable(str(fed.path(f"gold.{name}"))).create_checkpoint()  # Sail itself reads no version before it
        unpinned = fed.path(f"gold.{name}") / "unpinned.parquet"
        unpinned.touch()
        vacuum_by_delta_rs(jobs[f"gold.{name}"] | {"hours": 0}, lite=False, apply=True)
        assert not unpinned.exists()
    assert at(fed, releases(fed)[-2][2]) == first, "VACUUM must leave what a release pins"

    found = {row["table_name"]: row for row in show(fed, call("release_diff", before=last, after=last + 1))}
    for name in first:
        assert found[name]["added"] - found[name]["removed"] == second[name].total() - first[name].total()
        assert found[name]["added"] + found[name]["changed"] == (second[name] - first[name]).total()
    assert sum(row["changed"] for row in found.values()) > 0

    # one that is not kept pins nothing
    fed.variables["keep_releases"] = 1
    (job,) = show(fed, call("vacuum_jobs", table="gold.fct_active_users"))
    assert job["pinned_versions"] == str(releases(fed)[-1][2]["fct_active_users"])
    with pytest.raises(Failure):
        roll_back(command(fed), last, physical=False)
    del fed.variables["keep_releases"]

    roll_back(command(fed), last, physical=False)
    assert {name: read_by_engine(fed, name) for name in first} == as_read
    assert fed.dbt("run-operation", "name_views").success
    for name, rows in first.items():
        assert fed.sql(f"select count(*) from {fed.table('serving')}.{name}") == [(rows.total(),)]
    fed.build(*GOLD, publish=True)
