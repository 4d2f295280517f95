"""What several commands of `medallion` print: tables, and the last run."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date, datetime
from typing import Any

from medallion.shell import ROOT, SAIL_ARTIFACTS, Dbt, call, console, say
from rich import box
from rich.table import Table

RUN_RESULTS = [ROOT / folder / "run_results.json" for folder in ("target", SAIL_ARTIFACTS)]
LAYERS = ["bronze", "silver", "gold", "ops"]


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
