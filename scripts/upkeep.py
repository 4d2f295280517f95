"""`medallion maintain`, `optimize` and `vacuum`: what is due is a query; the engine does it, or delta-rs on Sail."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import click

from medallion.command import here, of_layer_or_table, with_dbt
from medallion.console import only_json, say, show_table, size
from medallion.display import LAYERS
from medallion.errors import DATA, DONE, MEANINGS, RETRY, Failure, short, worst
from medallion.lake import since_checkpoint
from medallion.shell import Dbt, call, operation

Row = dict[str, Any]


@click.command()
@of_layer_or_table
@click.option("--force", is_flag=True, help="Also tables with few files, if written since their last OPTIMIZE.")
@with_dbt()
def optimize(dbt: Dbt, layer: str | None, table: str | None, force: bool) -> None:
    """Compact the tables that have too many small files (OPTIMIZE, with ZORDER where the model asks for it).

    \b
    Examples:
      medallion optimize
      medallion optimize --layer gold
      medallion optimize --table silver.silver_order_lines --force
    """

    table_by_table(dbt, partial(optimize_one, dbt, force=force), layer, table)


@click.command()
@of_layer_or_table
@click.option("--apply", is_flag=True, help="Delete; without it the files are only counted.")
@click.option("--lite", is_flag=True, help="By the Delta log alone: faster, but leaves what killed runs left behind.")
@with_dbt()
def vacuum(dbt: Dbt, layer: str | None, table: str | None, apply: bool, lite: bool) -> None:
    """Delete files that no version within the retention needs; shows the retention of each table.

    The retention is a property of the model (tblproperties, delta.deletedFileRetentionDuration), 7 days by default.

    \b
    Examples:
      medallion vacuum
      medallion vacuum --layer silver --apply
      medallion vacuum --table gold.sales_by_region --apply --lite
    """

    table_by_table(dbt, partial(vacuum_one, dbt, apply=apply, lite=lite), layer, table)


@click.command()
@click.argument("table")
@click.option("--confirm", metavar="TABLE", help="The table's name once more, where nobody can be asked.")
@with_dbt()
def drop(dbt: Dbt, table: str, confirm: str | None) -> None:
    """Delete a table with its files and history: one that no model owns any more, or one that is to be made anew.

    It asks for the table's name. The next build makes again what a model owns: silver and gold from bronze, bronze from
    the landing files that are still there. Ledgers are not deleted, because nothing could make them again.

    \b
    Examples:
      medallion drop gold.an_old_table
      medallion drop silver.quarantine_orders --confirm silver.quarantine_orders
    """
    layer, _, name = table.partition(".")
    if layer not in LAYERS or not re.fullmatch(r"\w+", name):
        raise Failure(f"{table!r} is no table: name layer and table, for instance gold.sales_by_region.")
    if layer == "ops":
        raise Failure(f"{table} is a ledger, and nothing could make it again. Nothing was deleted.")
    (job,) = dbt.rows(call("drop_job", layer=layer, name=name))
    try:
        given = confirm or click.prompt(f"{table} has {job['row_count']:,} rows. Type its name to delete it")
    except click.Abort:
        given = ""
    if given != table:
        raise Failure(f"{given!r} is not {table!r}: nothing was deleted.")
    if job["location"]:
        shutil.rmtree(job["location"])
    else:
        dbt.need(operation("drop_table", layer=layer, name=name))
    say(f"Deleted: {table}.")


@click.command()
@of_layer_or_table
@click.option("--plan", is_flag=True, help="Only say what would be done and why.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout at the end; all else on stderr.")
@with_dbt()
def maintain(dbt: Dbt, layer: str | None, table: str | None, plan: bool, as_json: bool) -> int:
    """Do all upkeep that pays: OPTIMIZE where files are many and small, VACUUM where there are files to delete.

    Table by table; one that fails does not keep the others from theirs. Where nothing pays, nothing is committed.

    \b
    Examples:
      medallion maintain --plan
      medallion maintain
      medallion maintain --layer gold --json
    """
    with only_json() if as_json else nullcontext(lambda answer: None) as tell:
        jobs = upkeep_plan(dbt, layer, table)
        if jobs:
            show_table("Upkeep", [in_short(job) for job in jobs])
        else:
            say(f"No tables yet; make some with: {here('medallion', 'demo')}")
        failed = [] if plan else [job for job in jobs if not do(dbt, job)]
        code = worst(job["code"] for job in failed) if failed else DONE
        done = sum(bool(job["todo"]) for job in jobs) - len(failed)
        say(f"{done} of {len(jobs)} tables {'need upkeep' if plan else 'were worked on'}, {len(failed)} failed.")
        tell({"command": "maintain", "is_plan": plan, "code": code, "meaning": MEANINGS[code], "tables": jobs})
    return code


def upkeep_plan(dbt: Dbt, layer: str | None, table: str | None) -> list[Row]:
    """What there is to do for each table, with the state that speaks for it."""
    vacuums = {job["table_name"]: job for job in dbt.rows(call("vacuum_jobs", layer=layer, table=table))}
    found = []
    for job in sorted(dbt.rows(call("optimize_jobs", layer=layer, table=table)), key=lambda job: job["table_name"]):
        name, vacuum_job = job["table_name"], vacuums[job["table_name"]]
        deletable = 0
        if not vacuum_job["is_refused"]:
            deletable = vacuum_by_delta_rs(vacuum_job, False, False) if job["location"] else vacuum_job["num_files"]
        todo = ["optimize"] if job["is_due"] else []
        todo += ["vacuum"] if deletable else []
        found.append(
            {
                "table": name,
                "files": int(job["num_files"]),
                "bytes": int(job["size_in_bytes"]),
                "deletable_files": int(deletable or 0),
                "retention": vacuum_job["retention"],
                "commits_since_checkpoint": since_checkpoint(Path(job["location"])) if job["location"] else None,
                "todo": todo,
            }
        )
    return found


def in_short(job: Row) -> Row:
    """A row of the plan for a person."""
    return {
        "table": job["table"],
        "files": job["files"],
        "size": size(job["bytes"]),
        "deletable files": job["deletable_files"],
        "retention": job["retention"],
        "to do": ", ".join(job["todo"]) or "nothing",
    }


def do(dbt: Dbt, job: Row) -> bool:
    """Does what a table needs, and notes in the job what was done or what went wrong; whether it went well."""
    works = {
        "optimize": partial(optimize_one, dbt, force=False),
        "vacuum": partial(vacuum_one, dbt, apply=True, lite=False),
    }
    job["done"] = []
    for work in job["todo"]:
        try:
            job["done"].append(attempt(job["table"], works[work]))
        except Failure as problem:
            job |= {"problem": problem.message, "code": problem.exit_code}
            return False
    return True


def attempt(name: str, one: Callable[[str], str]) -> str:
    """Upkeep of one table; says what was done, or what went wrong.

    Raises:
        Failure: it went wrong.
    """
    from deltalake.exceptions import DeltaError

    try:
        done = one(name)
    except (DeltaError, OSError) as problem:
        code = RETRY if "CommitFailed" in type(problem).__name__ else DATA
        failure = Failure(short([str(problem)]), code)
    except Failure as problem:
        failure = problem
    else:
        say(f"{name}: {done}")
        return done
    say(f"{name}: FAILED\n{failure.message}")
    raise failure


def table_by_table(dbt: Dbt, one: Callable[[str], str], layer: str | None, table: str | None) -> None:
    """Upkeep of one table after the other, so that one that fails does not keep the others from theirs."""
    names = [f"{row['layer']}.{row['table_name']}" for row in dbt.rows(call("table_list", layer=layer, table=table))]
    failed: dict[str, int] = {}
    for name in names:
        try:
            attempt(name, one)
        except Failure as problem:
            failed[name] = problem.exit_code
    if not names:
        say(f"No tables yet; make some with: {here('medallion', 'demo')}")
    if failed:
        raise Failure(f"{len(failed)} of {len(names)} tables failed: {', '.join(failed)}", worst(failed.values()))


def optimize_one(dbt: Dbt, name: str, force: bool) -> str:
    """Compacts a table where that pays, and says what was done."""
    (job,) = dbt.rows(call("optimize_jobs", table=name, force=force))
    if job["is_skipped"]:
        return "left alone, its config says skip_optimize"
    if not job["is_due"]:
        return f"nothing to do (files: {job['num_files']:,}, {size(float(job['size_in_bytes']))})"
    if job["location"]:
        now = optimize_by_delta_rs(job)
    else:
        dbt.need(operation("optimize_tables", table=name, force=force))
        (after,) = dbt.rows(call("optimize_jobs", table=name))
        now = after["num_files"]
    how = f", zorder by {job['zorder'].replace(',', ', ')}" if job["zorder"] else ""
    return f"optimized{how}, files: {job['num_files']:,} before, {now:,} now"


def vacuum_one(dbt: Dbt, name: str, apply: bool, lite: bool) -> str:
    """Deletes the files that no version of a table within its retention needs, or counts them, and says which."""
    (job,) = dbt.rows(call("vacuum_jobs", table=name, lite=lite))
    retention = f"retention {job['retention']}"
    if job["is_refused"]:
        refusal = f"refused, its {retention} is not at least 7 days"
        if apply:
            raise Failure(
                f"{refusal}. Raise delta.deletedFileRetentionDuration in the tblproperties of the model, or set meta"
                " allow_short_retention.",
                DATA,
            )
        return refusal
    found = vacuum_by_delta_rs(job, lite, apply=False) if job["location"] else job["num_files"]
    if not found:
        return f"nothing to delete ({retention})"
    count = f"{found:,}" if job["location"] or found < 1000 else f"at least {found:,}"
    if not apply:
        return f"files to delete: {count} ({retention})"
    if job["location"]:
        vacuum_by_delta_rs(job, lite, apply=True)
    else:
        dbt.need(operation("vacuum_tables", table=name, apply=True, lite=lite))
    return f"files deleted: {count} ({retention})"


def optimize_by_delta_rs(job: Row) -> int:
    """Compacts a table, and returns how many files it has now."""
    from deltalake import DeltaTable

    table = DeltaTable(job["location"])
    if job["zorder"]:
        table.optimize.z_order(job["zorder"].split(","))
    else:
        table.optimize.compact()
    return len(DeltaTable(job["location"]).file_uris())


def vacuum_by_delta_rs(job: Row, lite: bool, apply: bool) -> int:
    """Deletes files, or only counts them, and returns how many."""
    from deltalake import DeltaTable

    table = DeltaTable(job["location"])
    pinned = [int(version) for version in (job["pinned_versions"] or "").split(",") if version]
    return len(
        table.vacuum(
            retention_hours=int(job["hours"]),
            dry_run=not apply,
            full=not lite,
            enforce_retention_duration=False,
            keep_versions=pinned or None,
        )
    )
