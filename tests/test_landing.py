"""`medallion has-new` and `medallion wait`: they must say what a build would do, without doing it."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from conftest import ROOT, TARGET, Lake
from deltalake import DeltaTable
from lakes import HEADER

from medallion import landing
from medallion.cli import main

pytestmark = pytest.mark.engines("sail")

LINE = "{0},P1,Thing,1,2026-01-05 08:00:00,1.00,C1,United Kingdom\n"
BRONZE = ("--select", "bronze_orders", "--exclude", "resource_type:test")


def ask(lake: Lake, *arguments: str) -> Result:
    settings = {"schema_prefix": lake.prefix, "landing_root": str(lake.landing)}
    return CliRunner().invoke(main, [*arguments, "--target", TARGET, "--vars", json.dumps(settings)])


def said_new(lake: Lake, code: int = 0) -> list[str]:
    answer = ask(lake, "has-new", "orders", "--json")
    assert answer.exit_code == code, answer.output
    return json.loads(answer.stdout)["sources"][0]["new"]


def ingested(lake: Lake) -> list[str]:
    """The files of the newest batch."""
    rows = lake.sql(
        "select source_file from {ops}.file_ledger where source = 'orders'"
        " and batch_id = (select max(batch_id) from {ops}.file_ledger where source = 'orders')"
    )
    return sorted(row[0] for row in rows)


def order(number: int) -> str:
    return HEADER + LINE.format(number)


@pytest.mark.engines("spark", "sail")
def test_new_is_what_a_build_ingests(lake):
    answer = ask(lake, "has-new", "orders")
    assert (answer.exit_code, "does not exist. Set MEDALLION_LANDING" in answer.output) == (2, True)
    lake.landing.mkdir()
    assert said_new(lake, code=5) == []  # no folder of the source yet, no tables

    names = ["1.csv", "deep/er/2.csv", "day=2026-01-05/3.csv", "blank, 100 % + ü.csv", "country=GB/4.csv", "no ending"]
    for number, name in enumerate(names):
        lake.drop_file(f"orders/{name}", order(number))
    lake.drop_file("orders/5.csv.gz", gzip.compress(order(5).encode()))
    hidden_names = (".6.csv", "_7=7.csv", "_country=GB/8.csv", ".git/9.csv", "10.csv._copying_", "11.TMP/1.csv")
    for hidden in (*hidden_names, "empty.csv"):
        lake.drop_file(f"orders/{hidden}", "" if hidden == "empty.csv" else order(6))
    lake.drop_file("orders of others/1.csv", order(1))
    lake.drop_file("1.csv", order(1))
    said = said_new(lake)
    assert len(said) == 7
    lake.build(*BRONZE)
    assert ingested(lake) == sorted(said)
    assert said_new(lake, code=5) == []

    # a file that is deleted after its ingest is nothing new, nor one that was touched only
    (lake.landing / "orders/1.csv").unlink()
    os.utime(lake.landing / "orders/no ending", (1, 1))
    assert said_new(lake, code=5) == []
    lake.drop_file("orders/empty.csv", order(7))
    assert said_new(lake) == ["orders/empty.csv"]
    lake.build(*BRONZE)
    assert ingested(lake) == ["orders/empty.csv"]

    # one lake is not another
    other = Lake(lake.spark, f"not_{lake.prefix}", lake.landing, lake.target_path)
    assert len(said_new(other)) == 7


def test_a_changed_file_is_no_news_but_a_failure(lake):
    lake.drop_file("orders/1.csv", order(1))
    lake.build(*BRONZE)
    lake.drop_file("orders/1.csv", order(1) + LINE.format(2))
    lake.drop_file("orders/2.csv", order(2))
    for answer in (ask(lake, "has-new"), ask(lake, "wait", "--for", "orders", "--timeout", "0")):
        assert answer.exit_code == 1
        assert f"orders/1.csv (was {len(order(1))} bytes, is" in answer.output
    assert not lake.dbt("build", *BRONZE).success

    # the other ways to declare it
    settings = landing.variables(json.dumps({"schema_prefix": lake.prefix, "landing_root": str(lake.landing)}))
    (source,) = landing.chosen_sources(settings, ["orders"])
    for when_changed, new in {"ignore": ["orders/2.csv"], "new_version": ["orders/1.csv", "orders/2.csv"]}.items():
        declared = landing.Source(source.name, source.path, when_changed, source.table)
        (found,) = landing.news(settings, [declared], on_sail=True)
        assert (sorted(found.new), found.changed) == (new, [])


def test_files_of_lost_batches_are_new_again(lake):
    lake.drop_file("orders/1.csv", order(1))
    lake.build(*BRONZE)
    good = lake.version("bronze.bronze_orders")
    lake.drop_file("orders/2.csv", order(2))
    lake.drop_file("orders/header only.csv", HEADER)
    lake.build(*BRONZE)
    DeltaTable(lake.path("bronze.bronze_orders")).restore(good)
    assert said_new(lake) == ["orders/2.csv"]
    lake.build(*BRONZE)
    assert ingested(lake) == ["orders/2.csv"]


def test_a_batch_that_was_not_entered_is_unfinished_not_new(lake):
    lake.drop_file("orders/1.csv", order(1))
    lake.build(*BRONZE)
    lake.drop_file("orders/2.csv", order(2))
    lake.build(*BRONZE)
    lake.sql("delete from {ops}.file_ledger where batch_id = 2")
    assert said_new(lake) == []  # code 0 all the same: a build has something to do
    assert "batch 2 was written by a build that did not end" in ask(lake, "has-new").output
    lake.drop_file("orders/3.csv", order(3))
    assert said_new(lake) == ["orders/3.csv"]
    lake.build(*BRONZE)
    assert ingested(lake) == ["orders/3.csv"]
    assert said_new(lake, code=5) == []


def test_arrived_is_what_lies_there_or_was_ingested(lake):
    lake.drop_file("orders/2026-01-05.csv", order(1))
    lake.drop_file("orders/20260105T0800.csv", order(2))
    lake.drop_file("orders/2026/01/05/part 1.csv", order(3))
    lake.drop_file("orders/_2026-01-06.csv", order(4))
    lake.drop_file("orders/2026-01-07.csv", "")

    def waited(*arguments: str) -> int:
        return ask(lake, "wait", "--for", "orders", "--timeout", "0", *arguments).exit_code

    for _ in range(2):
        assert waited("--date", "2026-01-05", "--count", "3") == 0
        assert waited("--date", "2026-01-05", "--count", "4") == 5
        assert waited("--date", "2026-01-06") == 5
        assert waited("--date", "2026-01-07") == 5
        assert waited("--file", "2026-01-0?.csv") == 0
        assert waited("--file", "2026-01-05") == 5
        assert waited("--file", "2026/*/part*") == 0
        assert waited("--file", "part 1.csv") == 0
        assert waited("--file", "PART 1.csv") == 5
        lake.build(*BRONZE)
        assert waited() == 5
        for file in lake.landing.rglob("*05*.csv"):
            file.unlink()
    assert waited("--date", "2026-01-05") == 0  # deleted since, but ingested
    assert waited("--for", "products", "--date", "2026-01-05") == 5
    assert ask(lake, "wait", "--for", "products", "--timeout", "0").exit_code == 5
    lake.drop_file("products/1.csv", "product_id\n1\n")
    assert ask(lake, "wait", "--for", "products", "--timeout", "0").exit_code == 0


def test_wait_sees_a_file_that_comes_while_it_waits(lake):
    lake.drop_file("orders/_1.csv", order(1))
    arrives = threading.Timer(1.5, lambda: (lake.landing / "orders/_1.csv").rename(lake.landing / "orders/1.csv"))
    arrives.start()
    answer = ask(lake, "wait", "--for", "orders", "--timeout", "30s", "--every", "1")
    assert (answer.exit_code, answer.output) == (0, "Arrived: orders.\n")


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_wait_that_is_stopped_says_so(tmp_path, signum):
    (tmp_path / "landing").mkdir()
    places = {"MEDALLION_HOME": str(tmp_path), "MEDALLION_LANDING": str(tmp_path / "landing"), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "medallion", "wait", "--for", "orders", "--timeout", "60", "--every", "60"]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | places, stdout=subprocess.PIPE, text=True)
    while "SigCgt" not in (state := Path(f"/proc/{process.pid}/status").read_text()) or not caught(state, signum):
        time.sleep(0.05)
    process.send_signal(signum)
    assert (process.wait(timeout=30), process.stdout.read()) == (128 + signum, "Stopped.\n")


def caught(state: str, signum: int) -> bool:
    """Whether a process has a handler for a signal, and it is not Python's own for Ctrl-C."""
    mask = int(next(line.split()[1] for line in state.splitlines() if line.startswith("SigCgt")), 16)
    return bool(mask >> (signal.SIGTERM - 1) & 1) and bool(mask >> (signum - 1) & 1)


