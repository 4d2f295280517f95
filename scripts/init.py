"""`medallion init`: a project of one's own, made of this one."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import click

from medallion.console import say
from medallion.errors import Failure
from medallion.lake import ROOT
from medallion.source import rendered

# What a checkout has beside the project
NOT_THE_PROJECT = [
    ".git", ".venv*", ".lake", ".user.yml", "dbt_packages", "target", "logs", "__pycache__", "*.egg-info", ".*_cache",
    "derby.log", "metastore_db", "spark-warehouse",
]  # fmt: skip
# The shop: its models, seeds and demo, and the tests that need them
THE_SHOP = [
    "models/**/*.sql", "models/*/_unit_tests.yml", "seeds/*", "snapshots/*", "tests/data/*", "tests/*.py",
    "tests/*_project", "scripts/generate.py", "benchmarks",
]  # fmt: skip
TESTS_THAT_STAY = ["conftest.py", "project_rules.py", "test_source_new.py"]
DOCS_THAT_STAY = [
    "record", "fields", "unreadable_reason", "source_file", "record_number", "batch_id", "first_batch_id",
    "version_batch_id", "ingested_at", "file_size", "file_modified_at", "violated_rules", "place", "record_hash",
]  # fmt: skip
# A project without seeds, snapshots or models has settings that nothing uses yet.
PARSE = "[.]venv/bin/dbt --quiet --warn-error parse"
PARSE_ALL_BUT_UNUSED = (
    """'.venv/bin/dbt --quiet --warn-error-options "{error: all, warn: [UnusedResourceConfigPath]}" parse'"""
)
BUILD = "build: setup ## ingest what is new, build every table\n\t@.venv/bin/medallion build"


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--name", help="What it is called in README and docs.  [default: the folder's name]")
@click.option("--owner", default="data-engineering", show_default=True, help="Who owns its sources and models.")
@click.option("--schema-prefix", default="", help="Put in front of every schema name.")
@click.option("--with-example", is_flag=True, help="Keep the shop: its sources, models, demo and tests.")
def init(folder: Path, name: str | None, owner: str, schema_prefix: str, with_example: bool) -> None:
    """Start a project of your own from this one, without the shop's sources and models.

    It has all macros, the command, the lint and the tests of the sources that `medallion source new` writes. The dbt
    project and the command are called medallion there too.

    \b
    Examples:
      medallion init ../sales-lake --owner sales-data
      medallion init ../trial --with-example
    """
    folder = folder.absolute()
    for option, text, shape in (("--schema-prefix", schema_prefix, r"[a-z0-9_]*"), ("--owner", owner, r"\w[\w.@-]*"),
                                ("--name", name := name or folder.name, r"[\w .&-]+")):  # fmt: skip
        if not re.fullmatch(shape, text):
            raise Failure(f"{option} '{text}' has characters that cannot be used there; use letters, digits and _.")
    if folder.exists() and any(folder.iterdir()):
        raise Failure(f"{folder} is not empty; name a new folder. Nothing was written.")
    if folder.is_relative_to(ROOT):
        raise Failure(f"{folder} lies in this project; name a folder outside of it. Nothing was written.")
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*NOT_THE_PROJECT), dirs_exist_ok=True)
    (folder / "README.md").write_text(rendered("README.md", name=name, with_example=with_example))
    (folder / "CHANGELOG.md").write_text("# Changelog\n\n## Unreleased\n")
    for file in ("dbt_project.yml", "models/landing.yml", "models/ops.yml"):
        change(folder / file, (r"owner: [\w.@-]+", f"owner: {owner}"))
    change(folder / "dbt_project.yml", (r'schema_prefix: "\w*"', f'schema_prefix: "{schema_prefix}"'))
    change(folder / "models/overview.md", (r"\A({% docs \w+ %}\n)# .*", rf"\1# {name}"))
    if not with_example:
        without_the_shop(folder)
    say(
        f"{name} is in {folder}. Next:\n  cd {folder}\n  make setup\n"
        + (
            "  make demo\n"
            if with_example
            else "  .venv/bin/medallion source new returns --sample path/to/returns.csv\n"
        )
        + "  git init && git add --all && git commit --message 'Start from Medallion'\n"
        "make test and make lint pass as it stands. Its name is in README.md and models/overview.md."
    )


def without_the_shop(folder: Path) -> None:
    """Takes out what only the shop needs; the YAML files stay, without entries."""
    kept = {folder / "tests" / name for name in TESTS_THAT_STAY}
    for path in sorted(path for pattern in THE_SHOP for path in folder.glob(pattern)):
        if path.is_dir():
            shutil.rmtree(path)
        elif path not in kept:
            path.unlink(missing_ok=True)
    for file in (folder / "models").rglob("_*.yml"):
        change(file, (r"(?ms)^(models|unit_tests):\n.*?(?=^\S|\Z)", r"\1: []\n\n"))
    change(folder / "models/landing.yml", (r"(?s)(    tables:)\n.*", r"\1 []\n"))
    change(folder / "models/exposures.yml", (r"(?s)(exposures:)\n.*", r"\1 []\n"))
    docs = folder / "models/columns.md"
    docs.write_text("".join(f"{line}\n" for line in docs.read_text().splitlines() if line.split()[2] in DOCS_THAT_STAY))
    change(folder / "models/overview.md", (r"(?s)## Where to start\n.*?(?=## )", ""))
    change(folder / ".pre-commit-config.yaml", (PARSE, PARSE_ALL_BUT_UNUSED))
    change(
        folder / "Makefile",
        (
            r"(?m)^demo: setup ##.*\n.*demo",
            "build: setup ## ingest what is new, build every table\n\t@.venv/bin/medallion build",
        ),
        (r"setup demo test lint bench", "setup build test lint"),
        (r"(?m)^bench: .*\n.*\n\n", ""),
        (re.escape("$(if $(HAS_JAVA),both,sail)"), "sail"),  # the test that stays needs no Spark
    )
    change(folder / ".ci/run", ("make test ENGINE=both", "make test"))


def change(file: Path, *changes: tuple[str, str]) -> None:
    text = file.read_text()
    for pattern, instead in changes:
        text = re.sub(pattern, instead, text)
    file.write_text(text.rstrip("\n") + "\n")
