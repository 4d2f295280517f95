"""A build beside OPTIMIZE, ZORDER and VACUUM of the tables that it writes."""

from __future__ import annotations

import json
import re
import threading

import pytest
from conftest import ENGINE, NO_TESTS, TARGET, Lake
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError
from lakes import different_tables, unbalanced

from medallion.errors import CONFLICT
from medallion.generate import generate
from medallion.shell import Dbt

KEYS = {"silver.silver_order_lines": "order_line_id", "gold.daily_sales_by_product": "product_id"}
SELECT = ["--select", *(f"+{name.split('.')[1]}" for name in KEYS)]


class Upkeep(threading.Thread):
    """Sorts and cleans the tables once a build has begun to write; over before the build could lose each time."""

    def __init__(self, lake: Lake, rounds: int) -> None:
        super().__init__(daemon=True)
        self.lake = lake
        self.rounds = rounds
        self.before = lake.version("bronze.bronze_orders")
        self.problem: Exception | None = None
        self.over = threading.Event()

    def run(self) -> None:
        while self.lake.version("bronze.bronze_orders") == self.before and not self.over.wait(0.05):
            pass
        for name, key in [*KEYS.items()] * self.rounds:
            if self.over.wait(0.1):
                return
            try:
                self.sort_and_clean(name, key)
            except Exception as problem:
                if not isinstance(problem, CommitFailedError) and not re.search(CONFLICT, str(problem)):
                    self.problem = problem
                    return

    def sort_and_clean(self, name: str, key: str) -> None:
        if ENGINE == "spark":
            self.lake.spark.sql(f"optimize {self.lake.table(name)} zorder by ({key})").collect()
            self.lake.spark.sql(f"vacuum {self.lake.table(name)}").collect()
        else:
            table = DeltaTable(str(self.lake.path(name)))
            table.optimize.z_order([key])
            table.vacuum(dry_run=False)


def build(lake: Lake) -> int:
    """As `medallion build` does."""
    variables = json.dumps({"schema_prefix": lake.prefix, "landing_root": str(lake.landing)})
    places = ["--target", TARGET, "--target-path", str(lake.target_path), "--log-path", str(lake.target_path / "logs")]
    return Dbt([*SELECT, *NO_TESTS, "--quiet", *places, "--vars", variables]).run("build")


@pytest.mark.parametrize(
    ("days", "rounds"),
    [
        pytest.param(3, 25, marks=pytest.mark.engines("sail")),
        pytest.param(2, 40, marks=[pytest.mark.engines("spark"), pytest.mark.soak]),
    ],
)
def test_nothing_is_lost_beside_upkeep(new_lake, days, rounds):
    busy, quiet = new_lake("busy"), new_lake("quiet")
    for day in range(days):
        for lake in (busy, quiet):
            generate(lake.landing, seed=7, days=days, events=1500, from_day=day, to_day=day + 1)
        if day == 0:
            assert build(busy) == 0
            continue
        upkeep = Upkeep(busy, rounds)
        upkeep.start()
        assert build(busy) == 0
        upkeep.over.set()
        upkeep.join(timeout=60)
        assert upkeep.problem is None
    assert build(quiet) == 0

    assert different_tables(busy, quiet, KEYS) == []
    assert unbalanced(busy.path("silver.x").parents[1], busy.prefix) == []
    for name in KEYS:
        assert "OPTIMIZE" in {commit["operation"] for commit in busy.commits(name)}
