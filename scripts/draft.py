"""A source as `medallion source new` would write it: key, order, columns and rules, decided from samples of its files.

The templates in `templates/` read what is decided here. Each decision has its reason in `why`, or a `to_do` beside it.
"""

from __future__ import annotations

import configparser
import json
import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

import yaml

from medallion.errors import Failure
from medallion.lake import ROOT
from medallion.samples import COMMA, FLAGS, TIMES, Field, Samples, fields_of, snake

# Columns that every judged or silver model has; and what its SQL is made of.
TAKEN = {
    "record", "fields", "feed", "item", "bronze", "parsed", "typed", "keyed", "judged", "unreadable_reason",
    "violated_rules", "source_file", "record_number", "record_hash", "file_size", "file_modified_at", "batch_id",
    "first_batch_id", "version_batch_id", "ingested_at", "record_count",
}  # fmt: skip
TRUTHS = {"yes", "no", "y", "n", "on", "off", "true", "false", "null"}  # no texts, in YAML
TYPES = {"text": "string", "id": "string", "money": "decimal(18,4)", "float": "double", "time": "timestamp",
         "date": "date", "flag": "boolean"}  # fmt: skip
KEY = re.compile("(^|_)(id|uid|uuid|guid|key|no|nr|number|nummer|code|ref|sku)$")
TOTALS = {"int": "bigint", "bigint": "decimal(38, 0)", "decimal(18,4)": "decimal(38, 4)"}
DECIDES = ["updated|modified|changed|geaendert", "version|revision|rev|sequence|seq", "extracted|exported|as_of"]
ENOUGH = 20  # records, to take the values of a text for all that there are
GOOD, BAD, OUTLIER = 1, 2, 3  # the records of the unit test
TRIED_AT = {GOOD: datetime(2026, 1, 5, 8, 0), OUTLIER: datetime(2100, 1, 1, 8, 0)}


@dataclass
class Rule:
    name: str
    condition: str
    broken_by: int = BAD
    only_warns: bool = False

    @property
    def yaml(self) -> str:
        """The rule as the value of its name."""
        if not self.only_warns:
            return folded(self.condition, 12)
        return f"\n            condition: {folded(self.condition, 14)}\n            severity: warn"


@dataclass
class Column:
    """A column of the judged model, and what is written of it."""

    field: Field
    name: str
    value: str  # the argument of a typing macro, quoted
    sql: str
    type: str
    description: str = ""
    text: str = ""  # the column of its text, where only that tells an empty value from one that cannot be read
    is_required: bool = False
    known: list[str] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)

    @property
    def total_type(self) -> str:
        return TOTALS[self.type]


