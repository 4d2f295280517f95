"""`medallion query` and `medallion show`: look at the tables without knowing the engine."""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any

import click

from medallion.command import with_dbt
from medallion.console import printable, say, show_table
from medallion.display import LAYERS
from medallion.errors import Failure
from medallion.shell import Dbt, call

# A text in quotes stays as it is; gold.sales_by_region becomes what the engine calls that table.
# serving.sales_by_region is what the release in force has of it.
NAMES = "|".join([*LAYERS, "serving"])
TABLE = re.compile(rf"('(?:[^'\\]|\\.|'')*')|\b({NAMES})\.(\w+)\b")


def with_format(command: Callable[..., Any], limit: int = 100) -> Callable[..., Any]:
    command = click.option(
        "--limit", default=limit, show_default=True, type=click.IntRange(0), help="Most rows; 0 for all."
    )(command)
    return click.option(
        "--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True
    )(command)


@click.command()
@click.argument("sql")
@with_format
@with_dbt(writes=False)
def query(dbt: Dbt, sql: str, form: str, limit: int) -> None:
    """Show the rows of a SELECT. Tables are named by layer and name: gold.sales_by_region.

    It may run beside a build. Refs ({{ ref('sales_by_region') }}) and macros work too.

    \b
    Examples:
      medallion query "select * from gold.sales_by_region order by net_revenue desc"
      medallion query "select count(*) as orders from silver.silver_order_lines" --format json
      medallion query "select * from serving.sales_by_region"   as published: releases
    """
    show_rows(rows_of(dbt, sql, limit), form, limit)


@click.command()
@click.argument("table")
@with_format
@with_dbt(writes=False)
def show(dbt: Dbt, table: str, form: str, limit: int) -> None:
    """Show rows of a table, named by layer and name.

    \b
    Examples:
      medallion show gold.sales_by_region
      medallion show serving.sales_by_region
      medallion show ops.row_ledger --limit 0 --format csv
    """
    if not re.fullmatch(rf"({NAMES})\.\w+", table):
        raise Failure(f"{table!r} is no table: name layer and table, for instance gold.sales_by_region.")
    show_rows(rows_of(dbt, f"select * from {table}", limit), form, limit)


def rows_of(dbt: Dbt, sql: str, limit: int) -> list[dict[str, Any]]:
    """Rows of a SELECT, one more than the limit if there are more."""
    sql = sql.strip().rstrip(";")
    if not re.match(r"(?is)\s*(--[^\n]*\n\s*|/[*].*?[*]/\s*)*(select|with|from|values|\{)", sql):
        raise Failure("Only a SELECT can be shown; nothing was run.")
    sql = TABLE.sub(lambda found: found[1] or place_of(found[2], found[3]), sql)
    return dbt.rows(sql, limit + 1 if limit else -1)


def place_of(layer: str, table: str) -> str:
    """Jinja for a table, in a form that can follow FROM."""
    return call("published_table", name=table) if layer == "serving" else call("table_named", layer=layer, name=table)


def show_rows(rows: Sequence[dict[str, Any]], form: str, limit: int) -> None:
    shown = rows[:limit] if limit else rows
    if form == "json":
        print(json.dumps(shown, default=str, ensure_ascii=True))
    elif form == "csv" and shown:
        clean = printable if sys.stdout.isatty() else str
        writer = csv.writer(sys.stdout)
        writer.writerow(shown[0])
        writer.writerows(["" if value is None else clean(value) for value in row.values()] for row in shown)
    elif form == "table":
        if shown:
            show_table("", shown)
        else:
            say("No rows.")
    if len(rows) > len(shown):
        click.echo(f"The first {limit:,} rows; --limit 0 shows all.", err=True)
