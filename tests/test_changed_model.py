"""A changed project on a living lake: a table knows how it was made, and no old row stays without a word."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import NO_TESTS, ROOT, Lake
from lakes import unbalanced

from medallion.generate import generate

pytestmark = pytest.mark.engines("sail", in_soak="spark")

SELECT = ("--select", "+daily_sales_by_product", "+sales_by_region", *NO_TESTS)
GOLD = Path("models/gold/daily_sales_by_product.sql")
# of daily_sales_by_product in its YAML
CONFIG = """\
    config:
      meta:
        why:
          silver_order_lines: cast(invoiced_at as date) = gold.sales_date and product_id"""
SALES = "select sum(units), sum(net_revenue) from {gold}.daily_sales_by_product"


@pytest.fixture
def living(new_lake, tmp_path: Path) -> Lake:
    """A lake built twice by a copy of the project, which the tests may change."""
    project = tmp_path / "project"
    shutil.copytree(ROOT, project, ignore=shutil.ignore_patterns(".*", "target", "logs", "tests", "docs", "benchmarks"))
    lake = replace(new_lake("changed"), project_dir=project)
    for day in (1, 2):
        generate(lake.landing, seed=3, days=3, events=100, from_day=day - 1, to_day=day)
        lake.build(*SELECT)
    return lake


def edit(lake: Lake, path: str | Path, old: str, new: str) -> None:
    file = lake.project_dir / path
    text = file.read_text()
    assert old in text, f"{path} has no {old}"
    file.write_text(text.replace(old, new, 1))


def test_changed_sql_is_computed_again_for_all_rows(living: Lake):
    [(units, revenue)] = living.sql(SALES)
    edit(living, GOLD, "sum(quantity) as units", "sum(quantity) * 2 as units")
    living.build(*SELECT)
    assert living.sql(SALES) == [(2 * units, revenue)]
    versions = living.versions()
    edit(living, GOLD, "with sales as (", "-- only a comment, and another layout\nwith   sales\nas (")
    living.build(*SELECT)
    assert living.versions() == versions, "layout is no change"


def test_a_changed_model_can_be_told_to_stop(living: Lake):
    edit(living, "models/gold/_gold.yml", CONFIG, CONFIG.replace("why:", "when_model_changes: stop\n        why:"))
    living.build(*SELECT)
    before = living.version("gold.daily_sales_by_product"), living.sql(SALES)
    edit(living, GOLD, "sum(quantity) as units", "sum(quantity) * 2 as units")
    result = living.dbt("build", *SELECT)
    message = next(r.message for r in result.result.results if r.node.name == "daily_sales_by_product")
    assert "dbt build --full-refresh --select daily_sales_by_product" in message
    assert (living.version("gold.daily_sales_by_product"), living.sql(SALES)) == before
    living.build(*SELECT, "--full-refresh")
    assert living.sql(SALES)[0][0] == 2 * before[1][0][0]


def test_a_new_column_is_in_every_row(living: Lake):
    edit(living, GOLD, "count(*) as order_line_count", "count(*) as order_line_count,\n        max(quantity) as most")
    edit(living, "models/gold/_gold.yml", CONFIG, CONFIG.replace("meta:", "contract: {enforced: false}\n      meta:"))
    living.build(*SELECT)
    assert living.sql("select count(*) from {gold}.daily_sales_by_product where most is null") == [(0,)]
    assert living.sql("select count(*) > 0 from {gold}.daily_sales_by_product") == [(True,)]


def test_a_new_rule_judges_old_records_too(living: Lake):
    [(bad,)] = living.sql("select count(*) from {silver}.silver_order_lines where quantity > 3")
    [(kept,)] = living.sql("select count(*) from {silver}.silver_order_lines where quantity <= 3")
    [(waiting,)] = living.sql("select count(*) from {silver}.quarantine_orders")
    assert bad
    rules = "models/silver/judged/_judged.yml"
    edit(living, rules, "          quantity_valid: quantity is not null\n", (
        "          quantity_valid: quantity is not null\n          quantity_small: quantity is null or quantity <= 3\n"
    ))  # fmt: skip
    living.build(*SELECT)
    assert living.sql("select count(*) from {silver}.silver_order_lines") == [(kept,)]
    assert living.sql("select count(*) from {silver}.quarantine_orders")[0][0] >= waiting + bad
    assert living.sql("select sum(units) from {gold}.daily_sales_by_product where units > 3 * order_line_count") == [
        (None,)
    ]
    assert unbalanced(living.path("silver.x").parents[1], living.prefix) == []


def test_a_changed_seed_reaches_every_table_that_reads_it(living: Lake):
    edit(living, "seeds/countries.csv", "United Kingdom,", "United Kingdom,Atlantis ")
    living.build(*SELECT)
    regions = living.sql("select distinct region from {gold}.sales_by_region where country = 'United Kingdom'")
    assert len(regions) == 1
    assert regions[0][0].startswith("Atlantis")


def test_a_changed_seed_of_a_rule_judges_old_records_too(living: Lake):
    select = ("--select", "+silver_web_events", *NO_TESTS)
    living.build(*select)
    searches = "select count(*) from {silver}.silver_web_events where event_type = 'search'"
    [(found,)] = living.sql(searches)
    [(waiting,)] = living.sql("select count(*) from {silver}.quarantine_web_events")
    assert found
    edit(living, "seeds/event_types.csv", "search,The shop was searched; outside the funnel\n", "")
    living.build(*select)
    assert living.sql(searches) == [(0,)]
    assert (
        living.sql("select count(*) from {silver}.quarantine_web_events")[0][0] >= waiting + found
    )  # repeated ones too


def test_a_key_that_was_changed_and_taken_back_leaves_no_trace(living: Lake):
    """This model's SQL does not name its key: under another one, known products of a new extract are left out."""
    select = ("--select", "+silver_product_sightings", *NO_TESTS)
    living.build(*select)
    model, key, other = "models/silver/silver_product_sightings.sql", "['product_id', 'extracted_at']", "['product_id']"
    edit(living, model, f"unique_key={key}", f"unique_key={other}")
    generate(living.landing, seed=3, days=3, events=100, from_day=2, to_day=3)
    living.build(*select)
    edit(living, model, f"unique_key={other}", f"unique_key={key}")
    living.build(*select)
    found = sorted(living.sql("select * from {silver}.silver_product_sightings"))
    living.build(*select, "--full-refresh")
    assert found == sorted(living.sql("select * from {silver}.silver_product_sightings"))
    assert len({extract for _, extract in found}) == 3


def test_a_lake_of_an_older_version_is_made_anew(living: Lake):
    """Its keys may have been made otherwise, and all that is known is that it does not name today's model."""
    table = living.table("silver.silver_order_lines")
    living.spark.sql(f"alter table {table} set tblproperties ('medallion.made_by' = 'another key')").collect()
    before = living.version("silver.silver_order_lines")
    living.build(*SELECT)
    assert living.version("silver.silver_order_lines") > before + 1
