"""`medallion source`: writes the models of a source from samples of its files, and takes them out again.

What a field is comes from `samples`, what is written from `templates/`; the files are all there is.
"""

from __future__ import annotations

import difflib
import re
import shutil
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from medallion.command import here
from medallion.console import say, show_table
from medallion.errors import Failure
from medallion.lake import ON_THIS_MACHINE, ROOT, lake_lock, target_of, warehouse

if TYPE_CHECKING:
    from medallion.draft import Source

# The entries of a source: file below models/, section, name, template.
ENTRIES = [
    ("landing.yml", "    tables", "{}", "landing.yml"),
    ("bronze/_bronze.yml", "models", "bronze_{}", "bronze.yml"),
    ("silver/judged/_judged.yml", "models", "judged_{}", "judged.yml"),
    ("silver/judged/_judged.yml", "unit_tests", "a_record_of_{}_breaks_exactly_the_rules_it_violates", "unit_test.yml"),
    ("silver/_silver.yml", "models", "silver_{}", "silver.yml"),
    ("silver/quarantine/_quarantine.yml", "models", "quarantine_{}", "quarantine.yml"),
]
MODELS = {
    "bronze/bronze_{}.sql": "bronze.sql",
    "silver/judged/judged_{}.sql": "judged.sql",
    "silver/silver_{}.sql": "silver.sql",
    "silver/quarantine/quarantine_{}.sql": "quarantine.sql",
}
GOLD_ENTRIES = [
    ("gold/_gold.yml", "models", "daily_{}", "gold.yml"),
    ("exposures.yml", "exposures", "{}_dashboard", "exposure.yml"),
]
GOLD_MODELS = {"gold/daily_{}.sql": "gold.sql"}


# The files -----------------------------------------------------------------------------------------------------------


