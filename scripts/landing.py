"""What is new in the landing zone, without dbt and without an engine: `medallion has-new` and `medallion wait`.

It lists folders and reads the file ledger through delta-rs; it builds nothing and writes nothing. What counts as new is
what bronze would ingest, so it follows the macros list_new_files and next_batch_id.
"""

from __future__ import annotations

import fnmatch
import json
import os
import re
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from medallion.console import say
from medallion.errors import DATA, DONE, MEANINGS, NOTHING, RETRY, SIGNALLED, Failure
from medallion.lake import ON_THIS_MACHINE, ROOT, target_of, warehouse
from medallion.shell import options

URL = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")
READS_SOURCE = re.compile(r"""\bsource\(\s*['"]landing['"]\s*,\s*['"](\w+)['"]""")
PASSED_OVER_BY_SPARK = ("No such file or directory", "its name is no UTF-8")
SHOWN = 5  # names in a message


@dataclass(frozen=True)
class Source:
    """What models/landing.yml declares of a source."""

    name: str
    path: str  # its folder below the landing root
    when_changed: str
    table: Path  # its bronze table
    take: tuple[str, ...] = ()  # patterns of names
    leave: tuple[str, ...] = ()

    def takes(self, below: str) -> bool:
        """Whether it reads a file of this path below its folder, as the macro _name_patterns has it."""
        is_named = [any(is_like(below, pattern) for pattern in patterns) for patterns in (self.take, self.leave)]
        return (is_named[0] or not self.take) and not is_named[1]


@dataclass
class News:
    """What a build would find of a source."""

    source: Source
    new: list[str] = field(default_factory=list)
    new_bytes: int = 0
    changed: list[str] = field(default_factory=list)  # files of another size than at their ingest
    problems: list[str] = field(default_factory=list)  # what cannot be listed
    unfinished_batch: int | None = None  # written by a build that ended before it had entered its files
    arrived: set[str] = field(default_factory=set)  # files that lie there or were ingested

    @property
    def is_something(self) -> bool:
        return bool(self.new) or self.unfinished_batch is not None

    def as_json(self) -> dict[str, Any]:
        return {
            "source": self.source.name, "new": self.new, "new_bytes": self.new_bytes,
            "unfinished_batch": self.unfinished_batch,
        }  # fmt: skip


# Settings ------------------------------------------------------------------------------------------------------------


def variables(given: str | None = None) -> dict[str, Any]:
    """The variables of the project, with those of --vars over them."""
    declared = read_yaml(ROOT / "dbt_project.yml").get("vars") or {}
    declared = {**declared, **(declared.get("medallion") or {})}
    import yaml

    try:
        over = yaml.safe_load(given or "{}")
    except yaml.YAMLError:
        over = None
    if not isinstance(over, dict):
        raise Failure("--vars must be a YAML mapping, for instance '{schema_prefix: dev_}'.")
    return {**declared, **over}


def landing_root(settings: dict[str, Any]) -> str:
    """As the macro of this name has it: absolute, in its simplest form.

    Raises:
        Failure: it is no folder of this machine, or does not exist.
    """
    root = str(os.environ.get("MEDALLION_LANDING") or settings.get("landing_root") or "")
    if not root:
        raise Failure("No landing root: set the variable landing_root in dbt_project.yml, or MEDALLION_LANDING.")
    if URL.match(root):
        raise Failure(
            f"The landing root is {root}. This command lists folders of this machine only; there, run medallion build"
            " on a schedule: without new files it writes nothing."
        )
    root = os.path.normpath(ROOT / root)
    if not Path(root).is_dir():
        raise Failure(
            f"The landing root {root} does not exist. Set MEDALLION_LANDING, or the var landing_root, or create it."
        )
    return root


def schema(settings: dict[str, Any], name: str) -> Path:
    """The folder of a schema in the warehouse."""
    prefix = settings.get("schema_prefix") or ""
    if not isinstance(prefix, str) or not re.fullmatch("([a-z_][a-z0-9_]*)?", prefix):
        raise Failure(
            f"The var schema_prefix is '{prefix}': use lower-case letters, digits and _ only, no digit first."
        )
    return warehouse() / f"{prefix}{name}.db"


