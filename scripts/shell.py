"""dbt in this process, for all commands of `medallion`: its arguments and results, the engine started once and gone at
the end, one writer at a time, signals.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout
from datetime import datetime, timezone
from itertools import zip_longest
from typing import Any

from medallion import bare, sail
from medallion.console import Printable, has_color, say
from medallion.errors import CONFLICT, DATA, DONE, RETRY, SIGNALLED, USAGE, Failure, explain, meaning, short, worst
from medallion.lake import (
    ON_THIS_MACHINE,
    ROOT,
    SAIL_ARTIFACTS,
    lake_home,
    lake_lock,
    named_target,
    need_artifacts,
    private,
    target_of,
)

on_stop: list[Callable[[int], None]] = []  # last words of a command that a signal ends

PAUSES = [1, 5, 15]  # seconds before a build that met another writer is repeated
FAILED_NODE = ("error", "fail", "runtime error", "partial success")

# The arguments of dbt, as pure functions -----------------------------------------------------------------------------

# run_results.json of the last build must survive what upkeep and queries write.
OWN_ARTIFACTS = ["--target-path", "target/upkeep"]


def operation(macro: str, **arguments: Any) -> list[str]:
    """A run-operation; arguments that are None are left out."""
    given = {name: value for name, value in arguments.items() if value is not None}
    return ["run-operation", macro, "--args", json.dumps(given), *OWN_ARTIFACTS]


def query(sql: str, limit: int = -1) -> list[str]:
    """A SELECT, with dbt's Jinja in it. Writing the manifest would take longer than most queries."""
    return ["show", "--inline", sql, "--limit", str(limit), "--output", "json", *OWN_ARTIFACTS, "--no-write-json"]


def call(macro: str, **arguments: str | int | list[str] | dict[str, str] | None) -> str:
    """Jinja that calls a macro."""
    given = ", ".join(
        f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in arguments.items() if value is not None
    )
    return "{{ " + f"{macro}({given})" + " }}"


def options(**values: str | None) -> list[str]:
    """Command-line options; those that are None are left out."""
    return [word for name, value in values.items() if value for word in (f"--{name}", value)]


def common(options: Sequence[str]) -> list[str]:
    """Those of dbt's options that a query shares with a build."""
    found: list[str] = []
    for word, following in zip_longest(options, options[1:], fillvalue=""):
        name, is_one_word, _ = word.partition("=")
        if name in ("--target", "-t", "--vars", "--profile", "--profiles-dir", "--project-dir"):
            found += [word] if is_one_word else [word, following]
    return found


# dbt -----------------------------------------------------------------------------------------------------------------


class Dbt:
    """dbt in this process: several invocations, one engine."""

    def __init__(self, options: Sequence[str] = ()) -> None:
        self.options = list(options)
        self.common = common(options)
        self.target = target_of(options)
        # the lake's, of which dbt does not know
        self.is_remembered = self.target != "local" and not named_target(options)
        self.started_at = datetime.now(timezone.utc)
        self.errors: list[str] = []
        self.nodes: list[Any] = []  # of the last run
        self.invocation_ids: list[str] = []
        self._manifest: Any = None
        self._parsed: Any = None  # for runs of a process that stays

    def begin(self, manifest: Any) -> None:
        """The next run, in a process that stays, with the project as parsed; the arguments say all."""
        self.started_at = datetime.now(timezone.utc)
        self.invocation_ids = []
        self.options, self._parsed, self._manifest = [], manifest, manifest

    def invoke(self, arguments: list[str], manifest: Any = None) -> Any:
        from dbt.cli.main import dbtRunner

        self.errors = []
        words = [*arguments, *(self.options if manifest is None and arguments[0] != "parse" else self.common)]
        if self.is_remembered:
            words += ["--target", self.target]
        with redirect_stdout(Printable(sys.stdout)):
            result = dbtRunner(manifest=manifest, callbacks=[self._collect]).invoke(words)
        if result.exception is not None:
            self.errors.append(str(result.exception))
        return result

    def run(self, *arguments: str) -> int:
        """dbt as on the command line, and again where another writer of a table came first; returns the exit code."""
        for pause in [*PAUSES, None]:
            result = self.invoke(list(arguments), self._parsed)
            self.nodes = getattr(result.result, "results", None) or []
            code = exit_code(result, self.errors)
            if pause is None or code != RETRY or not any(re.search(CONFLICT, text) for text in self.errors):
                break
            say(f"Another process wrote a table at the same time; the same command again in {pause} s.")
            time.sleep(pause)
        for sentence in explain(self.errors) if code else []:
            say(f"→ {sentence}")
        return code

    @property
    def manifest(self) -> Any:
        """The parsed project, once a query was asked."""
        return self._manifest

    def quietly(self, arguments: list[str]) -> Any:
        """dbt without its own output; what went wrong is left in `errors`."""
        if self._manifest is None:
            parsed = self.invoke(["parse", "--log-level", "none"])
            if not parsed.success:
                return parsed
            self._manifest = parsed.result
        return self.invoke([*arguments, "--log-level", "none"], self._manifest)

    def need(self, arguments: list[str]) -> Any:
        """dbt without its own output; a failure ends the command with its reason."""
        result = self.quietly(arguments)
        if not result.success:
            raise Failure(short(self.errors), exit_code(result, self.errors))
        return result

    def rows(self, sql: str, limit: int = -1) -> list[dict[str, Any]]:
        """Rows of a query; a failure ends the command with its reason."""
        result = self.need(query(sql, limit))
        return [dict(row) for row in result.result.results[0].agate_table.rows]

    def _collect(self, event: Any) -> None:
        if event.info.level == "error":
            self.errors.append(event.info.msg)
        invocation_id = getattr(event.info, "invocation_id", None)
        if invocation_id and invocation_id not in self.invocation_ids:
            self.invocation_ids.append(invocation_id)


