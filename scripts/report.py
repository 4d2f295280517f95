"""What a build ends with: a few lines for a person, or one object for a program (--json)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from medallion.console import printable, say
from medallion.errors import DONE, MEANINGS, NOTHING, SIGNALLED, Failure, explain
from medallion.lake import ON_THIS_MACHINE, versions
from medallion.shell import FAILED_NODE, Dbt, call, text_of

OK_NODE = ("success", "pass", "no-op", "warn")
NAMES_SHOWN = 5


class Report:
    """A run of dbt seen from outside: the lake before it, and what came of it."""

    def __init__(self, dbt: Dbt, command: str, arguments: Sequence[str]) -> None:
        self.dbt = dbt
        self.told: dict[str, Any] = {"command": command, "arguments": list(arguments), "target": dbt.target}
        self.is_here = dbt.target in ON_THIS_MACHINE
        self.before = versions() if self.is_here else {}
        self.changed: dict[Path, int] = {}

    def finish(self, code: int) -> dict[str, Any]:
        """All there is to say, as one object."""
        self.changed = {table: new for table, new in versions().items() if new != self.before.get(table)}
        self.told |= {
            "code": code,
            "meaning": meaning_of(code),
            "started_at": self.dbt.started_at.isoformat(timespec="seconds"),
            "seconds": round((datetime.now(timezone.utc) - self.dbt.started_at).total_seconds(), 1),
            "nodes": [node_row(node) for node in self.dbt.nodes],
            "sources": self.sources(),
            "warnings": [warning(node) for node in self.dbt.nodes if text_of(node, "status") == "warn"],
            "errors": explain(self.dbt.errors) or [printable(text) for text in self.dbt.errors if code][:NAMES_SHOWN],
        }
        return self.told

    @property
    def is_nothing_new(self) -> bool:
        """Whether the run changed no table; of a lake elsewhere that is not known."""
        return self.is_here and not self.changed

    def tables(self) -> list[dict[str, Any]]:
        """The tables that the run changed, with their commits as Delta counted them."""
        from deltalake import DeltaTable

        found = []
        for table, version in sorted(self.changed.items()):
            commits = version - self.before.get(table, -1)
            history = DeltaTable(str(table), without_files=True).history(commits)
            found.append(
                {
                    "table": f"{table.parent.name.removesuffix('.db')}.{table.name}",
                    "version": version,
                    "commits": [
                        {"version": commit.get("version"), "operation": commit.get("operation"),
                         "metrics": commit.get("operationMetrics", {})}
                        for commit in history
                    ],
                }
            )  # fmt: skip
        return found

    def sources(self) -> list[dict[str, Any]]:
        """What came in, a source each, and what of it went to quarantine; from the books, in one query."""
        books = {table.name for table in self.changed} & {"file_ledger", "row_ledger"}
        if self.is_here and not books:
            return []
        since = self.dbt.started_at.strftime("%Y-%m-%d %H:%M:%S")
        try:
            rows = self.dbt.rows(call("run_summary", since=since, runs=",".join(self.dbt.invocation_ids)))
        except Failure:  # there are no books yet, or the engine is gone; the code says what happened
            return []
        found: dict[str, dict[str, Any]] = {}
        for row in rows:
            source = found.setdefault(
                row["source"],
                {"source": row["source"], "files": 0, "records": 0, "batches": [], "quarantined": 0, "rules": {}},
            )
            if row["batch_id"] not in source["batches"]:
                source["batches"].append(row["batch_id"])
            source["files"] += int(row["file_count"])
            if row["place"] is None:
                source["records"] += int(row["record_count"])
            elif row["place"] in ("quarantined", "unreadable"):
                source["quarantined"] += int(row["record_count"])
                for rule in str(row["reason"]).split(", "):
                    source["rules"][rule] = source["rules"].get(rule, 0) + int(row["record_count"])
        return sorted(found.values(), key=lambda source: source["source"])

    def show(self) -> None:
        """The lines for a person."""
        for source in self.told["sources"]:
            say(source_line(source))
        for found in self.told["warnings"]:
            say(f"Warning: {found['found']} {found['to_do']}")
        for line in skipped_lines(self.told["nodes"]):
            say(line)
        counts = Counter(row["type"] for row in self.told["nodes"] if row["status"] in OK_NODE)
        failed = sum(row["status"] in FAILED_NODE for row in self.told["nodes"])
        if self.is_nothing_new and self.told["code"] in (DONE, NOTHING):
            say(f"Nothing new: no table was changed. {self.told['seconds']:.0f} s.")
        elif self.told["nodes"]:
            tables = sum(count for kind, count in counts.items() if kind in ("model", "seed", "snapshot"))
            tests = counts["test"] + counts["unit_test"]
            say(
                f"{tables} models, seeds and snapshots done, {tests} tests passed, {failed} failed;"
                f" {self.told['seconds']:.0f} s."
            )


def meaning_of(code: int) -> str:
    return MEANINGS.get(code, "Interrupted. The same command goes on from here." if code > SIGNALLED else "")


def node_row(node: Any) -> dict[str, Any]:
    return {
        "name": getattr(node.node, "name", None),
        "type": str(getattr(node.node, "resource_type", "")),
        "status": text_of(node, "status"),
        "seconds": round(getattr(node, "execution_time", 0) or 0, 2),
        "failures": getattr(node, "failures", None),
        "message": printable(getattr(node, "message", None) or "", "\n"),
    }


def warning(node: Any) -> dict[str, Any]:
    """What a test that only warns found, in the words of its YAML: description, and meta to_do."""
    test = node.node
    name = test.name
    model = (getattr(test, "attached_node", None) or "").split(".")[-1] or name
    meta = getattr(test.config, "meta", None) or {}
    count = getattr(node, "failures", None) or 0
    what = (getattr(test, "description", "") or f"The test {name} found something.").strip()
    to_do = meta.get("to_do") or f"Look at the rows with dbt show --select {name}."
    rows = f"{count:,} row{'s' if count != 1 else ''}"
    return {"test": name, "model": model, "count": count, "found": f"{model}, {rows}: {what}", "to_do": to_do}


def source_line(source: dict[str, Any]) -> str:
    came = f"{source['source']}: {source['records']:,} records in {source['files']:,} files"
    refused = source["quarantined"]
    if not refused:
        return f"{came}, none in quarantine."
    share = f" ({refused / source['records']:.1%})" if source["records"] >= refused else ""
    rules = sorted(source["rules"].items(), key=lambda rule: (-rule[1], rule[0]))
    named = ", ".join(f"{rule} {count:,}" for rule, count in rules[:NAMES_SHOWN])
    more = f" and {len(rules) - NAMES_SHOWN} more rules" if len(rules) > NAMES_SHOWN else ""
    return f"{came}, {refused:,} in quarantine{share}: {named}{more}. See medallion quarantine show {source['source']}."


def skipped_lines(nodes: list[dict[str, Any]]) -> list[str]:
    """Which nodes were passed over, and after which failure."""
    skipped: dict[str, list[str]] = defaultdict(list)
    for row in nodes:
        if row["status"] == "skipped":
            skipped[row["type"]].append(row["name"])
    failed = [row["name"] for row in nodes if row["status"] in FAILED_NODE]
    if not skipped:
        return []
    models = [name for kind, names in skipped.items() if kind not in ("test", "unit_test") for name in names]
    tests = sum(map(len, skipped.values())) - len(models)
    named = ", ".join(models[:NAMES_SHOWN]) + (" ..." if len(models) > NAMES_SHOWN else "")
    why = f" because these failed: {', '.join(failed[:NAMES_SHOWN])}" if failed else ""
    return [f"Skipped: {len(models)} tables{f' ({named})' if models else ''} and {tests} tests,{why}."]
