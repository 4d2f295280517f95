"""What an exit code of `medallion` means to an orchestrator. Nothing of Airflow in here, so it is tested without it."""

from __future__ import annotations

SUCCESS, SKIP, FAIL, RETRY = "success", "skip", "fail", "retry"

# The contract of docs/orchestration.md.
MEANINGS = {
    0: (SUCCESS, "done"),
    1: (FAIL, "the data failed a test, a rule, a contract or the ledger; trying again cannot help"),
    2: (FAIL, "wrong configuration or usage; trying again cannot help"),
    3: (RETRY, "another process has the lake"),
    4: (RETRY, "a lost connection or a conflict"),
    5: (SKIP, "nothing to do"),
    6: (RETRY, "interrupted; the same command goes on from there"),
}


def outcome(code: int, attempt: int = 1) -> tuple[str, str]:
    """What becomes of a task whose command ended with this code, and why.

    Args:
        code: the exit code; negative where a signal ended the process, as `subprocess` has it.
        attempt: which attempt this is, from 1.
    """
    if code < 0:
        return RETRY, f"killed by signal {-code}; the same command goes on from there"
    if code == 5 and attempt > 1:
        return SUCCESS, "nothing left to do; an earlier attempt had written everything before it ended"
    return MEANINGS.get(code, (FAIL, "no code of medallion; see the log"))