def declared_sources(settings: dict[str, Any]) -> list[Source]:
    """The landing sources that a bronze model reads."""
    readers = {}
    for model in (ROOT / "models").rglob("*.sql"):
        for name in READS_SOURCE.findall(model.read_text(encoding="utf-8")):
            readers[name] = model.stem
    bronze, found = schema(settings, "bronze"), []
    for file in sorted((ROOT / "models").rglob("*.y*ml")):
        if not re.search("^sources:", file.read_text(encoding="utf-8"), re.MULTILINE):
            continue
        for group in read_yaml(file)["sources"] or []:
            for table in (group.get("tables") or []) if group["name"] == "landing" else []:
                name = table["name"]
                meta = {**meta_of(group), **meta_of(table)}
                when_changed = meta.get("when_changed", "fail")
                if when_changed not in ("fail", "ignore", "new_version"):
                    raise Failure(
                        f"Source {name}: meta.when_changed is '{when_changed}'; declare fail, ignore or new_version."
                    )
                if name in readers and (table.get("config") or {}).get("enabled", True):
                    path = os.path.normpath(str(meta.get("path", name)))
                    take, leave = (as_tuple(meta.get(setting)) for setting in ("take", "leave"))
                    found.append(Source(name, path, when_changed, bronze / readers[name], take, leave))
    return found


def as_tuple(declared: str | list[str] | None) -> tuple[str, ...]:
    return (declared,) if isinstance(declared, str) else tuple(declared or ())


def is_like(below: str, pattern: str) -> bool:
    """A path, against a pattern with * and ?; without a slash, the pattern is for the name alone."""
    shape = re.escape(pattern).replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
    return bool(re.fullmatch(shape, below if "/" in pattern else below.rpartition("/")[2], re.DOTALL))


def meta_of(declared: dict[str, Any]) -> dict[str, Any]:
    return (declared.get("config") or {}).get("meta") or declared.get("meta") or {}


def chosen_sources(settings: dict[str, Any], names: Sequence[str]) -> list[Source]:
    declared = declared_sources(settings)
    for name in names:
        if name not in [source.name for source in declared]:
            known = ", ".join(sorted(source.name for source in declared)) or "none"
            raise Failure(f"No bronze model reads a landing source {name}; there are: {known}.")
    return [source for source in declared if not names or source.name in names]


def read_yaml(file: Path) -> dict[str, Any]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.load(file.read_text(encoding="utf-8"), loader) or {}
    except yaml.YAMLError as problem:
        raise Failure(f"{file.relative_to(ROOT)} is no valid YAML: {problem}") from None


# What is new ---------------------------------------------------------------------------------------------------------


def news(settings: dict[str, Any], sources: Sequence[Source], on_sail: bool) -> list[News]:
    """What a build would find of each source, as the lake and the landing zone are now."""
    from deltalake.exceptions import DeltaError

    root, is_left_alone = landing_root(settings), left_alone(settings)
    try:
        ledger = rows(
            schema(settings, "ops") / "file_ledger",
            "select source, source_file, batch_id, file_size, record_count from t order by batch_id",
        )
        found = []
        for source in sources:
            of_source = [row for row in ledger if row["source"] == source.name]
            found.append(news_of(source, root, of_source, is_left_alone, on_sail))
        return found
    except (DeltaError, OSError) as problem:
        raise Failure(f"The file ledger cannot be read ({problem}). Try again.", RETRY) from None


def left_alone(settings: dict[str, Any]) -> Callable[[str], Any]:
    """Whether a path below the folder of a source is hidden or unfinished, as the macro _is_left_alone has it."""
    endings = "|".join(re.escape(ending) for ending in settings["unfinished_endings"])
    return re.compile(rf"/([._]|~[$])|({endings})(/|\Z)", re.IGNORECASE).search


def news_of(
    source: Source, root: str, ledger: list[dict[str, Any]], is_left_alone: Callable[[str], Any], on_sail: bool
) -> News:
    from medallion.sail_sources import listing

    found = News(source)
    known = known_files(source, ledger, found)
    folder = Path(root, source.path)
    files = []
    for path, size, modified_at, problem in listing(folder, ()) if folder.exists() else []:
        below = path.removeprefix(f"{root}/{source.path}")
        if problem and (on_sail or not any(why in problem for why in PASSED_OVER_BY_SPARK)):
            found.problems.append(problem)
        elif not problem and size > 0 and not is_left_alone(below) and source.takes(below[1:]):
            files.append((modified_at, path.removeprefix(f"{root}/"), size))
    for _, name, size in sorted(files):
        found.arrived.add(name)
        if name not in known:
            found.new.append(name)
            found.new_bytes += size
        elif known[name] != size and source.when_changed == "fail":
            found.changed.append(f"{name} (was {known[name]} bytes, is {size})")
        elif known[name] != size and source.when_changed == "new_version":
            found.new.append(name)
            found.new_bytes += size
    found.arrived.update(known)
    return found


