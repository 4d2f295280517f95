"""The command `medallion`: dbt for this project, plus upkeep of the tables, in few words.

It starts dbt in this process, passes arguments on, reads results and prints; nothing about the tables is decided here.
One command starts the engine once, and none leaves it running. What Sail has no SQL for, delta-rs does.
"""

from __future__ import annotations

import functools
import gc
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.table import Table

from scripts import sail

ROOT = Path(__file__).resolve().parents[1]
# On Sail dbt has a folder of its own, as it parses the whole project again after each change of the target.
SAIL_ARTIFACTS = "target/sail"
RUN_RESULTS = [ROOT / folder / "run_results.json" for folder in ("target", SAIL_ARTIFACTS)]
LAYERS = ["bronze", "silver", "gold", "ops"]
NO_TABLES = "no tables yet: run medallion demo"

# dbt's exit codes, and one for a lake in use
OK, FAILED, ERROR, BUSY = 0, 1, 2, 3

# What an error of Spark or Delta means, and what to do about it.
# The first that fits is told, so what is more particular comes first.
KNOWN_ERRORS = [
    (r"Cannot read .*Nothing of its batch was written", ""),  # says it all
    (r"FAILED_READ_FILE(?!.*[.]parquet)",
     "A landing file, which the message names, cannot be read: it is broken, or compressed in a way that this engine"
     " does not know, or a record has more than 20,480 fields. Nothing of its batch was written; replace it or take it"
     " away, and build again."),
    (r"XSDB6|Another instance of Derby|Failed to start database|SessionHiveMetaStoreClient",
     "Another dbt or Spark process holds the lake; wait for it or end it."),
    (r"JAVA_GATEWAY_EXITED|UnsupportedClassVersionError",
     "Spark did not start; it needs Java 17 or newer, on the PATH or in JAVA_HOME."),
    (r"Cannot find catalog plugin class",
     "Spark does not find Delta; `make setup` puts its jars in place."),
    (r"DELTA_CREATE_TABLE_WITH_NON_EMPTY_LOCATION",
     "A killed run left files where a new table belongs; delete the folder that the message names and build again."),
    (r"DELTA_MULTIPLE_SOURCE_ROW_MATCHING_TARGET_ROW",
     "A batch holds a key of the model twice; deduplicate it before the MERGE."),
    (r"DELTA_MERGE_UNRESOLVED_EXPRESSION",
     "The model no longer has a column that its table has; see on_schema_change, or build it with --full-refresh."),
    (r"DELTA_CONCURRENT|DELTA_METADATA_CHANGED|Concurrent\w+Exception|MetadataChangedException",
     "Another process wrote the same table at the same time; nothing is half written, run the command again."),
    (r"FAILED_READ_FILE.*[.]parquet|DELTA_FILE_NOT_FOUND|FileReadException",
     "A data file of a table is gone, deleted by hand or by VACUUM; restore it, or build with --full-refresh."),
    (r"StatusCode.UNAVAILABLE|failed to connect to all addresses",
     "No Sail server answers; run medallion serve --engine sail, or use medallion build, which starts one."),
    (r"OutOfMemoryError|GC overhead limit",
     "Spark ran out of memory; raise spark.driver.memory in profiles.yml."),
    (r"No space left on device|StorageFull",
     "The disk is full; make room and run the command again, it goes on from here."),
    (r"Permission denied|AccessDenied|Read-only file system|Mkdirs failed to create",
     "A folder of the lake cannot be written; see who owns it, then run the command again."),
]  # fmt: skip

HAND_OVER = "delta-rs: "  # starts a line by which a macro hands a job over (hand_over_to_delta_rs)

# What is piped is as wide as it needs to be.
console = Console(width=None if sys.stdout.isatty() else 120)


def say(text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)


# The arguments of dbt, as pure functions -----------------------------------------------------------------------------

# run_results.json of the last build must survive what upkeep and queries write.
OWN_ARTIFACTS = ["--target-path", "target/upkeep"]


def operation(macro: str, **arguments: Any) -> list[str]:
    """A run-operation; arguments that are None are left out."""
    given = {name: value for name, value in arguments.items() if value is not None}
    return ["run-operation", macro, "--args", json.dumps(given), *OWN_ARTIFACTS]


