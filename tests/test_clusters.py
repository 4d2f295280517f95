"""The project on servers, really run: `make clusters`. Not part of the normal suite: minutes, and Java.

All of it is on this machine and the loopback address: the server of `medallion serve --engine spark`, alone and before
a master with two workers. Beside it lakes of Sail, which are their measure.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pyspark
import pytest
from conftest import NO_TESTS, ROOT, delta_rs
from lakes import build_alone, contents, differences, unbalanced

from medallion import spark_server
from medallion.generate import generate

pytestmark = [pytest.mark.cluster, pytest.mark.engines("sail")]

SPARK = Path(pyspark.__file__).parent
DAYS = 3
# one source and what hangs on it, where a build is killed
SOME = ["--select", "+daily_sales_by_product"]
CLASSES = {"Master": "org.apache.spark.deploy.master.Master", "Worker": "org.apache.spark.deploy.worker.Worker"}


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def until(condition: Callable[[], Any], what: str, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def start(command: list[Any], output: Path, **environment: str) -> subprocess.Popen:
    """A process as leader of a group of its own."""
    with output.open("a") as file:
        return subprocess.Popen(
            [*map(str, command)],
            cwd=ROOT,
            env=os.environ | environment,
            start_new_session=True,
            stdout=file,
            stderr=subprocess.STDOUT,
        )


def kill(process: subprocess.Popen) -> None:
    """A process with all that it has started."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


