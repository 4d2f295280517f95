"""A build that ends between any two statements, and the next one: all tables are as if it had never happened.

What kill -9 meets by chance (test_kill.py) is done here at each place in turn: a copy of the project stops there with
an error, and the right project builds after it. A build has several places, each of a model of its own.
"""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest
from conftest import NO_TESTS, Lake
from lakes import clone, contents, differences, unbalanced

from medallion.generate import generate

pytestmark = pytest.mark.engines("sail")

PATH = "macros/materializations/"
INCREMENTAL = PATH + "incremental.sql"
CREATE = (PATH + "write.sql", "{%- set has_rows = on_engine('create_table', plan.table")
CREATED = (PATH + "write.sql", "{%- do document_columns(plan.table")
WRITE = (INCREMENTAL, "{%- do write_rows(")
WRITTEN = (INCREMENTAL, "{%- do account_for(")
BALANCE = ("macros/bronze/record_batch.sql", "{%- do run_memory('newest')")
PLACED = ("macros/ledger/account.sql", "{%- do record_places(")
CONSUME = (INCREMENTAL, "{%- do mark_consumed(")
CONSUMED = (INCREMENTAL, "{%- do apply_grants(")
HOOKS = (INCREMENTAL, "{{ run_hooks(post_hooks) }}")
FILES = ("macros/bronze/record_batch.sql", "{%- call statement('record_files') -%}")
SEED_CREATE = (PATH + "seed.sql", "{%- set has_rows = on_engine('create_table', relation")
SEED_CREATED = (PATH + "seed.sql", "{%- do adapter.add_query('insert into")
SEED_INSERTED = (PATH + "seed.sql", "{%- do set_properties(")
SNAPSHOT = ("macros/patches/snapshot_merge_sql.sql", "{{- default__snapshot_merge_sql(")
SNAPSHOT_TAKEN = (PATH + "snapshot.sql", "{%- do mark_consumed(")
LEDGERS = ("macros/ledger/books.sql", "{%- do on_engine('create_ledger'")
FORGOTTEN = ("macros/bronze/read_new_files.sql", "{%- set committed")
DISCARDED = ("macros/upkeep/quarantine.sql", "{%- set batch_ids")

# name: (state of the lake, arguments of the build, {model: the statement before which it is cut})
CUTS = {
    "first, the books": ("empty", (), {"": LEDGERS}),
    "first, bronze and seeds": ("empty", (), {
        "bronze_orders": CREATE, "bronze_customers": CREATED, "bronze_products": WRITTEN, "bronze_web_events": FILES,
        "bronze_marketplace_orders": BALANCE,
        "countries": SEED_CREATED, "exchange_rates": SEED_INSERTED, "event_types": SEED_CREATE,
    }),
    "first, silver": ("empty", (), {
        "quarantine_orders": CREATED, "silver_web_events": CREATED, "silver_product_listings": WRITTEN,
        "quarantine_customers": CONSUME, "silver_marketplace_orders": PLACED,
    }),
    "first, gold": ("empty", (), {
        "silver_customers": CONSUME, "daily_sales_by_product": CREATED, "daily_user_activity": WRITTEN,
        "customer_lifetime_value": CONSUMED, "sales_by_region": CREATE, "conversion_funnel": WRITE,
    }),
    "second, bronze": ("second", (), {
        "bronze_orders": WRITE, "bronze_customers": WRITTEN, "bronze_products": FILES, "bronze_web_events": BALANCE,
        "bronze_marketplace_orders": HOOKS,
    }),
    "second, silver": ("second", (), {
        "quarantine_orders": WRITTEN, "quarantine_web_events": CONSUMED, "silver_product_listings": PLACED,
        "silver_customer_changes": CONSUME, "silver_marketplace_orders": WRITTEN,
    }),
    "second, gold": ("second", (), {
        "silver_web_events": CONSUMED, "silver_customers": WRITTEN, "daily_sales_by_product": WRITE,
        "daily_global_sales": WRITTEN, "sales_by_region": CONSUME, "exchange_rate_history": SNAPSHOT,
    }),
    "full refresh, silver": ("refreshed", ("--full-refresh",), {
        "quarantine_orders": CREATED, "silver_web_events": CREATED, "silver_product_listings": WRITTEN,
        "silver_customer_changes": CREATED, "silver_marketplace_orders": CONSUME, "countries": SEED_CREATED,
    }),
    "full refresh, gold": ("refreshed", ("--full-refresh",), {
        "daily_sales_by_product": CREATED, "daily_user_activity": CREATED,
        "customer_lifetime_value": WRITTEN, "dim_customers": WRITTEN, "dim_products": CREATED,
    }),
    "bronze taken away": ("taken away", (), {"bronze_orders": FORGOTTEN}),
}  # fmt: skip