def query(sql: str, limit: int = -1) -> list[str]:
    """A SELECT, with dbt's Jinja in it."""
    return ["show", "--inline", sql, "--limit", str(limit), "--output", "json", *OWN_ARTIFACTS]


def call(macro: str, **arguments: str | bool | None) -> str:
    """Jinja that calls a macro."""
    given = ", ".join(f"{name}={json.dumps(value)}" for name, value in arguments.items() if value is not None)
    return "{{ " + f"{macro}({given})" + " }}"


def options(**values: str | None) -> list[str]:
    """Command-line options; those that are None are left out."""
    return [word for name, value in values.items() if value for word in (f"--{name}", value)]


def explain(messages: Iterable[str]) -> list[str]:
    """What the known errors among the messages mean, each once."""
    found = (next((meaning for pattern, meaning in KNOWN_ERRORS if re.search(pattern, text)), "") for text in messages)
    return [meaning for meaning in dict.fromkeys(found) if meaning]


def short(messages: list[str]) -> str:
    """A failure in one or a few lines: what is known of it, else dbt's words without its frame and the stack trace."""
    text = re.split(r"\n\s+at |\nJVM stacktrace", messages[0])[0] if messages else "dbt failed; see logs/dbt.log"
    frame = re.compile(r"\s*$|Encountered an error|\s*(Runtime|Compilation|Database) Error|\s*> (in|called by) ")
    return "\n".join(explain(messages) or [line.strip() for line in text.splitlines() if not frame.match(line)])


# The thin shell around dbt -------------------------------------------------------------------------------------------


class Dbt:
    """dbt in this process: several invocations, one Spark."""

    def __init__(self, options: Sequence[str] = ()) -> None:
        self.options = list(options)
        self.errors: list[str] = []
        self.printed: list[str] = []
        self._manifest: Any = None

    def invoke(self, arguments: list[str], manifest: Any = None) -> Any:
        from dbt.cli.main import dbtRunner

        self.errors, self.printed = [], []
        result = dbtRunner(manifest=manifest, callbacks=[self._collect]).invoke([*arguments, *self.options])
        if result.exception is not None:
            self.errors.append(str(result.exception))
        return result

    def run(self, *arguments: str) -> int:
        """dbt as on the command line; returns its exit code."""
        code = exit_code(self.invoke(list(arguments)))
        for meaning in explain(self.errors) if code else []:
            say(f"→ {meaning}")
        return code

    def quietly(self, arguments: list[str]) -> Any:
        """dbt without its own output; what it has to say is left in `errors` and `printed`."""
        if self._manifest is None:
            parsed = self.invoke(["parse", "--log-level", "none"])
            if not parsed.success:
                return parsed
            self._manifest = parsed.result
        return self.invoke([*arguments, "--log-level", "none"], self._manifest)

    def rows(self, sql: str, limit: int = -1) -> list[dict[str, Any]]:
        """Rows of a query; a failure ends the command with its reason."""
        result = self.quietly(query(sql, limit))
        if not result.success:
            raise Failure(short(self.errors), exit_code(result))
        return [dict(row) for row in result.result.results[0].agate_table.rows]

    def _collect(self, event: Any) -> None:
        if event.info.level == "error":
            self.errors.append(event.info.msg)
        elif event.info.name == "PrintEvent":
            self.printed.append(event.info.msg)


class Failure(click.ClickException):
    """Ends a command with a sentence and one of dbt's exit codes."""

    def __init__(self, message: str, code: int = ERROR) -> None:
        super().__init__(message)
        self.exit_code = code


def exit_code(result: Any) -> int:
    """What the dbt command would have exited with."""
    if result.exception is not None:
        return ERROR
    return OK if result.success else FAILED


