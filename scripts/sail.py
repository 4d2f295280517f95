"""The Sail server of this machine: found, started, stopped."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HOST = "127.0.0.1"  # loopback only: the server asks nobody who they are


class SailError(Exception):
    """The server did not start, told in a sentence."""


def port() -> int:
    """The port of target sail, as profiles.yml has it."""
    return int(os.environ.get("MEDALLION_SAIL_PORT", "50051"))


def is_listening() -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port())) == 0


def start(log: Path) -> subprocess.Popen:
    """Start a server and wait until it listens; what it says goes to `log`.

    Raises:
        SailError: it ended, or did not listen within 30 seconds.
    """
    command = [str(Path(sys.executable).parent / "sail"), "spark", "server", "--ip", HOST, "--port", str(port())]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
    deadline = time.monotonic() + 30
    while not is_listening():
        if process.poll() is not None or time.monotonic() > deadline:
            stop(process)
            raise SailError(f"The Sail server did not start at {HOST}:{port()}; see {log}.")
        time.sleep(0.05)
    return process


def stop(process: subprocess.Popen) -> None:
    """End a server, and wait until it is gone."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def server(log: Path) -> Iterator[None]:
    """A server for as long as it is needed: the one that listens already, else one of our own."""
    own = None if is_listening() else start(log)
    try:
        yield
    finally:
        if own is not None:
            stop(own)