class Source:
    """The decisions about a source, from its samples; the templates read its attributes."""

    def __init__(self, name: str, samples: Samples, key: Sequence[str], order: str | None) -> None:
        variables = yaml.safe_load((ROOT / "dbt_project.yml").read_text())["vars"]
        markers = {str(marker).lower() for marker in variables["null_markers"]}
        self.name, self.samples, self.format = name, samples, samples.format
        self.is_csv = samples.format == "csv"
        self.title = human(name)
        self.singular = singular(name)
        self.options = flow(samples.options)
        self.fields = fields_of(samples.records, markers)
        self.leaves = [found for found in self.fields if found.kind != "object"]
        self.has_comma = any(found.has_comma for found in self.leaves)
        for found in self.leaves if self.has_comma else []:  # then 1.234 is a thousand, and 2.5 no number
            if found.kind == "money" and all(map(COMMA.fullmatch, found.filled)):
                found.has_comma = True
            elif found.kind in ("money", "float"):
                found.kind = "text"
                found.doubts.append("a text, as it has a decimal point, and other numbers of the source a comma")
        self.why: list[str] = list(samples.why)
        self.to_do: list[str] = []
        self.choose_key(key)
        self.choose_order(order)
        # one format for all, or each column names its own
        every = [one for found in self.leaves for one in (found, *found.items)]
        formats = {tuple(one.formats) for one in every if one.formats}
        self.shares_formats = len(formats) == 1
        default = formats == {tuple(variables["time_formats"])}
        self.time_formats = flow(list(formats.pop())) if self.shares_formats and not default else ""
        self.names: set[str] = set()
        self.columns = [self.column(found) for found in self.leaves]
        self.settle()

    # the key, the order

    def named(self, name: str) -> Field:
        """A field by its name, or by that of its column.

        Raises:
            Failure: there is none.
        """
        for found in self.leaves:
            if name in (".".join(found.path), self.name_of(found)):
                return found
        raise Failure(
            f"The samples have no field {name}; they have {', '.join('.'.join(f.path) for f in self.leaves)[:500]}."
        )

    def choose_key(self, given: Sequence[str]) -> None:
        # one of equal ones each
        first = {json.dumps(record): number for number, record in enumerate(self.samples.records)}.values()

        def tells_apart(*fields: Field) -> bool:
            return len({tuple(one.values[number] for one in fields) for number in first}) == len(first)

        can_be = [f for f in self.leaves if f.is_filled and f.kind in ("id", "whole", "text", "time", "date")]
        self.candidates = [f for f in can_be if f.kind in ("id", "whole") and tells_apart(f)]
        ids = [f for f in can_be if KEY.search(name := snake(f.path[-1])) and (not f.pii or name.endswith("id"))]
        own = [f for f in ids if snake(".".join(f.path)) in ("id", f"{self.singular}_id", f"{self.singular}_no")]
        single = sorted((f for f in ids if f in self.candidates), key=lambda f: f not in own)
        pairs = [[one, other] for n, one in enumerate(ids) for other in ids[n + 1 :] if tells_apart(one, other)]
        if given:
            self.keys = [self.named(name) for name in given]
            if wrong := [f for f in self.keys if f not in can_be]:
                raise Failure(
                    f"{shown(wrong)} cannot be a key: some records have no value of it, or it is a {wrong[0].kind}."
                )
            told = "tells the records apart" if tells_apart(*self.keys) else "some have several records in the sample"
            self.why.append(f"key {shown(self.keys)}: as given; {told}")
        elif single or own:
            self.keys = (single or own)[:1]
            told = f"an id, different in {len(first):,} records" if single else "by its name; some have several records"
            self.why.append(f"key {shown(self.keys)}: {told}")
        elif pairs:
            self.keys = pairs[0]
            self.why.append(f"key {shown(self.keys)}: ids that tell the records apart together")
        else:
            self.keys = []
            self.why.append("no key: no id tells the records apart, so it is made of all values")
            self.to_do.append("Name the key if there is one (--key): without, records of the same values are one row.")
        self.is_keyless = not self.keys
        if len(self.keys) == 1:
            self.keys[0].kind = "id"

    def choose_order(self, given: str | None) -> None:
        times = [f for f in self.leaves if f.is_filled and f.kind in ("time", "date")]
        eligible = [f for f in self.leaves if f in times or (f.is_filled and f.kind == "whole")]
        eligible = [f for f in eligible if f not in self.keys]
        self.order: Field | None = None
        if given:
            self.order = self.named(given)
            if self.order not in eligible:
                raise Failure(
                    f"{given} cannot decide between versions: it is no time or whole number with a value everywhere."
                )
            self.why.append(f"order {shown([self.order])}: as given; of two records of one key the later one stays")
        elif not self.is_keyless:
            best = [f for words in DECIDES for f in eligible if re.search(rf"(^|_)({words})", snake(f.path[-1]))]
            best += [f for kind in ("time", "date") for f in eligible if f.kind == kind]
            self.order = next(iter(best), None)
            if self.order:
                self.why.append(f"order {shown([self.order])}: of two records of one key the later one stays")
                self.to_do.append(f"See whether {shown([self.order])} decides between two versions (--order).")
            else:
                self.why.append("no order: no time or version in each record")
                self.to_do.append("Say which field decides between two versions of a key (--order): now chance does.")
        self.timed = self.order if self.order and self.order.kind != "whole" else next(iter(times), None)

    # the columns

    def name_of(self, found: Field) -> str:
        base = snake("_".join(found.path))
        if found.path == ("id",):
            base = f"{self.singular}_id"
        if found.kind in ("time", "date"):
            base = re.sub(r"_?(date_?time|timestamp|time|date|ts|at|on)$", "", base) or self.singular
            base += "_at" if found.kind == "time" else "_date"
        elif found.kind == "flag":
            base = f"is_{re.sub('^(is|has)_', '', base)}"
        elif re.search("_at$|_date$|^is_", base):
            base += "_text"
        if base in keywords() | TAKEN | TRUTHS or not re.match("[a-z]", base):
            base = f"{self.singular}_{base}"
        return base

    def value_of(self, found: Field) -> str:
        if self.is_csv:
            return f"fields['{found.path[0]}']"
        return "feed" + "".join(map(accessor, found.path))

    def column(self, found: Field) -> Column:
        name = self.name_of(found)
        while name in self.names:
            name = f"{self.singular}_{name}"
        self.names.add(name)
        value = self.value_of(found)
        column = Column(found, name, quoted(value), self.typed(found, value), self.type_of(found))
        is_key = found in self.keys
        column.is_required = found.is_filled and (is_key or found.kind not in ("text", "list"))
        if found.kind == "text" and not found.doubts and not found.pii:
            column.known = known(found)
        column.description = self.describe(column)
        self.add_rules(column)
        return column

    def typed(self, found: Field, value: str) -> str:
        """The SQL of a value by what it seems to be."""
        argument = quoted(value)
        if found.kind == "list":
            items = found.items
            if not items[0].path:
                return f"transform({value}, item -> {self.typed(items[0], 'item')})"
            fields = [f"{self.typed(one, f'item{accessor(one.path[-1])}')} as {self.item_name(one)}" for one in items]
            inner = ",\n".join(f"                {line}" for line in fields)
            return f"transform(\n            {value},\n            item -> struct(\n{inner}\n            )\n        )"
        if found.kind == "flag":
            yes, no = next(pair for pair in FLAGS if {text.lower() for text in found.filled} <= set(pair))
            return f"case lower({{{{ plain_text({argument}) }}}}) when '{yes}' then true when '{no}' then false end"
        macro = {"id": "plain_id", "text": "plain_text", "whole": "to_whole", "money": "to_money",
                 "float": "to_float"}.get(found.kind, "to_time")  # fmt: skip
        if found.kind == "whole" and self.type_of(found) == "bigint":
            argument += ", 'bigint'"
        if found.formats and not self.shares_formats:
            argument += f", {found.formats}"
        call = f"{{{{ {macro}({argument}) }}}}"
        return f"try_cast({call} as date)" if found.kind == "date" else call

    def type_of(self, found: Field) -> str:
        if found.kind == "whole":
            return "int" if all(abs(number(value)) < 2**31 for value in found.filled) else "bigint"
        if found.kind == "list" and found.items[0].path:
            return f"array<struct<{','.join(f'{self.item_name(one)}:{self.type_of(one)}' for one in found.items)}>>"
        return f"array<{self.type_of(found.items[0])}>" if found.kind == "list" else TYPES[found.kind]

    def item_name(self, found: Field) -> str:
        """Within an item `id` is no keyword, and needs not say whose it is."""
        short = self.name_of(found).removeprefix(f"{self.singular}_")
        return self.name_of(found) if short in keywords() else short

    def describe(self, column: Column) -> str:
        blocks = re.findall(r"{% docs (\w+) %}", (ROOT / "models/columns.md").read_text())
        if column.name in blocks:
            return f"\"{{{{ doc('{column.name}') }}}}\""
        if column.field in self.keys and len(self.keys) == 1:
            return f'"The {self.singular}."'
        text = human(" ".join(column.field.path))
        text = text if len(text) > 3 else f"Field {text}"
        if column.known and len(", ".join(column.known)) < 60:
            text += f": {', '.join(f'`{value}`' for value in column.known)}"
        if column.field.kind == "time":
            text += ", UTC"
        if column.field.pii:
            text += "; personal data"
        return json.dumps(f"{text}.", ensure_ascii=False)

    # the rules

    def add_rules(self, column: Column) -> None:
        name, found, rules = column.name, column.field, column.rules
        if found.kind in ("text", "id"):
            if column.is_required:
                rules.append(Rule(f"{name}_present", f"{name} is not null"))
            if column.known:
                values = ", ".join(f"'{value}'" for value in column.known)
                rules.append(Rule(f"{name}_known", f"{name} is null or {name} in ({values})", only_warns=True))
        elif found.kind == "list":
            typed = [one for one in found.items if one.path and one.is_filled and one.kind not in ("text", "id")]
            for item in map(self.item_name, typed):
                some_are_not = f"exists({name}, item -> item.{item} is null)"
                rules.append(Rule(f"{name}_{item}_valid", f"{name} is null or not {some_are_not}"))
        else:
            column.text = "" if column.is_required else f"{name.removeprefix('is_')}_text"
            absent = f"{column.text} is null or " if column.text else ""
            rules.append(Rule(f"{name}_valid", f"{absent}{name} is not null"))
            if found.kind in ("whole", "money") and found.filled and min(map(number, found.filled)) >= 0:
                rules.append(Rule(f"{name}_not_negative", f"{name} is null or {name} >= 0", OUTLIER))
            if found.kind in ("time", "date"):
                first = "2000" if min(years(found)) >= 2000 else "1900"
                plausible = f"{name} is null or {name} between '{first}-01-01' and '2099-12-31'"
                rules.append(Rule(f"{name}_plausible", plausible, OUTLIER))

    # what the templates read besides

    def settle(self) -> None:
        by_field = {id(column.field): column for column in self.columns}
        self.rules = [rule for column in self.columns for rule in column.rules]
        self.key = [by_field[id(found)].name for found in self.keys]
        if self.is_keyless:
            self.key = [f"{self.singular}_id" if f"{self.singular}_id" not in self.names else f"{self.singular}_key"]
        order = by_field[id(self.order)].name if self.order else None
        self.newest_by = [] if self.is_keyless else [order, "record_hash"] if order else ["record_hash"]
        self.is_key_of_values = not any(found.kind in ("list", "float") for found in self.leaves)
        parts = [f"'{column.name}'" for column in self.columns] if self.is_key_of_values else ["'record'"]
        self.key_of = wrapped(", ".join(parts), 100).replace("\n", "\n            ")
        self.json_schema = wrapped(schema(self.fields), 100).replace("\n", "\n            ")
        self.day = self.day_of = self.why_day = None
        if self.timed:
            self.day = self.why_day = by_field[id(self.timed)].name
            if self.timed.kind == "time":
                self.day_of, self.day = self.day, self.day.removesuffix("_at") + "_date"
                self.why_day = f"cast({self.day_of} as date)"
                if self.day in self.names:
                    self.day = f"{self.singular}_{self.day}"
        self.measures = [c for c in self.columns if c.field.kind in ("whole", "money") and c.field is not self.order]
        self.is_personal = any(found.pii for found in self.leaves)
        self.declared = declared(self.fields)
        described = {c.field.path: c.description for c in self.columns}
        for one in self.declared:
            one["description"] = described.get(one["path"], json.dumps(f"{human(one['leaf'])}.", ensure_ascii=False))
        self.tried = [self.trial(number) for number in (GOOD, BAD, OUTLIER)]
        if self.rules:
            self.to_do.append("See whether the rules are yours; they are what the sample keeps.")
        for column in self.columns:
            self.to_do += [f"{column.name}: {doubt}." for doubt in column.field.doubts]
            if column.field.pii:
                self.to_do.append(f"{column.name} looks like personal data ({column.field.pii}): see who may read it.")
        self.to_do.append("Say in the descriptions what the columns mean; they repeat the names.")

    def trial(self, which: int) -> dict[str, Any]:
        """A record of the unit test: what the feed gives, and what comes of it."""
        violated = [rule.name for rule in self.rules if rule.broken_by == which and not rule.only_warns]
        expected = []
        given: dict[str, Any] = {}
        for column in self.columns:
            is_out = which == OUTLIER and any(rule.broken_by == OUTLIER for rule in column.rules)
            text, result = attempt(column, BAD if which == BAD else OUTLIER if is_out else GOOD)
            place = given
            for name in column.field.path[:-1]:
                place = place.setdefault(name, {})
            place[column.field.path[-1]] = text
            if column.field.kind not in ("list", "float"):
                expected.append((column.name, result))
        shown = json.dumps(given, ensure_ascii=False)
        if self.is_csv:
            shown = "map(" + ", ".join(f"'{name}', '{text}'" for name, text in given.items()) + ")"
        return {
            "number": which,
            "given": wrapped(shown, 120).replace("\n", "\n" + " " * 14),
            "expected": expected,
            "violated": folded("array(" + ", ".join(f"'{rule}'" for rule in violated) + ")", 12),
        }

    def table(self) -> list[dict[str, Any]]:
        """What was found, for people; of personal fields no value."""
        rows = []
        for column in self.columns:
            found = column.field
            some, is_personal = found.filled, bool(found.pii)
            seen = ""
            if some and not is_personal and found.kind in ("whole", "money", "float"):
                seen = f"{min(some, key=number)} to {max(some, key=number)}"
            elif found.formats:
                seen = f"{', '.join(found.formats)}: {min(years(found))} to {max(years(found))}"
            elif column.known:
                seen = ", ".join(column.known)
            rows.append(
                {
                    "field": ".".join(found.path),
                    "column": column.name,
                    "type": column.type,
                    "filled": f"{len(some) / max(len(found.values), 1):.0%}",
                    "different": f"{len(set(some)):,}",
                    "values": ("decimal comma: " if found.has_comma else "") + seen,
                    "may be": ", ".join(["key"] * (found in self.candidates) + ["personal"] * is_personal),
                }
            )
        return rows


