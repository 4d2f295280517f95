"""Any order of arrival, and any split into files and batches, of the same records gives the same silver and gold.

Hypothesis draws the histories (`histories.py`), the same ones for a seed. A build takes seconds however few records it
has, so all histories of a test share one sequence of builds, and hypothesis cannot shrink: it draws, and the test runs
what was drawn. Instead histories are small, and of all that went wrong the one with the fewest records is told, with
the texts of its records by build and file; its tag, `h<history>a<arrival>`, is in all its keys.
`histories(count, seed)` gives the same ones again.

MEDALLION_HISTORIES is how many histories the soak test tries.
"""

from __future__ import annotations

import math
import os
import re
import shutil
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from conftest import NO_TESTS, ROOT, Lake
from histories import BUILDS, COLUMNS, History, Landed, drop, histories, landed, places, truth
from lakes import different_tables
from truth import plain

pytestmark = pytest.mark.engines("sail")

TOGETHER = 60  # histories that share a lake
QUICKLY = (*NO_TESTS, "--exclude-resource-type", "snapshot")
CUSTOMERS = "models/gold/dim_customers.sql"
PRODUCTS = "models/gold/product_history.sql"
# name: (file, text, what stands there instead, the first table that is wrong, or the place of the row ledger)
MUTANTS = {
    "an equal version replaces": ("macros/ledger/places.sql", "' > '", "' >= '", "superseded"),
    "an equal line is kept": (
        "models/silver/judged/judged_orders.sql",
        "'quantity', 'invoiced_at'",
        "'quantity', 'record_number', 'invoiced_at'",
        "silver_order_lines",
    ),
    "the first change holds": ("models/silver/silver_customers.sql", "latest(", "deduplicate(", "silver_customers"),
    "the last batch holds": (
        "models/silver/silver_customers.sql",
        "['sequence']",
        "['batch_id']",
        "silver_customers",
    ),
    "periods by the clock": (CUSTOMERS, "order by sequence", "order by updated_at", "dim_customers"),
    "periods by text": (CUSTOMERS, "order by sequence", "order by string(sequence)", "dim_customers"),
    "periods backwards": (CUSTOMERS, "lead(", "lag(", "dim_customers"),
    "a deleted customer stays": (CUSTOMERS, "where {{", "where operation <> 'delete' and {{", "dim_customers"),
    "a version begins too early": (CUSTOMERS, "max(updated_at)", "max_by(updated_at, sequence)", "dim_customers"),
    "a version of no time stays": (CUSTOMERS, "valid_to > valid_from", "valid_to >= valid_from", "dim_customers"),
    "a delete is as good as an update": (
        "models/silver/silver_customer_changes.sql",
        "'is_delete', 'record_hash'",
        "'record_hash'",
        "silver_customer_changes",
    ),
    "an event lies within the pruned days": (
        "macros/materializations/write.sql",
        "if outside",
        "if false",
        "silver_web_events",
    ),
    "an absence is no end": (PRODUCTS, "seen.extract_number - row", "0 * row", "product_history"),
    "a version lasts to its last listing": (PRODUCTS, "max(next_extract_at)", "max(extract_at)", "product_history"),
    "a listing in quarantine is an absence": (
        "models/silver/silver_product_sightings.sql",
        "unreadable_reason is null",
        "size(violated_rules) = 0",
        "silver_product_sightings",
    ),
    "the last extract is the last batch": (
        "models/silver/silver_products.sql",
        "['extracted_at']",
        "['batch_id', 'extracted_at']",
        "silver_products",
    ),
    "gold forgets the old day": (
        "macros/gold/touched.sql",
        "'(select before.*",
        "'(select after.*",
        "daily_user_activity",
    ),
}


def rows(lake: Lake, table: str) -> Counter:
    """The rows of a table, as the oracle writes them."""
    columns = COLUMNS[table].split()

    def as_told(value: Any) -> Any:
        return tuple(as_told(item) for item in value) if isinstance(value, (list, tuple)) else plain(value)

    layer, name = table.split(".")
    return Counter(as_told(row) for row in lake.sql(f"select {', '.join(columns)} from {{{layer}}}.{name}"))


def story(arrived: list[Landed], wrong: Counter) -> str:
    """Of the histories whose rows are wrong, the one with the fewest records, as it arrived."""
    sizes = Counter(tag for it in arrived for tag in tags(it.record.text))
    found = {tag for row in wrong for tag in tags(str(row))}
    if not found:
        return "(the rows name no history)"
    tag = min(found, key=lambda it: (sizes[it], it))
    lines = [f"build {it.build}, file {it.file}: {it.record.text}" for it in arrived if tag in tags(it.record.text)]
    return "\n".join([f"{tag}, the smallest of {len(found)}:", *lines])


def tags(text: str) -> set[str]:
    return set(re.findall(r"h\d+a\d+", text))


def differences(lake: Lake, arrived: list[Landed]) -> str:
    """What the tables hold otherwise than the oracle says, with the smallest history of it; empty when nothing."""
    told, wrong = [], Counter()
    for table, expected in truth(it.record for it in arrived).items():
        actual = rows(lake, table)
        missing, unexpected = expected - actual, actual - expected
        wrong += missing + unexpected
        if missing:
            told.append(f"{table}: {missing.total()} rows missing, for instance {min(missing, key=repr)}")
        if unexpected:
            told.append(f"{table}: {unexpected.total()} rows too many, for instance {min(unexpected, key=repr)}")
    return "\n".join([*told, story(arrived, wrong)]) if told else ""


