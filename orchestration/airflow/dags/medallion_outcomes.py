"""What an exit code of `medallion`, and a status of dbt, mean to an orchestrator. Nothing of Airflow in here, so it is
tested without it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

SUCCESS, SKIP, FAIL, RETRY = "success", "skip", "fail", "retry"

# The contract of docs/orchestration.md.
MEANINGS = {
    0: (SUCCESS, "done"),
    1: (FAIL, "the data failed a test, a rule, a contract or the ledger; trying again cannot help"),
    2: (FAIL, "wrong configuration or usage; trying again cannot help"),
    3: (RETRY, "another process has the lake"),
    4: (RETRY, "a lost connection or a conflict"),
    5: (SKIP, "nothing to do"),
}


def outcome(code: int, attempt: int = 1) -> tuple[str, str]:
    """What becomes of a task whose command ended with this code, and why.

    Args:
        code: the exit code. A signal that ended the process is 128 + its number, or negative, as `subprocess` has it.
        attempt: which attempt this is, from 1.
    """
    if code < 0 or 128 < code <= 128 + 64:
        return RETRY, f"ended by signal {-code if code < 0 else code - 128}; the same command goes on from there"
    if code == 5 and attempt > 1:
        return SUCCESS, "nothing left to do; an earlier attempt had written everything before it ended"
    return MEANINGS.get(code, (FAIL, "no code of medallion; see the log"))


# Statuses of dbt with which a node has done all it should.
GOOD = {"success", "pass", "warn", "no-op"}
BAD = {"error", "fail", "runtime error", "partial success"}


def node_outcome(nodes: Sequence[str], statuses: Mapping[str, str]) -> tuple[str, str]:
    """What becomes of the task that mirrors a node of dbt and its tests, and why.

    Args:
        nodes: the node, then its tests, by their names in the manifest.
        statuses: what dbt said of the nodes that ended.
    """
    bad = [f"{node}: {statuses[node]}" for node in nodes if statuses.get(node) in BAD]
    if bad:
        return FAIL, "; ".join(bad)
    undone = [node for node in nodes if statuses.get(node) not in GOOD]
    if undone:
        return SKIP, f"dbt skipped it, or did not get to it: {', '.join(undone)}"
    return SUCCESS, f"all well, its {len(nodes) - 1} tests included"


def mirrored(manifest: Mapping[str, Any]) -> dict[str, dict[str, list[str]]]:
    """The tables of a manifest, and the ephemeral models that have tests: what a task stands for, and waits for.

    Returns:
        by `layer.table`: `nodes`, the node and its tests; `upstream`, other keys.
    """
    nodes = manifest["nodes"]
    tests = [node for node in nodes.values() if node["resource_type"] == "test"]
    tests += list(manifest.get("unit_tests", {}).values())
    found: dict[str, list[str]] = {}
    for name, node in nodes.items():
        if node["resource_type"] in ("model", "seed", "snapshot"):
            own = sorted(test["unique_id"] for test in tests if owner(test) == name)
            # dbt runs no ephemeral model
            if own_nodes := ([] if node["config"]["materialized"] == "ephemeral" else [name]) + own:
                found[name] = own_nodes
    keys = {name: f"{nodes[name]['schema']}.{nodes[name]['alias']}" for name in found}

    def above(name: str) -> set[str]:
        """The nearest nodes above that have a task."""
        direct = [one for one in nodes[name]["depends_on"].get("nodes", []) if one in nodes]
        return {key for one in direct for key in ([keys[one]] if one in keys else above(one))}

    return {keys[name]: {"nodes": own, "upstream": sorted(above(name))} for name, own in found.items()}


def owner(test: Mapping[str, Any]) -> str | None:
    """The node whose task answers for a test: the one it is declared at, else the last one that it reads."""
    read = [node for node in test["depends_on"].get("nodes", []) if not node.startswith("source.")]
    return test.get("attached_node") or (read[0] if test["resource_type"] == "unit_test" else read[-1])