def attempt(column: Column, which: int) -> tuple[Any, str]:
    """A value of a record of the unit test, and what the judged model makes of it."""
    found = column.field
    if found.kind == "list":
        if not found.items[0].path:
            return [made_up(found.items[0], GOOD)[0]], ""
        return [{one.path[-1]: made_up(one, which)[0] for one in found.items}], ""
    if column.known and which != BAD:
        return column.known[0], json.dumps(column.known[0])
    return made_up(found, which)


def made_up(found: Field, which: int) -> tuple[str, str]:
    if found.kind in ("text", "id"):
        return ("", "null") if which == BAD else ("a1", "a1")
    if which == BAD:
        return "?", "null"
    if found.formats:
        at = TRIED_AT[which]
        text = at.strftime("%Y-%m-%dT%H:%M:%SZ" if found.formats[0] == "iso8601" else TIMES[found.formats[0]])
        if "S" in found.formats[0]:
            text = text[: len(found.formats[0])]
        return text, f'"{at:%Y-%m-%d %H:%M:%S}"' if found.kind == "time" else f'"{at:%Y-%m-%d}"'
    if found.kind == "flag":
        return next((yes, "true") for yes, no in FLAGS if {text.lower() for text in found.filled} <= {yes, no})
    value = "-1" if which == OUTLIER else "2"
    return (f"{value},5", f"{value}.5") if found.has_comma else (value, value)