@contextmanager
def dbt_session(options: Sequence[str] = (), writes: bool = True) -> Iterator[Dbt]:
    """dbt from the project's root, with signals handled, and the engine gone at the end."""
    os.chdir(ROOT)
    # Python's own watcher of leaked semaphores, which a stopped run leaves to it.
    os.environ.setdefault("PYTHONWARNINGS", "ignore:resource_tracker")
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, interrupt)
    if target_of(options) == "sail":
        os.environ.setdefault("DBT_TARGET_PATH", SAIL_ARTIFACTS)
    silence_pyspark()
    with lake_lock(writes) if target_of(options) in ("local", "sail") else nullcontext():
        if holder := lake_holder(options):
            raise Failure(holder, BUSY)
        try:
            with sail_session(writes) if target_of(options) == "sail" else nullcontext():
                yield Dbt(options)
        finally:
            stop_spark()


@contextmanager
def lake_lock(writes: bool = True) -> Iterator[None]:
    """The lake for one writer at a time. The lock is the system's: it goes with the process, however that ends."""
    import fcntl

    home = lake_home()
    try:  # also for readers: Derby complains where it finds no folder for its log
        home.mkdir(parents=True, exist_ok=True)
        file = (home / "lock").open("a+")
    except OSError as problem:
        raise Failure(
            f"The lake folder {home} cannot be written ({problem.strerror}); mend that, or set MEDALLION_HOME."
        ) from None
    with file:
        if not writes:
            yield
            return
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            raise Failure(
                f"Process {file.read()} writes to the lake {home}; wait for it or end it. Nothing was changed.", BUSY
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


@contextmanager
def sail_session(writes: bool = True) -> Iterator[None]:
    """dbt's session on Sail: on the server of `medallion serve`, else on one that ends with this process."""
    try:
        served = sail.is_listening()
        with nullcontext() if served else sail.own_server():
            session = sail.connect()
            try:
                with interruptible(session.session_id) if served and writes else nullcontext():
                    yield
            finally:
                session.stop()  # before the server, or it would look for that
    except sail.SailError as problem:
        raise Failure(str(problem)) from None


@contextmanager
def interruptible(session_id: str) -> Iterator[None]:
    """Ends what the last writer left running when it was killed: a server goes on with the statements of the dead, and
    would write a batch that this process writes too. The lake remembers this process's session for the next one.
    """
    note = lake_home() / "sail-session"
    if note.exists():
        left = sail.connect(note.read_text())
        left.interruptAll()
        left.client.close()
    note.write_text(session_id)
    yield
    note.unlink()


def target_of(options: Sequence[str]) -> str:
    """The target of profiles.yml that dbt's options name, else the default one."""
    words = iter(options)
    for word in words:
        if word in ("--target", "-t"):
            return next(words, "")
        if word.startswith("--target="):
            return word.removeprefix("--target=")
    return os.environ.get("DBT_TARGET", "local")


def lake_home() -> Path:
    return ROOT / (os.environ.get("MEDALLION_HOME") or ".lake")


def silence_pyspark() -> None:
    """PySpark logs each error of a statement as a page of JSON, before dbt tells it in words."""
    try:
        from pyspark.logger import PySparkLogger
    except ImportError:
        return
    PySparkLogger.getLogger("SQLQueryContextLogger").disabled = True


def interrupt(signum: int, frame: Any) -> None:
    """Ends at once: dbt itself would wait for the statement that Spark is running. The tables can bear it."""
    say("Stopped. The same command goes on from here.")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):  # dbt's threads are about to lose Spark, and would say so
        os.dup2(nowhere, stream)
    # Not from this thread, which may be in the middle of a call to the engine.
    last_words = threading.Thread(target=stop_statements, daemon=True)
    last_words.start()
    last_words.join(timeout=2)
    stop_spark()
    os._exit(ERROR)


def stop_statements() -> None:
    """A served Sail would go on with them; a JVM would complain of them."""
    pyspark = sys.modules.get("pyspark")
    if context := getattr(getattr(pyspark, "SparkContext", None), "_active_spark_context", None):
        context.setLogLevel("OFF")
    connect = sys.modules.get("pyspark.sql.connect.session")
    if connect and (session := connect.SparkSession._get_default_session()):
        session.interruptAll()


