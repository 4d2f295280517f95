"""The command `medallion`: dbt for this project, plus upkeep of the tables, in few words.

It starts dbt in this process, passes arguments on, reads results and prints; nothing about the tables is decided here.
One command starts the engine once, and none leaves it running. What Sail has no SQL for, delta-rs does.
"""

from __future__ import annotations

import functools
import json
import os
import shlex
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from scripts import landing, sail
from scripts.display import last_run, show_quarantine, show_table, show_tables
from scripts.shell import (
    ERROR,
    FAILED,
    OK,
    OWN_ARTIFACTS,
    ROOT,
    Dbt,
    Failure,
    call,
    dbt_session,
    exit_code,
    operation,
    options,
    say,
    short,
    stop_spark,
    target_of,
)

NO_TABLES = "no tables yet: run medallion demo"
HAND_OVER = "delta-rs: "  # starts a line by which a macro hands a job over (hand_over_to_delta_rs)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
def main() -> None:
    """Landing files to trustworthy gold tables: dbt for this project, and upkeep of its tables.

    Everything that builds is plain dbt and works without this command. Exit codes are dbt's: 0 all well, 1 something
    failed, 2 it could not run or was stopped; and 3, another process has the lake.

    \b
    Examples:
      medallion demo                      demo files, all tables, a summary
      medallion build --select tag:gold   any dbt build
      medallion status                    what is in the lake
    """


def with_dbt(writes: bool = True) -> Callable[[Callable[..., int | None]], Callable[..., None]]:
    """Gives a command dbt, and dbt the options that every command hands on; what it returns is the exit code.

    Args:
        writes: whether it needs the lake for itself; else it may run beside a build, where the engine lets it.
    """

    def decorate(command: Callable[..., int | None]) -> Callable[..., None]:
        @click.option("--target", help="Target of profiles.yml.")
        @click.option("--vars", "variables", metavar="YAML", help="Variables, as for dbt.")
        @functools.wraps(command)
        def inside(target: str | None, variables: str | None, **arguments: Any) -> None:
            with dbt_session(options(target=target, vars=variables), writes) as dbt:
                raise click.exceptions.Exit(command(dbt, **arguments) or OK)

        return inside

    return decorate


def of_layer_or_table(command: Callable[..., Any]) -> Callable[..., Any]:
    command = click.option("--table", help="Only this table, for instance gold.sales_by_region.")(command)
    return click.option("--layer", help="Only this layer: bronze, silver, gold or ops.")(command)


@main.command()
@click.option("--days", default=14, show_default=True, type=click.IntRange(1), help="Days of demo files.")
@click.option("--events", default=5_000, show_default=True, type=click.IntRange(1), help="Web events in all.")
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same files.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, resolve_path=True),
    help="Folder of the files.  [default: the landing root]",
)
@with_dbt()
def demo(dbt: Dbt, days: int, events: int, seed: int, out: str | None) -> int:
    """Write demo files, build every table from them, show the result.

    A landing folder that already has files is left as it is and built from.

    \b
    Examples:
      medallion demo
      medallion demo --events 1000000 --days 60
      medallion demo --seed 7 --out /tmp/landing
    """
    landing = out or landing_root()
    if "://" in landing:
        raise Failure(f"The demo writes local files, and the landing root is {landing}; choose a folder with --out.")
    os.environ["MEDALLION_LANDING"] = landing
    write_demo_files(Path(landing), days, events, seed)
    code = dbt.run("build")
    if code != ERROR and show_tables(dbt):
        show_quarantine(dbt)
        for name in ("daily_sales_by_product", "customer_lifetime_value"):
            best = dbt.rows(f"select * from {{{{ ref('{name}') }}}} order by net_revenue desc", limit=5)
            if best:
                show_table(f"gold.{name}, by net revenue", best)
        target = " --target sail" if target_of(dbt.options) == "sail" else ""
        say(
            "Next:\n"
            f"  medallion build --select tag:gold{target}   one layer\n"
            f"  medallion status{target}                    tables, sizes, quarantine\n"
            f"  medallion docs --serve{target}              lineage and descriptions in the browser\n"
            f"  put files of your own into {landing} and build again"
            + (f", with MEDALLION_LANDING={shlex.quote(out)}" if out else "")
        )
    return code