def known(found: Field) -> list[str]:
    """The values of a text that has few of them; only such as can stand in SQL and YAML."""
    values = sorted(set(found.filled))
    is_few = 1 < len(values) <= 10 and len(found.filled) >= max(ENOUGH, 5 * len(values))
    return values if is_few and all(re.fullmatch(r"[\w .&/+-]{1,20}", value) for value in values) else []


def number(text: str) -> float:
    return float(text.replace(".", "").replace(",", ".") if "," in text else text)


def years(found: Field) -> list[int]:
    return [int(year[0]) for text in found.filled if (year := re.search(r"\d{4}", text))]


def declared(fields: list[Field], prefix: str = "") -> list[dict[str, Any]]:
    """The fields as models/landing.yml names them."""
    rows = []
    for found in fields:
        name = prefix + ".".join(found.path)
        meta = {"is_optional": "true"} if found.is_optional else {}
        meta |= {"pii": found.pii} if found.pii and found.kind != "object" else {}
        config = "*optional" if list(meta) == ["is_optional"] else flow({"meta": meta}) if meta else ""
        rows.append({"name": word(name), "leaf": found.path[-1], "path": found.path, "config": config})
        if found.kind == "list" and found.items[0].path:
            rows += [row | {"path": (name, *row["path"])} for row in declared(found.items, f"{name}[].")]
    return rows


