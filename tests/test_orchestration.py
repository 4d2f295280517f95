"""The files of `orchestration/`, as far as they can be tried without an orchestrator; `make orchestrators` runs one."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from conftest import ROOT
from medallion_outcomes import FAIL, MEANINGS, RETRY, SKIP, SUCCESS, mirrored, node_outcome, outcome

from medallion import errors
from medallion.cli import main

pytestmark = pytest.mark.engines()

FOLDER = ROOT / "orchestration"


@pytest.mark.parametrize(
    ("code", "attempt", "expected"),
    [
        (0, 1, SUCCESS), (0, 3, SUCCESS),
        (1, 1, FAIL), (2, 1, FAIL), (1, 5, FAIL),
        (3, 1, RETRY), (4, 1, RETRY), (-9, 1, RETRY), (-15, 2, RETRY), (129, 1, RETRY), (130, 1, RETRY),
        (137, 1, RETRY), (143, 3, RETRY),
        (5, 1, SKIP),
        # an earlier attempt did the work and was killed before it could say so
        (5, 2, SUCCESS),
        # nobody knows these: neither green nor tried again
        (6, 1, FAIL), (7, 1, FAIL), (126, 1, FAIL), (127, 1, FAIL), (128, 1, FAIL), (193, 1, FAIL), (255, 1, FAIL),
    ],
)  # fmt: skip
def test_an_exit_code_is_an_outcome(code, attempt, expected):
    assert outcome(code, attempt)[0] == expected


@pytest.mark.parametrize(
    ("model", "test", "expected"),
    [
        ("success", "pass", SUCCESS), ("success", "warn", SUCCESS), ("no-op", "pass", SUCCESS),
        ("success", "fail", FAIL), ("error", None, FAIL), ("success", "runtime error", FAIL),
        ("partial success", "pass", FAIL), (None, "fail", FAIL),
        ("skipped", "skipped", SKIP), (None, None, SKIP),
        # built, but nobody knows whether it is right
        ("success", None, SKIP), ("success", "skipped", SKIP), ("success", "a status of a later dbt", SKIP),
    ],
)  # fmt: skip
def test_a_table_is_green_only_with_its_tests(model, test, expected):
    statuses = {"model.a": model, "test.a": test}
    assert node_outcome(["model.a", "test.a"], {name: one for name, one in statuses.items() if one})[0] == expected


def test_each_node_and_test_has_one_task():
    def node(kind: str, name: str, *reads: str, **more: str) -> dict:
        config = {"materialized": more.pop("materialized", "table")}
        own = {"unique_id": f"{kind}.{name}", "resource_type": kind, "schema": "s", "alias": name, "config": config}
        return own | {"depends_on": {"nodes": list(reads)}} | more

    nodes = [
        node("model", "bronze", "source.landing"),
        node("model", "judged", "model.bronze", materialized="ephemeral"),
        node("model", "plain", "model.bronze", materialized="ephemeral"),
        node("model", "silver", "model.judged", "model.plain", "seed.rates"),
        node("seed", "rates"),
        node("test", "unique_silver", "model.silver", attached_node="model.silver"),
        node("test", "related", "seed.rates", "model.silver", attached_node="model.silver"),
        node("test", "gaps", "seed.rates", "model.bronze"),
    ]
    units = [node("unit_test", "rules", "model.judged", "model.bronze")]
    by_name = [{one["unique_id"]: one for one in some} for some in (nodes, units)]
    assert mirrored({"nodes": by_name[0], "unit_tests": by_name[1]}) == {
        "s.bronze": {"nodes": ["model.bronze", "test.gaps"], "upstream": []},
        "s.judged": {"nodes": ["unit_test.rules"], "upstream": ["s.bronze"]},
        "s.silver": {"nodes": ["model.silver", "test.related", "test.unique_silver"],
                     "upstream": ["s.bronze", "s.judged", "s.rates"]},
        "s.rates": {"nodes": ["seed.rates"], "upstream": []},
    }  # fmt: skip


def test_codes_are_those_of_the_command():
    assert set(errors.MEANINGS) == set(MEANINGS)
    names = {SUCCESS: [errors.DONE], FAIL: [errors.DATA, errors.USAGE], SKIP: [errors.NOTHING]}
    names[RETRY] = [errors.BUSY, errors.RETRY, *(errors.SIGNALLED + signum for signum in (1, 2, 15))]
    for expected, codes in names.items():
        assert {outcome(code)[0] for code in codes} == {expected}


def test_the_page_has_the_codes():
    page = (ROOT / "docs/orchestration.md").read_text()
    told = dict(re.findall(r"^\| (\d) \| .* \| (\w+) \|$", page, re.MULTILINE))
    names = {"green": SUCCESS, "red": FAIL, "retried": RETRY, "skipped": SKIP}
    assert {int(code): names[word] for code, word in told.items()} == {
        code: what for code, (what, _) in MEANINGS.items()
    }


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose `medallion` ends with the codes of the file `codes`, one after the other."""
    shutil.copytree(FOLDER, tmp_path / "orchestration")
    command = tmp_path / ".venv/bin/medallion"
    command.parent.mkdir(parents=True)
    command.write_text(
        '#!/bin/sh\necho "$@" >> calls\ncode=$(head -1 codes)\nsed -i 1d codes\necho said\nexit "$code"\n'
    )
    command.chmod(0o755)
    return tmp_path


