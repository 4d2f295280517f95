"""Samples of a feed: what format they have, and what their fields seem to be."""

from __future__ import annotations

import bz2
import csv
import gzip
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import Any

from medallion.errors import Failure

MOST = 100_000  # records that are looked at
Record = dict[str, Any]

# What the judged model can read (to_time), as Python has it. Those of one shape exclude each other.
_DATES = {
    "yyyy-MM-dd": "%Y-%m-%d", "yyyy/MM/dd": "%Y/%m/%d", "dd.MM.yyyy": "%d.%m.%Y", "d.M.yyyy": "%d.%m.%Y",
    "dd/MM/yyyy": "%d/%m/%Y", "MM/dd/yyyy": "%m/%d/%Y", "d/M/yyyy": "%d/%m/%Y", "M/d/yyyy": "%m/%d/%Y",
    "dd-MM-yyyy": "%d-%m-%Y", "MM-dd-yyyy": "%m-%d-%Y",
}  # fmt: skip
_CLOCKS = {"": "", " HH:mm:ss": " %H:%M:%S", " HH:mm": " %H:%M", " H:mm": " %H:%M"}
TIMES = {date + clock: read + as_ for date, read in _DATES.items() for clock, as_ in _CLOCKS.items()}
TIMES |= {f"yyyy-MM-dd HH:mm:ss.{'S' * digits}": "%Y-%m-%d %H:%M:%S.%f" for digits in (3, 6)}
ISO_8601 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d([.,]\d+)?)?(Z|[+-]\d\d(:?\d\d)?)?")
FLAGS = [("true", "false"), ("yes", "no"), ("y", "n"), ("ja", "nein")]
WHOLE = re.compile(r"[-+]?\d+([.]0*)?")
MONEY = re.compile(r"-?\d+([.]\d{1,4}0*)?")
COMMA = re.compile(r"-?(\d+|\d{1,3}([.]\d{3})+)(,\d{1,4}0*)?")
FLOAT = re.compile(r"-?\d+([.]\d+)?([eE][-+]?\d+)?")
IS_ID = re.compile(r"(^|_)(id|uid|uuid|guid|key|no|nr|num|number|nummer|code|ref|sku|iban|bic|zip|plz|postcode|phone)$")
# Kinds of personal data, by names and by values
PERSONAL_NAMES = {
    "email": r"e_?mail",
    "name": r"(first|last|full|user|customer|buyer|sur)_?name|vorname|nachname|login|payee|kontoinhaber|auftraggeber"
    r"|beguenstigter",
    "id": r"(customer|user|buyer)_?id|phone|mobile|telefon|iban|birth\w*|geburt\w*|ssn|passport|ip"
    r"|(ip|client)_?address",
    "free_text": r"address|street|strasse|zip|plz|postcode|user_?agent",
}
PERSONAL_VALUES = {
    "email": r"[^@\s]+@[^@\s]+[.][a-zA-Z]{2,}",
    "id": r"[A-Z]{2}\d{2}( ?[A-Z0-9]{4}){3,7}( ?[A-Z0-9]{1,3})?|\d{1,3}([.]\d{1,3}){3}",  # accounts, IP addresses
}


@dataclass
class Samples:
    """Records of the sample files, each a dict; scalars are texts as the feed has them, or None."""

    format: str
    options: dict[str, Any]
    records: list[Record]
    why: list[str]  # how format and options were told
    unreadable: int = 0


@dataclass
class Field:
    """A field of the feed, and what its values seem to be.

    kind is text, id, whole, money, float, time, date, flag, object (its fields follow it), or list (of `items`; of
    plain values if that is one item without a name).
    """

    path: tuple[str, ...]
    kind: str
    values: list[str | None] = field(default_factory=list)
    formats: list[str] = field(default_factory=list)
    items: list[Field] = field(default_factory=list)
    has_comma: bool = False
    is_optional: bool = False  # not in every record
    doubts: list[str] = field(default_factory=list)

    @property
    def filled(self) -> list[str]:
        return [value for value in self.values if value is not None]

    @property
    def is_filled(self) -> bool:
        """Whether every record has a value."""
        return bool(self.values) and None not in self.values

    @property
    def pii(self) -> str | None:
        """The kind of personal data that it looks like."""
        name = snake(self.path[-1]) if self.path else ""
        some = self.filled[:1000]
        for kind, shape in PERSONAL_NAMES.items():
            if re.search(rf"(^|_)({shape})(_|$)", name):
                return kind
        for kind, shape in PERSONAL_VALUES.items():
            if some and all(re.fullmatch(shape, value) for value in some):
                return kind
        return next((item.pii for item in self.items if item.pii), None)