def schema(fields: list[Field]) -> str:
    """The fields of JSON records, all as text, as json_fields takes them."""
    tree: dict[str, Any] = {}
    for found in (found for found in fields if found.kind != "object"):
        place = tree
        for name in found.path[:-1]:
            place = place.setdefault(name, {})
        place[found.path[-1]] = "array<string>" if found.kind == "list" else "string"
        if found.kind == "list" and found.items[0].path:
            place[found.path[-1]] = f"array<struct<{schema(found.items).replace(' string', ': string')}>>"

    def written(tree: dict[str, Any], between: str) -> str:
        parts = []
        for name, kind in tree.items():
            plain = name if re.fullmatch(r"[A-Za-z_]\w*", name) else f"`{name}`"
            parts.append(plain + between + (f"struct<{written(kind, ': ')}>" if isinstance(kind, dict) else kind))
        return ", ".join(parts)

    return written(tree, " ")


def accessor(name: str) -> str:
    """A field of a struct; in brackets where the linter would stumble over its name."""
    is_plain = re.fullmatch(r"[a-z_][a-z0-9_]*", name) and name not in keywords()
    return f".{name}" if is_plain else f"['{name}']"


def quoted(value: str) -> str:
    return f'"{value}"' if "'" in value else f"'{value}'"


