"""`medallion source new`, `source remove` and `init`: what they write builds, keeps the house rules, and goes again."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from conftest import ROOT, Lake
from project_rules import RULES

from medallion import cli, draft, init, lake, source
from medallion.draft import Source
from medallion.errors import USAGE, Failure
from medallion.samples import read
from medallion.source import with_entry

pytestmark = pytest.mark.engines("sail")

HEADER = "return_id,product_id,quantity,reason,returned_at,refund\n"
RETURNS = HEADER + "".join(
    f"R{n},A{n % 3},{n % 5},{('late', 'broken')[n % 2]},2026-01-{n % 9 + 10} 08:00:00,{n}.50\n" for n in range(30)
)
NEWER = (
    f"{HEADER}R1,A1,9,late,2026-02-01 08:00:00,1.00\nR31,A1,two,late,2026-02-01 08:00:00,1\nR32,A1,-1,lost,never,2\nx\n"
)
BANK = "Buchungstag;Text;IBAN;Betrag;Währung\r\n" + "".join(
    f"{n % 9 + 10}.11.2025;Gebühr {n};DE{n:020};-1.{n:03},{n % 100:02};EUR\r\n" for n in range(30)
)
EVENTS = "".join(
    json.dumps(
        {
            "id": f"e{n}",
            "type": ("push", "star")[n % 2],
            "createdAt": f"2026-01-{n % 9 + 10}T08:00:00Z",
            "public": bool(n % 2),
            "actor": {"id": n % 4, "e-mail": "a@example.org"},
            "at": {"location": {"lat": 52.520008 + n}},
            "commits": [{"sha": "a", "lineCount": n}] * (n % 3),
            "tags": ["x"],
            **({"org": {"order": "7"}} if n % 3 else {}),
        }
    )
    + "\n"
    for n in range(30)
)
FEEDS = {"returns": RETURNS.encode(), "statements": BANK.encode("windows-1252"), "api_events": EVENTS.encode()}


def medal(project: Path, *arguments: str, typed: str = "") -> Result:
    """The command, at work on a copy of the project with a lake of its own."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (draft, init, lake, source):
            patch.setattr(module, "ROOT", project)
        patch.setenv("MEDALLION_HOME", str(project / "home"))
        patch.setenv("DBT_TARGET", "sail")
        return CliRunner().invoke(cli.main, list(arguments), input=typed)


