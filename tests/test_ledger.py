"""The row ledger: every landed record has exactly one named place, and a build that loses one fails."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import NO_TESTS, ROOT, Lake
from lakes import HEADER, clone
from truth import SILVER

from medallion.generate import generate

pytestmark = pytest.mark.engines("sail")

ALL = set(SILVER)
VERSIONED = ALL - {"orders"}
WINDOW = "macros/silver/new_batches.sql"
MERGE = "macros/materializations/write.sql"
MODELS = "models/silver/silver_*.sql"
QUARANTINE = "macros/silver/quarantine.sql"
# name: (files, text, what stands there instead, sources that must be found out)
MUTANTS = {
    "window ends a batch early": (WINDOW, "' and batch_id <= '", "' and batch_id < '", ALL),
    "window starts a batch late": (WINDOW, "'(batch_id > ' ~ since", "'(batch_id > ' ~ (since + 1)", ALL),
    "window is always empty": (WINDOW, "since >= newest", "since > 0", ALL),
    "silver takes bad records": (MODELS, "size(violated_rules) = 0", "size(violated_rules) >= 0", ALL),
    "silver takes only bad records": (MODELS, "size(violated_rules) = 0", "size(violated_rules) > 0", ALL),
    "silver takes either": (MODELS, "(violated_rules) = 0 and", "(violated_rules) = 0 or", ALL),
    "silver loses a record": (MODELS, "from deduplicated", "from deduplicated where record_number > 1", ALL),
    "silver loses a record and doubles another": (
        MODELS,
        "select * from final",
        "select * from final where record_number > 1 union all select * from final where record_number = 2",
        ALL,
    ),
    "silver doubles a record": (
        MODELS,
        "select * from final",
        "select * from final union all select * from final where record_number = 2",
        ALL,
    ),
    "quarantine takes one rule only": (QUARANTINE, "> 0", "= 1", ALL),
    "quarantine takes nothing": (QUARANTINE, "> 0", "< 0", ALL),
    "quarantine takes everything": (QUARANTINE, "> 0", ">= 0", ALL),
    "quarantine takes either": (QUARANTINE, "> 0 and", "> 0 or", ALL),
    "quarantine misses a batch": (
        QUARANTINE,
        "{{ new_batches(bronze) }}",
        "{{ new_batches(bronze) }} and batch_id < 2",
        ALL,
    ),
    "an inner join": (
        "models/silver/judged/judged_*.sql",
        "left join",
        "inner join",
        {"web_events", "marketplace_orders"},
    ),
    "a second-best version": ("macros/silver/latest.sql", "_rank = 1", "_rank = 2", ALL),
    "the oldest version": ("macros/silver/latest.sql", " desc'", " asc'", VERSIONED),
    "a key too narrow": (
        "models/silver/silver_customer_changes.sql",
        "latest('judged')",
        "latest('judged', 'customer_id')",
        {"customers"},
    ),
    "a version is never updated": (
        MERGE,
        "when matched and",
        "when matched and false and",
        {"web_events", "marketplace_orders"},
    ),
    "a row is never inserted": (MERGE, "when not matched then", "when not matched and false then", ALL),
    "a NULL key is never matched": (MERGE, "<=>", "=", {"marketplace_orders"}),
    # found by the unit tests: what the rules say is not for the ledger to know
    "a rule that is NULL holds": (
        "macros/silver/quarantine.sql",
        "coalesce({{ condition }}, false)",
        "({{ condition }})",
        set(),
    ),
}
# The rules of this lake allow what the shipped ones do not: orders without id, so that a key can be NULL.
ID_PRESENT = "order_id_present: order_id is not null"


@pytest.fixture(scope="module")
def lax(tmp_path_factory) -> Path:
    """A project with these rules."""
    project = tmp_path_factory.mktemp("lax") / "project"
    shutil.copytree(ROOT, project, ignore=shutil.ignore_patterns(".*", "target", "logs", "tests", "docs"))
    judged = project / "models" / "silver" / "judged" / "_judged.yml"
    assert ID_PRESENT in judged.read_text()
    judged.write_text(judged.read_text().replace(ID_PRESENT, 'order_id_present: "true"'))
    return project


@pytest.fixture(scope="module")
def lake(new_lake, lax) -> Lake:
    """Ten days, built."""
    lake = new_lake("ledger", project_dir=lax)
    generate(lake.landing, seed=7, days=20, from_day=0, to_day=10)
    lake.build("--select", "+tag:silver", "daily_sales_by_product", *NO_TESTS)
    return lake


@pytest.fixture(scope="module")
def second_batch(lake) -> Lake:
    """Ten days built, and ten more landed."""
    generate(lake.landing, seed=7, days=20, from_day=10, to_day=20)
    return lake


@pytest.fixture(scope="module")
def caught(request) -> list[str]:
    """The mutants that were found out; told at the end, of all that were tried."""
    names: list[str] = []
    yield names
    tried = sum(item.function is test_a_broken_predicate_is_found_out for item in request.session.items)
    with request.config.pluginmanager.get_plugin("capturemanager").global_and_fixture_disabled():
        print(f"\n{len(names)} of {tried} mutants caught")


@pytest.mark.parametrize("name", MUTANTS)
def test_a_broken_predicate_is_found_out(second_batch, new_lake, caught, name):
    files, old, new, sources = MUTANTS[name]
    models = [f"models/silver/{name}.sql" for name in SILVER.values()]
    where = [file for file in models if old in (ROOT / file).read_text()] if files == MODELS else [files]
    edits = [(file, old, new) for file in where]
    if not sources:
        unit_tests = ("test", "--select", "judged_*,test_type:unit")
        unit_tests += (
            "--exclude",
            "one_bad_line_makes_a_marketplace_order_bad",
        )  # which expects the rule that is lax here
        assert second_batch.dbt(*unit_tests).success
        assert not replace(second_batch, edits=edits).dbt(*unit_tests).success
        caught.append(name)
        return
    lake = clone(second_batch, new_lake)
    lake.project_dir, lake.edits = second_batch.project_dir, edits
    gold = lake.versions()
    result = lake.dbt("build", "--select", "+silver_*", "daily_sales_by_product", *NO_TESTS)
    assert not result.success
    failed = {r.node.name: r.message for r in result.result.results if r.status == "error"}
    assert set(failed) == {SILVER[source] for source in sources}
    for source in sources:
        # a row that is doubled and has an older version is refused by the MERGE itself
        refusals = f"Source {source}, batch [12]: |{source} has read up to batch 1|MERGE_CARDINALITY_VIOLATION"
        assert re.search(refusals, failed[SILVER[source]])
    assert {source for (source,) in lake.sql("select source from {ops}.row_ledger where batch_id = 2")} == ALL - sources
    if "orders" in sources:
        assert lake.version("gold.daily_sales_by_product") == gold["gold.daily_sales_by_product"]
    caught.append(name)


def lines(*products: str, day: int = 1, country: str = "France") -> str:
    line = "1,{},THING,2,2026-01-{:02d} 10:00:00,1.50,17850,{}\n"
    return HEADER + "".join(line.format(product, day, country) for product in products)


@pytest.fixture
def orders(lax, new_lake, tmp_path) -> Lake:
    """An empty lake for the orders alone, with a project of its own."""
    orders = new_lake("orders", project_dir=tmp_path / "project")
    shutil.copytree(lax, orders.project_dir)
    return orders


def build_orders(lake: Lake) -> str:
    """Build the orders; returns what went wrong."""
    return lake.explain(lake.dbt("build", "--select", "+silver_order_lines", *NO_TESTS))


def places(lake: Lake) -> dict[tuple, int]:
    query = "select batch_id, place, reason, sum(record_count) from {ops}.row_ledger"
    query += " where source = 'orders' group by 1, 2, 3"
    return {tuple(place for place in key if place is not None): count for *key, count in lake.sql(query) if count}


def change_silver(lake: Lake, old: str, new: str) -> None:
    model = lake.project_dir / "models" / "silver" / "silver_order_lines.sql"
    assert old in model.read_text()
    model.write_text(model.read_text().replace(old, new))


@pytest.mark.engines("spark", "sail")
def test_a_record_that_is_there_twice_does_not_stand_in_for_a_lost_one(orders):
    change_silver(
        orders,
        "select * from final",
        "select * from final where product_id <> 'A' union all select * from final where product_id = 'B'",
    )
    orders.drop_file("orders/1.csv", lines("A", "B", "C"))
    assert "Source orders, batch 1: 1 of 3 landed records are lost: " in (message := build_orders(orders))
    assert "(orders/1.csv record 1)" in message


def test_the_books_of_older_batches_are_made_good(orders):
    """Neither the MERGE's own days nor a file that two builds entered make them wrong."""
    orders.drop_file("orders/1.csv", lines("A", "A", day=1))
    assert build_orders(orders) == ""
    orders.sql("delete from {ops}.row_ledger where source = 'orders'")
    orders.drop_file("orders/2.csv", lines("B", day=20))
    orders.sql("insert into {ops}.file_ledger select * from {ops}.file_ledger")
    assert build_orders(orders) == ""
    assert places(orders) == {(1, "new"): 1, (1, "duplicate"): 1, (2, "new"): 1}


def test_what_a_model_leaves_out_is_declared(orders):
    change_silver(orders, "from deduplicated", "from deduplicated where country <> 'Testland'")
    orders.drop_file("orders/1.csv", lines("A", "B"))
    orders.drop_file("orders/2.csv", lines("A", country="Testland"))
    assert "1 of 3 landed records are lost: " in build_orders(orders)
    declared = "{'source': 'orders', 'filtered': {'test order': \"country = 'Testland'\"}}"
    change_silver(orders, "{'source': 'orders'}", declared)
    assert build_orders(orders) == ""
    assert places(orders) == {(1, "new"): 2, (1, "filtered", "test order"): 1}

    change_silver(orders, " where country <> 'Testland'", "")
    again = ("judged_orders", "quarantine_orders", "silver_order_lines")
    orders.build("--full-refresh", "--select", *again, *NO_TESTS)
    assert places(orders) == {(1, "new"): 2, (1, "rejudged"): 1}
