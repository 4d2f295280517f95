"""The Sail server of this machine: the one of `medallion serve`, else one inside this process, which ends with it."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pysail.spark import SparkConnectServer
    from pyspark.sql.connect.session import SparkSession

HOST = "127.0.0.1"  # loopback only: the server asks nobody who they are
PORT = 50051  # as in profiles.yml
VARIABLE = "MEDALLION_SAIL_PORT"
PATIENCE = 10  # seconds for a server to answer


class SailError(Exception):
    """What is wrong with a server, told in a sentence."""


def port(variable: str = VARIABLE, default: int = PORT) -> int:
    """The port of target sail, as profiles.yml has it; or that of another server of this machine.

    Raises:
        SailError: the variable holds something else.
    """
    text = os.environ.get(variable, str(default))
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise SailError(f"{variable} is '{text}'; it must be the number of a port, from 1 to 65535.")
    return int(text)


def is_listening(at: int | None = None) -> bool:
    """Whether something, whatever it is, takes connections at a port, that of target sail unless another is named."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, at or port())) == 0


def start(at: int) -> SparkConnectServer:
    """Start a server in this process.

    Args:
        at: its port; 0 for any that is free.

    Raises:
        SailError: Sail is not installed, or the port is taken.
    """
    os.environ.setdefault("RUST_LOG", "off")  # what matters reaches the client; the rest would go to the terminal
    try:
        from pysail.spark import SparkConnectServer
    except ImportError:
        raise SailError("Sail is not installed in this Python; make setup installs it.") from None
    server = SparkConnectServer(HOST, at)
    try:
        server.start(background=True)
    except OSError as problem:
        raise SailError(f"The Sail server did not start at {HOST}:{at} ({problem}).") from None
    return server


@contextmanager
def own_server() -> Iterator[None]:
    """A server of this process at a free port, where target sail finds it."""
    before = os.environ.get(VARIABLE)
    server = start(0)
    os.environ[VARIABLE] = str(server.listening_address[1])
    try:
        yield
    finally:
        server.stop()
        os.environ.pop(VARIABLE)
        if before is not None:
            os.environ[VARIABLE] = before


def connect() -> SparkSession:
    """A session that gives up within seconds where no Sail server answers; Spark's own tries for ten minutes.

    The first one in a process is dbt's too.

    Raises:
        SailError: what listens at the port is no Sail server.
    """
    import grpc
    from pyspark.errors import PySparkException
    from pyspark.sql.connect.client.retries import DefaultPolicy
    from pyspark.sql.connect.session import SparkSession

    address = f"{HOST}:{port()}"
    try:
        with grpc.insecure_channel(address) as channel:
            grpc.channel_ready_future(channel).result(timeout=PATIENCE)
        session = SparkSession.builder.remote(f"sc://{address}").create()
        session.client.set_retry_policies([DefaultPolicy(max_retries=4)])
        session.version  # noqa: B018 (asks the server)
    except (grpc.FutureTimeoutError, grpc.RpcError, PySparkException):
        raise SailError(
            f"What listens at {address} is no Sail server, or does not answer; end it, or set {VARIABLE}."
        ) from None
    return session


def end_statements(session_id: str) -> None:
    """End what a session is still running; one that has ended runs nothing.

    Args:
        session_id: its name.
    """
    from pyspark.errors import IllegalArgumentException
    from pyspark.sql.connect.session import SparkSession

    session = SparkSession.builder.remote(f"sc://{HOST}:{port()}/;session_id={session_id}").create()
    try:
        session.interruptAll()
    except IllegalArgumentException as problem:
        if "is not running" not in str(problem):
            raise
    finally:
        session.client.close()
