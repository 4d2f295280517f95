"""The row ledger: every landed record has exactly one named place, and a build that loses one fails."""

from __future__ import annotations

import shutil

import pytest
from conftest import ROOT, Lake
from test_scenarios import NO_TESTS
from truth import SILVER

from scripts.generate import generate

ALL = set(SILVER)
VERSIONED = ALL - {"orders"}
WINDOW = "macros/incremental/new_batches.sql"
MERGE = "macros/overrides/get_merge_sql.sql"
MODELS = "models/silver/silver_*.sql"
QUARANTINE = "macros/silver/quarantine.sql"
# name: (files, text, what stands there instead, sources that must be found out)
MUTANTS = {
    "window ends a batch early": (WINDOW, "<= {{ newest }}", "< {{ newest }}", ALL),
    "window starts a batch late": (WINDOW, "> {{ seen }}", "> {{ seen }} + 1", ALL),
    "window is always empty": (WINDOW, "seen >= newest", "seen > 0", ALL),
    "silver takes bad records": (MODELS, "size(violated_rules) = 0", "size(violated_rules) >= 0", ALL),
    "silver takes only bad records": (MODELS, "size(violated_rules) = 0", "size(violated_rules) > 0", ALL),
    "silver takes either": (MODELS, "(violated_rules) = 0 and", "(violated_rules) = 0 or", ALL),
    "silver loses a record": (MODELS, "from deduplicated", "from deduplicated where record_number > 1", ALL),
    "quarantine takes one rule only": (QUARANTINE, "> 0", "= 1", ALL),
    "quarantine takes nothing": (QUARANTINE, "> 0", "< 0", ALL),
    "quarantine takes everything": (QUARANTINE, "> 0", ">= 0", ALL),
    "an inner join": (
        "models/silver/judged/judged_*.sql",
        "left join",
        "inner join",
        {"web_events", "marketplace_orders"},
    ),
    "a second-best version": ("macros/silver/deduplicate.sql", "_rank = 1", "_rank = 2", ALL),
    "the oldest version": (MODELS, " desc'", " asc'", VERSIONED),
    "a key too narrow": (MODELS, "'judged', ['customer_id', 'sequence']", "'judged', 'customer_id'", {"customers"}),
    "a version is never updated": (
        MERGE,
        "when matched and",
        "when matched and false and",
        {"web_events", "marketplace_orders"},
    ),
    "a row is never inserted": (MERGE, "when not matched then", "when not matched and false then", ALL),
}


def clone(lake: Lake, new_lake) -> Lake:
    """The same tables under another prefix, in the same landing folder."""
    other = new_lake("mutant")
    warehouse = lake.path("silver.x").parents[1]
    for schema in warehouse.glob(f"{lake.prefix}*.db"):
        shutil.copytree(schema, warehouse / schema.name.replace(lake.prefix, other.prefix, 1))
    other.landing = lake.landing
    return other


@pytest.fixture(scope="module")
def lake(new_lake) -> Lake:
    """Ten days, built."""
    lake = new_lake("ledger")
    generate(lake.landing, seed=7, days=20, from_day=0, to_day=10)
    lake.build("--select", "+tag:silver", *NO_TESTS)
    return lake


@pytest.fixture(scope="module")
def second_batch(lake) -> Lake:
    """Ten days built, and ten more landed."""
    generate(lake.landing, seed=7, days=20, from_day=10, to_day=20)
    return lake


@pytest.mark.parametrize("name", MUTANTS)
def test_a_broken_predicate_is_found_out(second_batch, new_lake, tmp_path, name):
    files, old, new, sources = MUTANTS[name]
    broken = tmp_path / "project"
    shutil.copytree(ROOT, broken, ignore=shutil.ignore_patterns(".*", "target", "logs", "tests", "docs"))
    for file in broken.glob(files):
        file.write_text(file.read_text().replace(old, new))
    lake = clone(second_batch, new_lake)
    lake.project_dir = broken
    gold = lake.versions()
    result = lake.dbt("build", "--select", "+silver_*", "daily_sales_by_product", *NO_TESTS)
    assert not result.success
    failed = {r.node.name: r.message for r in result.result.results if r.status == "error"}
    assert set(failed) == {SILVER[source] for source in sources}
    for source in sources:
        assert f"Source {source}, batch 2: " in failed[SILVER[source]]
    assert {source for (source,) in lake.sql("select source from {ops}.row_ledger where batch_id = 2")} == ALL - sources
    if "orders" in sources:
        assert lake.versions().get("gold.daily_sales_by_product") == gold.get("gold.daily_sales_by_product")
