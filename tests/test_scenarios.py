"""Whole-project scenarios: the tables equal what the generator knows, however the files arrive."""

from __future__ import annotations

import pytest
from conftest import ENGINE, NO_TESTS
from lakes import DAYS, SEEDS, different_tables, drop
from truth import differences, read_truth


@pytest.mark.skipif(ENGINE == "spark", reason="on Spark test_engines.py does this, in turns with Sail, which is faster")
@pytest.mark.parametrize("seed", [SEEDS[0], *(pytest.param(seed, marks=pytest.mark.soak) for seed in SEEDS[1:])])
def test_one_drop_and_daily_drops_give_the_same_rows(new_lake, seed):
    at_once = new_lake("once")
    drop(at_once, seed, 0, 30)
    at_once.build(*NO_TESTS)
    assert differences(at_once, read_truth(at_once.landing)) == {}

    # the cuts fall between the days on which the feeds change, a file is replayed and an event moves to another day
    daily = new_lake("daily")
    for first, last in DAYS:
        drop(daily, seed, first, last)
        daily.build(*NO_TESTS)
        assert differences(daily, read_truth(daily.landing)) == {}, f"after day {last}"
    assert different_tables(at_once, daily) == []


@pytest.mark.soak
@pytest.mark.parametrize("seed", SEEDS)
def test_thirty_daily_drops_give_the_truth_after_each(new_lake, seed):
    lake = new_lake(f"soak{seed}")
    for day in range(30):
        drop(lake, seed, day, day + 1)
        lake.build(*NO_TESTS)
        assert differences(lake, read_truth(lake.landing)) == {}, f"after day {day + 1}"


@pytest.fixture(scope="module")
def demo(new_lake):
    """A lake with ten days of demo data, built with all tests."""
    lake = new_lake("demo")
    drop(lake, 7, 0, 10, days=10)
    lake.build()
    return lake


def test_a_run_without_new_files_commits_nothing(demo):
    before = demo.versions()
    assert len(before) > 25
    demo.build()
    assert demo.versions() == before


def test_status_and_upkeep_know_every_table(demo):
    result = demo.dbt("show", "--inline", "{{ table_list() }}", "--limit", "-1")
    assert result.success, demo.explain(result)
    names = {f"{row['layer']}.{row['table_name']}" for row in result.result.results[0].agate_table.rows}
    assert names == demo.versions().keys()


def test_bare_gold_selection_builds(demo):
    before = demo.versions()
    demo.build("--select", "tag:gold")
    assert demo.versions() == before


@pytest.mark.engines("sail", in_soak="spark")
def test_a_full_refresh_gives_the_same_tables_and_leaves_bronze_alone(demo):
    before = demo.versions()
    demo.build("--full-refresh", *NO_TESTS)
    after = demo.versions()
    assert differences(demo, read_truth(demo.landing)) == {}
    assert {name for name in before if before[name] == after[name]} >= {n for n in before if n.startswith("bronze.")}


@pytest.mark.engines("sail", in_soak="spark")
def test_a_new_rate_reaches_the_gold_of_its_day(demo, tmp_path):
    """Gold follows its seeds as well: a table computed from an old rate would be wrong without a word."""
    rates = demo.table("silver.exchange_rates")
    day = "2026-01-06"
    [(before,)] = demo.sql(f"select marketplace_revenue from {{gold}}.daily_global_sales where sales_date = '{day}'")
    demo.sql(f"update {rates} set gbp_per_unit = gbp_per_unit * 2 where rate_date = '{day}'")
    demo.sql(f"delete from {rates} where rate_date = '2026-06-30'")
    demo.build("--select", "daily_global_sales", "exchange_rate_history", *NO_TESTS)
    [(after,)] = demo.sql(f"select marketplace_revenue from {{gold}}.daily_global_sales where sales_date = '{day}'")
    assert before > 0
    assert abs(after - 2 * before) < 0.01
    # the snapshot knows what the rate was, and that another one is gone
    versions = demo.sql(
        "select cast(rate_date as string), gbp_per_unit / min(gbp_per_unit) over (partition by rate_date), "
        "dbt_valid_to is null from {gold}.exchange_rate_history "
        f"where currency = 'EUR' and rate_date in ('{day}', '2026-06-30') order by rate_date, dbt_valid_from"
    )
    assert versions == [(day, 1, False), (day, 2, True), ("2026-06-30", 1, False)]


@pytest.mark.engines("sail", in_soak="spark")
def test_gold_rewrites_only_the_days_that_a_late_record_touches(new_lake):
    header = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
    line = "{},A1,THING,2,2026-01-{:02d} 10:00:00,1.50,17850.0,France\n"
    lake = new_lake("late")
    lake.drop_file("orders/1.csv", header + "".join(line.format(day, day) for day in range(1, 11)))
    select = ("--select", "+daily_sales_by_product", *NO_TESTS)
    lake.build(*select)
    lake.drop_file("orders/2.csv", header + line.format(100, 3) + line.format(4, 4))  # one late line, one known
    lake.build(*select)
    assert lake.sql("select cast(sales_date as string), units from {gold}.daily_sales_by_product where units <> 2") == [
        ("2026-01-03", 4)
    ]
    write = [c for c in lake.commits("gold.daily_sales_by_product") if c["operation"] == "WRITE"][-1]
    assert write["operationParameters"]["predicate"].count("2026-01-") == 1
