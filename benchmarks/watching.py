"""What `medallion watch` takes from a file that lands, or a model that is saved, to gold.

A process of its own, because it edits a model of the project whose `medallion` it imports: a copy.
"""

from __future__ import annotations

import json
import time
from functools import partial
from pathlib import Path

import click

from medallion import landing
from medallion.lake import ROOT
from medallion.shell import dbt_session
from medallion.watch import Watcher

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
LINE = "{number},85123A,WHITE HANGING HEART,2,2026-01-02 10:00:00,2.55,17850,United Kingdom\n"
EDITS = ("count(*) as event_count", "count(1) as event_count")


def resident_mb() -> float:
    """Memory of this process, the Sail server in it included."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


@click.command()
@click.option("--folder", type=click.Path(path_type=Path), help="The landing root.")
@click.option("--result", type=click.Path(path_type=Path), help="The JSON to write.")
@click.option("--repeats", default=5, help="Files dropped, and models saved.")
@click.option("--rounds", default=1_000, help="Looks that find nothing.")
def main(folder: Path, result: Path, repeats: int, rounds: int) -> None:
    """Seconds of each build, of a look that finds nothing, and the memory before and after many of them."""
    model = ROOT / "models/gold/daily_user_activity.sql"
    found: dict[str, list[float]] = {"file": [], "model": [], "look": [], "megabytes": []}
    with dbt_session(["--target", "sail"]) as dbt:
        watcher = Watcher(dbt, partial(landing.look, [], "sail", None), None)
        watcher.build()
        for number in range(repeats + 1):  # the first of each is warm-up
            (folder / f"orders/watched_{number}.csv").write_text(HEADER + LINE.format(number=800_000 + number))
            found["file"].append(timed(watcher))
            model.write_text(model.read_text().replace(EDITS[number % 2], EDITS[(number + 1) % 2]))
            found["model"].append(timed(watcher))
        found["megabytes"].append(resident_mb())
        found["look"] = [timed(watcher) for _ in range(rounds)]
        found["megabytes"].append(resident_mb())
        assert not dbt.errors, dbt.errors
    result.write_text(json.dumps(found | {"file": found["file"][1:], "model": found["model"][1:]}))


def timed(watcher: Watcher) -> float:
    started = time.monotonic()
    watcher.look()
    return time.monotonic() - started


if __name__ == "__main__":
    main()