def stop_spark() -> None:
    """Waits until the JVM is gone, so that the next command finds the lake free."""
    # Found among the objects, because PySpark names its process only once that has answered. By type: isinstance would
    # ask the objects themselves, and a dead proxy raises.
    for process in [thing for thing in gc.get_objects() if type(thing) is subprocess.Popen]:
        if getattr(process, "pid", None) is not None and process.poll() is None:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def lake_holder(options: Sequence[str]) -> str | None:
    """A sentence if another process holds the lake: the metastore of target local serves one at a time."""
    if target_of(options) != "local":
        return None
    home = lake_home()
    lock = home / "metastore" / "dbex.lck"
    if not lock.exists():
        return None
    import fcntl

    with lock.open("r+") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return None
        except OSError:
            pass
    pid = ""
    if (locks := Path("/proc/locks")).exists():
        held = [line.split() for line in locks.read_text().splitlines() if f":{lock.stat().st_ino} " in line]
        pid = f" {held[0][4]}" if held else ""
    return f"Another dbt or Spark process{pid} holds the lake {home}; wait for it or end it."


# What the commands print ---------------------------------------------------------------------------------------------


def show_table(title: str, rows: list[dict[str, Any]]) -> None:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in rows[0]:
        numeric = not any(isinstance(row[name], (str, date)) for row in rows)
        table.add_column(name.replace("_", " "), justify="right" if numeric else "left", overflow="fold")
    columns = [cells([row[name] for row in rows]) for name in rows[0]]
    for values in zip(*columns, strict=True):
        table.add_row(*values)
    console.print(table)


def cells(values: list[Any]) -> list[str]:
    """A column as text; numbers all whole or all with two decimals."""
    if any(isinstance(value, (str, date)) for value in values):
        return ["" if value is None else str(value) for value in values]
    whole = all(value is None or value == int(value) for value in values)
    return ["" if value is None else f"{value:,.{0 if whole else 2}f}" for value in values]


def size(number: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            break
        number, unit = number / 1000, "TB"
    return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"


def show_tables(dbt: Dbt) -> bool:
    """Tables with their rows and files; False when there are none yet."""
    rows = dbt.rows(
        f"select *, date_format(last_written_at, 'yyyy-MM-dd HH:mm') as written_utc from ({call('table_health')})"
    )
    rows.sort(key=lambda row: (*[row["layer"] != layer for layer in LAYERS], row["table_name"]))
    if rows:
        show_table(
            "Tables",
            [
                {
                    "layer": row["layer"],
                    "table": row["table_name"],
                    "rows": row["row_count"],
                    "files": row["file_count"],
                    "size": size(float(row["size_bytes"])),
                    "written (UTC)": row["written_utc"],
                }
                for row in rows
            ],
        )
    return bool(rows)


def show_quarantine(dbt: Dbt, source: str | None = None, with_age: bool = False) -> None:
    age = "".join(
        f", date_format({which}_ingested_at, 'yyyy-MM-dd HH:mm') as {which}_utc" for which in ("oldest", "newest")
    )
    rows = dbt.rows(
        f"select source, rule, record_count{age if with_age else ''} from ({call('quarantine_summary', source=source)})"
        " order by source, record_count desc, rule"
    )
    if rows:
        show_table("Quarantined records by source and rule", rows)
    else:
        say("No quarantined records.")


def last_run() -> str:
    """The last dbt command of this project, from its artifact."""
    try:
        newest = max((file for file in RUN_RESULTS if file.exists()), key=lambda file: file.stat().st_mtime)
        run = json.loads(newest.read_text())
        counts = Counter(result["status"] for result in run["results"])
        ended = datetime.fromisoformat(run["metadata"]["generated_at"].replace("Z", "+00:00"))
        what = f"dbt {run['args'].get('which', '')}, {ended:%Y-%m-%d %H:%M} UTC, {run['elapsed_time']:.0f} s"
    except (OSError, ValueError, LookupError, TypeError, AttributeError):  # none, or not what dbt writes
        return "No dbt run yet."
    summary = ", ".join(f"{number} {status}" for status, number in sorted(counts.items())) or "nothing selected"
    return f"Last run: {what}: {summary}"


# The commands --------------------------------------------------------------------------------------------------------


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
    say(f"Nothing was changed. medallion quarantine replay {source} --apply does it.")
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


if __name__ == "__main__":
    main()