def landing_root() -> str:
    """As the macro of this name has it."""
    import yaml

    variables = yaml.safe_load((ROOT / "dbt_project.yml").read_text())["vars"]
    root = os.environ.get("MEDALLION_LANDING") or variables["landing_root"]
    return root if "://" in root else str(ROOT / root)


def write_demo_files(landing: Path, days: int, events: int, seed: int) -> None:
    there = sum(1 for file in landing.glob("*/**/*") if file.is_file())
    if there:
        say(f"{landing} already has {there:,} files; building from those. (Delete the folder for fresh demo files.)")
        return
    from scripts.generate import generate

    say(f"Writing {days} days of demo files with {events:,} web events to {landing} ...")
    try:
        generate(landing, seed=seed, days=days, events=events)
    except ValueError as problem:
        raise Failure(str(problem)) from None


@main.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[DBT ARGUMENTS]...")
def build(arguments: tuple[str, ...]) -> None:
    """Run `dbt build` with any of its arguments, from any folder.

    \b
    Examples:
      medallion build
      medallion build --select tag:gold
      medallion build --select silver_order_lines+ --full-refresh
    """
    with dbt_session(arguments) as dbt:
        raise click.exceptions.Exit(dbt.run("build"))


@main.command()
@click.option("--serve", is_flag=True, help="Open the site in the browser and serve it until Ctrl-C.")
@click.option("--port", default=8080, show_default=True, help="Port to serve at.")
@with_dbt(writes=False)
def docs(dbt: Dbt, serve: bool, port: int) -> int:
    """Generate the docs site: lineage, and a description of every table and column.

    \b
    Examples:
      medallion docs
      medallion docs --serve
      medallion docs --serve --port 8090
    """
    code = dbt.run("docs", "generate")
    if serve and code == OK:
        stop_spark()  # the lake is free for others while the site is served
        signal.signal(signal.SIGINT, lambda *_: os._exit(OK))
        code = dbt.run("docs", "serve", "--port", str(port))
    return code


@main.command()
@click.option("--engine", type=click.Choice(["sail"]), default="sail", show_default=True)
def serve(engine: str) -> None:
    """Run a Sail server for target sail until Ctrl-C; builds find it warm, bare dbt too.

    It listens at this machine only, at port 50051 or the one in MEDALLION_SAIL_PORT.

    \b
    Examples:
      medallion serve
      medallion serve --engine sail
    """
    try:
        if sail.is_listening():
            raise Failure(f"Something listens at {sail.HOST}:{sail.port()} already; end it, or set {sail.VARIABLE}.")
        server = sail.start(sail.port())
    except sail.SailError as problem:
        raise Failure(str(problem)) from None
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, lambda *_: sys.exit(OK))
    try:
        say(f"Sail listens at sc://{sail.HOST}:{sail.port()}: dbt build --target sail. Ctrl-C ends it.")
        if sail.port() != sail.PORT:
            say(f"Where dbt runs: export {sail.VARIABLE}={sail.port()}")
        while server.running:
            time.sleep(1)
        raise Failure("Sail ended by itself.")
    finally:
        server.stop()


@main.command()
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
    table_by_table(dbt, "optimize_tables", layer, table, force=force)


@main.command()
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
    table_by_table(dbt, "vacuum_tables", layer, table, apply=apply, lite=lite)


def table_by_table(dbt: Dbt, macro: str, layer: str | None, table: str | None, **arguments: Any) -> None:
    """One run-operation a table, so that a table that fails does not keep the others from their upkeep."""
    from deltalake.exceptions import DeltaError

    names = [f"{row['layer']}.{row['table_name']}" for row in dbt.rows(call("table_list", layer=layer, table=table))]
    failed = []
    on_sail = target_of(dbt.options) == "sail"
    for name in names:
        result = dbt.quietly(operation(macro, table=name, hand_over=on_sail or None, **arguments))
        problem = None if result.success else short(dbt.errors)
        try:
            for line in dbt.printed if result.success else []:
                say(by_delta_rs(json.loads(line.removeprefix(HAND_OVER))) if line.startswith(HAND_OVER) else line)
        except (DeltaError, OSError) as error:
            problem = short([str(error)])
        if problem is not None:
            say(f"{name}: FAILED\n{problem}")
            failed.append(name)
    if not names:
        say(NO_TABLES)
    if failed:
        raise Failure(f"{len(failed)} of {len(names)} tables failed: {', '.join(failed)}", FAILED)