def test_neither_dbt_nor_an_engine_is_loaded(tmp_path):
    script = (
        "import sys; from medallion.cli import main\n"
        "loaded = {'dbt', 'pysail', 'pandas', 'grpc'}\n"
        "try: main(['has-new'])\n"
        "except SystemExit as end: print(end.code, sorted(loaded & {*sys.modules}))"
    )
    places = {"MEDALLION_HOME": str(tmp_path), "MEDALLION_LANDING": str(tmp_path)}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | places, capture_output=True, text=True)
    assert done.stdout == "Nothing new.\n5 []\n"
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "environment", "message"),
    [
        (["has-new", "order"], {}, "No bronze model reads a landing source order; there are: customers,"),
        (["has-new"], {"MEDALLION_LANDING": "s3a://bucket/landing"}, "lists folders of this machine only"),
        (["has-new"], {"DBT_TARGET": "cluster"}, "The lake of target cluster is not on this machine"),
        (["has-new", "--vars", "{schema_prefix: Dev-}"], {}, "The var schema_prefix is 'Dev-'"),
        (["has-new", "--vars", "prefix"], {}, "--vars must be a YAML mapping"),
        (["wait", "--for", "orders", "--timeout", "1d"], {}, "'1d' is no time span"),
        (["wait", "--for", "orders", "--date", "5 January"], {}, "'5 January' is no date"),
        (["wait", "--for", "orders", "--date", "2026-01-05", "--file", "*"], {}, "not by both"),
        (["wait", "--timeout", "5"], {}, "Missing option '--for'"),
    ],
)
def test_what_cannot_be_asked_is_refused(monkeypatch, tmp_path, arguments, environment, message):
    monkeypatch.delenv("DBT_TARGET", raising=False)
    monkeypatch.setenv("MEDALLION_LANDING", str(tmp_path))
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    answer = CliRunner().invoke(main, arguments)
    assert answer.exit_code == 2
    assert message in " ".join(answer.output.split())