# Reading -------------------------------------------------------------------------------------------------------------


def read(paths: Sequence[Path]) -> Samples:
    """All sample files, in the one format that they have.

    Raises:
        Failure: there is none, or they cannot be read.
    """
    files = [file for path in paths for file in (sorted(path.rglob("*")) if path.is_dir() else [path])]
    files = [file for file in files if file.is_file() and not file.name.startswith((".", "_"))]
    try:
        contents = {file: unpacked(file.read_bytes()) for file in files}
    except (OSError, EOFError) as problem:  # also of a broken archive
        raise Failure(f"A sample cannot be read: {problem}.") from None
    contents = {file: content for file, content in contents.items() if content.strip(b"\xef\xbb\xbf \t\r\n")}
    if not contents:
        raise Failure(f"There is no sample in {', '.join(map(str, paths))}; name files that have records.")
    formats = {file: format_of(content) for file, content in contents.items()}
    for file, found in formats.items():
        if found not in READERS:
            raise Failure(
                f"{file} is {found}; samples are read as {' or '.join(READERS)}. Declare its source by hand"
                " (CONTRIBUTING.md, A whole new source)."
            )
    if len(set(formats.values())) > 1:
        told = ", ".join(f"{file.name}: {found}" for file, found in formats.items())
        raise Failure(f"A source has one format, and these files have several ({told}). Name those of one.")
    try:
        samples = READERS[next(iter(formats.values()))](contents)
    except csv.Error as problem:
        raise Failure(f"The samples cannot be read as CSV: {problem}.") from None
    if len(samples.records) == MOST:
        samples.why.append(f"only the first {MOST:,} records were looked at")
    if not samples.records:
        raise Failure(
            f"There is no record in {', '.join(map(str, paths))} that can be read; name files that have some."
        )
    return samples


def unpacked(content: bytes) -> bytes:
    """Told by the content, not by the name."""
    if content.startswith(b"\x1f\x8b"):
        return gzip.decompress(content)
    return bz2.decompress(content) if content.startswith(b"BZh") else content


def format_of(content: bytes) -> str:
    if content.startswith(b"PAR1"):
        return "Parquet"
    if content.startswith(b"PK\x03\x04"):
        return "a zip archive or a workbook"
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "UTF-16"
    start = content.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"["):
        return "a JSON array"
    if start.startswith(b"{"):
        is_lines = any(is_json(line) for line in start.splitlines()[:10] if line.startswith(b"{"))
        return "json" if is_lines else "a JSON document over several lines"
    return "csv"


def is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def read_json(contents: dict[Path, bytes]) -> Samples:
    """JSON lines; numbers keep their characters."""
    records: list[Record] = []
    unreadable = 0
    for line in (line for content in contents.values() for line in content.splitlines() if line.strip()):
        try:
            record = json.loads(line.decode("utf-8-sig"), parse_float=str, parse_int=str)
        except ValueError:
            record = None
        if isinstance(record, dict):
            records.append(record)
        else:
            unreadable += 1
        if len(records) == MOST:
            break
    return Samples("json", {}, records, ["the first line of each file is a JSON object"], unreadable)


