"""Each fault that use has found, put back by one small change: a test must notice.

A copy of the repository is changed in one place, and the tests that guard it run there, in a process of their own.
The tests of the ledger, of orders of arrival and of cuts have mutants beside them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ENGINE, ROOT

pytestmark = [pytest.mark.engines("sail"), pytest.mark.soak]

HOSTILE = "tests/test_hostile_input.py::test_every_record_is_in_its_place"
VALUES = "tests/test_values.py::test_a_value_is_what_it_means"
CSV, PLAN, JUDGED = "macros/bronze/csv.sql", "macros/materializations/plan.sql", "models/silver/judged/"

# What a user saw: (file, what stands there, what it becomes, the tests that must fail).
MUTANTS: dict[str, tuple[str, str, str, str]] = {
    # data and flags that steer a build
    "a value of the feed ends a literal": (
        "macros/engines/port.sql",
        ' | replace("\'", "\\\\\'")',
        "",
        "tests/test_data_never_steers.py",
    ),
    "the first of two windows wins": (
        "macros/run/window.sql",
        "windows.setdefault(model.unique_id, request) != request",
        "windows.setdefault(model.unique_id, request) and false",
        "tests/test_macros.py",
    ),
    "escape sequences reach the terminal": ("scripts/console.py", "not in UNSEEN", 'not in ""', "tests/test_cli.py"),
    "--empty builds": ("macros/run/start_and_end.sql", "'empty': 'To", "'no_such': 'To", "tests/test_flags.py"),
    # a changed project
    "changed SQL is not noticed": (PLAN, "known == made_by or", "true or", "tests/test_changed_model.py"),
    "a changed seed is not noticed by rules": (
        PLAN,
        "if input.resource_type == 'seed' and",
        "if false and",
        "tests/test_changed_model.py::test_a_changed_seed_of_a_rule_judges_old_records_too",
    ),
    "a changed key is not noticed": (
        PLAN,
        "['unique_key', 'newest_by',",
        "['newest_by',",
        "tests/test_changed_model.py::test_a_key_that_was_changed_and_taken_back_leaves_no_trace",
    ),
    "tables are not among what a test depends on": (
        "macros/ledger/results.sql",
        "positions.append(input.identifier ~ ' ' ~ position_of(input))",
        "positions.append(input.identifier)",
        "tests/test_results.py",
    ),
    # CSV that is not quite CSV
    "records in quotes are one record": (CSV, "_holds_records('split(", "false and _holds_records('split(", HOSTILE),
    "text behind a quote is part of the value": (CSV, "else 'text_behind_quote'", "else ''", HOSTILE),
    "names differ by case": (CSV, "lower(regexp_replace({{ name }}, ", "(regexp_replace({{ name }}, ", HOSTILE),
    "a missing column is NULL": (
        CSV,
        "when size(array_except(array({{ source.required",
        "when 1 < 0 and size(array_except(array({{ source.required",
        HOSTILE,
    ),
    "a zip file is garbage lines": (
        "macros/bronze/texts.sql",
        "('file_is_zip', 'PK",
        "('file_is_zip', 'no PK",
        HOSTILE,
    ),
    "an unfinished upload is read": (
        "dbt_project.yml",
        ".filepart, ",
        "",
        "tests/test_bronze.py::test_what_is_not_complete_by_its_name_is_left_alone",
    ),
    "has-new knows other names than the build": (
        "scripts/landing.py",
        "and not is_left_alone(",
        "and not str(",
        "tests/test_landing.py",
    ),
    "a folder in another case is passed over": (
        "macros/bronze/landing.sql",
        "else raise_error(concat(\n            {{ sql_literal('Source '",
        "else nullif('', concat(\n            {{ sql_literal('Source '",
        "tests/test_bronze.py::test_a_folder_in_another_case_stops_the_build",
    ),
    # values
    "svc.0 is svc": ("macros/silver/values.sql", "'^([0-9]+)[.]0+$', '$1'", "'^(.+)[.]0+$', '$1'", VALUES),
    "undefined is a user": ("dbt_project.yml", "undefined, ", "", VALUES),
    "decomposed letters are other letters": (
        "macros/silver/values.sql",
        "{{ composed(_trim(value)) }}",
        "{{ _trim(value) }}",
        VALUES,
    ),
    "blanks make another key": ("macros/silver/values.sql", "sql_literal(blanks) ~", "sql_literal('x') ~", VALUES),
    "1.0 is no whole number": ("macros/silver/values.sql", "[.]?0*$' then", "$' then", VALUES),
    "contradictions are not counted": (
        "macros/ledger/places.sql",
        "join(' and ') or 'true'",
        "join(' and ') and 'false'",
        VALUES,
    ),
    "the hash decides against a delete": (
        "models/silver/silver_customer_changes.sql",
        "'is_delete', 'record_hash'",
        "'record_hash'",
        VALUES,
    ),
    "the year 9999 hides all later versions": (
        JUDGED + "_judged.yml",
        "updated_at between '2000-01-01' and '2099-12-31'",
        "updated_at > '0001-01-01'",
        VALUES,
    ),
    "an order without lines is not cancelled": (
        JUDGED + "judged_marketplace_orders.sql",
        "size(lines) = 0 as is_cancelled",
        "size(lines) < 0 as is_cancelled",
        VALUES,
    ),
    "a product with a bad listing is not sold": (
        "models/gold/dim_products.sql",
        "coalesce(seen.is_active, false)",
        "products.extracted_at = max(products.extracted_at) over ()",
        VALUES,
    ),
    "an event sent weeks later is there twice": (
        "macros/materializations/write.sql",
        "{%- if outside -%}",
        "{%- if false -%}",
        VALUES,
    ),
    # fields
    "fields are known two levels deep": (
        "macros/bronze/record_batch.sql",
        "{%- do depths.append(",
        "{%- do [].append(",
        "tests/test_drift.py",
    ),
    # files nobody can read
    "half of a batch in quarantine is no matter": (
        "dbt_project.yml",
        "'max_quarantine_share', 0.5",
        "'max_quarantine_share', 1.0",
        "tests/test_outcomes.py",
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_fault_that_comes_back_is_noticed(name: str, tmp_path: Path):
    file, old, new, tests = MUTANTS[name]
    project = tmp_path / "project"
    left_out = shutil.ignore_patterns(".git", ".venv*", ".lake", "target", "logs", "*_cache", "__pycache__")
    shutil.copytree(ROOT, project, ignore=left_out)
    text = (project / file).read_text()
    assert old in text, f"{file} no longer has: {old}"
    (project / file).write_text(text.replace(old, new))
    # the package of the copy, before the installed one
    packages = tmp_path / "packages"
    packages.mkdir()
    (packages / "medallion").symlink_to(project / "scripts")
    environment = os.environ | {"PYTHONPATH": str(packages), "MEDALLION_ENGINE": ENGINE}
    command = [sys.executable, "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider", "--tb=line", tests]
    run = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, timeout=900)
    print(name, "->", run.stdout.splitlines()[-1] if run.stdout else run.stderr)
    assert run.returncode == 1, run.stdout[-3000:]
