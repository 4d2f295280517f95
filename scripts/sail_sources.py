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
import re
import zlib
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from pyspark.sql.datasource import DataSource, DataSourceReader, InputPartition

# What Spark opens by the end of a file's name as well.
OPENERS = {".gz": gzip.open, ".bz2": bz2.open}
ONLY_SPARK_OPENS = {".deflate", ".lz4", ".snappy", ".zst"}
# Bytes of text that Sail takes as one value, and bytes of files that are worth a partition of their own.
MOST_BYTES = 2**31 - 1
PART_BYTES = 2**26
COMMIT = re.compile(r"\d{20}\.json")  # checkpoints and compacted logs have other names


class Source(DataSource):
    """A source whose rows one function of its options yields; named as its class, in snake case."""

    columns: str

    @classmethod
    def name(cls) -> str:
        return re.sub("(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    def schema(self) -> str:
        return self.columns

    def reader(self, schema: Any) -> DataSourceReader:
        return Reader(type(self), dict(self.options))

    @staticmethod
    def parts(**options: str) -> list[dict[str, Any]]:
        """The arguments of `rows`, once for each partition."""
        return [options]

    @staticmethod
    def rows(**options: Any) -> Iterator[tuple]:
        raise NotImplementedError


class Reader(DataSourceReader):
    def __init__(self, source: type[Source], options: dict[str, str]) -> None:
        self.source = source
        self.options = options

    def partitions(self) -> list[InputPartition]:
        return [InputPartition(part) for part in self.source.parts(**self.options)]

    def read(self, partition: InputPartition) -> Iterator[tuple]:
        yield from self.source.rows(**partition.value)


class LandingFiles(Source):
    """Files of a source, unread, with size (bytes) and modification time (UTC); none if its folder does not exist.

    `path` is the landing root, `#` and the source's folder below it, which is looked for in any case of its letters.
    Names that start with a dot or an underscore are hidden. What cannot be listed has a sentence in `problem`.
    """

    columns = "file_path string, file_size bigint, file_modified_at string, problem string"

    @staticmethod
    def rows(path: str) -> Iterator[tuple]:
        root, _, below = path.rpartition("#")
        if re.match("[a-zA-Z][a-zA-Z0-9+.-]*:", root):
            where = f"Sail reads landing files in folders of this machine only, not {root}/{below}"
            yield "", 0, None, f"{where}. Set MEDALLION_LANDING to a folder, or build on Spark: --target local."
        elif not Path(root).is_dir():
            yield "", 0, None, no_landing_root(root)
        else:
            folders = [Path(root)]
            for step in below.split("/"):
                folders = [found for folder in folders for found in named(folder, step)]
            for folder in folders:
                yield from listing(folder, ())


class LandingContents(Source):
    """The text of `files` (a JSON list of absolute paths) below `path`.

    Where it is not UTF-8, the bytes that are not have become U+FFFD and a U+FFFD of the file U+FDD0, and `single_bytes`
    has each byte as the character of that number, as on Spark (landing_contents). A file that cannot be read has no
    text, and a sentence in `problem`.
    """

    columns = (
        "file_path string, file_size bigint, file_modified_at string, content string, single_bytes string,"
        " is_utf8 boolean, problem string"
    )

    @staticmethod
    def parts(path: str, files: str) -> list[dict[str, Any]]:
        """Sail holds the files of a partition in memory together, and works on several partitions at once."""
        parts: list[dict[str, Any]] = []
        room = 0
        for name in json.loads(files):
            try:
                size = Path(name).stat().st_size * (8 if ending(name) in OPENERS else 1)
            except OSError:  # which `rows` will tell
                size = 0
            if not parts or size > room:
                parts.append({"files": []})
                room = PART_BYTES
            parts[-1]["files"].append(name)
            room -= size
        return parts

    @staticmethod
    def rows(files: list[str]) -> Iterator[tuple]:
        for name in files:
            file = Path(name)
            try:
                if ending(name) in ONLY_SPARK_OPENS:
                    raise OSError(f"Sail does not read {file.suffix}, only .gz and .bz2")
                with OPENERS.get(ending(name), open)(file, "rb") as stream:
                    content = stream.read(MOST_BYTES + 1)
                if len(content) > MOST_BYTES:
                    raise OSError("it holds 2 GB or more, which only Spark reads: --target local")
                row = *file_row(file), *texts(content), None
            except (OSError, EOFError, zlib.error) as reason:
                row = name, 0, None, None, None, None, problem(name, reason)
            yield row


class LakeTables(Source):
    """Delta tables of a schema: version, time of its commit (milliseconds since 1970), properties, names of columns,
    commits since the last checkpoint; `path` is the folder of the schema, `#` and a pattern of table names.
    """

    columns = (
        "table_name string, version bigint, committed_at bigint, properties string, columns string,"
        " commits_since_checkpoint bigint"
    )

    @staticmethod
    def rows(path: str) -> Iterator[tuple]:
        folder, _, pattern = path.rpartition("#")
        for log in sorted(Path(folder).glob(f"{pattern}/_delta_log")):
            newest = max(commits(log), default=None)  # without a commit it is what a killed run left
            if newest:
                table = delta_table(log.parent)
                properties = json.dumps(table.metadata().configuration)
                columns = json.dumps([field.name for field in table.schema().fields])
                version = int(newest.removesuffix(".json"))
                since = version - (last_checkpoint(log) or -1)
                yield log.parent.name, version, milliseconds(log / newest), properties, columns, since


class LakeCheckpoints(Source):
    """Writes a checkpoint of each of some Delta tables and removes the commits before it that are older than the log
    retention of the table; `path` is the warehouse, `#` and the folders of the tables below it, joined by commas.

    Sail writes none for a table whose commits of rows and of marks alternate: readers would go through ever more.
    """

    columns = "table_folder string, version bigint, problem string"

    @staticmethod
    def rows(path: str) -> Iterator[tuple]:
        from deltalake.exceptions import DeltaError

        warehouse, _, folders = path.rpartition("#")
        for folder in folders.split(","):
            try:
                table = delta_table(Path(warehouse, folder))
                table.create_checkpoint()
                table.cleanup_metadata()
                yield folder, table.version(), None
            except (DeltaError, OSError) as reason:
                yield folder, None, str(reason)


class LakeCommits(Source):
    """The newest commits of the Delta table in a folder; `path` is the folder, `#` and how many.

    The time of a commit is that of its file, in milliseconds since 1970, as in Spark's DESCRIBE HISTORY.
    `is_readable`: Sail cannot read a version that is older than the last checkpoint.
    """

    columns = (
        "version bigint, committed_at bigint, operation string, metrics string, user_metadata string,"
        " is_readable boolean"
    )

    @staticmethod
    def rows(path: str) -> Iterator[tuple]:
        folder, _, limit = path.rpartition("#")
        log = Path(folder, "_delta_log")
        names = sorted(commits(log), reverse=True) if log.exists() else []
        checkpoint = last_checkpoint(log) or 0
        for file in (log / name for name in names[: int(limit)]):
            with file.open(encoding="utf-8") as lines:
                own = next((json.loads(line) for line in lines if line.startswith('{"commitInfo"')), {})
            commit = own.get("commitInfo", {})
            metrics = json.dumps({name: str(value) for name, value in commit.get("operationMetrics", {}).items()})
            version = int(file.stem)
            words = commit.get("userMetadata")
            yield version, milliseconds(file), commit.get("operation"), metrics, words, version >= checkpoint


class LakeState(Source):
    """What DESCRIBE DETAIL tells of the Delta table in the folder `path`: files, bytes, partitions, properties."""

    columns = "num_files bigint, size_in_bytes bigint, partition_columns string, properties string"

    @staticmethod
    def rows(path: str) -> Iterator[tuple]:
        table = delta_table(Path(path))
        sizes = table.get_add_actions(flatten=True).column("size_bytes").to_pylist()
        metadata = table.metadata()
        yield len(sizes), sum(sizes), json.dumps(metadata.partition_columns), json.dumps(metadata.configuration)


def delta_table(folder: Path) -> Any:
    """A table as delta-rs reads it, whose errors leave open which table they are about.

    Raises:
        DeltaError: its log cannot be read; the message names the log's newest commit.
    """
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    try:
        return DeltaTable(str(folder))
    except DeltaError as reason:
        log = folder / "_delta_log"
        newest = log / max(commits(log), default="")
        raise DeltaError(f"{reason} (Generic delta kernel error in {newest})") from reason


class LakeVersion(Source):
    """Rows of the Delta table in a folder as they were at a version; `path` is the folder, `#` and the version."""

    def schema(self) -> Any:
        from pyspark.sql.pandas.types import from_arrow_schema

        return from_arrow_schema(self.dataset(self.options["path"]).schema)

    @staticmethod
    def dataset(path: str) -> Any:
        from deltalake import DeltaTable

        folder, _, version = path.rpartition("#")
        return DeltaTable(folder, version=int(version)).to_pyarrow_dataset()

    @staticmethod
    def rows(path: str) -> Iterator[Any]:
        yield from LakeVersion.dataset(path).to_batches()


def last_checkpoint(log: Path) -> int | None:
    """Version of the last checkpoint in a Delta log."""
    hint = log / "_last_checkpoint"
    return json.loads(hint.read_text())["version"] if hint.exists() else None


def commits(log: Path) -> Iterator[str]:
    """The names of the commits in a Delta log."""
    with os.scandir(log) as entries:
        yield from (entry.name for entry in entries if COMMIT.fullmatch(entry.name))


def no_landing_root(root: str) -> str:
    """In the words of the macro of this name."""
    tilde = " (~ is not expanded: write the whole path)" if "~" in root else ""
    return (
        f"The landing root {root} does not exist. Set MEDALLION_LANDING, or the var landing_root, to the folder that"
        f" holds one folder for each source{tilde}, or create it."
    )


def named(folder: Path, name: str) -> list[Path]:
    """What is called so in a folder, in any case of its letters."""
    if not folder.is_dir():
        return []
    return sorted(entry for entry in folder.iterdir() if entry.name.lower() == name.lower())


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


def ending(name: str) -> str:
    """The ending of a file's name that tells how it is compressed, as Spark sees it."""
    return Path(name).suffix.lower()


def texts(content: bytes) -> tuple[str, str | None, bool]:
    try:
        return content.decode(), None, True
    except UnicodeDecodeError:
        marked = content.replace("\ufffd".encode(), "\ufdd0".encode())
        return marked.decode(errors="replace"), content.decode("iso-8859-1"), False


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
    return name.startswith((".", "_"))


def milliseconds(file: Path) -> int:
    """Modification time since 1970, as Spark sees it, so that positions agree."""
    return file.stat().st_mtime_ns // 1_000_000


def file_row(file: Path) -> tuple[str, int, str]:
    """Path, size, and modification time in milliseconds, as Spark sees it, so that positions agree."""
    state = file.stat()
    seconds, milliseconds = divmod(state.st_mtime_ns // 1_000_000, 1000)
    modified_at = datetime.fromtimestamp(seconds, timezone.utc) + timedelta(milliseconds=milliseconds)
    return str(file), state.st_size, modified_at.isoformat()