def rendered(template: str, **values: Any) -> str:
    """A template as text; its marks differ from dbt's, which stay in it."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        variable_start_string="<<",
        variable_end_string=">>",
        block_start_string="<%",
        block_end_string="%>",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )
    text = environment.get_template(f"{template}.j2").render(values)
    if template == "judged.sql":  # the linter measures it with the macros filled in
        text = re.sub(r"^.{100,} as \w+,?$", r"\g<0> -- noqa: LT05", text, flags=re.MULTILINE)
    return text


def with_entry(text: str, section: str, name: str, entry: str | None) -> str:
    """A YAML file with an item of a section exchanged, added at its end, or taken out; all else stays as it is.

    Raises:
        Failure: the file has no such section.
    """
    start = re.search(rf"^{section}:( \[\])?\n", text, re.MULTILINE)
    if not start:
        raise Failure(f"There is no section {section.strip()} to add {name} to.")
    indent = section[: len(section) - len(section.lstrip())] + "  "
    rest = text[start.end() :]
    after = re.search(rf"^(?!{indent})(?=\S| {{0,{len(indent) - 1}}}\S)", rest, re.MULTILINE)
    body, tail = (rest[: after.start()], rest[after.start() :]) if after else (rest, "")
    written = body.rstrip("\n") + "\n" if body.strip() else ""
    gap = body[len(written) :]
    lead, *items = re.split(rf"^(?={indent}- )", written, flags=re.MULTILINE)
    spot = next((n for n, item in enumerate(items) if item.startswith(f"{indent}- name: {name}\n")), len(items))
    is_new, is_last = spot == len(items), spot >= len(items) - 1
    if is_new and items and section == "unit_tests":
        items[-1] += "\n"
    blank = "" if is_new or not entry else items[spot][len(items[spot].rstrip("\n")) + 1 :]
    items[spot : spot + 1] = [entry + blank] if entry else []
    if not entry and is_last and not is_new and items:
        items[-1] = items[-1].rstrip("\n") + "\n"
    head = text[: start.start()] + f"{section}:" + ("" if items else " []") + "\n"
    return head + lead + "".join(items) + gap + tail


def plan(source: Source, with_gold: bool) -> dict[Path, str | None]:
    """The files as they should be."""
    models = MODELS | (GOLD_MODELS if with_gold else {})
    decided = vars(source)
    files: dict[Path, str | None] = {
        ROOT / "models" / file.format(source.name): rendered(template, **decided) for file, template in models.items()
    }
    for file, section, name, template in ENTRIES + (GOLD_ENTRIES if with_gold else []):
        path = ROOT / "models" / file
        text = files.get(path) or path.read_text()
        files[path] = with_entry(text, section, name.format(source.name), rendered(template, **decided))
    return files


def without(name: str) -> dict[Path, str | None]:
    """The files without a source."""
    files: dict[Path, str | None] = {ROOT / "models" / file.format(name): None for file in MODELS | GOLD_MODELS}
    for file, section, entry, _ in ENTRIES + GOLD_ENTRIES:
        path = ROOT / "models" / file
        files[path] = with_entry(files.get(path) or path.read_text(), section, entry.format(name), None)
    return files


def differences(files: dict[Path, str | None]) -> dict[Path, str]:
    """What would change, file by file."""
    found = {}
    for path, text in files.items():
        old = path.read_text() if path.exists() else ""
        if old != (text or ""):
            name = str(path.relative_to(ROOT))
            lines = difflib.unified_diff(old.splitlines(), (text or "").splitlines(), name, name, lineterm="")
            found[path] = "\n".join(lines)
    return found


def write(files: dict[Path, str | None]) -> None:
    for path, text in files.items():
        if text is None:
            path.unlink(missing_ok=True)
        else:
            path.write_text(text)


def declared_sources() -> list[str]:
    import yaml

    sources = yaml.safe_load((ROOT / "models/landing.yml").read_text())["sources"]
    return [table["name"] for one in sources for table in one.get("tables") or []]


# The commands --------------------------------------------------------------------------------------------------------


@click.group()
def source() -> None:
    """The models of a source: written from samples of its files, and taken out.

    \b
    Examples:
      medallion source new returns --sample returns.csv
      medallion source remove returns
    """


@source.command()
@click.argument("name")
@click.option("--sample", "samples", multiple=True, required=True, type=click.Path(exists=True, path_type=Path),
              help="A file, or a folder of files; may be given several times.")  # fmt: skip
@click.option("--key", help="Fields that tell the records apart, separated by commas.  [default: an id that does]")
@click.option("--order", help="Field that decides between two versions of a key.  [default: a time or version]")
@click.option("--gold", is_flag=True, help="Also a first table in gold: counts and sums by day.")
@click.option("--dry-run", is_flag=True, help="Show what would be written, and write nothing.")
@click.option("--write", "overwrite", is_flag=True, help="Write over the models of a source that is there.")
def new(
    name: str, samples: tuple[Path, ...], key: str | None, order: str | None, gold: bool, dry_run: bool, overwrite: bool
) -> None:
    """Write SQL, YAML, rules and a unit test for a source, from samples of its files: CSV or JSON lines.

    It says what it found and why, and what is left to you. For a source that is there it shows the differences, and
    writes only with --write. Samples are read here and go nowhere else.

    \b
    Examples:
      medallion source new returns --sample returns.csv --dry-run
      medallion source new returns --sample returns/ --key return_id --order returned_at
      medallion source new returns --sample newer.csv --gold --write
    """
    from medallion.draft import Source
    from medallion.samples import read

    if not re.fullmatch("[a-z][a-z0-9_]*", name):
        raise Failure(f"'{name}' cannot be the name of a source: use small letters, digits and _.")
    found = Source(name, read(samples), key.split(",") if key else [], order)
    if gold and not found.day:
        raise Failure("--gold makes a table by day, and no time has a value in each record; leave it out.")
    files = plan(found, gold)
    is_there = name in declared_sources() or any(path.exists() for path in files if path.suffix == ".sql")
    diffs = differences(files)
    report(found)
    if not diffs:
        say("\nNothing to write: the models are as the samples have it.")
        return
    if dry_run or (is_there and not overwrite):
        say("\n" + "\n".join(diffs.values()))
        say("\nNothing was written." + ("" if dry_run else " Look at the differences; --write takes them over."))
        return
    write(files)
    added = sum(
        line.startswith("+") and not line.startswith("+++") for diff in diffs.values() for line in diff.split("\n")
    )
    say(f"\nWritten, {added:,} lines:")
    for path in diffs:
        say(f"  {path.relative_to(ROOT)}")
    say(
        "\nNext: put the files into the folder " + name + " of the landing root, then\n"
        f"  {here('medallion', 'build', '--unit-tests', '--select', f'bronze_{name}+')}\n"
        f"  {here('medallion', 'quarantine', 'list', '--source', name)}"
    )


def report(found: Source) -> None:
    """What was found and decided, and what is left to the author."""
    samples = found.samples
    say(
        f"{len(samples.records):,} records, {'CSV' if found.is_csv else 'JSON lines'};"
        f" {samples.unreadable:,} could not be read."
    )
    show_table("Fields of the sample", found.table())
    for reason in found.why:
        say(f"- {reason}")
    say("- rules: " + ", ".join(rule.name + (" (warns)" if rule.only_warns else "") for rule in found.rules))
    say("\nLeft to you:")
    for step in found.to_do:
        say(f"- {step}")


@source.command()
@click.argument("name")
@click.option("--drop", is_flag=True, help="Also delete its tables from the lake; asks for the name.")
@click.option("--dry-run", is_flag=True, help="Show what would be taken out, and change nothing.")
def remove(name: str, drop: bool, dry_run: bool) -> None:
    """Take out what `source new` wrote: models, YAML, rules and unit test. The landing files stay.

    Other models that read them come first: they are named, and nothing is changed while there are any.

    \b
    Examples:
      medallion source remove returns --dry-run
      medallion source remove returns
      medallion source remove returns --drop
    """
    if name not in declared_sources():
        raise Failure(f"There is no source {name}; there are {', '.join(declared_sources()) or 'none'}.")
    files = without(name)
    if readers := readers_of(name, files):
        raise Failure(f"Its models are read in {', '.join(readers)}. Take that out first. Nothing was changed.")
    if dry_run:
        say("\n".join(differences(files).values()) + "\nNothing was changed.")
        return
    if drop and target_of([]) not in ON_THIS_MACHINE:
        raise Failure("The tables are in the catalog of a cluster: leave --drop out, and drop them there.")
    tables = tables_of(name) if drop else []
    if tables:
        say("These tables will be deleted: " + ", ".join(f"{table.parent.stem}.{table.name}" for table in tables))
        if click.prompt("Type the name of the source") != name:
            raise Failure("That is not its name. Nothing was changed.")
    diffs = differences(files)
    with lake_lock() if tables else nullcontext():
        write(files)
        for table in tables:
            shutil.rmtree(table)
    say("Taken out of:\n" + "\n".join(f"  {path.relative_to(ROOT)}" for path in diffs))
    if not drop and (left := tables_of(name)):
        say(f"Its {len(left)} tables are still in the lake; --drop would have deleted them.")


def readers_of(name: str, files: dict[Path, str | None]) -> list[str]:
    """Files that would still name a model of the source."""
    refs = re.compile(rf"ref\(\s*['\"](bronze|judged|silver|quarantine|daily)_{name}['\"]\s*\)")
    folders = [ROOT / "models", ROOT / "snapshots", ROOT / "tests/data"]
    others = [path for folder in folders for path in folder.rglob("*") if path.suffix in (".sql", ".yml")]
    texts = {path: path.read_text() for path in others} | files
    return sorted(str(path.relative_to(ROOT)) for path, text in texts.items() if text and refs.search(text))


def tables_of(name: str) -> list[Path]:
    """The folders of its tables, where the lake is on this machine."""
    import yaml

    prefix = yaml.safe_load((ROOT / "dbt_project.yml").read_text())["vars"]["schema_prefix"]
    tables = [
        f"bronze.db/bronze_{name}",
        f"silver.db/silver_{name}",
        f"silver.db/quarantine_{name}",
        f"gold.db/daily_{name}",
    ]
    return [folder for table in tables if (folder := warehouse() / f"{prefix}{table}").exists()]