def exit_code(result: Any, errors: Sequence[str]) -> int:
    """What a dbt invocation means for the one who started it."""
    if result.success:
        return DONE
    if engine_is_gone():
        return RETRY
    known = [found[0] for found in map(meaning, errors) if found]
    if result.exception is not None:
        return worst(known) or USAGE
    nodes = [node for node in getattr(result.result, "results", None) or [] if text_of(node, "status") in FAILED_NODE]
    messages = [text_of(node, "message") for node in nodes]
    return worst((meaning(message) or (DATA,))[0] for message in messages) or worst(known) or DATA


def text_of(node: Any, name: str) -> str:
    return str(getattr(node, name, None) or "")


# The session ---------------------------------------------------------------------------------------------------------


@contextmanager
def dbt_session(options: Sequence[str] = (), writes: bool = True) -> Iterator[Dbt]:
    """dbt from the project's root, with signals handled, and the engine gone at the end."""
    os.chdir(ROOT)
    private()
    need_artifacts()
    target = target_of(options)
    bare.prepare(target)
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, interrupt)
    # Python's own watcher of leaked semaphores, which a stopped run leaves to it.
    os.environ.setdefault("PYTHONWARNINGS", "ignore:resource_tracker")
    if not has_color():
        os.environ.setdefault("DBT_USE_COLORS", "false")
    if target == "sail":
        os.environ.setdefault("DBT_TARGET_PATH", SAIL_ARTIFACTS)
    silence_pyspark()
    with lake_lock(writes) if target in ON_THIS_MACHINE else nullcontext():
        try:
            with sail_session(writes) if target == "sail" else nullcontext():
                yield Dbt(options)
        finally:
            stop_spark()


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


def silence_pyspark() -> None:
    """PySpark logs each error of a statement as a page of JSON, before dbt tells it in words."""
    try:
        from pyspark.logger import PySparkLogger
    except ImportError:
        return
    PySparkLogger.getLogger("SQLQueryContextLogger").disabled = True


def interrupt(signum: int, frame: Any) -> None:
    """Ends at once: dbt itself would wait for the statement that the engine is running. The tables can bear it."""
    say("Stopped. The same command goes on from here.")
    for tell in on_stop:
        tell(signum)
    sys.stdout.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):  # dbt's threads are about to lose the engine, and would say so
        os.dup2(nowhere, stream)
    # Not from this thread, which may be in the middle of a call to the engine.
    last_words = threading.Thread(target=stop_statements, daemon=True)
    last_words.start()
    last_words.join(timeout=2)
    stop_spark()
    os._exit(SIGNALLED + signum)


def stop_statements() -> None:
    """A served Sail would go on with them; a JVM would complain of them."""
    pyspark = sys.modules.get("pyspark")
    if context := getattr(getattr(pyspark, "SparkContext", None), "_active_spark_context", None):
        context.setLogLevel("OFF")
    connect = sys.modules.get("pyspark.sql.connect.session")
    if connect and (session := connect.SparkSession._get_default_session()):
        session.interruptAll()


def spark_process() -> Any:
    """The JVM that PySpark started in this process. One that has not answered yet ends by itself, with its stdin."""
    pyspark = sys.modules.get("pyspark")
    gateway = getattr(getattr(pyspark, "SparkContext", None), "_gateway", None)
    return getattr(gateway, "proc", None)


def engine_is_gone() -> bool:
    """Whether the JVM of this process has ended under it."""
    process = spark_process()
    return process is not None and process.poll() is not None


def stop_spark() -> None:
    """Waits until the JVM is gone, so that the next command finds the lake free."""
    process = spark_process()
    if process is None or process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(timeout=10)
    except Exception:  # subprocess.TimeoutExpired
        process.kill()
        process.wait()
