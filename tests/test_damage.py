"""A table whose files are gone or cut off: the message names the table and a command, and the command heals it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from conftest import NO_TESTS, Lake
from lakes import HEADER, clone, contents, differences, line

from medallion import errors

pytestmark = pytest.mark.engines("sail", in_soak="spark")

ORDERS = ("--select", "+silver_order_lines", *NO_TESTS)


def data_files(table: Path) -> list[Path]:
    return list(table.glob("*.parquet"))


def commits(table: Path) -> list[Path]:
    return sorted((table / "_delta_log").glob("*.json"))


def cut_off(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


DAMAGES = {
    "data files that are gone": lambda table: [file.unlink() for file in data_files(table)],
    "data files that are cut off": lambda table: [cut_off(file) for file in data_files(table)],
    "a commit that is gone": lambda table: commits(table)[1].unlink(),
    "a commit that is cut off": lambda table: cut_off(commits(table)[-1]),
}


@pytest.fixture(scope="module")
def undamaged(new_lake) -> Lake:
    lake = new_lake("undamaged")
    for number in "12":
        lake.drop_file(f"orders/{number}.csv", HEADER + line(number))
        lake.build(*ORDERS)
    lake.drop_file("orders/3.csv", HEADER + line("1") + line("3"))  # the first one again: the table has to be read
    return lake


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_table_is_named_with_what_heals_it(undamaged, new_lake, damage):
    lake = clone(undamaged, new_lake)
    name = lake.table("silver.silver_order_lines")
    damage(lake.path("silver.silver_order_lines"))
    result = lake.dbt("build", *ORDERS)
    assert not result.success
    [sentence] = {errors.damaged(text) for text in messages(result)} - {None}
    assert f"of {name} is gone or broken" in sentence

    for folder in re.findall(r"delete the folder (\S+)", sentence):
        shutil.rmtree(lake.path("silver.x").parents[1] / folder)
    advice = re.search(r"medallion build(.*)[.]$", sentence)[1].replace("silver_order_lines+", "silver_order_lines")
    lake.build(*(advice.split() or ORDERS), *NO_TESTS)  # without what hangs on it, of which nothing is built here
    lake.build(*ORDERS)
    healthy = clone(undamaged, new_lake)
    healthy.build(*ORDERS)
    assert differences(rows(lake), rows(healthy)) == {}


def messages(result) -> list[str]:
    return [str(result.exception)] if result.exception else [node.message or "" for node in result.result.results]


def rows(lake: Lake) -> dict:
    found = contents(lake.path("silver.x").parents[1], lake.prefix)
    return {name: found[name] for name in ("silver.silver_order_lines", "silver.quarantine_orders", "ops.row_ledger")}
