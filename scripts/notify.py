"""Tells somebody of a run that failed: a command gets its JSON on stdin, a web hook by POST."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from typing import Any
from urllib.request import Request, urlopen

from medallion.console import say
from medallion.errors import DONE, NOTHING, SIGNALLED

VARIABLE = "MEDALLION_ON_FAILURE"
PATIENCE = 10  # seconds; a run that systemd stops has 90


def is_wanted(code: int) -> bool:
    """Whether a run that ended so has failed; who pressed Ctrl-C knows."""
    return code not in (DONE, NOTHING, SIGNALLED + signal.SIGINT) and bool(os.environ.get(VARIABLE))


def notify(answer: dict[str, Any]) -> None:
    """Hands the JSON of a failed run to the command or the address in MEDALLION_ON_FAILURE.

    What goes wrong with it is said, and changes nothing about the run. The address may hold a secret: it is not shown.
    """
    if not is_wanted(answer["code"]):
        return
    hook, body = os.environ[VARIABLE], json.dumps(answer, default=str).encode()
    try:
        if hook.startswith(("http://", "https://")):
            urlopen(Request(hook, body, {"Content-Type": "application/json"}), timeout=PATIENCE).close()
        else:
            subprocess.run(hook, shell=True, input=body, stdout=2, timeout=PATIENCE, check=True)
    except subprocess.CalledProcessError as problem:
        say(f"Nobody was notified: the command in {VARIABLE} ended with code {problem.returncode}.")
    except subprocess.TimeoutExpired:
        say(f"Nobody was notified: the command in {VARIABLE} did not end within {PATIENCE} s.")
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "reason", None) or type(problem).__name__
        say(f"Nobody was notified: the address in {VARIABLE} did not take it ({reason}).")
