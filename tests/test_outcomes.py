"""What `medallion build` and `resume` end with, each code by a real cause, on Sail; more causes in test_cli."""

from __future__ import annotations

import json
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, alone, delta_rs
from deltalake import DeltaTable
from lakes import HEADER

from medallion import errors, lake, sail
from medallion.generate import generate

pytestmark = pytest.mark.engines("sail")

NO_TESTS = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
GOLD = ("--select", "+daily_sales_by_product", *NO_TESTS)


def line(number: str, date: str = "2026-01-01 10:00:00") -> str:
    return f"{number},A1,THING,2,{date},1.50,17850,France\n"


def free_port() -> int:
    with socket.socket() as free:
        free.bind((sail.HOST, 0))
        return free.getsockname()[1]


class Alone:
    """A lake of commands in processes of their own, each with a server of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environment = alone(home, home / "landing")
        self.environment |= {"DBT_TARGET_PATH": str(home / "target"), "DBT_LOG_PATH": str(home / "logs")}

    def drop_file(self, name: str, text: str) -> Path:
        path = self.home / "landing" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def medal(self, *arguments: str) -> tuple[subprocess.CompletedProcess, dict]:
        command = [sys.executable, "-m", "medallion", *arguments, "--json"]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True)
        return done, json.loads(done.stdout)

    def gold(self) -> int | None:
        table = self.home / "warehouse" / "gold.db" / "daily_sales_by_product"
        return delta_rs(table, "select count(*) from t")[0][0] if table.exists() else None


@pytest.fixture
def made(tmp_path: Path) -> Alone:
    return Alone(tmp_path)


def test_a_build_tells_what_came_of_it(made):
    made.drop_file("orders/1.csv", HEADER + line("1") + line("2") + line("3", date="never"))
    result, told = made.medal("build", *GOLD, "--target", "sail")
    assert (result.returncode, told["code"], told["target"]) == (0, 0, "sail")
    (source,) = [row for row in told["sources"] if row["source"] == "orders"]
    assert (source["files"], source["records"], source["quarantined"]) == (1, 3, 1)
    assert source["rules"] == {"invoice_date_valid": 1}
    assert "orders: 3 records in 1 files, 1 in quarantine (33.3%): invoice_date_valid 1" in result.stderr
    (table,) = [row for row in told["tables"] if row["table"].endswith("bronze_orders")]
    assert sum(commit["metrics"].get("numOutputRows", 0) for commit in table["commits"]) == 3
    assert {row["status"] for row in told["nodes"]} <= {"success", "pass", "warn", "no-op"}

    result, told = made.medal("build", *GOLD, "--target", "sail")
    assert (result.returncode, told["sources"], told["tables"]) == (0, [], [])
    assert "Nothing new: no table was changed." in result.stderr
    result, told = made.medal("build", "--skip-code", *GOLD, "--target", "sail")
    assert (result.returncode, told["code"]) == (errors.NOTHING, errors.NOTHING)


def test_a_mistake_of_the_command(made):
    result, told = made.medal("build", "--select", "nothing_has_this_name", "--target", "sail")
    assert (result.returncode, told["code"]) == (errors.USAGE, errors.USAGE)
    assert "The selection matches nothing" in result.stderr
    result, told = made.medal("build", "--no-such-option", "--target", "sail")
    assert (result.returncode, told["code"]) == (errors.USAGE, errors.USAGE)


def test_half_of_a_batch_in_quarantine_stops_gold(made):
    made.drop_file("orders/1.csv", HEADER + line("1") + line("2", date="never") + line("3", date="never"))
    result, told = made.medal("build", *GOLD, "--target", "sail")
    assert (result.returncode, told["code"]) == (errors.DATA, errors.DATA)
    assert "2 of 3 records break a rule" in result.stderr
    assert "fail_above" in result.stderr
    assert "discard" in result.stderr
    assert made.gold() is None
    result, _ = made.medal("build", *GOLD, "--target", "sail", "--vars", "{max_quarantine_share: 0.9}")
    assert result.returncode == 0
    assert made.gold() == 1


def test_resume_does_what_failed_and_what_was_skipped(made):
    made.drop_file("orders/1.csv", HEADER + line("1"))
    broken = made.drop_file("orders/2.csv.zst", "no Zstandard")
    result, told = made.medal("build", *GOLD, "--target", "sail")
    assert (result.returncode, told["code"]) == (errors.DATA, errors.DATA)
    broken.unlink()
    answer, _ = made.medal("resume")
    assert answer.returncode == 0, answer.stderr
    assert made.gold() == 1
    again, told = made.medal("resume")
    assert (again.returncode, told["nodes"]) == (0, [])
    assert "Nothing to resume" in again.stderr


def test_an_engine_that_is_killed_is_worth_a_retry_and_all_is_private(tmp_path):
    """The server of a build is killed; the same command goes on, and nobody else can read what it wrote."""
    generate(tmp_path / "landing", seed=1, days=2, events=200)
    port = free_port()
    environment = alone(tmp_path, tmp_path / "landing")
    environment |= {sail.VARIABLE: str(port), "DBT_TARGET_PATH": str(tmp_path / "target"), "NO_COLOR": "1"}
    environment |= {"DBT_LOG_PATH": str(tmp_path / "logs"), "https_proxy": "http://127.0.0.1:9"}
    environment |= {"http_proxy": "http://127.0.0.1:9"}
    command = [sys.executable, "-m", "medallion"]
    build = [*command, "build", "--target", "sail", "--select", "+silver_order_lines", *NO_TESTS]
    with subprocess.Popen([*command, "serve"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as server:
        server.stdout.readline()
        with subprocess.Popen(build, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as first:
            for said in first.stdout:
                if "START sql" in said:
                    break
            server.send_signal(signal.SIGKILL)
            rest = first.stdout.read()
    assert first.returncode == errors.RETRY, rest
    assert "The Sail server no longer answers" in rest
    assert "\x1b" not in rest
    second = subprocess.run(build, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert second.returncode == 0, second.stdout
    assert DeltaTable(str(tmp_path / "warehouse" / "silver.db" / "silver_order_lines")).version() >= 0
    for folder in ("warehouse", "target", "logs", "last-run"):
        for path in (tmp_path / folder, *(tmp_path / folder).rglob("*")):
            assert not path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO), path


def test_the_lake_remembers_its_engine(monkeypatch, tmp_path):
    monkeypatch.delenv("DBT_TARGET", raising=False)
    log = tmp_path / "warehouse" / "x_ops.db" / "file_ledger" / "_delta_log"
    log.mkdir(parents=True)
    monkeypatch.setenv("MEDALLION_HOME", str(tmp_path))
    assert lake.target_of([]) == "local"
    engines = ["Apache-Spark/4.2.0 Delta-Lake/4.4.0", "sail-delta-lake:0.7.2", "delta-rs:py-1.6.6"]
    for version, (engine, target) in enumerate(zip(engines, ["local", "sail", "sail"], strict=True)):
        (log / f"{version:020}.json").write_text(f'{{"commitInfo":{{"engineInfo":"{engine}"}}}}')
        assert lake.target_of([]) == target
    assert lake.target_of(["--target", "local"]) == "local"
    monkeypatch.setenv("DBT_TARGET", "cluster")
    assert lake.target_of([]) == "cluster"


def test_bare_dbt_ends_within_seconds_where_no_server_answers(tmp_path):
    environment = alone(tmp_path, tmp_path / "landing") | {sail.VARIABLE: str(free_port())}
    environment |= {"DBT_TARGET_PATH": str(tmp_path / "target"), "DBT_LOG_PATH": str(tmp_path / "logs")}
    dbt = [str(Path(sys.prefix) / "bin" / "dbt"), "run", "--target", "sail", "--select", "silver_products"]
    done = subprocess.run(dbt, cwd=ROOT, env=environment, capture_output=True,
                          text=True, timeout=300)  # fmt: skip
    assert done.returncode != 0
    assert "No Sail server answers at 127.0.0.1" in done.stdout
    assert "medallion build" in done.stdout