def by_delta_rs(job: dict[str, Any]) -> str:
    """Do a job that a macro handed over (hand_over_to_delta_rs); returns what was done, in the words of that macro."""
    from deltalake import DeltaTable

    table = DeltaTable(job["location"])
    if job["action"] == "optimize":
        before = len(table.file_uris())
        if job["zorder"]:
            table.optimize.z_order(job["zorder"])
        else:
            table.optimize.compact()
        how = f", zorder by {', '.join(job['zorder'])}" if job["zorder"] else ""
        after = len(DeltaTable(job["location"]).file_uris())
        return f"{job['name']}: optimized{how}, files: {before} before, {after} now"
    options = {"retention_hours": job["hours"], "full": not job["lite"], "enforce_retention_duration": False}
    found = table.vacuum(dry_run=True, **options)
    if not found:
        return f"{job['name']}: nothing to delete ({job['retention']})"
    if not job["apply"]:
        return f"{job['name']}: files to delete: {len(found)} ({job['retention']})"
    return f"{job['name']}: files deleted: {len(table.vacuum(dry_run=False, **options))} ({job['retention']})"


@main.command()
@click.argument("source", required=False)
@with_dbt(writes=False)
def drift(dbt: Dbt, source: str | None) -> None:
    """Show how the fields of the newest batch differ from the declared ones, and what would accept that.

    Whether a build warns of it or stops is the severity of the test no_field_drift of the bronze model.

    \b
    Examples:
      medallion drift
      medallion drift web_events
    """
    rows = dbt.rows(f"select * from ({call('field_drift', source=source)}) order by source, kind, field")
    if not rows:
        say("The newest batches have the declared fields.")
        return
    names = ("source", "batch_id", "kind", "field", "found", "record_count")
    show_table("Fields that drifted", [{name: row[name] for name in names} for row in rows])
    for row in rows:
        say(f"{row['source']}, {row['kind']} {row['field']}: {row['to_accept']}")


@main.group()
def quarantine() -> None:
    """Records that broke a rule: count them, look at them, judge them again after a change of the rules, give them up.

    \b
    Examples:
      medallion quarantine list
      medallion quarantine show orders --rule quantity_valid
      medallion quarantine replay orders
      medallion quarantine discard orders --rule quantity_valid --note "test orders of the till"
    """


@quarantine.command("list")
@click.option("--source", help="Only this source, for instance orders.")
@with_dbt(writes=False)
def waiting(dbt: Dbt, source: str | None) -> None:
    """Count the records in quarantine by source, rule and age.

    \b
    Examples:
      medallion quarantine list
      medallion quarantine list --source orders
    """
    show_quarantine(dbt, source, with_age=True)


def of_records(command: Callable[..., Any]) -> Callable[..., Any]:
    command = click.option("--file", "source_file", help="Only records of this file, named as `show` prints it.")(
        command
    )
    command = click.option("--rule", help="Only records that break this rule.")(command)
    return click.argument("source")(command)


@quarantine.command("show")
@of_records
@click.option("--discarded", "is_discarded", is_flag=True, help="Those that were discarded, with the note.")
@click.option("--limit", default=5, show_default=True, type=click.IntRange(1), help="So many records.")
@with_dbt(writes=False)
def records(dbt: Dbt, source: str, rule: str | None, source_file: str | None, is_discarded: bool, limit: int) -> None:
    """Show records as they came, newest first, with their file, their number in it and the rules that they break.

    \b
    Examples:
      medallion quarantine show orders
      medallion quarantine show orders --rule quantity_valid --limit 20
      medallion quarantine show orders --discarded
    """
    chosen = call(
        "quarantined_records", source=source, rule=rule, source_file=source_file, is_discarded=is_discarded or None
    )
    rows = dbt.rows(
        "select source_file, record_number, array_join(violated_rules, ', ') as rules, record, note"
        f" from ({chosen}) order by ingested_at desc, source_file, record_number",
        limit,
    )
    for row in rows:
        note = f" (discarded: {row['note']})" if is_discarded else ""
        say(f"{row['source_file']} record {row['record_number']}: {row['rules']}{note}\n{row['record']}\n")
    if not rows:
        say("No such records.")


