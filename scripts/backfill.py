"""`medallion backfill` and `rebuild`: rows computed again from bronze, of some days or of whole tables."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import click

from medallion.build import dbt_build, run
from medallion.command import here, with_dbt
from medallion.console import say, show_table
from medallion.errors import DATA, DONE, USAGE, Failure
from medallion.lake import ON_THIS_MACHINE, lake_home, warehouse
from medallion.shell import OWN_ARTIFACTS, Dbt, call, text_of

DAY = click.DateTime(["%Y-%m-%d"])
# Bronze is never computed again, and a snapshot cannot be: it keeps what its seed was.
FROM_BRONZE = ["--exclude", "tag:bronze", "resource_type:snapshot"]
NO_TESTS = ["--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"]


@click.command()
@click.option("--start", required=True, type=DAY, help="First day, UTC.")
@click.option("--end", required=True, type=DAY, help="Last day, UTC.")
@click.option("--select", "-s", multiple=True, help="Only these models, as for dbt.  [default: all]")
@click.option("--plan", is_flag=True, help="Only say what would be computed again.")
@with_dbt()
def backfill(dbt: Dbt, start: datetime, end: datetime, select: tuple[str, ...], plan: bool) -> int:
    """Compute the days of an interval again, from bronze to gold; each table changes in one commit.

    Silver ends as its models would make it, for all records of these days. Gold computes these days again, or the keys
    (customers, ...) that have records in them; tables in which every row depends on all input are computed as a whole.
    No file is read, and no mark is moved: what arrives meanwhile is taken in as ever.

    \b
    Examples:
      medallion backfill --start 2026-01-05 --end 2026-01-07 --plan
      medallion backfill --start 2026-01-05 --end 2026-01-07
      medallion backfill --start 2026-01-05 --end 2026-01-05 --select tag:gold
    """
    if end < start:
        raise Failure(f"--end ({end:%Y-%m-%d}) is before --start ({start:%Y-%m-%d}); nothing was written.")
    # as for dbt, the end is the first day that does not belong to it
    days = ["--event-time-start", f"{start:%Y-%m-%d}", "--event-time-end", f"{end + timedelta(days=1):%Y-%m-%d}"]
    words = [*days, *selected(*select), *FROM_BRONZE]
    if not plan:
        return run(dbt, "backfill", [*words, *dbt.options], [*dbt_build([]), *words])
    with environment(MEDALLION_BACKFILL_PLAN="1"):
        nodes = dbt.need(["run", *words, *OWN_ARTIFACTS]).result.results
    models = [node for node in nodes if node.node.resource_type == "model"]  # hooks are among them
    rows = [{"table": node.node.name, "to compute again": text_of(node, "message")} for node in models]
    if not rows:
        raise Failure("The selection matches nothing but bronze and snapshots, which are never computed again.")
    show_table(f"From {start:%Y-%m-%d} to {end:%Y-%m-%d}", rows)
    say("Nothing was changed. The same command without --plan does it.")
    return DONE


@click.command()
@click.argument("select", nargs=-1, required=True)
@click.option("--verify", is_flag=True, help="Build beside the lake and compare; the lake stays as it is.")
@with_dbt()
def rebuild(dbt: Dbt, select: tuple[str, ...], verify: bool) -> int:
    """Compute tables again from bronze as a whole, or verify that this would change nothing.

    Without --verify it is `dbt build --full-refresh`: each table is replaced in place, and its history stays. Bronze
    and snapshots are never rebuilt.

    With --verify, the tables and those that they are made of are built in a lake of their own, which shares the files
    of bronze, and is deleted at the end. Rows are compared by key and content. If any differ, the exit code is 1: the
    table was changed by hand, its model was, or a model gives another result each time (rand(), an order with ties).

    \b
    Examples:
      medallion rebuild tag:gold --verify
      medallion rebuild daily_sales_by_product
      medallion rebuild silver_order_lines+
    """
    if verify:
        return verified(dbt, select)
    words = ["--full-refresh", *selected(*select), *FROM_BRONZE]
    return run(dbt, "rebuild", [*words, *dbt.options], [*dbt_build([]), *words])


def selected(*names: str) -> list[str]:
    return ["--select", *names] if names else []


@contextmanager
def environment(**values: str) -> Iterator[None]:
    """Sets variables of the environment for a while."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def verified(dbt: Dbt, select: tuple[str, ...]) -> int:
    """Builds tables in a lake of their own, compares them with those of this lake, and says how they differ."""
    if dbt.target not in ON_THIS_MACHINE:
        raise Failure(
            f"--verify needs the lake's files, and those of target {dbt.target} are elsewhere. Nothing was done; build"
            " there into schemas of their own (variable schema_prefix), and compare."
        )
    names = dbt.need(["ls", "--resource-type", "model", "--output", "name", *selected(*select), *FROM_BRONZE]).result
    if not names:
        raise Failure("The selection matches nothing but bronze and snapshots, which are never rebuilt.")
    with second_lake() as home:
        say(f"Building {len(names)} models, and what they are made of, beside the lake ...")
        # before anything else, as Spark's session keeps the folder of each table that it has named
        with environment(MEDALLION_HOME=str(home)):
            dbt.need(["build", *selected(*(f"+{name}" for name in names)), *FROM_BRONZE, *NO_TESTS, *OWN_ARTIFACTS])
        rows = dbt.rows(
            f"select * from ({call('rebuilt_differences', names=names, rebuilt=str(home))}) order by table_name"
        )
    if not rows:
        raise Failure("The selection has no table.", USAGE)
    shown = [{name.removesuffix("_count").removesuffix("_name"): value for name, value in row.items()} for row in rows]
    show_table("Tables of the lake, compared with rebuilt ones, by key", shown)
    wrong = [row["table_name"] for row in rows if is_different(row)]
    if not wrong:
        say(f"{len(rows)} tables are as their models make them.")
        return DONE
    tables = [name.split(".")[1] for name in wrong]
    raise Failure(
        f"{len(wrong)} of {len(rows)} tables differ from what their models make of bronze: {', '.join(wrong)}."
        " If the next --verify finds other rows, a model gives another result each time; else take the rebuilt rows:"
        f" {here('medallion', 'rebuild', *tables)}",
        DATA,
    )


def is_different(row: dict[str, object]) -> bool:
    return any(row[name] for name in ("missing_count", "extra_count", "different_count", "other_columns"))


@contextmanager
def second_lake() -> Iterator[Path]:
    """A lake in the folder of this one, with its bronze and books; deleted at the end."""
    home = lake_home() / "rebuilt"
    shutil.rmtree(home, ignore_errors=True)
    try:
        for schema in [*warehouse().glob("*bronze.db"), *warehouse().glob("*ops.db")]:
            shutil.copytree(schema, home / "warehouse" / schema.name, copy_function=share)
        yield home
    except shutil.Error as problem:
        raise Failure(f"The files of the lake cannot be linked within its folder: {problem.args[0][0][2]}") from None
    finally:
        shutil.rmtree(home, ignore_errors=True)


def share(source: str, target: str) -> None:
    """Links a file of data, which nobody changes; copies one of a log, which an engine may write anew."""
    (shutil.copyfile if "/_delta_log/" in source else os.link)(source, target)
