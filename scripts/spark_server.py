"""The Spark server of this machine, for target server: a Thrift server with Delta, which dbt runs and BI clients share.

Spark is started by this process and ends with it, however that ends. Its settings are those of target local.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from medallion import sail
from medallion.errors import Failure
from medallion.lake import ROOT, lake_home

HOST = sail.HOST  # loopback only: the server asks nobody who they are
PORT = 10000  # as in profiles.yml
VARIABLE = "MEDALLION_SPARK_PORT"


def port() -> int:
    """The port of target server, as profiles.yml has it."""
    return sail.port(VARIABLE, PORT)


def folder() -> Path:
    """Where the server keeps its tables, its catalog and its log: a lake of its own beside that of this machine."""
    return lake_home() / "server"


def settings(master: str, memory: str) -> dict[str, str]:
    """Those of target local, but for where the tables are and who listens.

    Args:
        master: the Spark master.
        memory: of the driver, and of each executor.
    """
    import yaml

    home = folder()
    profiles = yaml.safe_load((ROOT / "profiles.yml").read_text())
    local = profiles["medallion"]["outputs"]["local"]["server_side_parameters"]
    java = [local["spark.driver.extraJavaOptions"], f'-Dderby.system.home="{home}"', "-XX:+ExitOnOutOfMemoryError"]
    return local | {
        "spark.master": master,
        "spark.driver.memory": memory,
        "spark.executor.memory": memory,
        "spark.driver.extraJavaOptions": " ".join(java),
        "spark.sql.warehouse.dir": str(home / "warehouse"),
        "spark.sql.catalogImplementation": "hive",
        "spark.hadoop.javax.jdo.option.ConnectionURL": f"jdbc:derby:;databaseName={home}/catalog;create=true",
        "spark.hadoop.hive.server2.thrift.bind.host": HOST,
        "spark.hadoop.hive.server2.thrift.port": str(port()),
        "spark.hadoop.hive.server2.enable.doAs": "false",
    }


def start(master: str, memory: str) -> subprocess.Popen[bytes]:
    """Start Spark, and in it the Thrift server; returns Spark's process.

    Args:
        master: the Spark master.
        memory: of the driver, and of each executor.

    Raises:
        Failure: something else listens there, or Spark did not start.
    """
    from pyspark.sql import SparkSession

    if sail.is_listening(port()):
        raise Failure(f"Something listens at {HOST}:{port()} already; end it, or set {VARIABLE}.")
    folder().mkdir(parents=True, exist_ok=True)
    builder: Any = SparkSession.builder.appName("medallion")
    for name, value in settings(master, memory).items():
        builder = builder.config(name, value)
    with (folder() / "log").open("ab") as log, output_to(log.fileno()):
        try:
            session = builder.getOrCreate()
            thrift = session._jvm.org.apache.spark.sql.hive.thriftserver.HiveThriftServer2
            thrift.startWithSparkSession(session._jsparkSession, False)
            break_in()
        except Exception as problem:
            raise Failure(f"Spark did not start ({type(problem).__name__}); see {folder() / 'log'}.") from None
    return session.sparkContext._gateway.proc


def break_in() -> None:
    """Open and close a session: the first that is closed loses its connection, as Hive then registers functions, of
    which Spark lacks a class (LlapSigner).
    """
    from pyhive import hive
    from thrift.transport.TTransport import TTransportException

    session = hive.connect(HOST, port())
    with suppress(TTransportException):
        session.close()


@contextmanager
def output_to(file: int) -> Iterator[None]:
    """What this process and those it starts write to the terminal goes to a file meanwhile; theirs ever after."""
    kept = [os.dup(stream) for stream in (1, 2)]
    try:
        for stream in (1, 2):
            os.dup2(file, stream)
        yield
    finally:
        for stream, terminal in zip((1, 2), kept, strict=True):
            os.dup2(terminal, stream)
            os.close(terminal)