def test_a_folder_that_cannot_be_listed_is_no_empty_one(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDALLION_HOME", str(tmp_path / "lake"))
    monkeypatch.setenv("MEDALLION_LANDING", str(tmp_path))
    (tmp_path / "orders").write_text("a file, where the folder should be")
    answer = CliRunner().invoke(main, ["has-new", "--target", TARGET])
    assert (answer.exit_code, "Not a directory" in answer.output) == (1, True)

    # Spark passes over a link that leads nowhere, Sail refuses it
    (tmp_path / "orders").unlink()
    (tmp_path / "orders").mkdir()
    (tmp_path / "orders/1.csv").symlink_to(tmp_path / "nowhere")
    answer = CliRunner().invoke(main, ["has-new", "orders", "--target", TARGET])
    assert answer.exit_code == (1 if TARGET == "sail" else 5)


def test_settings_are_those_of_the_macros(monkeypatch):
    monkeypatch.setattr(Path, "is_dir", lambda folder: True)
    for root, expected in {"a/../b//c": f"{ROOT}/b/c", "/x/./y/": "/x/y"}.items():
        monkeypatch.setenv("MEDALLION_LANDING", root)
        assert landing.landing_root({"landing_root": "other"}) == expected
    monkeypatch.delenv("MEDALLION_LANDING", raising=False)
    assert landing.landing_root({"landing_root": "other"}) == f"{ROOT}/other"
    monkeypatch.setenv("MEDALLION_HOME", "some/lake")
    assert landing.schema({"schema_prefix": "dev_"}, "ops") == ROOT / "some/lake/warehouse/dev_ops.db"


def test_of_date():
    pattern = landing.of_date("2026-01-05")
    fits = ["2026-01-05.csv", "x20260105.csv", "20260105T0800.csv", "20260105080000.csv", "2026/01/05/1", "2026_01_05",
            "year=2026/month=01/day=05/1.csv"]  # fmt: skip
    others = ["2026-01-06", "2026-01-050", "12026-01-05", "2026-11-05", "202601050", "2026-01", "05-01-2026"]
    assert [name for name in fits + others if pattern.search(name)] == fits
