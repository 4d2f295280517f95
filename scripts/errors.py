"""What an error means: one plain sentence, and the exit code that tells an orchestrator what to do."""

from __future__ import annotations

import re
from collections.abc import Iterable

import click

from medallion.console import printable

# The contract with orchestrators: these numbers do not change.
DONE, DATA, USAGE, BUSY, RETRY, NOTHING = range(6)
SIGNALLED = 128  # + number of the signal: 130 for Ctrl-C, 143 for SIGTERM
MEANINGS = {
    DONE: "Done.",
    DATA: "The data or a model failed: a test, a rule, the ledger, a contract. A retry cannot help.",
    USAGE: "The command, the configuration or the machine is not right. A retry cannot help.",
    BUSY: "Another process is writing to the lake. Nothing was changed; try again later.",
    RETRY: "The engine was lost, or other writers came first. The same command can succeed; it goes on from here.",
    NOTHING: "Nothing to do (only with --skip-code; 0 otherwise).",
}

# Two writers of one table, as Delta and Sail tell it. Any build may be repeated: what was written is not written twice.
CONFLICT = (
    r"DELTA_CONCURRENT|DELTA_METADATA_CHANGED|Concurrent\w+Exception|MetadataChangedException"
    r"|Failed to commit transaction"
)

# What an error of Spark, Sail, Delta or dbt means. The first that fits is told, so the more particular comes first.
KNOWN_ERRORS: list[tuple[str, int, str]] = [
    (r"holds the lease of this lake", BUSY, ""),  # says it all
    (r"Cannot read .*Nothing of its batch was written", DATA, ""),  # says it all
    (r"FAILED_READ_FILE[.]FILE_NOT_EXIST(?!.*[.]parquet)", RETRY,
     "A landing file that was listed is not there when it is read: it was taken away, or the cluster's executors do not"
     " see the landing root. Nothing of its batch was written."),
    (r"FAILED_READ_FILE(?!.*[.]parquet)", DATA,
     "A landing file, which the message names, cannot be read: it is broken, or compressed in a way that this engine"
     " does not know. Nothing of its batch was written; replace it or take it away, and build again."),
    (r"JAVA_GATEWAY_EXITED|UnsupportedClassVersionError", USAGE,
     "Spark did not start; it needs Java 17 or newer, on the PATH or in JAVA_HOME. Sail needs none: --target sail."),
    (r"Cannot find catalog plugin class", USAGE,
     "Spark does not find Delta; `make setup ENGINE=spark` puts its jars in place."),
    (r"DELTA_CREATE_TABLE_WITH_NON_EMPTY_LOCATION", DATA,
     "A killed run left files where a new table belongs; delete the folder that the message names and build again."),
    (r"DELTA_MULTIPLE_SOURCE_ROW_MATCHING_TARGET_ROW", DATA,
     "A batch holds a key of the model twice; deduplicate it before the MERGE."),
    (r"DELTA_MERGE_UNRESOLVED_EXPRESSION", DATA,
     "The model no longer has a column that its table has; see on_schema_change, or build it with --full-refresh."),
    (CONFLICT, RETRY,
     "Another process wrote the same table at the same time; nothing is half written, run the command again."),
    (r"Py4JNetworkError|Answer from Java side is empty|Error while (?:sending or )?receiving|SparkContext was shut down"
     r"|Cannot call methods on a stopped SparkContext", RETRY,
     "Spark ended in the middle of the run: killed, or out of memory (spark.driver.memory in profiles.yml). Run the"
     " same command again; it goes on from here."),
    (r"No Sail server answers", RETRY, ""),  # says it all
    (r"StatusCode.UNAVAILABLE|failed to connect to all addresses|Socket closed|RETRIES_EXCEEDED", RETRY,
     "The Sail server no longer answers. Run the same command again: `medallion build` starts a server of its own, or"
     " start one for all with `medallion serve`."),
    (r"TTransportException|TSocket read 0 bytes|Could not connect to any of|Connection refused|FailedToConnect"
     r"|failed to connect", RETRY,
     "The server of this target does not answer; see that it runs, and that host and port in profiles.yml are right."),
    (r"Could not find profile named", USAGE,
     "DBT_PROFILES_DIR names a folder whose profiles.yml has no profile medallion; unset it, or add the profile."),
    (r"does not have a target named", USAGE,
     "The profile has no such target; see --target, DBT_TARGET and profiles.yml."),
    (r"CAST_INVALID_INPUT|CAST_OVERFLOW|CANNOT_PARSE_TIMESTAMP|DIVIDE_BY_ZERO|ARITHMETIC_OVERFLOW|NUMERIC_VALUE_OUT"
     r"|INVALID_ARRAY_INDEX|Cannot cast string|Divide by zero", DATA,
     "A value does not fit what the model makes of it, and the SQL lets that stop the statement; use try_cast,"
     " try_divide and the like in the model, and a rule that puts such records into quarantine."),
    (r"INVALID_REGEXP_PATTERN|PatternSyntaxException|INVALID_PARAMETER_VALUE[.]PATTERN|[Rr]egex parse error", DATA,
     "A regular expression of the model is not valid on this engine. Spark and Sail know different dialects: use what"
     " both know (no look-around, no back-references)."),
    (r"OutOfMemoryError|GC overhead limit|Not enough memory to build and broadcast", USAGE,
     "Spark ran out of memory; raise spark.driver.memory in profiles.yml."),
    (r"No space left on device|StorageFull", USAGE,
     "The disk is full; make room and run the command again, it goes on from here."),
    (r"Permission denied|AccessDenied|Read-only file system|Mkdirs failed to create", USAGE,
     "A folder of the lake cannot be written; see who owns it, then run the command again."),
]  # fmt: skip