class Server:
    """`medallion serve --engine spark` with a lake, in a folder."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self.landing = folder / "landing"
        self.warehouse = folder / "home" / "server" / "warehouse"
        self.port = free_port()
        self.options = options
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        self.folder.mkdir(exist_ok=True)
        output = self.folder / "server"
        output.unlink(missing_ok=True)
        command = [sys.executable, "-m", "medallion", "serve", "--engine", "spark", "--memory", "1g", *self.options]
        places = {"MEDALLION_HOME": str(self.folder / "home"), spark_server.VARIABLE: str(self.port)}
        self.process = start(command, output, **places)
        until(lambda: "listens at" in output.read_text() or self.process.poll() is not None, "the server did not start")
        assert self.process.poll() is None, output.read_text()

    def drop(self, last: int, from_day: int = 0) -> None:
        generate(self.landing, seed=7, days=DAYS, events=600, from_day=from_day, to_day=last)

    def build(self, *arguments: str, machine: str = "one", **variables: Any) -> subprocess.Popen:
        """A build on a machine of its own: it has no file in common with those on others."""
        home = self.folder / machine
        home.mkdir(exist_ok=True)
        command = [sys.executable, "-m", "medallion", "build", *arguments, *NO_TESTS, "--quiet", "--target", "server"]
        command += ["--target-path", str(home / "target"), "--vars", json.dumps(variables)]
        places = {"MEDALLION_HOME": str(home), "MEDALLION_LANDING": str(self.landing), "HOSTNAME": machine}
        return start(command, home / "output", **places, **{spark_server.VARIABLE: str(self.port)})

    def output(self, machine: str = "one") -> str:
        return (self.folder / machine / "output").read_text()

    def commits(self, name: str) -> int:
        schema, table = name.split(".")
        return len(list((self.warehouse / f"{schema}.db" / table / "_delta_log").glob("*.json")))

    def contents(self) -> dict[str, Counter]:
        assert unbalanced(self.warehouse) == []
        return contents(self.warehouse, same_portions=False)

    def query(self, statement: str) -> list[tuple]:
        """As a BI client asks."""
        from pyhive import hive

        with closing(hive.connect("127.0.0.1", self.port)) as connection, closing(connection.cursor()) as cursor:
            cursor.execute(statement)
            return cursor.fetchall()


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[Server]:
    server = Server(folder, *options)
    server.start()
    try:
        yield server
    finally:
        server.process.terminate()
        assert server.process.wait(timeout=60) == 0


@pytest.fixture(scope="module")
def served(tmp_path_factory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("served")) as server:
        yield server


def of_sail(server: Server, folder: Path, *selection: str) -> dict[str, Counter]:
    """The lake that Sail makes of the same files."""
    build_alone(folder, server.landing, *selection)
    return contents(folder / "warehouse", same_portions=False)


def test_a_served_lake_is_that_of_sail_and_bi_reads_it_meanwhile(served, tmp_path):
    served.drop(2)
    assert served.build().wait(timeout=900) == 0, served.output()
    served.drop(DAYS, from_day=2)
    build = served.build()
    units = "select sum(units) from gold.daily_sales_by_product"
    beeline = [SPARK / "bin" / "beeline", "-u", f"jdbc:hive2://127.0.0.1:{served.port}", "--silent=true"]
    jdbc = start([*beeline, "--outputformat=csv2", "-e", f"show tables in gold; {units}"], tmp_path / "beeline")
    seen = []
    while build.poll() is None:
        seen.append((len(served.query("show tables in gold")), served.query(units)[0][0]))
        time.sleep(0.5)
    assert build.returncode == 0, served.output()
    assert jdbc.wait(timeout=120) == 0, (tmp_path / "beeline").read_text()
    assert "daily_sales_by_product" in (tmp_path / "beeline").read_text()

    last = served.query(units)[0][0]
    tables = len(list((served.warehouse / "gold.db").iterdir()))
    assert {count for count, _ in seen} == {tables}
    assert {sums for _, sums in seen} <= {seen[0][1], last}
    assert last > seen[0][1]
    assert differences(served.contents(), of_sail(served, tmp_path / "sail")) == {}


def test_only_one_of_two_machines_writes(served, tmp_path):
    """One is killed while it has the lease; the other is told who, and goes on when the lease has ended."""
    lake = Server(tmp_path)
    lake.port, lake.warehouse = served.port, served.warehouse
    lake.drop(1)
    prefix = {"schema_prefix": "two_", "lease_minutes": 3}  # longer than a refused build takes to start
    one = lake.build(*SOME, machine="one", **prefix)
    until(lambda: lake.commits("two_bronze.bronze_orders") or one.poll() is not None, "no batch", 600)
    two = lake.build(*SOME, machine="two", **prefix)
    assert two.wait(timeout=300) == 3, lake.output("two")
    assert " on one holds the lease of this lake" in lake.output("two")
    kill(one)
    lease = "select invocation_id, date_part('epoch', expires_at) from t"
    [(of_one, expires_at)] = delta_rs(lake.warehouse / "two_ops.db" / "lease", lease)
    two = lake.build(*SOME, machine="two", **prefix)
    assert two.wait(timeout=300) == 3, lake.output("two")
    assert f"{{of_run: {of_one}}}" in lake.output("two")
    until(lambda: time.time() > expires_at, "the lease does not end", 300)
    assert lake.build(*SOME, machine="two", **prefix).wait(timeout=900) == 0, lake.output("two")
    assert unbalanced(lake.warehouse, "two_") == []
    found = contents(lake.warehouse, "two_", same_portions=False)
    assert differences(found, of_sail(lake, tmp_path / "sail", *SOME)) == {}


@pytest.fixture
def cluster(tmp_path) -> Iterator[tuple[str, list[subprocess.Popen]]]:
    """A master with two workers; a worker and its executor are one group of processes."""
    master = f"spark://127.0.0.1:{free_port()}"
    small = {"SPARK_DAEMON_MEMORY": "256m", "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_WORKER_DIR": str(tmp_path / "work")}

    def run(name: str, *options: str) -> subprocess.Popen:
        command = [SPARK / "bin" / "spark-class", CLASSES[name], "--host", "127.0.0.1", "--webui-port", "0", *options]
        return start(command, tmp_path / "cluster", **small)

    processes = [run("Master", "--port", master.rpartition(":")[2])]
    processes += [run("Worker", "--cores", "1", "--memory", "1g", master) for _ in range(2)]
    log = tmp_path / "cluster"
    until(lambda: log.read_text().count("Successfully registered with master") == 2, "no workers")
    yield master, processes[1:]
    for process in processes:
        if process.poll() is None:
            kill(process)


def executors(worker: subprocess.Popen) -> list[int]:
    found = subprocess.run(["pgrep", "-P", str(worker.pid)], capture_output=True, text=True)
    return [int(pid) for pid in found.stdout.split()]


def test_a_build_survives_the_death_of_a_worker_an_executor_and_the_driver(cluster, tmp_path):
    master, workers = cluster
    lake = Server(tmp_path / "lake", "--master", master)
    lake.start()
    lake.drop(1)
    build = lake.build(*SOME, lease_minutes=1)
    until(lambda: lake.commits("bronze.bronze_orders") or build.poll() is not None, "no batch", 600)
    for executor in executors(workers[0]):  # its worker starts another one
        os.kill(executor, signal.SIGKILL)
    kill(workers[1])
    assert build.wait(timeout=900) == 0, lake.output()

    lake.drop(2, from_day=1)
    before = lake.commits("bronze.bronze_orders")
    build = lake.build(*SOME, lease_minutes=1)
    until(lambda: lake.commits("bronze.bronze_orders") > before or build.poll() is not None, "no batch", 600)
    kill(lake.process)
    assert build.wait(timeout=300) == 4, lake.output()

    lake.start()
    until(lambda: lake.build(*SOME, lease_minutes=1).wait(timeout=900) == 0, lake.output(), 300)
    lake.process.terminate()
    assert lake.process.wait(timeout=60) == 0
    assert differences(lake.contents(), of_sail(lake, tmp_path / "sail", *SOME)) == {}


def test_a_server_without_delta_is_refused(tmp_path):
    lake = Server(tmp_path)
    conf = [f"spark.hadoop.hive.server2.thrift.port={lake.port}", f"spark.sql.warehouse.dir={lake.warehouse}"]
    conf += ["spark.hadoop.hive.server2.thrift.bind.host=127.0.0.1", "spark.sql.catalogImplementation=in-memory"]
    command = [SPARK / "bin" / "spark-submit", "--class", "org.apache.spark.sql.hive.thriftserver.HiveThriftServer2"]
    command += [word for setting in conf for word in ("--conf", setting)]
    bare = start([*command, "--driver-memory", "1g", "spark-internal"], tmp_path / "log", SPARK_LOCAL_IP="127.0.0.1")
    try:
        until(lambda: "ThriftBinaryCLIService on port" in (tmp_path / "log").read_text(), "the server did not start")
        lake.drop(1)
        assert lake.build().wait(timeout=300) == 2
        assert "spark.sql.extensions must have" in lake.output()
        assert "spark.sql.catalog.spark_catalog must be" in lake.output()
        assert not list(tmp_path.glob("home/server/warehouse/*"))
    finally:
        kill(bare)
