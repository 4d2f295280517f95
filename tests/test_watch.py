"""`medallion watch`: files that land and models that are saved are built, by one process that stays."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import ROOT, alone, delta_rs
from lakes import HEADER

from medallion import watch

pytestmark = pytest.mark.engines("sail")

LINE = "{},P1,Thing,3,2026-01-05 08:00:00,1.00,10001,United Kingdom\n"
GOLD = "gold.db/daily_sales_by_product"
MODEL = "models/gold/daily_sales_by_product.sql"


class Watching:
    def __init__(self, folder: Path) -> None:
        self.project, self.landing, self.home = folder / "project", folder / "landing", folder / "home"
        left_out = shutil.ignore_patterns(
            ".git", ".venv*", ".lake", "target", "logs", "tests", "*_cache", "__pycache__"
        )
        shutil.copytree(ROOT, self.project, ignore=left_out)
        (self.landing / "orders").mkdir(parents=True)
        # the package of the copy, whose models are watched, before the installed one
        (folder / "packages").mkdir()
        (folder / "packages/medallion").symlink_to(self.project / "scripts")
        environment = alone(self.home, self.landing) | {"PYTHONPATH": str(folder / "packages")}
        self.output = folder / "output"
        command = [sys.executable, "-m", "medallion", "watch", "--target", "sail"]
        command += ["--select", "+daily_sales_by_product"]
        with self.output.open("w") as output:
            self.process = subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=output)

    def wait_for(self, condition, seconds: int = 180) -> None:
        end = time.monotonic() + seconds
        while not condition():
            waiting = self.process.poll() is None and time.monotonic() < end
            assert waiting, self.output.read_text()
            time.sleep(0.2)

    def says(self, text: str, times: int = 1) -> None:
        self.wait_for(lambda: self.output.read_text().count(text) >= times)

    def land(self, name: str, number: int) -> None:
        half = self.landing / f"orders/.{name}"
        half.write_text(HEADER + LINE.format(number))
        half.rename(self.landing / "orders" / name)

    def gold(self) -> list[tuple]:
        return delta_rs(self.home / "warehouse" / GOLD, "select units, order_line_count from t")


def test_files_and_models_are_built_as_they_come(tmp_path: Path):
    watching = Watching(tmp_path)
    watching.says("Waiting for files and changed models")
    watching.land("1.csv", 1)
    watching.wait_for(lambda: watching.gold() == [(3, 1)])
    watching.land("2.csv", 2)
    watching.wait_for(lambda: watching.gold() == [(6, 2)])

    model = watching.project / MODEL
    right = model.read_text()
    model.write_text(right.replace("sum(quantity)", "sum(quantity) * 2"))
    watching.wait_for(lambda: watching.gold() == [(12, 2)])
    model.write_text(right.replace("sum(quantity)", "sum(no_such_column)"))
    watching.says("no_such_column")
    watching.says("1 failed")
    model.write_text(right.replace("{{ touched(", "{{ no_such_macro("))
    watching.says("no_such_macro")
    model.write_text(right)
    watching.wait_for(lambda: watching.gold() == [(6, 2)])

    # a file that no build takes in is told once, and what comes after it is seen
    (watching.landing / "orders/1.csv").write_text(HEADER + LINE.format(1) * 2)
    watching.says("changed after they were ingested")
    time.sleep(3)
    assert watching.output.read_text().count("Landed: Files of source orders changed") == 1
    (watching.landing / "orders/1.csv").write_text(HEADER + LINE.format(1))
    watching.land("3.csv", 3)
    watching.wait_for(lambda: watching.gold() == [(9, 3)])

    watching.process.send_signal(signal.SIGINT)
    assert watching.process.wait(timeout=60) == 128 + signal.SIGINT


def test_what_a_change_concerns(monkeypatch, tmp_path: Path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models/a.sql").write_text("select 1")
    (tmp_path / "models/a.sql~").write_text("an editor's")
    (tmp_path / "dbt_project.yml").write_text("")
    monkeypatch.setattr(watch, "ROOT", tmp_path)
    assert watch.project_files().keys() == {Path("models/a.sql"), Path("dbt_project.yml")}
    assert watch.models_only({Path("models/a.sql")}) == ["a"]
    gone, other = Path("models/gone.sql"), Path("macros/a.sql")
    for changed in ({gone}, {other}, {Path("models/a.sql"), other}):
        assert watch.models_only(changed) == []
