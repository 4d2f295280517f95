"""What several commands of `medallion` show: the tables of the lake, quarantine, the last run."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime

from medallion.command import here
from medallion.console import say, show_table, size
from medallion.lake import ON_THIS_MACHINE, ROOT, SAIL_ARTIFACTS, last_run_folder, since_checkpoint, versions
from medallion.shell import Dbt, call

RUN_RESULTS = [ROOT / folder / "run_results.json" for folder in ("target", SAIL_ARTIFACTS)]
LONG_LOG = 100  # commits
LAYERS = ["bronze", "silver", "gold", "ops"]


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
        known = [*RUN_RESULTS, last_run_folder() / "run_results.json"]
        newest = max((file for file in known if file.exists()), key=lambda file: file.stat().st_mtime)
        run = json.loads(newest.read_text())
        counts = Counter(result["status"] for result in run["results"])
        ended = datetime.fromisoformat(run["metadata"]["generated_at"].replace("Z", "+00:00"))
        what = f"dbt {run['args'].get('which', '')}, {ended:%Y-%m-%d %H:%M} UTC, {run['elapsed_time']:.0f} s"
    except (OSError, ValueError, LookupError, TypeError, AttributeError):  # none, or not what dbt writes
        return "No dbt run yet."
    summary = ", ".join(f"{number} {status}" for status, number in sorted(counts.items())) or "nothing selected"
    return f"Last run: {what}: {summary}"


def show_state(dbt: Dbt) -> None:
    """What the folders of the lake tell beside the tables: those that no model owns, and logs without checkpoints."""
    if dbt.target not in ON_THIS_MACHINE:
        return
    nodes = [*dbt.manifest.nodes.values(), *dbt.manifest.sources.values()]
    owned = {
        (node.schema, getattr(node, "alias", None) or node.identifier) for node in nodes if hasattr(node, "schema")
    }
    schemas = {schema for schema, _ in owned}
    orphans, long = [], []
    for table in sorted(versions()):
        name = (table.parent.name.removesuffix(".db"), table.name)
        if name[0] in schemas and name not in owned:
            orphans.append(".".join(name))
        if (count := since_checkpoint(table)) > LONG_LOG:
            long.append(f"{'.'.join(name)} ({count:,})")
    if orphans:
        say(
            f"No model owns: {', '.join(orphans)}. Nothing writes these tables any more. Once nobody reads them:"
            f" {here('medallion', 'drop', orphans[0])}"
        )
    if long:
        say(f"More than {LONG_LOG} commits since the last checkpoint, so every reader is slower: {', '.join(long)}.")