def known_files(source: Source, ledger: list[dict[str, Any]], found: News) -> dict[str, int]:
    """Size of each file that bronze has ingested, ledger and bronze brought into line as the next build does it."""
    written = max(
        (row["batch_id"] or 0 for row in rows(source.table, "select max(batch_id) as batch_id from t")), default=0
    )
    recorded = max((row["batch_id"] for row in ledger), default=0)
    if written < recorded:  # bronze was dropped or restored: files of the lost batches are read again
        ledger = [row for row in ledger if row["batch_id"] <= written or not row["record_count"]]
    elif written > recorded:  # a build was killed in between: its files are entered, not read again
        found.unfinished_batch = written
        ledger = ledger + rows(
            source.table,
            "select source_file, max(file_size) as file_size, batch_id from t"
            f" where batch_id > {recorded} group by source_file, batch_id order by batch_id",
        )
    return {row["source_file"]: row["file_size"] for row in ledger}


def rows(table: Path, query: str) -> list[dict[str, Any]]:
    """Rows of a query of a Delta table, named `t` in it; none where there is no table yet."""
    from deltalake import DeltaTable, QueryBuilder

    if not any((table / "_delta_log").glob("*.json")):
        return []
    result = QueryBuilder().register("t", DeltaTable(str(table))).execute(query).read_all()
    columns = {name: result.column(name).to_pylist() for name in result.column_names}
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def of_date(day: str) -> re.Pattern[str]:
    """Finds a date in a path, however it is written: 2026-01-05, 20260105, 2026/01/05, year=2026/month=01/day=05; also
    with a time directly behind it.
    """
    year, month, date = day.split("-")
    return re.compile(rf"(?<!\d){year}\D{{0,7}}{month}\D{{0,5}}{date}(?=(\d\d){{0,3}}(?!\d))")


def has_arrived(found: News, pattern: str | None, day: str | None, count: int) -> bool:
    """Whether what `wait` was asked for is there."""
    if pattern is None and day is None:
        return found.unfinished_batch is not None or len(found.new) >= count
    below = [name.removeprefix(f"{found.source.path}/") for name in found.arrived]
    if day is not None:
        return sum(1 for name in below if of_date(day).search(name)) >= count
    names = below if "/" in pattern else [name.rpartition("/")[2] for name in below]
    return sum(1 for name in names if fnmatch.fnmatchcase(name, pattern)) >= count


def shown(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")


def refuse(found: Sequence[News]) -> None:
    """Ends where a build would end without reading anything: waiting or trying again cannot help."""
    for one in found:
        if one.problems:
            raise Failure(one.problems[0], DATA)
        if one.changed:
            raise Failure(
                f"Files of source {one.source.name} changed after they were ingested: {shown(one.changed)}. A build"
                " stops at them. Put the old file back and deliver the new content under a new name, or declare"
                " when_changed.",
                DATA,
            )


# The commands --------------------------------------------------------------------------------------------------------


@contextmanager
def interruptible() -> Iterator[None]:
    """Ctrl-C, SIGTERM and SIGHUP end the command with the code that says so."""

    def stop(signum: int, frame: Any) -> None:
        say("Stopped.")
        raise click.exceptions.Exit(SIGNALLED + signum)

    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(signum, stop) for signum in signals]
    try:
        yield
    finally:
        for signum, handler in zip(signals, before, strict=True):
            signal.signal(signum, handler)


def look(names: Sequence[str], target: str | None, given: str | None) -> Callable[[], list[News]]:
    """What to call for the news; the settings are read once."""
    target = target_of(options(target=target))
    if target not in ON_THIS_MACHINE:
        raise Failure(
            f"The lake of target {target} is not on this machine, nor is its file ledger. There, run medallion build"
            " on a schedule: without new files it writes nothing."
        )
    settings = variables(given)
    sources = chosen_sources(settings, names)
    return lambda: news(settings, sources, target == "sail")


def with_settings(command: Callable[..., Any]) -> Callable[..., Any]:
    command = click.option("--vars", "given", metavar="YAML", help="Variables, as for dbt.")(command)
    return click.option("--target", help="Target of profiles.yml.")(command)


