"""Quarantine is a waiting room: after a change of the rules its records are judged again."""

from __future__ import annotations

import json
import shutil
from collections import Counter

import pytest
from conftest import NO_TESTS, ROOT, Lake
from lakes import HEADER, different_tables, drop

pytestmark = pytest.mark.engines("sail")

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


def rule_results(lake: Lake) -> Counter:
    """Records that broke a rule, by source, batch, rule and severity."""
    rows = lake.sql("select source, batch_id, rule, severity, record_count from {ops}.rule_results")
    found: Counter = Counter()
    for *key, count in rows:
        found[tuple(key)] += count
    return Counter({key: count for key, count in found.items() if count})


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
    assert rule_results(lake) == rule_results(right)

    versions = [lake.version(f"ops.{table}") for table in ("row_ledger", "rule_results")]
    assert lake.dbt(*REPLAY).success
    assert different_tables(right, lake) == []
    assert [lake.version(f"ops.{table}") for table in ("row_ledger", "rule_results")] == versions


GOOD = "1,A{},THING,2,2026-01-01 10:00:00,1.50,17850,France\n"
BAD = "1,A{},THING,two,2026-01-01 10:00:00,1.50,17850,France\n"


def orders(good: int, bad: int) -> str:
    return HEADER + "".join(GOOD.format(n) for n in range(good)) + "".join(BAD.format(n) for n in range(bad))


@pytest.mark.engines("spark")  # the others tell more, on Sail
def test_records_are_counted_and_discarded_on_spark_too(lake):
    lake.drop_file("orders/1.csv", orders(2, 3))
    lake.build("--select", "+silver_order_lines", *NO_TESTS)
    assert waiting(lake) == [("quantity_valid", 3)]
    assert discard(lake, rule="quantity_valid")
    assert waiting(lake) == []
    assert ledger(lake, "%") == {("orders", 1, None): 2, ("orders", 1, "quantity_valid"): 3}


def test_a_batch_with_too_many_bad_records_stops_before_gold(lake, tmp_path):
    project = tmp_path / "project"
    shutil.copytree(ROOT, project, ignore=shutil.ignore_patterns(".*", "target", "logs", "tests", "docs"))
    judged = project / "models" / "silver" / "judged" / "_judged.yml"
    shipped = judged.read_text()

    def allow(share: str) -> None:
        place = "        rules:\n          invoice_no_present"
        limits = f"        fail_above: {{any: 0.9, quantity_valid: {share}}}\n"
        warning = place.replace("\n", "\n          price_high: {condition: unit_price > 2, severity: warn}\n")
        assert shipped.count(place) == 1
        judged.write_text(shipped.replace(place, limits + warning))

    build = ("build", "--select", "+daily_sales_by_product", *NO_TESTS)
    lake.project_dir = project
    allow("0.25")
    lake.drop_file("orders/1.csv", orders(3, 1))
    assert lake.dbt(*build).success
    before = lake.versions()

    lake.drop_file("orders/2.csv", orders(5, 2))
    for _ in range(2):
        result = lake.dbt(*build)
        [failed] = [r for r in result.result.results if r.status == "error"]
        assert (
            "Source orders, batch 2: 2 of 7 records break quantity_valid, more than the share of 0.25" in failed.message
        )
    # how often each rule was broken is known all the same, and once
    assert rule_results(lake) == {
        ("orders", batch, *rule): count
        for rule, counts in {("quantity_valid", "quarantine"): (1, 2), ("price_high", "warn"): (4, 7)}.items()
        for batch, count in enumerate(counts, 1)
    }

    # gold alone does not take the batch in either
    result = lake.dbt("build", "--select", "daily_sales_by_product", *NO_TESTS)
    assert "silver_order_lines holds batch 2, which its row ledger has not balanced" in lake.explain(result)
    for table in ("ops.row_ledger", "gold.daily_sales_by_product"):
        assert lake.version(table) == before[table]

    # given up, or allowed
    assert discard(lake, source_file="orders/2.csv")
    assert lake.version("ops.row_ledger") == before["ops.row_ledger"]
    assert lake.dbt(*build).success
    lake.drop_file("orders/3.csv", orders(5, 2))
    assert not lake.dbt(*build).success
    allow("0.3")
    assert lake.dbt(*build).success
    assert ledger(lake, "discarded") == {("orders", 2, "quantity_valid"): 2}
    assert ledger(lake, "quarantined") == {("orders", batch, "quantity_valid"): n for batch, n in ((1, 1), (3, 2))}
    assert lake.sql("select sum(record_count) from {ops}.row_ledger") == [(18,)]
    assert lake.sql("select units from {gold}.daily_sales_by_product order by product_id") == [(2,)] * 5


