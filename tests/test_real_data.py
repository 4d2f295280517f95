"""Seven months of a real shop, in three portions: every figure as counted without Spark (shared/data/README.md)."""

from __future__ import annotations

import shutil
from decimal import Decimal

import pytest
from conftest import REAL_DATA, delta_rs
from deltalake import DeltaTable

pytestmark = [
    pytest.mark.engines("sail", in_soak="spark"),
    pytest.mark.skipif(not REAL_DATA.exists(), reason="the real data is not beside this checkout"),
]

BUILD = ("--exclude-resource-type", "unit_test")


@pytest.fixture(scope="module")
def shop(new_lake):
    """The real orders after three portions and a build after each; versions before and after a fourth, empty one."""
    lake = new_lake("real")
    (lake.landing / "orders").mkdir(parents=True)
    files = sorted(REAL_DATA.glob("*.csv"))
    third = len(files) // 3
    for portion in (files[:third], files[third : 2 * third], files[2 * third :]):
        for file in portion:
            shutil.copy(file, lake.landing / "orders")
        lake.build(*BUILD)
    lake.before = lake.versions()
    lake.build(*BUILD)
    return lake


def test_a_fourth_build_without_new_files_commits_nothing(shop):
    assert shop.versions() == shop.before


def test_records_and_duplicates(shop):
    [(landed,)] = shop.sql("select count(*) from {bronze}.bronze_orders")
    [(lines, cancellations, guests, units)] = shop.sql(
        "select count(*), count_if(is_cancellation), count_if(is_guest), sum(quantity) from {silver}.silver_order_lines"
    )
    assert (landed, landed - lines) == (245_903, 2_012)
    assert (cancellations, guests, units) == (4_473, 68_988, 2_286_692)
    assert shop.sql("select count(*) from {silver}.quarantine_orders") == [(0,)]


def test_the_row_ledger_balances(shop):
    query = "select place, sum(record_count) from {ops}.row_ledger where source = 'orders' group by place"
    places = {place: int(count) for place, count in shop.sql(query)}
    assert places.pop("new") == 243_891
    assert places.keys() <= {"duplicate", "unchanged"}
    assert sum(places.values()) == 2_012


def test_revenue_to_the_last_digit(shop):
    total = Decimal("4388651.731")
    assert shop.sql("select sum(net_revenue) from {gold}.daily_sales_by_product") == [(total,)]
    assert shop.sql("select sum(net_revenue) from {gold}.sales_by_region") == [(total,)]
    assert shop.sql("select sum(net_revenue) from {gold}.daily_global_sales") == [(total,)]
    assert shop.sql("select count(*) from {gold}.daily_sales_by_product") == [(136_286,)]
    assert shop.sql("select count(*), max(net_revenue) from {gold}.daily_global_sales") == [(167, Decimal("70531.47"))]


def test_countries_and_customers(shop):
    countries = dict(shop.sql("select country, sum(net_revenue) from {gold}.sales_by_region group by 1"))
    assert len(countries) == 37
    assert countries["United Kingdom"] == Decimal("3663322.181")
    assert countries["Netherlands"] == Decimal("139749.77")
    assert countries["EIRE"] == Decimal("104675.90")
    customers = dict(shop.sql("select customer_id, net_revenue from {gold}.customer_lifetime_value"))
    assert len(customers) == 3_002
    assert customers["14646"] == Decimal("135957.11")
    assert customers["18102"] == Decimal("106443.34")
    assert customers["12415"] == Decimal("73717.01")


def test_delta_rs_reads_the_same_sums(shop):
    total = Decimal("4388651.731")
    lines = delta_rs(shop.path("silver.silver_order_lines"), "select sum(net_amount), sum(quantity) from t")
    assert lines == [(total, 2_286_692)]
    sales = delta_rs(shop.path("gold.daily_sales_by_product"), "select count(*), sum(net_revenue) from t")
    assert sales == [(136_286, total)]
    tables = [name for name in shop.versions() if name.startswith(("silver.", "gold."))]
    assert len(tables) > 20
    for name in tables:
        numbers = [
            field.name
            for field in DeltaTable(str(shop.path(name))).schema().fields
            if str(getattr(field.type, "type", "")).startswith(("decimal", "integer", "long"))
        ]
        sums = ", ".join(["count(*)", *[f"cast(sum({number}) as string)" for number in numbers]])
        by_engine = shop.sql(f"select {sums} from {shop.table(name)}")
        assert delta_rs(shop.path(name), f"select {sums} from t") == by_engine, name