def broken_periods(lake: Lake) -> list[str]:
    """Customers and products with a gap or an overlap, or not exactly one current row while they live."""
    changes, versions = defaultdict(list), defaultdict(list)
    for customer, sequence, operation, *_ in rows(lake, "silver.silver_customer_changes"):
        changes[customer].append((sequence, operation == "delete"))
    for customer, sequence, _, _, _, begin, end, is_current in rows(lake, "gold.dim_customers"):
        versions[customer].append((begin, end or "9999", sequence, is_current))
    found = []
    for customer, told in changes.items():
        deletes = [sequence for sequence, is_delete in told if is_delete]
        found += _broken(
            customer,
            versions[customer],
            lives=not max(told)[1],
            gap=lambda before, after, deletes=deletes: any(before[2] < sequence < after[2] for sequence in deletes),
        )
    sightings, listed, products = defaultdict(set), set(), defaultdict(list)
    for product, extracted_at in rows(lake, "silver.silver_product_sightings"):
        sightings[product].add(extracted_at)
    for product, *_ in rows(lake, "silver.silver_products"):
        listed.add(product)
    for product, _, _, _, begin, end, is_current in rows(lake, "gold.product_history"):
        products[product].append((begin, end or "9999", None, is_current))
    newest = max((at for times in sightings.values() for at in times), default=None)
    for product, times in sightings.items():
        found += _broken(
            product,
            products[product],
            lives=newest in times and product in listed,
            gap=lambda before, after, times=times: not any(before[1] <= at < after[0] for at in times),
        )
    strangers = {key for key, told in (versions | products).items() if told} - changes.keys() - sightings.keys()
    return found + [f"{key}: versions of nothing" for key in strangers]


def _broken(key: str, versions: list[tuple], lives: bool, gap: Callable[[tuple, tuple], bool]) -> list[str]:
    """What is wrong with the versions (begin, end, ..., is_current) of a key; `gap` tells whether there may be one."""
    found = []
    if sum(is_current for *_, is_current in versions) != lives:
        found.append(f"{key}: not one current row, or one of a key that does not live")
    found += [f"{key}: empty at {begin}" for begin, end, *_ in versions if begin >= end]
    for before, after in pairwise(sorted(versions, key=lambda version: version[:2])):
        if before[1] > after[0] or (before[1] < after[0] and not gap(before, after)):
            found.append(f"{key}: gap or overlap at {after[0]}")
    return found


def try_histories(new_lake: Any, drawn: list[History]) -> str:
    """Let histories arrive in a lake build by build, and all at once in another one; returns how many were tried."""
    arrived = landed(drawn)
    arrivals = {(number, *places) for number, history in enumerate(drawn) for places in history.arrivals}
    assert len(arrivals) == sum(len(history.arrivals) for history in drawn)

    # a list of all keys however many: gold must not take the way out of computing everything again
    scattered = new_lake("scattered", variables={"max_touched_keys": 100_000})
    for build in range(BUILDS):
        drop(scattered, [it for it in arrived if it.build == build], f"build{build}")
        scattered.build(*QUICKLY)
        so_far = [it for it in arrived if it.build <= build]
        if found := differences(scattered, so_far):
            raise AssertionError(f"After build {build}:\n{found}")
        told = scattered.sql("select source, place, sum(record_count) from {ops}.row_ledger group by source, place")
        assert Counter({(source, place): count for source, place, count in told}) == places(so_far)
        assert broken_periods(scattered) == []

    at_once = new_lake("once")
    drop(at_once, arrived, "all")
    at_once.build(*QUICKLY)
    assert different_tables(at_once, scattered) == []
    return f"{len(drawn)} histories in {len(arrivals)} arrivals, {len(arrived)} records, {BUILDS} builds"


def test_any_order_of_arrival_gives_the_same_tables(new_lake):
    print("\n" + try_histories(new_lake, histories(TOGETHER, 0)))


@pytest.mark.soak
def test_more_histories(new_lake):
    wanted = int(os.environ.get("MEDALLION_HISTORIES", "600"))
    for number in range(1, math.ceil(wanted / TOGETHER) + 1):
        print(f"\nseed {number}: " + try_histories(new_lake, histories(TOGETHER, number)))


@pytest.mark.soak
@pytest.mark.parametrize("number", range(101, 105))
def test_a_long_history_that_has_a_lake_of_its_own(new_lake, number):
    """Alone no other history widens the days of a MERGE, or touches the day or key that gold forgot."""
    longest = max(histories(TOGETHER, number), key=lambda it: len(it.facts))
    alone = replace(longest, arrivals=longest.arrivals[:1])
    print("\n" + try_histories(new_lake, [alone]))


@pytest.mark.soak
@pytest.mark.parametrize("name", MUTANTS)
def test_a_broken_model_is_found_out(new_lake, tmp_path, name):
    file, old, new, table = MUTANTS[name]
    broken = tmp_path / "project"
    shutil.copytree(ROOT, broken, ignore=shutil.ignore_patterns(".*", "target", "logs", "tests", "docs"))
    text = (broken / file).read_text()
    assert old in text
    (broken / file).write_text(text.replace(old, new))

    def try_seeds() -> None:
        for seed in range(3):  # not every seed has what a mutant goes wrong with
            try_histories(partial(new_lake, project_dir=broken), histories(TOGETHER, seed))

    with pytest.raises(AssertionError, match=rf"After build \d:\n\w+\.{table}: |'{table}'\)"):
        try_seeds()