def tree(project: Path) -> dict[str, str]:
    """What the files of the models hold."""
    return {str(file.relative_to(project)): file.read_text() for file in (project / "models").rglob("*.*")}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project made by init."""
    project = tmp_path_factory.mktemp("own") / "project"
    done = medal(ROOT, "init", str(project), "--owner", "sales-data")
    assert done.exit_code == 0, done.output
    shutil.copytree(ROOT / "dbt_packages", project / "dbt_packages")
    return project


@pytest.fixture(scope="module")
def written(own: Path) -> dict[str, str]:
    """The project with a source for each feed; gives its models as they were before."""
    before = tree(own)
    for name, content in FEEDS.items():
        (own / name).write_bytes(content)
        done = medal(own, "source", "new", name, "--sample", str(own / name), "--gold")
        assert done.exit_code == 0, done.output
    return before


def test_a_project_of_ones_own_has_nothing_of_the_shop(own: Path) -> None:
    assert not [file for file in tree(own) if file.endswith(".sql")]
    assert "owner: sales-data" in (own / "dbt_project.yml").read_text()


def test_what_is_written_builds_and_loses_no_record(own: Path, written: dict[str, str], new_lake) -> None:
    lake: Lake = new_lake("own")
    lake.project_dir = own
    for name, content in FEEDS.items():
        lake.drop_file(f"{name}/1", content)
    lake.drop_file("returns/2", NEWER)
    lake.drop_file("statements/2", "Buchungstag;Text;IBAN;Betrag;Währung\n31.12.2025;x;DE1;12.50;EUR\n")
    lake.build()

    assert lake.sql("select quantity, returned_date from {silver}.silver_returns where return_id = 'R1'")[0][0] == 9
    assert sorted(row[0] for row in lake.sql("select violated_rules from {silver}.quarantine_returns")) == [
        ["quantity_not_negative", "returned_at_valid"],
        ["quantity_valid"],
        ["too_few_fields"],
    ]
    # keyless, decimal comma, windows-1252; 12.50 may mean 1250
    assert lake.sql("select count(*), sum(betrag), max(statement_text) from {silver}.silver_statements") == [
        (30, -sum(Decimal(f"{1000 + n}.{n:02}") for n in range(30)), "Gebühr 9")
    ]
    assert lake.sql("select violated_rules from {silver}.quarantine_statements") == [(["betrag_valid"],)]
    event = lake.sql(
        "select actor_id, at_location_lat, commits[0].line_count, tags, is_public, org_order"
        " from {silver}.silver_api_events where api_event_id = 'e1'"
    )
    assert event == [("1", 53.520008, 1, ["x"], True, 7)]
    days = lake.sql("select cast(sum(record_count) as int), sum(total_refund) from {gold}.daily_returns")
    assert days == lake.sql("select cast(count(*) as int), sum(refund) from {silver}.silver_returns")

    landed = dict(lake.sql("select source, sum(record_count) from {ops}.file_ledger group by source"))
    assert landed == dict(lake.sql("select source, sum(record_count) from {ops}.row_ledger group by source"))
    assert landed == {"returns": 34, "statements": 31, "api_events": 30}

    assert lake.dbt("parse").success
    manifest = json.loads((lake.target_path / "manifest.json").read_text())
    assert [problem for rule in RULES for problem in rule(manifest)] == []


def test_what_is_written_keeps_the_style(own: Path, written: dict[str, str]) -> None:
    for linter in (["sqlfluff", "lint", "--disable-progress-bar"], ["yamllint", "--strict"]):
        done = subprocess.run(
            [Path(sys.executable).parent / linter[0], *linter[1:], "models"], cwd=own, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout


def test_the_same_sample_changes_nothing_and_a_newer_one_asks(own: Path, written: dict[str, str]) -> None:
    before = tree(own)
    same = ["source", "new", "returns", "--sample", str(own / "returns"), "--gold"]
    assert "Nothing to write" in medal(own, *same).output
    newer = own / "newer"
    newer.write_text(RETURNS.replace(HEADER, HEADER.replace("\n", ",note\n")).replace("0\n", "0,x\n"))
    assert "+        note," in medal(own, *same, "--sample", str(newer)).output
    assert tree(own) == before
    assert medal(own, *same, "--sample", str(newer), "--write").exit_code == 0
    assert "        note,\n" in tree(own)["models/silver/silver_returns.sql"]
    assert medal(own, *same, "--write").exit_code == 0
    assert tree(own) == before


def test_removing_leaves_the_models_as_they_were(own: Path, written: dict[str, str]) -> None:
    before = tree(own)
    reader = own / "models/gold/returned_products.sql"
    reader.write_text("select product_id from {{ ref('silver_returns') }}\n")
    refused = medal(own, "source", "remove", "returns")
    assert (refused.exit_code, "returned_products.sql" in refused.output) == (USAGE, True)
    reader.unlink()
    table = own / "home/warehouse/silver.db/silver_returns/_delta_log"
    table.mkdir(parents=True)
    drop = ["source", "remove", "returns", "--drop"]
    assert medal(own, *drop, typed="customers\n").exit_code == USAGE
    assert tree(own) == before
    assert table.exists()
    assert medal(own, *drop, typed="returns\n").exit_code == 0
    assert not table.exists()
    for name in ("statements", "api_events"):
        assert medal(own, "source", "remove", name).exit_code == 0
    assert tree(own) == written


@pytest.mark.parametrize("section", ["models", "unit_tests", "    tables"])
@pytest.mark.parametrize("others", ["", "{0}- name: a\n{0}  # mine\n\n{0}- name: b\n"])
@pytest.mark.parametrize("tail", ["", "\n# more\nother:\n  - name: x\n"])
def test_an_entry_comes_and_goes_and_all_else_stays(section: str, others: str, tail: str) -> None:
    indent = " " * (len(section) - len(section.strip()) + 2)
    text = f"version: 2\n\n{section}:{'' if others else ' []'}\n{others.format(indent)}{tail}"
    with_x = with_entry(text, section, "x", f"{indent}- name: x\n{indent}  new: 1\n")
    assert f"{indent}- name: x\n{indent}  new: 1\n" in with_x
    assert with_entry(with_x, section, "x", f"{indent}- name: x\n{indent}  new: 1\n") == with_x
    assert with_entry(with_x, section, "x", None) == text
    if others:
        without_a = with_entry(with_x, section, "a", None)
        assert without_a == with_x.replace(f"{indent}- name: a\n{indent}  # mine\n\n", "")


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"1,2,3\n4,5,6\n", "no header"),
        (b"a,a\n1,2\n", "twice"),
        (b"amount,Amount\n1,2\n", "differ in case"),
        (b"id,it's {{ x }}\n1,2\n", "characters"),
        (b'[{"id": 1}]', "JSON array"),
        (b'{\n"id": 1}', "over several lines"),
        (b"PAR1...", "Parquet"),
        (b" \n", "no sample"),
        (b"id,name\n", "no record"),
        (b"\x1f\x8bbroken", "cannot be read"),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_sentence(tmp_path: Path, content: bytes, word: str) -> None:
    (tmp_path / "sample").write_bytes(content)
    with pytest.raises(Failure, match=word):
        Source("returns", read([tmp_path]), [], None)


def test_values_of_a_sample_never_become_sql(tmp_path: Path) -> None:
    """Few values are taken for all that there are, but not such as mean something in SQL, Jinja or YAML."""
    rows = "".join(f"{n},{('x', chr(39) + '{{ 1 }}')[n % 2]},DE\n" for n in range(40))
    (tmp_path / "sample").write_text(f"id,reason,name\n{rows}")
    draft = Source("returns", read([tmp_path]), [], None)
    assert [column.known for column in draft.columns] == [[], [], []]


def test_personal_values_are_written_nowhere(tmp_path: Path) -> None:
    rows = "".join(f"{n},{('ann', 'bob')[n % 2]},ann@example.org\n" for n in range(40))
    (tmp_path / "sample").write_text(f"id,first_name,contact\n{rows}")
    draft = Source("returns", read([tmp_path]), [], None)
    assert "ann" not in json.dumps([draft.table(), draft.tried, [rule.yaml for rule in draft.rules]])
    assert [column.field.pii for column in draft.columns] == [None, "name", "email"]


@pytest.mark.parametrize(
    ("values", "kind", "formats"),
    [
        (["2026-01-05 08:00:00"], "time", ["yyyy-MM-dd HH:mm:ss"]),
        (["31.12.2025", "01.02.2025"], "date", ["dd.MM.yyyy"]),
        (["12/31/2025", "1/2/2025"], "date", ["M/d/yyyy"]),
        (["2026-01-05T08:00:00Z", "2026-01-05T08:00:00.123+01:00"], "time", ["iso8601"]),
        (["2026-01-05 08:00:00", "today"], "text", []),
        (["1", "-2", "3.0"], "whole", []),
        (["007"], "id", []),
        (["1.50", "2"], "money", []),
        (["1.234,50", "2"], "money", []),
        (["52.520008"], "float", []),
        (["true", "false"], "flag", []),
        (["1,234.50"], "text", []),
    ],
)
def test_kinds(tmp_path: Path, values: list[str], kind: str, formats: list[str]) -> None:
    (tmp_path / "sample").write_text("key;value\n" + "".join(f"a{n};{value}\n" for n, value in enumerate(values)))
    draft = Source("returns", read([tmp_path]), [], None)
    assert (draft.leaves[1].kind, draft.leaves[1].formats) == (kind, formats)
