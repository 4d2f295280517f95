"""How many macro files, and lines, a reader passes to follow a question through the macros.

`python tests/walk.py [project]` prints the counts of a checkout; test_project_rules.py keeps them from growing.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

# Where a reader begins. The names on the right are macros of today's project; an older checkout has some of them only.
QUESTIONS = {
    "one order, from its file to daily_sales_by_product": [
        "materialization incremental", "assert_ready", "open_ledgers", "read_new_files", "json_fields", "to_money",
        "plain_id", "plain_text", "to_time", "to_whole", "row_key", "violated_rules", "quarantine", "latest",
        "deduplicate", "new_batches", "touched", "in_reporting_currency", "optimize", "create_ledgers",
        "assert_utc_session", "non_blank",
    ],
    "how does a new file get into bronze": ["read_new_files", "plan_files"],
    "how does silver know what is new": ["new_batches", "plan_batches"],
    "how does gold know which days": ["touched", "plan_keys"],
}  # fmt: skip
# What every macro may use, and whoever knows the project knows: not passed for each question anew.
COMMON = {"on_engine", "engine", "sql_literal", "run_memory", "is_building", "relation_of", "node_of"}


def macros(project: Path) -> dict[str, tuple[Path, str]]:
    """File and text of every macro by name."""
    found = {}
    for file in (project / "macros").rglob("*.sql"):
        text = re.sub(r"{#.*?#}", "", file.read_text(), flags=re.DOTALL)
        pattern = r"{%-?\s*(macro|materialization|test)\s+(\w+).*?{%-?\s*end\1"
        for match in re.finditer(pattern, text, re.DOTALL):
            name = match[2] if match[1] == "macro" else f"{match[1]} {match[2]}"
            found[name] = (file, match[0])
    return found


def walk(project: Path, start: list[str], engine: str = "spark") -> dict[Path, int]:
    """Files that are passed from some macros, on one engine, with their lines."""
    known = macros(project)
    seen: set[str] = set()
    todo = [name for name in start if name in known]
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        text = known[name][1]
        calls = set(re.findall(r"(?<![\w.'])([a-z_]\w+)\(", text))
        calls |= {f"{engine}__{verb}" for verb in re.findall(r"on_engine\(\s*'(\w+)'", text)}
        todo += calls & known.keys() - COMMON - seen
    files = {known[name][0] for name in seen}
    return {file: len(file.read_text().splitlines()) for file in files}


def main() -> None:
    project = Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    for question, start in QUESTIONS.items():
        passed = walk(project, start)
        folders = {file.parent for file in passed}
        print(f"{question}: {len(passed)} files in {len(folders)} folders, {sum(passed.values())} lines")
    everything = list((project / "macros").rglob("*.sql"))
    print(f"all macros: {len(everything)} files, {sum(len(f.read_text().splitlines()) for f in everything)} lines")


if __name__ == "__main__":
    main()
