"""CONTRIBUTING.md, followed to the letter: its new source and its gold model build, and keep the house rules."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from conftest import ROOT, Lake
from project_rules import RULES

pytestmark = pytest.mark.engines("sail", in_soak="spark")

GUIDE = (ROOT / "CONTRIBUTING.md").read_text()


def blocks(heading: str) -> list[str]:
    """The code blocks of a section, in order."""
    section = GUIDE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"```\w+\n(.*?)```", section, re.DOTALL)


def entry(file: Path, name: str) -> str:
    """The YAML of a model, as text."""
    text = file.read_text()
    start = text.index(f"  - name: {name}\n")
    end = text.find("\n  - name: ", start + 1)
    return text[start : end + 1 if end > 0 else len(text)]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project, with what the guide adds."""
    project = tmp_path / "project"
    shutil.copytree(ROOT, project, ignore=shutil.ignore_patterns(".*", "target", "logs", "tests", "docs"))
    models = project / "models"

    def add(file: str, text: str) -> None:
        with (models / file).open("a") as end:
            end.write(text)

    gold_sql, gold_yaml = blocks("A gold or silver model")[:2]
    add("gold/sales_by_country.sql", gold_sql)
    add("gold/_gold.yml", gold_yaml)
    exposures = models / "exposures.yml"
    reader = "    depends_on:\n      - ref('sales_by_country')\n"
    exposures.write_text(exposures.read_text().replace("    depends_on:\n", reader, 1))

    landing, bronze, judged, judged_yaml, silver, silver_yaml, quarantine, unit_test = blocks("A whole new source")[:8]
    add("landing.yml", landing)
    add("bronze/bronze_returns.sql", bronze)
    add("bronze/_bronze.yml", entry(models / "bronze/_bronze.yml", "bronze_products").replace("products", "returns"))
    add("silver/judged/judged_returns.sql", judged)
    as_orders = entry(models / "silver/judged/_judged.yml", "judged_orders")
    file = models / "silver/judged/_judged.yml"  # the models come first, then their unit tests
    judged_models, unit_tests = file.read_text().split("\n# dbt does not show", 1)
    judged_yaml += as_orders[as_orders.index("      - name: unreadable_reason") :]
    file.write_text(f"{judged_models}{judged_yaml}\n# dbt does not show{unit_tests}\n{unit_test}")
    add("silver/silver_returns.sql", silver)
    as_events = entry(models / "silver/_silver.yml", "silver_web_events")
    rest = re.search(r"( {6}- name: record_hash\n.*?)(\n {4}\w|\Z)", as_events, re.DOTALL)
    assert rest
    add("silver/_silver.yml", silver_yaml + rest[1].rstrip() + "\n")
    add("silver/quarantine/quarantine_returns.sql", quarantine)
    file = models / "silver/quarantine/_quarantine.yml"
    add("silver/quarantine/_quarantine.yml", entry(file, "quarantine_orders").replace("orders", "returns"))
    return project


def test_what_the_guide_adds_builds(new_lake, project: Path):
    lake: Lake = new_lake("guide")
    lake.project_dir = project
    header = "return_id,product_id,quantity,returned_at\n"
    lake.drop_file("returns/1.csv", f"{header}r1,A1,1,2026-01-05 08:00:00\nr2,A1,0,2026-01-05 09:00:00\n")
    lake.build("--select", "bronze_returns+", "+sales_by_country", "countries")
    lake.drop_file("returns/2.csv", f"{header}r1,A1,2,2026-01-05 09:00:00\n")
    lake.build("--select", "bronze_returns+")
    assert lake.sql("select return_id, quantity from {silver}.silver_returns") == [("r1", 2)]
    assert lake.sql("select violated_rules from {silver}.quarantine_returns") == [(["quantity_positive"],)]

    assert lake.dbt("parse").success
    manifest = json.loads((lake.target_path / "manifest.json").read_text())
    assert [problem for rule in RULES for problem in rule(manifest)] == []