@pytest.mark.parametrize(
    ("code", "exit_code", "words"),
    [
        (0, 0, ""),
        (5, 0, ""),
        (1, 1, "trying again cannot help"),
        (2, 2, "trying again cannot help"),
        (3, 3, "the next run tries again"),
        (4, 4, "the next run tries again"),
        (130, 130, "the next run tries again"),
        (137, 137, "the next run tries again"),
        (143, 143, "the next run tries again"),
        (6, 6, "not a code of medallion"),
        (127, 127, "not a code of medallion"),
        (255, 255, "not a code of medallion"),
    ],
)
def test_cron_is_silent_only_where_nobody_is_needed(project, code, exit_code, words):
    (project / "codes").write_text(f"{code}\n")
    command = [project / "orchestration/cron/medallion-cron", "build", "--select", "tag:gold"]
    done = subprocess.run(command, capture_output=True, text=True, cwd="/")
    expected = f"medallion build --select tag:gold ended with code {code}: {words}.\nsaid\n" if words else ""
    assert (done.returncode, done.stdout, done.stderr) == (exit_code, expected, "")


@pytest.mark.parametrize(
    ("codes", "exit_code", "calls"),
    [
        ([0], 0, 1),
        ([5], 0, 1),
        ([1], 1, 1),
        ([2], 2, 1),
        ([127], 127, 1),
        ([3, 4, 143, 0], 0, 4),
        ([4, 1], 1, 2),
        ([3, 3, 3, 3, 3, 0], 3, 5),
    ],
)
def test_the_workflow_retries_what_a_retry_can_help(project, codes, exit_code, calls):
    (project / "codes").write_text("".join(f"{code}\n" for code in codes))
    workflow = yaml.safe_load((FOLDER / "github/medallion.yml").read_text())
    (step,) = [step for step in workflow["jobs"]["build"]["steps"] if step.get("name") == "Build"]
    # as GitHub runs `shell: bash`
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
    done = subprocess.run(command, cwd=project, env={"PATH": "/usr/bin:/bin", "PAUSE": "0"}, capture_output=True)
    assert (done.returncode, len((project / "calls").read_text().splitlines())) == (exit_code, calls)


def test_every_command_that_a_schedule_calls_exists():
    called = {
        match[1]
        for file in FOLDER.rglob("*")
        if file.is_file() and file.suffix not in {".py", ".txt", ".pyc"}
        for match in re.finditer(r"(?:bin/medallion|medallion-cron) ([a-z-]+)", file.read_text())
    }
    assert called >= {"build", "optimize", "vacuum"}
    assert called - {"ended"} <= set(main.commands)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd here")
def test_systemd_takes_the_units(tmp_path):
    for unit in (FOLDER / "systemd").iterdir():
        (tmp_path / unit.name).write_text(unit.read_text().replace("/srv/medallion", str(ROOT)))
    done = subprocess.run(["systemd-analyze", "verify", *tmp_path.iterdir()], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_failed_build_is_not_started_again_by_systemd():
    for unit in (FOLDER / "systemd").glob("*.service"):
        lines = unit.read_text().splitlines()
        assert "SuccessExitStatus=5 143" in lines
        assert "RestartPreventExitStatus=1 2" in lines