def read_csv(contents: dict[Path, bytes]) -> Samples:
    """CSV with a header; each file by its own."""
    decoded = {file: decode(content) for file, content in contents.items()}
    encodings = {encoding for _, encoding in decoded.values() if encoding != "ascii"}
    texts = {file: text.lstrip("\ufeff\r\n") for file, (text, _) in decoded.items()}
    separator, why = separator_of(list(texts.values()))
    records: list[Record] = []
    unreadable = 0
    for file, text in texts.items():
        rows = csv.reader(StringIO(text, newline=""), delimiter=separator)
        header = [name.strip() for name in next(rows)]
        need_header(file, header)
        for row in (row for row in rows if any(row)):
            if len(row) == len(header) and len(records) < MOST:
                records.append({name: value or None for name, value in zip(header, row, strict=True)})
            else:
                unreadable += len(row) != len(header)
    options: dict[str, Any] = {} if separator == "," else {"sep": separator}
    reasons = [why]
    if others := sorted(encodings - {"utf-8"}, reverse=True):
        # UTF-8 stays the first, as it is never taken for another; ISO-8859-1 the last, as it takes everything
        options["encoding"] = ["utf-8", *others]
        reasons.append(f"encoding {', '.join(others)} where a file is not UTF-8: some of these have such bytes")
    return Samples("csv", options, records, reasons, unreadable)


def decode(content: bytes) -> tuple[str, str]:
    """The text, and the encoding that tells it; ascii where any does."""
    for encoding in ("ascii", "utf-8", "windows-1252"):
        try:
            return content.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    return content.decode("iso-8859-1"), "iso-8859-1"


def separator_of(texts: list[str]) -> tuple[str, str]:
    """The one that gives the most rows as many fields as the header, and then the most fields."""
    best, found = (0.0, 1), ","
    for separator in (",", ";", "\t", "|"):
        fitting = total = 0
        widths = []
        for text in texts:
            rows = [row for row in islice(csv.reader(StringIO(text, newline=""), delimiter=separator), 1000) if row]
            widths.append(len(rows[0]))
            total += len(rows)
            fitting += sum(len(row) == widths[-1] for row in rows)
        if min(widths) > 1 and (score := (fitting / total, min(widths))) > best:
            best, found = score, separator
    name = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}[found]
    return found, f"separator {name}: {best[0]:.0%} of the rows have the {best[1]} fields of the header"


def need_header(file: Path, header: list[str]) -> None:
    """The first line is a header with which something can be done.

    Raises:
        Failure: it is not.
    """
    if any(not name or FLOAT.fullmatch(name) or time_formats([name])[0] for name in header):
        raise Failure(
            f"The first line of {file} is no header ({', '.join(header)[:80]}). A CSV source needs one, in the first"
            " line; ask its producer, or take out what stands before it."
        )
    repeated = [name for name, count in Counter(header).items() if count > 1]
    if repeated:
        raise Failure(f"The header of {file} has {repeated[0]} twice; nobody can tell which is which.")


READERS: dict[str, Callable[[dict[Path, bytes]], Samples]] = {"csv": read_csv, "json": read_json}


# Telling what the fields are -----------------------------------------------------------------------------------------


def fields_of(records: list[Record], null_markers: set[str], path: tuple[str, ...] = ()) -> list[Field]:
    """The fields of records in the order in which they first appear; those of an object follow it.

    Raises:
        Failure: a name cannot be used, or two are alike.
    """
    names = dict.fromkeys(name for record in records for name in record)
    alike = Counter(re.sub(r"\s", "", name.lower()) for name in names)
    if repeated := [name for name in names if alike[re.sub(r"\s", "", name.lower())] > 1]:
        raise Failure(
            f"The fields {' and '.join(repeated)} differ in case or blanks only, and are one for the engines."
        )
    found: list[Field] = []
    for name in names:
        need_plain(name)
        values = [record.get(name) for record in records]
        is_optional = not all(name in record for record in records if record)  # an object that is missing has none
        here = (*path, name)
        of_kind = {type(value) for value in values if value is not None}
        if of_kind == {dict}:
            found.append(Field(here, "object", is_optional=is_optional))
            found += fields_of([value or {} for value in values], null_markers, here)
        elif of_kind == {list}:
            items = [item for value in values for item in value or []]
            found.append(Field(here, "list", [None if v is None else "" for v in values], is_optional=is_optional))
            if items and all(isinstance(item, dict) for item in items):
                found[-1].items = fields_of(items, null_markers)
            elif items and not any(isinstance(item, dict | list) for item in items):
                found[-1].items = [judge(Field((), "text", [as_text(item, null_markers) for item in items]))]
            if not found[-1].items or any(inner.kind in ("list", "object") for inner in found[-1].items):
                found[-1] = Field(here, "text", found[-1].values, is_optional=is_optional)
                found[-1].doubts.append("a list, kept as its JSON text: what its items are is left to you")
        else:
            texts = [as_text(value, null_markers) for value in values]
            found.append(judge(Field(here, "text", texts, is_optional=is_optional)))
            if of_kind & {dict, list}:
                found[-1].doubts.append("sometimes an object or a list, kept as its JSON text")
    return found


