"""Two engines, one lake: Spark and Sail give the same rows, alone and in turns."""

from __future__ import annotations

import shutil

import pytest
from conftest import NO_TESTS, REAL_DATA
from lakes import DAYS, SEEDS, different_tables, drop
from truth import differences, read_truth

pytestmark = pytest.mark.engines("spark")


def test_engines_take_turns_on_one_lake(new_lake, on_sail):
    """Spark begins, Sail goes on, Spark ends; all in one drop on Spark gives the same."""
    alone = new_lake("spark")
    drop(alone, SEEDS[0], 0, 30)
    alone.build(*NO_TESTS)
    assert differences(alone, read_truth(alone.landing)) == {}

    turns = new_lake("turns")
    for lake, (first, last) in zip((turns, on_sail(turns), turns), DAYS, strict=True):
        drop(lake, SEEDS[0], first, last)
        before = lake.versions()
        lake.build(*NO_TESTS)
        # nobody begins anew what the other one left
        assert all(lake.versions()[name] > version for name, version in before.items() if name.startswith("bronze."))
        assert all(len(lake.commits(name)) == lake.version(name) + 1 for name in before)
    assert differences(turns, read_truth(turns.landing)) == {}
    assert different_tables(alone, turns) == []

    before = turns.versions()
    on_sail(turns).build(*NO_TESTS)
    turns.build(*NO_TESTS)
    assert turns.versions() == before


@pytest.mark.soak
def test_spark_goes_on_where_sail_began(new_lake, on_sail):
    lake = new_lake("begun")
    drop(lake, SEEDS[0], 0, 5, days=10)
    on_sail(lake).build(*NO_TESTS)
    drop(lake, SEEDS[0], 5, 10, days=10)
    lake.build(*NO_TESTS)
    assert differences(lake, read_truth(lake.landing)) == {}


@pytest.mark.soak
@pytest.mark.parametrize("seed", SEEDS[1:])
def test_spark_at_once_and_sail_day_by_day_give_the_same_rows(new_lake, on_sail, seed):
    spark, sail = new_lake(f"spark{seed}"), on_sail(new_lake(f"sail{seed}"))
    drop(spark, seed, 0, 30)
    spark.build(*NO_TESTS)
    for first, last in DAYS:
        drop(sail, seed, first, last)
        sail.build(*NO_TESTS)
    assert differences(spark, read_truth(spark.landing)) == {}
    assert different_tables(spark, sail) == []


@pytest.mark.soak
@pytest.mark.skipif(not REAL_DATA.exists(), reason="the real data is not beside this checkout")
def test_both_engines_give_the_same_rows_of_the_real_data(new_lake, on_sail):
    spark, sail = new_lake("realspark"), on_sail(new_lake("realsail"))
    for lake in (spark, sail):
        shutil.copytree(REAL_DATA, lake.landing / "orders", ignore=shutil.ignore_patterns("*.md"))
        lake.build(*NO_TESTS)
    assert different_tables(spark, sail) == []
