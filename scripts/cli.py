"""The command `medallion`: dbt for this project, plus upkeep of the tables, in few words.

It starts dbt in this process, passes arguments on, reads results and prints; nothing about the tables is decided here.
One command starts the engine once, and none leaves it running. What Sail has no SQL for, delta-rs does.
"""

from __future__ import annotations

import os
import signal
import sys
import time

import click

from medallion import bare, sail, spark_server
from medallion.access import access
from medallion.backfill import backfill, rebuild
from medallion.build import build, demo, resume
from medallion.command import here, with_dbt
from medallion.console import say, show_table
from medallion.display import last_run, show_quarantine, show_state, show_tables
from medallion.errors import DONE, MEANINGS, RETRY, Failure
from medallion.init import init
from medallion.lake import ROOT, private
from medallion.landing import has_new, wait
from medallion.quarantine import quarantine
from medallion.query import query, show
from medallion.releases import diff, releases, rollback
from medallion.shell import Dbt, call, stop_spark
from medallion.source import source
from medallion.trends import trends
from medallion.upkeep import drop, maintain, optimize, vacuum
from medallion.watch import watch
from medallion.why import why

CODES = "\n".join(f"      {code}    {meaning}" for code, meaning in MEANINGS.items())
HELP = f"""Landing files to trustworthy gold tables: dbt for this project, and upkeep of its tables.

    Everything that builds is plain dbt and works without this command. A lake remembers the engine that built it;
    --target or DBT_TARGET name another.

    \b
    Examples:
      medallion demo                      demo files, all tables, a summary
      medallion build --select tag:gold   any dbt build
      medallion status                    what is in the lake

    \b
    Exit codes, which do not change:
{CODES}
      130, 143  Interrupted: Ctrl-C, SIGTERM (128 + the signal). The same command goes on from here.
"""


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120}, help=HELP)
def main() -> None:
    pass


@click.command()
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
    if serve and code == DONE:
        stop_spark()  # the lake is free for others while the site is served
        signal.signal(signal.SIGINT, lambda *_: os._exit(DONE))
        code = dbt.run("docs", "serve", "--host", sail.HOST, "--port", str(port))
    return code


@click.command()
@click.option("--engine", type=click.Choice(["sail", "spark"]), default="sail", show_default=True)
@click.option("--master", default="local[*]", show_default=True, help="Spark: a master on this machine.")
@click.option("--memory", default="2g", show_default=True, help="Spark: memory of the server, and of each executor.")
def serve(engine: str, master: str, memory: str) -> None:
    """Run a server until Ctrl-C: Sail for target sail, which builds find warm, or Spark's for target server.

    Both listen on the loopback address only: Sail at port 50051 or the one in MEDALLION_SAIL_PORT, Spark's Thrift
    server, which BI clients can use too, at port 10000 or the one in MEDALLION_SPARK_PORT.

    \b
    Examples:
      medallion serve
      medallion serve --engine spark
      medallion serve --engine spark --memory 4g
    """
    os.chdir(ROOT)
    private()
    bare.prepare("sail" if engine == "sail" else "local")
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, lambda *_: sys.exit(DONE))
    try:
        serve_sail() if engine == "sail" else serve_spark(master, memory)
    except sail.SailError as problem:
        raise Failure(str(problem)) from None


def serve_sail() -> None:
    if sail.is_listening():
        raise Failure(f"Something listens at {sail.HOST}:{sail.port()} already; end it, or set {sail.VARIABLE}.")
    server = sail.start(sail.port())
    try:
        say(f"Sail listens at sc://{sail.HOST}:{sail.port()}: dbt build --target sail. Ctrl-C ends it.")
        if sail.port() != sail.PORT:
            say(f"Where dbt runs: export {sail.VARIABLE}={sail.port()}")
        while server.running:
            time.sleep(1)
        raise Failure("Sail ended by itself.", RETRY)
    finally:
        server.stop()


def serve_spark(master: str, memory: str) -> None:
    try:
        process = spark_server.start(master, memory)
        port = spark_server.port()
        say(f"Spark listens at jdbc:hive2://{sail.HOST}:{port}: dbt build --target server. Ctrl-C ends it.")
        if port != spark_server.PORT:
            say(f"Where dbt runs: export {spark_server.VARIABLE}={port}")
        say(f"Its tables and its log are in {spark_server.folder()}.")
        process.wait()
        raise Failure(f"Spark ended by itself; see {spark_server.folder() / 'log'}.", RETRY)
    finally:
        stop_spark()


@click.command()
@click.argument("source", required=False)
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1), help="Number of fields to show.")
@with_dbt(writes=False)
def drift(dbt: Dbt, source: str | None, limit: int) -> None:
    """Show how the fields of new batches differ from the declared ones, and what would accept that.

    Whether a build warns or stops depends on the severity of the test no_field_drift of the bronze model.

    \b
    Examples:
      medallion drift
      medallion drift web_events
      medallion drift web_events --limit 200
    """
    found = call("field_drift", source=source)
    counts = dbt.rows(f"select source, kind, count(*) as fields from ({found}) group by 1, 2 order by 1, 2")
    if not counts:
        say("The newest batches have the declared fields.")
        return
    rows = dbt.rows(f"select * from ({found}) order by source, kind, field", limit)
    show_table("Fields that drifted", counts)
    names = ("source", "batch_id", "kind", "field", "found", "record_count")
    total = sum(int(row["fields"]) for row in counts)
    shown = f"The first {limit} of {total:,}" if total > limit else "All of them"
    show_table(shown, [{name: row[name] for name in names} for row in rows])
    for row in rows:
        say(f"{row['source']}, {row['kind']} {row['field']}: {row['to_accept']}".replace("\n", " "))
    if total > limit:
        say(f"{total - limit:,} more: {here('medallion', 'drift', *([source] if source else []))} --limit {total}")


@click.command()
@with_dbt(writes=False)
def status(dbt: Dbt) -> None:
    """Show what is in the lake: tables, rows, files, sizes, what no model owns, quarantined records, and the last run.

    \b
    Examples:
      medallion status
      medallion status --target cluster
    """
    if show_tables(dbt):
        show_state(dbt)
        show_quarantine(dbt)
    else:
        say(f"No tables yet; make some with: {here('medallion', 'demo')}")
    say(last_run())


# A module that has commands of its own is imported above and adds them here.
COMMANDS = [
    demo,
    build,
    resume,
    watch,
    backfill,
    rebuild,
    has_new,
    wait,
    status,
    trends,
    docs,
    serve,
    maintain,
    optimize,
    vacuum,
    drop,
    drift,
    query,
    show,
    why,
    access,
    releases,
    rollback,
    diff,
    quarantine,
    source,
    init,
]
for command in COMMANDS:
    main.add_command(command)