def shown(fields: Iterable[Field]) -> str:
    return ", ".join(".".join(found.path) for found in fields)


def human(name: str) -> str:
    words = snake(name).replace("_", " ")
    return words[:1].upper() + words[1:]


def singular(name: str) -> str:
    for ending, instead in {"ies": "y", "sses": "ss", "ches": "ch", "xes": "x", "s": ""}.items():
        if name.endswith(ending) and not name.endswith("ss") and len(name) > len(ending) + 1:
            return name.removesuffix(ending) + instead
    return name


def folded(text: str, indent: int) -> str:
    """A condition in YAML, over several lines if it is long."""
    if len(text) <= 90:
        return text
    lines = textwrap.wrap(text, 120, break_long_words=False, break_on_hyphens=False)
    return ">-\n" + "\n".join(" " * indent + line for line in lines)


def word(text: str) -> str:
    """A text in YAML."""
    is_plain = re.fullmatch(r"[A-Za-z_]\w*([.]\w+)*", text) and text.lower() not in TRUTHS
    return text if is_plain else json.dumps(text, ensure_ascii=False)


def flow(value: Any) -> str:
    """A value in YAML, on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {flow(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    return value if re.fullmatch(r"[A-Za-z][\w -]*", value) else json.dumps(value)


def wrapped(text: str, width: int) -> str:
    """Lines that end behind a comma."""
    lines = [""]
    for part in re.split("(?<=, )", text):
        if lines[-1] and len(lines[-1]) + len(part) > width:
            lines.append("")
        lines[-1] += part
    return "\n".join(line.rstrip() for line in lines)


@cache
def keywords() -> set[str]:
    """What the linter does not let be a name."""
    from sqlfluff.core import dialect_selector

    dialect = dialect_selector("sparksql")
    style = configparser.ConfigParser()
    style.read(ROOT / ".sqlfluff")
    allowed = style["sqlfluff:rules:references.keywords"]["ignore_words"].split(", ")
    found = dialect.sets("reserved_keywords") | dialect.sets("unreserved_keywords")
    return {name.lower() for name in found} - set(allowed)
