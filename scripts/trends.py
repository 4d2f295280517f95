"""`medallion trends`: what runs took in and how long they took, what is slow, and what is unusual."""

from __future__ import annotations

import click

from medallion.command import of_layer_or_table, with_dbt
from medallion.console import say, show_table, size
from medallion.shell import Dbt, call


@click.command()
@of_layer_or_table
@click.option("--limit", default=14, show_default=True, type=click.IntRange(1), help="Rows of each list.")
@with_dbt(writes=False)
def trends(dbt: Dbt, layer: str | None, table: str | None, limit: int) -> None:
    """Show the newest runs, the slowest nodes, and days on which unusually few or many records came in.

    With --table or --layer: what their newest commits wrote, as Delta counted it.

    \b
    Examples:
      medallion trends
      medallion trends --table silver.silver_order_lines
      medallion trends --layer gold --limit 30
    """
    if layer or table:
        written = call("commit_trend", layer=layer, table=table, commits=limit)
        rows = dbt.rows(f"select * from ({written}) order by committed_at desc, table_name", limit)
        rows = [row | {"bytes_added": size(float(row["bytes_added"] or 0))} for row in rows]
        show("Newest commits", rows, "committed_at")
        return
    runs = dbt.rows(f"select * from ({call('run_trend')}) order by started_at desc", limit)
    show("Newest runs that wrote something or failed", [without(row, "invocation_id") for row in runs], "started_at")
    slowest = f"select element_at(split(unique_id, '[.]'), 3) as node, * from ({call('node_trend')})"
    rows = dbt.rows(f"{slowest} order by median_seconds desc", limit)
    show("Slowest nodes of the last runs", [without(row, "unique_id") for row in rows])
    unusual = f"select * from ({call('arrival_trend')}) where is_unusual"
    rows = [without(row, "is_unusual") for row in dbt.rows(f"{unusual} order by ingested_date desc, source", limit)]
    show("Unusual days: less than half or more than twice the median of this weekday", rows)


def without(row: dict, name: str) -> dict:
    return {key: value for key, value in row.items() if key != name}


def show(title: str, rows: list[dict], time: str = "") -> None:
    """A table, or a sentence where there is nothing to show; times to the second."""
    if not rows:
        say(f"{title}: none.")
        return
    show_table(title, [row | ({time: str(row[time])[:19]} if time else {}) for row in rows])