# A file of a table, in a message of either engine
TABLE_FILE = re.compile(r"/(?P<schema>[^/\s]+)[.]db/(?P<table>[^/\s]+)/(?P<file>[^\s,:;'\")]+)")
DAMAGE = re.compile(
    r"FAILED_READ_FILE|DELTA_FILE_NOT_FOUND|FileReadException|No such file or directory|not found|NotFound"
    r"|DELTA_TRUNCATED_TRANSACTION_LOG|DELTA_LOG_FILE_NOT_FOUND|DELTA_VERSIONS_NOT_CONTIGUOUS|DELTA_STATE_RECOVER_ERROR"
    r"|Expected contiguous|Generic delta kernel error|MalformedInput|JsonEOFException|EOF while parsing|Parquet error"
    r"|is not a Parquet file|out of range|corrupt",
    re.IGNORECASE,
)


class Failure(click.ClickException):
    """Ends a command with a sentence and an exit code."""

    def __init__(self, message: str, code: int = USAGE) -> None:
        super().__init__(printable(message, "\n"))
        self.exit_code = code


def damaged(message: str) -> str | None:
    """The sentence for a data file or a commit of a table that is gone or cut off."""
    found = TABLE_FILE.search(message)
    if not found or not DAMAGE.search(message):
        return None
    schema, table, file = found.group("schema", "table", "file")
    what = "A commit in the log" if "_delta_log" in file else "A data file"
    if schema.endswith(("gold", "silver")):
        heal = f"restore it, or compute the table again: medallion build --select {table}+ --full-refresh"
        if "_delta_log" in file:
            heal = f"restore it, or delete the folder {schema}.db/{table} and compute the table again: medallion build"
    elif schema.endswith("bronze"):
        heal = (
            f"restore it from a backup, or delete the folder {schema}.db/{table} and take the landing files in again:"
            " medallion build"
        )
    else:
        heal = "restore it from a backup; the ledgers of a lake cannot be computed again"
    return f"{what} of {schema}.{table} is gone or broken ({file}): {heal}."


def meaning(message: str) -> tuple[int, str] | None:
    """The code and the sentence of an error; none if it is not known."""
    if sentence := damaged(message):
        return DATA, sentence
    return next(((code, text) for pattern, code, text in KNOWN_ERRORS if re.search(pattern, message)), None)


def explain(messages: Iterable[str]) -> list[str]:
    """What the known errors among the messages mean, each once."""
    found = [meaning(message) for message in messages]
    return list(dict.fromkeys(known[1] for known in found if known and known[1]))


def short(messages: list[str]) -> str:
    """A failure in one or a few lines: what is known of it, else dbt's words without its frame and the stack trace."""
    # which node failed is told before why
    messages = [text for text in messages if not re.match(r"\d+ of \d+ ERROR", text)] or messages
    text = re.split(r"\n\s+at |\nJVM stacktrace", messages[0])[0] if messages else "dbt failed; see logs/dbt.log"
    frame = re.compile(r"\s*$|Encountered an error|\s*(Runtime|Compilation|Database) Error|\s*> (in|called by) ")
    return "\n".join(explain(messages) or [line.strip() for line in text.splitlines() if not frame.match(line)])


def worst(codes: Iterable[int]) -> int:
    """One code for several: a retry is only worth it where nothing else failed."""
    found = set(codes)
    return next((code for code in (DATA, USAGE, BUSY, RETRY) if code in found), DONE)