@click.command("has-new")
@click.argument("source", required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON object with the names of all new files.")
@with_settings
def has_new(source: str | None, as_json: bool, target: str | None, given: str | None) -> None:
    """Say whether a build would find something new in the landing zone. Lists folders, reads no file, builds nothing.

    Exit codes: 0 there is something new, 5 there is not, 1 a build would stop (a changed file, a file that cannot be
    read), 2 usage or configuration, 4 the file ledger cannot be read just now.

    \b
    Examples:
      medallion has-new
      medallion has-new orders
      medallion has-new && medallion build
    """
    with interruptible():
        found = look([source] if source else [], target, given)()
    refuse(found)
    code = DONE if any(one.is_something for one in found) else NOTHING
    if as_json:
        answer = {"command": "has-new", "code": code, "meaning": MEANINGS[code]}
        print(json.dumps(answer | {"sources": [one.as_json() for one in found]}))
    else:
        tell(found)
    raise click.exceptions.Exit(code)


def tell(found: Sequence[News]) -> None:
    for one in found:
        if one.unfinished_batch is not None:
            say(f"{one.source.name}: batch {one.unfinished_batch} was written by a build that did not end; build again")
        if one.new:
            files = f"{len(one.new):,} new file{'s' if len(one.new) > 1 else ''}"
            say(f"{one.source.name}: {files}, {one.new_bytes:,} bytes: {shown(one.new)}")
    if not any(one.is_something for one in found):
        say("Nothing new.")


class Seconds(click.ParamType):
    """A time span: seconds, or a number with s, m or h."""

    name = "time"

    def convert(self, value: Any, param: Any, context: Any) -> int:
        match = re.fullmatch(r"(\d+)([smh]?)", str(value))
        if not match:
            self.fail(f"'{value}' is no time span; write 90, 90s, 30m or 2h.", param, context)
        return int(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[match[2]]


@click.command()
@click.option("--for", "names", required=True, multiple=True, metavar="SOURCE", help="Source to wait for; repeatable.")
@click.option("--timeout", type=Seconds(), default="1h", show_default=True, help="Give up after this; 0 checks once.")
@click.option("--every", type=Seconds(), default="15s", show_default=True, help="Time between checks.")
@click.option("--file", "pattern", help="Wait for a file of this name, present or ingested; * and ? are wildcards.")
@click.option("--date", "day", metavar="YYYY-MM-DD", help="Wait for a file with this date in its path.")
@click.option("--count", default=1, show_default=True, type=click.IntRange(1), help="Number of such files.")
@with_settings
def wait(
    names: tuple[str, ...], timeout: int, every: int, pattern: str | None, day: str | None, count: int,
    target: str | None, given: str | None,
) -> None:  # fmt: skip
    """Wait until data have arrived: something that a build would ingest, or files of a name or a date.

    A file that was ingested has arrived, also where it was deleted since. A pattern without / is compared with the name
    of a file, else with its path below the folder of the source. Empty files and hidden names do not count.

    Exit codes: 0 it has arrived, 5 it has not within the timeout, 1 a build would stop (a changed file, a file that
    cannot be read), 2 usage or configuration, 4 the file ledger cannot be read just now, 130 or 143
    interrupted.

    \b
    Examples:
      medallion wait --for orders --timeout 2h
      medallion wait --for orders --for customers --date 2026-01-05 --timeout 30m
      medallion wait --for orders --file "*-final.csv" --count 3
    """
    if pattern is not None and day is not None:
        raise click.UsageError("Name the files by --file or by --date, not by both.")
    if day is not None:
        try:
            day = datetime.strptime(day, "%Y-%m-%d").strftime("%Y-%m-%d")
        except ValueError:
            raise click.BadParameter(f"'{day}' is no date; write YYYY-MM-DD.", param_hint="--date") from None
    with interruptible():
        find = look(names, target, given)
        end = time.monotonic() + timeout
        while True:
            found = find()
            refuse(found)
            missing = [one.source.name for one in found if not has_arrived(one, pattern, day, count)]
            left = end - time.monotonic()
            if not missing:
                say(f"Arrived: {', '.join(names)}.")
                return
            if left <= 0:
                say(f"Not arrived within {timeout} s: {', '.join(missing)}.")
                raise click.exceptions.Exit(NOTHING)
            time.sleep(min(every, left))
