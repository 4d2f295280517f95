"""What `medallion` prints: for people, never a raw character of the data, and nothing but JSON on stdout for --json."""

from __future__ import annotations

import json
import os
import re
import sys
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from datetime import date
from io import TextIOBase
from typing import Any, TextIO

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

# Control and format characters, lone surrogates, line separators: they move the cursor, turn text round or hide it.
UNSEEN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
COLOR = re.compile(r"(\x1b\[[0-9;]*m)")  # dbt's own
PIPED_WIDTH = 120


def printable(text: object, keep: str = "") -> str:
    """A text in which nothing steers the terminal: such characters stand as \\x1b or \\u202e.

    Args:
        text: what may come from data.
        keep: characters that stay, for instance the line breaks of a message.
    """
    return "".join(
        character if character in keep or unicodedata.category(character) not in UNSEEN
        else character.encode("unicode_escape", "surrogatepass").decode()
        for character in str(text)
    )  # fmt: skip


class Printable(TextIOBase):
    """A stream that takes what dbt prints: its colors pass, all else is made printable."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        parts = COLOR.split(text)
        parts[::2] = [printable(part, "\n\t") for part in parts[::2]]
        self.stream.write("".join(parts))
        return len(text)

    def flush(self) -> None:
        self.stream.flush()

    def isatty(self) -> bool:
        return self.stream.isatty()

    def fileno(self) -> int:
        return self.stream.fileno()


def has_color() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def console() -> Console:
    """Where it prints now; what is piped has one width, and no color."""
    width = None if sys.stdout.isatty() else PIPED_WIDTH
    return Console(width=width, color_system="auto" if has_color() else None)


def say(text: str) -> None:
    console().print(printable(text, "\n"), markup=False, highlight=False, soft_wrap=True)


@contextmanager
def only_json() -> Iterator[Callable[[dict[str, Any]], None]]:
    """Sends to stderr what is meant for people; gives what prints an object on stdout all the same."""
    stdout = sys.stdout
    with redirect_stdout(sys.stderr):
        yield lambda answer: print(json.dumps(answer, default=str), file=stdout, flush=True)


def show_table(title: str, rows: Sequence[dict[str, Any]]) -> None:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in rows[0]:
        numeric = not any(isinstance(row[name], (str, date)) for row in rows)
        table.add_column(name.replace("_", " "), justify="right" if numeric else "left", overflow="fold")
    columns = [cells([row[name] for row in rows]) for name in rows[0]]
    for values in zip(*columns, strict=True):
        table.add_row(*map(Text, values))  # as it stands: no markup
    console().print(table)


def cells(values: list[Any]) -> list[str]:
    """A column as text; numbers all whole or all with two decimals."""
    if any(isinstance(value, (str, date)) for value in values):
        return ["" if value is None else printable(value) for value in values]
    whole = all(value is None or value == int(value) for value in values)
    return ["" if value is None else f"{value:,.{0 if whole else 2}f}" for value in values]


def size(number: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            break
        number, unit = number / 1000, "TB"
    return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
