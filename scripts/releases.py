"""`medallion releases`, `rollback` and `diff`: states of gold as they were published."""

from __future__ import annotations

import click

from medallion.command import here, with_dbt
from medallion.console import say, show_table
from medallion.shell import Dbt, call, operation


@click.command()
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1), help="Number of releases to show.")
@with_dbt(writes=False)
def releases(dbt: Dbt, limit: int) -> None:
    """List the published states of gold, newest first: which is in force, and which can be rolled back to.

    \b
    Examples:
      medallion releases
      medallion releases --limit 100
    """
    rows = dbt.rows(f"select * from ({call('release_list')}) order by release_id desc", limit)
    if rows:
        show_table("Releases", rows)
    else:
        say(f"Nothing is published yet; a build whose tests pass publishes gold: {here('medallion', 'build')}")


@click.command()
@click.option("--to", type=int, help="The release.  [default: the one before]")
@click.option("--physical", is_flag=True, help="Also restore the gold tables themselves.")
@with_dbt()
def rollback(dbt: Dbt, to: int | None, physical: bool) -> None:
    """Let readers see an earlier release of gold, until a build is told to publish again.

    With --physical the gold tables are restored too, with the marks of what they have read: the next build goes on from
    there.

    \b
    Examples:
      medallion rollback
      medallion rollback --to 12 --physical
      medallion build --vars 'publish: true'   ends it
    """
    restored = roll_back(dbt, to, physical)
    (now,) = dbt.rows(f"select * from ({call('release_list')}) order by release_id desc", limit=1)
    say(f"Readers see release {now['rolled_back_to']} again, as release {now['release_id']}.")
    if physical:
        say(f"Restored: {', '.join(restored) or 'nothing, as no table differs'}.")
    again = here("medallion", "build", "--vars", "'publish: true'")
    say(f"Builds publish again after: {again}")


def roll_back(dbt: Dbt, to: int | None, physical: bool) -> list[str]:
    """Puts a release in force again, and returns the tables that were restored."""
    from deltalake import DeltaTable

    jobs = dbt.rows(call("restore_jobs", to=to)) if physical else []
    by_delta_rs = [job for job in jobs if job["location"]]
    dbt.need(operation("rollback_release", to=to, physical=bool(jobs) and not by_delta_rs))
    for job in by_delta_rs:
        DeltaTable(job["location"]).restore(int(job["version"]))
    return [job["table_name"] for job in jobs]


@click.command()
@click.argument("before", type=int)
@click.argument("after", type=int)
@with_dbt(writes=False)
def diff(dbt: Dbt, before: int, after: int) -> None:
    """Count the rows that differ between two releases: added, removed and changed, per table.

    \b
    Examples:
      medallion diff 11 12
      medallion diff 12 11
    """
    rows = dbt.rows(f"select * from ({call('release_diff', before=before, after=after)}) order by table_name")
    show_table(f"From release {before} to {after}", rows)
