"""`medallion why`: from a row of gold to the records behind it, and to those that were left out."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import click

from medallion.command import here, with_dbt
from medallion.console import printable, say, show_table
from medallion.errors import DATA, Failure
from medallion.query import show_rows, with_format
from medallion.shell import Dbt, call

HEADINGS = {"behind": "The records behind it", "left_out": "Left out"}
WRONG = ("lost", "twice", "not_in_bronze")  # where no build leaves a record


@click.command()
@click.argument("table")
@click.argument("key", nargs=-1, required=True, metavar="COLUMN=VALUE...")
@partial(with_format, limit=5)
@click.option("--unmask", is_flag=True, help="Show the records as they came, with what is personal in them.")
@with_dbt(writes=False)
def why(dbt: Dbt, table: str, key: tuple[str, ...], form: str, limit: int, unmask: bool) -> None:
    """Show why a row of gold is as it is: the records behind it, and those of its key that were left out, with reasons.

    The row is computed again from the records behind it alone; exits with 1 if a column differs. --limit is for the
    records of each place and reason, whose counts are whole. CSV has the records alone. Of a source with personal data
    only the declared fields that are not personal are shown, without --unmask.

    \b
    Examples:
      medallion why gold.daily_sales_by_product sales_date=2026-01-06 product_id=20095
      medallion why gold.dim_customers customer_id=10002 is_current=true --limit 0
      medallion why gold.sales_by_region country=France sales_month=2026-01-01 --format json
    """
    if not all("=" in word for word in key):
        raise Failure("Name the row by its columns, for instance: customer_id=10002 is_current=true")
    name = table.removeprefix("gold.")
    answer = explain(dbt, name, dict(word.split("=", 1) for word in key), limit, unmask)
    if form == "json":
        print(json.dumps(answer, default=str))
    elif form == "csv":
        show_rows(answer["records"], form, 0)
    else:
        show(f"gold.{name}, {', '.join(key)}", answer)
    if not answer["adds_up"]:
        again = here("medallion", "build", "--full-refresh", "--select", f"+{name}")
        raise Failure(
            f"The records do not add up to the row: {', '.join(answer['problems'])}. Silver has changed since gold was"
            f" built, or a table was changed by hand. To compute the table again from bronze: {again}",
            DATA,
        )


def explain(dbt: Dbt, table: str, key: dict[str, str], limit: int, unmask: bool = False) -> dict[str, Any]:
    """The columns of a gold row, the counts of its records by place, the records, and whether they add up to it."""
    columns = dbt.rows(f"select * from ({call('why_columns', table=table, key=key)}) order by position")
    chosen = call("why_records", table=table, key=key, is_masked=not unmask)
    records = dbt.rows(
        "select * from (select *, count(*) over (partition by silver_table, role, place, reason) as record_count,"
        " row_number() over (partition by silver_table, role, place, reason"
        " order by batch_id, source_file, record_number) as position"
        f" from ({chosen})) {f'where position <= {limit}' if limit else ''}"
        " order by role, silver_table, record_count desc, place, reason, position"
    )
    of_place = ("role", "silver_table", "place", "reason", "record_count")
    counts = [{name: row[name] for name in of_place} for row in records if row["position"] == 1]
    problems = [f"{row['column_name']} differs" for row in columns if not row["is_equal"]]
    problems += [f"records {row['place']}: {row['record_count']}" for row in counts if row["place"] in WRONG]
    for row in columns + records:
        del row["position"]
    return {"columns": columns, "counts": counts, "records": records, "problems": problems, "adds_up": not problems}


def show(title: str, answer: dict[str, Any]) -> None:
    show_table(title, [row | {"is_equal": "yes" if row["is_equal"] else "no"} for row in answer["columns"]])
    show_table("Records by place", answer["counts"])
    for role, words in HEADINGS.items():
        rows = [row for row in answer["records"] if row["role"] == role]
        if rows:
            say(f"{words}:\n")
        for row in rows:
            why = printable(f"{row['place']}, {row['reason']}" if row["reason"] else row["place"])
            where = f"{printable(row['source_file'])} record {row['record_number']}, batch {row['batch_id']}"
            at = f"{row['ingested_at']:%Y-%m-%d %H:%M:%S} UTC"
            say(f"{where}, {at}, {row['silver_table']}: {why}\n{printable(row['record'])}\n")
    if answer["adds_up"]:
        say("The records behind it add up to the row, in every column.")