def discard(lake: Lake, **arguments: str) -> bool:
    given = {"source": "orders", "note": "it's 'test data'"} | arguments
    return lake.dbt("run-operation", "discard_records", "--args", json.dumps(given)).success


def waiting(lake: Lake) -> list[tuple]:
    """Records in quarantine by rule, as `medallion quarantine list` counts them."""
    query = "select rule, record_count from ({{ quarantine_summary('orders') }}) order by rule"
    result = lake.dbt("show", "--inline", query, "--limit", "-1")
    return [tuple(row) for row in result.result.results[0].agate_table.rows]


def test_discarded_records_wait_no_longer_and_stay_in_the_books(lake, tmp_path):
    project = tmp_path / "project"
    shutil.copytree(ROOT, project, ignore=shutil.ignore_patterns(".*", "target", "logs", "tests", "docs"))
    lake.project_dir = project
    dear = "1,A,THING,1,2026-01-01 10:00:00,60000,17850,France\n"
    build = ("build", "--select", "+silver_order_lines", *NO_TESTS)
    lake.drop_file("orders/1.csv", orders(2, 3) + dear)
    assert lake.dbt(*build).success
    lake.drop_file("orders/2.csv", orders(0, 4) + "too,few\n")
    assert lake.dbt(*build).success
    lake.drop_file("orders/3.csv", orders(0, 1))
    assert lake.dbt(*build).success
    landed = ledger(lake, "%").total()

    assert not discard(lake, note=" ")
    assert discard(lake, rule="quantity_valid", source_file="orders/1.csv")
    assert discard(lake, source_file="orders/3.csv")  # and the batch between stays as it is
    assert waiting(lake) == [("quantity_valid", 4), ("too_few_fields", 1), ("unit_price_within_bounds", 1)]
    assert ledger(lake, "discarded") == {("orders", 1, "quantity_valid"): 3, ("orders", 3, "quantity_valid"): 1}
    still = {("orders", 1, "unit_price_within_bounds"): 1, ("orders", 2, "quantity_valid"): 4}
    assert ledger(lake, "quarantined") == still
    assert sorted(lake.sql("select distinct source_file, note from {ops}.discarded_records")) == [
        ("orders/1.csv", "it's 'test data'"),
        ("orders/3.csv", "it's 'test data'"),
    ]
    assert lake.sql("select count(*) from {silver}.quarantine_orders") == [(10,)]

    # what a run left out that was killed between the two tables
    entries = "select 'orders', 2, 'orders/2.csv', 1, 'why', 'killed', current_timestamp()"
    lake.sql("insert into {ops}.discarded_records " + entries)
    assert discard(lake, rule="unit_price_within_bounds")
    assert discard(lake, rule="too_few_fields")
    expected = {
        ("orders", 1, "quantity_valid"): 3,
        ("orders", 1, "unit_price_within_bounds"): 1,
        ("orders", 2, "quantity_valid"): 1,
        ("orders", 2, "too_few_fields"): 1,
        ("orders", 3, "quantity_valid"): 1,
    }
    assert ledger(lake, "discarded") == expected
    assert ledger(lake, "unreadable") == {}
    assert waiting(lake) == [("quantity_valid", 3)]

    # repeated, and computed anew: nothing changes
    version = lake.version("ops.row_ledger")
    assert discard(lake, rule="too_few_fields")
    assert lake.dbt(
        "build", "--full-refresh", "--select", "judged_orders", "quarantine_orders", "silver_order_lines", *NO_TESTS
    ).success
    assert lake.version("ops.row_ledger") == version

    # the rules decide: what passes goes to silver, discarded or not
    judged = project / "models" / "silver" / "judged" / "_judged.yml"
    judged.write_text(judged.read_text().replace("unit_price <= 50000", "unit_price <= 90000"))
    assert lake.dbt(
        "build", "--full-refresh", "--select", "judged_orders", "quarantine_orders", "silver_order_lines", *NO_TESTS
    ).success
    del expected["orders", 1, "unit_price_within_bounds"]
    assert ledger(lake, "discarded") == expected
    assert ledger(lake, "rejudged") == {("orders", 1, None): 1}
    assert ledger(lake, "quarantined") == {("orders", 2, "quantity_valid"): 3}
    assert ledger(lake, "%").total() == landed
    assert lake.sql("select count(*) from {silver}.silver_order_lines where unit_price = 60000") == [(1,)]