def cut(lake: Lake, places: dict[str, tuple[str, str]]) -> Lake:
    """The same lake, built by a project that stops models before a statement."""
    edits = []
    for model, (file, statement) in places.items():
        stop = "{{ exceptions.raise_compiler_error('cut') }}"
        when = f"{{% if model.name == '{model}' %}}{stop}{{% endif %}}"
        if not model:  # not in the first turn of a loop
            when = f"{{% if not loop.first %}}{stop}{{% endif %}}" if "books" in file else stop
        edits.append((file, statement, when + statement))
    return replace(lake, edits=edits)


def drop(lake: Lake, from_day: int, to_day: int) -> None:
    generate(lake.landing, seed=7, days=8, events=800, from_day=from_day, to_day=to_day)


def lake_contents(lake: Lake) -> dict:
    return contents(lake.path("silver.x").parents[1], lake.prefix)


@pytest.fixture(scope="module")
def states(new_lake) -> dict[str, tuple[Lake, dict]]:
    """The lakes that the cuts begin with, by name, each with what an undisturbed build makes of it."""
    empty = new_lake("empty")
    drop(empty, 0, 4)
    first = clone(empty, new_lake)
    first.build(*NO_TESTS)

    second = clone(first, new_lake)
    second.landing = new_lake("landing").landing
    drop(second, 0, 8)
    whole = clone(second, new_lake)
    whole.build(*NO_TESTS)
    assert unbalanced(whole.path("silver.x").parents[1], whole.prefix) == []

    refreshed = clone(second, new_lake)
    refreshed.build(*NO_TESTS, "--full-refresh")

    away = clone(first, new_lake)
    shutil.rmtree(away.path("bronze.bronze_orders"))
    read_again = clone(away, new_lake)
    read_again.build(*NO_TESTS)
    return {
        "empty": (empty, lake_contents(first)),
        "second": (second, lake_contents(whole)),
        "refreshed": (second, lake_contents(refreshed)),
        "taken away": (away, lake_contents(read_again)),
        "built": (first, lake_contents(first)),
    }


@pytest.mark.parametrize("name", CUTS)
def test_after_a_cut_the_next_build_makes_all_good(states, new_lake, name):
    state, arguments, places = CUTS[name]
    begin, expected = states[state]
    lake = clone(begin, new_lake)
    result = cut(lake, places).dbt("build", *NO_TESTS, *arguments)
    assert not result.success
    if "" not in places:
        failed = {r.node.name: r.message for r in result.result.results if r.status == "error"}
        assert failed.keys() == places.keys()
        assert all("cut" in message for message in failed.values())
    assert differences(lake_contents(lake), expected) != {}
    lake.build(*NO_TESTS)
    assert differences(lake_contents(lake), expected) == {}


def test_discarded_records_reach_the_row_ledger_after_a_cut(states, new_lake):
    discard = ("run-operation", "discard_records", "--args", "{source: orders, note: lost}")
    lake, undisturbed = (clone(states["built"][0], new_lake) for _ in range(2))
    assert undisturbed.dbt(*discard).success
    assert not cut(lake, {"": DISCARDED}).dbt(*discard).success
    different = differences(lake_contents(lake), lake_contents(undisturbed))
    assert list(different) == ["ops.row_ledger"]
    assert lake.dbt(*discard).success
    assert differences(lake_contents(lake), lake_contents(undisturbed)) == {}
