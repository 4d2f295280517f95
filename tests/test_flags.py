"""dbt's commands and flags, one by one, on a living lake: none may move a mark or replace rows by fewer ones.

What dbt 1.11 offers is either an ordinary build, or reads only, or is refused in a sentence before anything is written.
"""

from __future__ import annotations

import pytest
from conftest import NO_TESTS, Lake
from lakes import contents, differences

from medallion.generate import generate

pytestmark = pytest.mark.engines("sail", in_soak="spark")

# Flags that make refs smaller than the tables, or point them elsewhere; for each command that knows them.
REFUSED = {
    "--empty": (("build", "run", "snapshot"), ("--empty",)),
    "--sample": (("build", "run"), ("--sample", "1 day")),
    "--defer": (("build", "run", "seed", "snapshot"), ("--defer", "--state", "{state}")),
    "--favor-state": (("build",), ("--favor-state", "--defer", "--state", "{state}")),
}
HARMLESS = {
    "compile": (),
    "compile --inline": ("select * from {{ ref('countries') }}",),
    "docs generate": ("--empty-catalog",),
    "list": (),
    "parse": (),
    "show": ("--select", "daily_sales_by_product", "--limit", "1"),
    "source freshness": (),
    "run-operation": ("assert_ready",),
    "retry": (),
    "seed": (),
    "snapshot": (),
    "test": ("--select", "countries"),
    "build --fail-fast": NO_TESTS,
    "run --exclude tag:bronze": (),
    "build --full-refresh --select resource_type:seed": (),
    "run --threads 1": (),
    "build --event-time-start": ("2026-01-01", "--event-time-end", "2026-01-02", *NO_TESTS),
    "build --select silver_order_lines": NO_TESTS,
}


@pytest.fixture(scope="module")
def living(new_lake) -> Lake:
    """A lake with two builds behind it."""
    lake = new_lake("flags")
    for day in (1, 2):
        generate(lake.landing, seed=3, days=3, events=300, from_day=day - 1, to_day=day)
        lake.build(*NO_TESTS)
    return lake


def all_rows(lake: Lake) -> dict:
    return contents(lake.path("silver.x").parents[1], lake.prefix)


@pytest.mark.parametrize(
    ("command", "flag"), [(command, flag) for flag, (commands, _) in REFUSED.items() for command in commands]
)
@pytest.mark.parametrize("news", [False, True], ids=["nothing new", "a new day"])
def test_a_flag_that_reads_less_is_refused_before_anything_is_written(
    living: Lake, command: str, flag: str, news: bool
):
    if news:
        generate(living.landing, seed=3, days=3, events=300, from_day=2, to_day=3)
    before = living.versions()
    words = [word.format(state=living.target_path) for word in REFUSED[flag][1]]
    result = living.dbt(command, *words)
    assert not result.success
    assert f"dbt {command} --" in Lake.explain(result)
    assert "is refused, and nothing was written" in Lake.explain(result)
    assert living.versions() == before


def test_clone_is_refused(living: Lake):
    before = living.versions(with_runs=False)
    result = living.dbt("clone", "--state", str(living.target_path), "--select", "daily_sales_by_product")
    assert not result.success
    assert "dbt clone is refused" in Lake.explain(result)
    assert living.versions(with_runs=False) == before


def test_a_model_whose_quarantine_was_left_out_says_so(living: Lake):
    generate(living.landing, seed=3, days=3, events=300, from_day=2, to_day=3)
    before = {name: living.version(name) for name in ("silver.silver_order_lines", "ops.row_ledger")}
    result = living.dbt("run", "--select", "bronze_orders", "silver_order_lines")
    assert not result.success
    message = next(r.message for r in result.result.results if r.node.name == "silver_order_lines")
    assert "Build both: dbt build --select quarantine_orders silver_order_lines" in message
    assert {name: living.version(name) for name in before} == before


def test_other_commands_and_flags_change_no_row(living: Lake):
    living.build(*NO_TESTS)
    before = all_rows(living)
    for command, arguments in HARMLESS.items():
        result = living.dbt(*command.split(), *arguments)
        assert result.success, f"{command}: {Lake.explain(result)}"
        assert differences(all_rows(living), before) == {}, command
