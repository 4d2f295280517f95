"""The shell round dbt that all commands of `medallion` share.

dbt in this process, its arguments and errors; one writer at a time on the lake; the engine started once and gone at
the end.
"""

from __future__ import annotations

import gc
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import click
from medallion import sail
from rich.console import Console

ROOT = Path(__file__).resolve().parents[1]
# On Sail dbt has a folder of its own, as it parses the whole project again after each change of the target.
SAIL_ARTIFACTS = "target/sail"

# dbt's exit codes, and one for a lake in use
OK, FAILED, ERROR, BUSY = 0, 1, 2, 3

# Two writers of one table, as Delta and Sail tell it. Any build may be repeated: what was written is not written twice.
CONFLICT = (
    r"DELTA_CONCURRENT|DELTA_METADATA_CHANGED|Concurrent\w+Exception|MetadataChangedException"
    r"|Failed to commit transaction"
)
PAUSES = [1, 5, 15]  # seconds before a build that met one is repeated

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
    (CONFLICT,
     "Another process wrote the same table at the same time; nothing is half written, run the command again."),
    (r"FAILED_READ_FILE.*[.]parquet|DELTA_FILE_NOT_FOUND|FileReadException",
     "A data file of a table is gone, deleted by hand or by VACUUM; restore it, or build with --full-refresh."),
    (r"StatusCode.UNAVAILABLE|failed to connect to all addresses",
     "No Sail server answers; run medallion serve --engine sail, or use medallion build, which starts one."),
    (r"OutOfMemoryError|GC overhead limit|Not enough memory to build and broadcast",
     "Spark ran out of memory; raise spark.driver.memory in profiles.yml."),
    (r"No space left on device|StorageFull",
     "The disk is full; make room and run the command again, it goes on from here."),
    (r"Permission denied|AccessDenied|Read-only file system|Mkdirs failed to create",
     "A folder of the lake cannot be written; see who owns it, then run the command again."),
]  # fmt: skip

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
        """dbt as on the command line, and again where another writer of a table came first; returns its exit code."""
        code = exit_code(self.invoke(list(arguments)))
        for pause in PAUSES:
            if code != FAILED or not any(re.search(CONFLICT, text) for text in self.errors):
                break
            say(f"Another process wrote a table at the same time; the same command again in {pause} s.")
            time.sleep(pause)
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
        sail.end_statements(note.read_text())
    note.write_text(session_id)
    try:
        yield
    finally:
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
