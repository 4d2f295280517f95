"""Data sources for Sail (Spark's Python data source API), which lacks SQL for what they tell: files of a folder without
reading them, files by literal name, tables of a warehouse, commits and state of a Delta table.

The Sail server finds them through entry points in pyproject.toml; in SQL: ``select * from landing_files.`folder` ``.
Only macros read them. Nothing is decided here: what is new, what a record is, what is due stands in those macros.
"""

from __future__ import annotations

import bz2
import gzip
import json
import os
import zlib
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from pyspark.sql.datasource import DataSource, DataSourceReader, InputPartition

# What Spark opens by the end of a file's name as well.
OPENERS = {".gz": gzip.open, ".bz2": bz2.open}
ONLY_SPARK_OPENS = {".deflate", ".lz4", ".snappy", ".zst"}


class Source(DataSource):
    """A source whose rows one function of its options yields."""

    def reader(self, schema: Any) -> DataSourceReader:
        return Reader(type(self), dict(self.options))


class Reader(DataSourceReader):
    """Reads all rows in one go."""

    def __init__(self, source: type[Source], options: dict[str, str]) -> None:
        self.source = source
        self.options = options

    def partitions(self) -> list[InputPartition]:
        return [InputPartition(0)]

    def read(self, partition: InputPartition) -> Iterator[tuple]:
        yield from self.source.rows(**self.options)


class LandingFiles(Source):
    """Files below the folder `path`, unread, with size (bytes) and modification time (UTC); none if it does not exist.

    Names that start with a dot or an underscore are hidden, as Spark has it (HadoopFSUtils.shouldFilterOutPathName).
    What cannot be listed has a sentence in `problem`.
    """

    @classmethod
    def name(cls) -> str:
        return "landing_files"

    def schema(self) -> str:
        return "file_path string, file_size bigint, file_modified_at string, problem string"

    @staticmethod
    def rows(path: str) -> Iterator[tuple]:
        if Path(path).exists():
            yield from listing(Path(path), ())


class LandingContents(Source):
    """The text of `files` (a JSON list of absolute paths) below `path`; without a byte-order mark, and with U+FFFD
    for what is no UTF-8, as in Spark.

    A file that cannot be read has no text, and a sentence in `problem`.
    """

    @classmethod
    def name(cls) -> str:
        return "landing_contents"

    def schema(self) -> str:
        return "file_path string, file_size bigint, file_modified_at string, content string, problem string"

    @staticmethod
    def rows(path: str, files: str) -> Iterator[tuple]:
        for name in json.loads(files):
            file = Path(name)
            try:
                if file.suffix in ONLY_SPARK_OPENS:
                    raise OSError(f"Sail does not read {file.suffix}, only .gz and .bz2")
                with OPENERS.get(file.suffix, open)(file, "rb") as stream:
                    row = *file_row(file), stream.read().decode("utf-8-sig", errors="replace"), None
            except (OSError, EOFError, zlib.error) as reason:
                row = name, 0, None, None, problem(name, reason)
            yield row


class LakeTables(Source):
    """Delta tables in the folder `path` of a schema."""

    @classmethod
    def name(cls) -> str:
        return "lake_tables"

    def schema(self) -> str:
        return "table_name string"

    @staticmethod
    def rows(path: str) -> Iterator[tuple]:
        # without a commit it is what a killed run left
        yield from sorted({(commit.parents[1].name,) for commit in Path(path).glob("*/_delta_log/*.json")})


class LakeCommits(Source):
    """Commits of the Delta table in the folder `path`, as its log still holds them.

    The time of a commit is that of its file, as in Spark's DESCRIBE HISTORY.
    """

    @classmethod
    def name(cls) -> str:
        return "lake_commits"

    def schema(self) -> str:
        return "version bigint, committed_at string, operation string, metrics string, user_metadata string"

    @staticmethod
    def rows(path: str) -> Iterator[tuple]:
        for file in Path(path, "_delta_log").glob("[0-9]*.json"):
            actions = (json.loads(line) for line in file.read_text(encoding="utf-8").splitlines())
            commit = next((action["commitInfo"] for action in actions if "commitInfo" in action), {})
            metrics = json.dumps({name: str(value) for name, value in commit.get("operationMetrics", {}).items()})
            yield int(file.stem), modified_at(file), commit.get("operation"), metrics, commit.get("userMetadata")


class LakeState(Source):
    """What DESCRIBE DETAIL tells of the Delta table in the folder `path`: files, bytes, partitions, properties."""

    @classmethod
    def name(cls) -> str:
        return "lake_state"

    def schema(self) -> str:
        return "num_files bigint, size_in_bytes bigint, partition_columns string, properties string"

    @staticmethod
    def rows(path: str) -> Iterator[tuple]:
        from deltalake import DeltaTable

        table = DeltaTable(path)
        sizes = table.get_add_actions(flatten=True).column("size_bytes").to_pylist()
        metadata = table.metadata()
        yield len(sizes), sum(sizes), json.dumps(metadata.partition_columns), json.dumps(metadata.configuration)


def listing(folder: Path, above: tuple[Path, ...]) -> Iterator[tuple]:
    """Files below a folder, through links too; `above` are the folders it lies in."""
    try:
        if (real := folder.resolve()) in above:
            raise OSError("a link that leads back to a folder above it")
        with os.scandir(folder) as found:
            entries = sorted((entry for entry in found if not is_hidden(entry.name)), key=lambda entry: entry.name)
    except OSError as reason:
        yield "", 0, None, problem(str(folder), reason)
        return
    for entry in entries:
        try:
            entry.name.encode()
            rows = listing(folder / entry, (*above, real)) if entry.is_dir() else [(*file_row(folder / entry), None)]
        except (OSError, UnicodeEncodeError) as reason:
            rows = [("", 0, None, problem(entry.path, reason))]
        yield from rows


def problem(name: str, reason: Exception) -> str:
    shown = os.fsencode(name).decode("utf-8", errors="backslashreplace")
    why = (
        "its name is no UTF-8"
        if isinstance(reason, UnicodeEncodeError)
        else getattr(reason, "strerror", None) or reason
    )
    return (
        f"Cannot read {shown} ({why}). Nothing of its batch was written; replace it or take it away, and build again."
    )


def is_hidden(name: str) -> bool:
    return name.startswith(".") or (name.startswith("_") and "=" not in name) or name.endswith("._COPYING_")


def file_row(file: Path) -> tuple[str, int, str]:
    return str(file), file.stat().st_size, modified_at(file)


def modified_at(file: Path) -> str:
    """Milliseconds, as Spark sees them: positions of one engine must be those of the other."""
    seconds, milliseconds = divmod(file.stat().st_mtime_ns // 1_000_000, 1000)
    return (datetime.fromtimestamp(seconds, timezone.utc) + timedelta(milliseconds=milliseconds)).isoformat()