def need_plain(name: str) -> None:
    """A name becomes a part of SQL and of YAML.

    Raises:
        Failure: it has characters that mean something there.
    """
    if not re.fullmatch(r"[\w .()%/&#@$:?!+*-]+", name) or name != name.strip():
        raise Failure(
            f"The field {name!r} has characters that cannot stand in the name of a field here; declare its source by"
            " hand (CONTRIBUTING.md, A whole new source)."
        )


def as_text(value: Any, null_markers: set[str]) -> str | None:
    """A scalar as the judged model sees it: NULL if nothing is left, or a marker for that."""
    if isinstance(value, bool):
        return str(value).lower()
    text = "" if value is None else json.dumps(value) if isinstance(value, dict | list) else " ".join(value.split())
    return None if not text or text.lower() in null_markers else text


def judge(told: Field) -> Field:
    """Says what the values of a field seem to be."""
    some = told.filled
    name = snake(told.path[-1]) if told.path else ""
    distinct = {value.lower() for value in some}
    if not some:
        told.doubts.append("without any value in the sample")
    elif any(distinct <= set(pair) for pair in FLAGS):
        told.kind = "flag"
    elif (formats := time_formats(some))[0]:
        told.formats, doubt = formats
        told.kind = "date" if not any("H" in format_ or format_ == "iso8601" for format_ in told.formats) else "time"
        told.doubts += [doubt] if doubt else []
    elif IS_ID.search(name):
        told.kind = "id"
    elif all(map(WHOLE.fullmatch, some)):
        is_code = any(re.match(r"[-+]?0\d", value) for value in some) or any(abs(int(float(v))) >= 2**63 for v in some)
        told.kind = "id" if is_code else "whole"
    elif all(map(MONEY.fullmatch, some)):
        told.kind = "money"
    elif all(map(COMMA.fullmatch, some)):
        told.kind, told.has_comma = "money", True
    elif all(map(FLOAT.fullmatch, some)):
        told.kind = "float"
    return told


def time_formats(values: list[str]) -> tuple[list[str], str]:
    """The formats that read all values, none if there are values that none reads; and what cannot be told."""
    left, formats = set(values), []
    doubt = ""
    if any(ISO_8601.fullmatch(value) for value in left):
        formats, left = ["iso8601"], {value for value in left if not ISO_8601.fullmatch(value)}
    while left:
        shape = re.sub(r"\d+", "#", min(left))
        alike = {value for value in left if re.sub(r"\d+", "#", value) == shape}
        fitting = [format_ for format_ in TIMES if all(is_time(value, format_) for value in alike)]
        if not fitting:
            return [], ""
        formats.append(fitting[0])
        if any(format_[0] != fitting[0][0] for format_ in fitting):
            doubt = f"whether day or month comes first cannot be told from the sample; read as {fitting[0]}"
        left -= alike
    return formats, doubt


def is_time(text: str, format_: str) -> bool:
    shape = re.sub("y+|M+|d+|H+|m+|s+|S+", digits_of, re.escape(format_))
    if not re.fullmatch(shape, text):
        return False
    try:
        datetime.strptime(text, TIMES[format_])
    except ValueError:
        return False
    return True


def digits_of(letters: re.Match[str]) -> str:
    return r"\d{1,2}" if len(letters[0]) == 1 else rf"\d{{{len(letters[0])}}}"


def snake(name: str) -> str:
    """A name as columns have it: InvoiceNo is invoice_no, Gläubiger-ID is glaeubiger_id."""
    for letter, plain in {"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss"}.items():
        name = name.replace(letter, plain)
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", plain)
    return re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")