@quarantine.command("replay")
@click.argument("source")
@click.option("--apply", is_flag=True, help="Build; without it the records are only judged and counted.")
@with_dbt()
def replay(dbt: Dbt, source: str, apply: bool) -> int:
    """Judge the records of a source again, by the rules as they are now: those in quarantine and those in silver.

    With --apply, the seeds that the rules read are loaded, and silver, quarantine and what is built on them are
    computed again from bronze: they end as if the rules had always been these. The row ledger gets the corrections.

    \b
    Examples:
      medallion quarantine replay orders
      medallion quarantine replay orders --apply
    """
    judged = f"judged_{source}"
    result = dbt.quietly(["run", "--select", judged, *OWN_ARTIFACTS])
    if not result.success:
        raise Failure(short(dbt.errors), exit_code(result))
    rows = dbt.rows(f"select * from ({call('judged_again', source=source)}) order by record_count desc, old_rules")
    if rows:
        show_table(
            f"Records of {source} that broke a rule, or break one now",
            [
                {"broke": row["old_rules"] or "nothing", "breaks now": row["new_rules"] or "nothing",
                 "records": row["record_count"]}
                for row in rows
            ],
        )  # fmt: skip
    else:
        say(f"No record of {source} broke a rule, and none breaks one now.")
    if apply:
        # a rule may read a seed
        return dbt.run("build", "--full-refresh", "--select", f"+{judged},resource_type:seed", f"{judged}+")
    say("Nothing was changed. The same command with --apply does it.")
    return OK


@quarantine.command("discard")
@of_records
@click.option("--note", required=True, help="Why they are given up; kept in ops.discarded_records.")
@click.option("--apply", is_flag=True, help="Discard; without it the records are only counted.")
@with_dbt()
def discard(dbt: Dbt, source: str, rule: str | None, source_file: str | None, note: str, apply: bool) -> None:
    """Give up records that wait: they are no longer counted, but stay in quarantine, in bronze and in the ledger.

    If a change of the rules lets one of them pass, a replay takes it to silver all the same.

    \b
    Examples:
      medallion quarantine discard orders --rule quantity_valid --note "test orders of the till"
      medallion quarantine discard orders --file orders/2026-01-07.csv --note "sent again, see 2026-01-08" --apply
    """
    if not note.strip():
        raise Failure("--note must say why the records are given up.")
    chosen = call("quarantined_records", source=source, rule=rule, source_file=source_file)
    rows = dbt.rows(
        f"select array_join(violated_rules, ', ') as broke, count(*) as records from ({chosen})"
        " group by 1 order by records desc, broke"
    )
    if apply:
        chosen = {"source": source, "note": note, "rule": rule, "source_file": source_file}
        result = dbt.quietly(operation("discard_records", **chosen))
        if not result.success:
            raise Failure(short(dbt.errors), exit_code(result))
    if not rows:
        say("No such records.")
        return
    show_table(f"Records of {source}, {'discarded' if apply else 'to discard'}", rows)
    if not apply:
        say("Nothing was changed. The same command with --apply does it.")


@main.command()
@with_dbt(writes=False)
def status(dbt: Dbt) -> None:
    """Show what is in the lake: tables, rows, files, sizes, quarantined records, and the last run.

    \b
    Examples:
      medallion status
      medallion status --target cluster
    """
    if show_tables(dbt):
        show_quarantine(dbt)
    else:
        say(NO_TABLES)
    say(last_run())


for command in landing.COMMANDS:
    main.add_command(command)

if __name__ == "__main__":
    main()
