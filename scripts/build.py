"""`medallion build`, `resume` and `demo`: a run of dbt with a report at the end, which can be taken up again."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import click

from medallion import shell
from medallion.access import share_tables
from medallion.command import here, with_dbt
from medallion.console import only_json, say, show_table
from medallion.display import show_quarantine, show_tables
from medallion.errors import DATA, DONE, NOTHING, RETRY, SIGNALLED, USAGE, Failure
from medallion.lake import ROOT, built_by, note_end, note_start, noted, reader_groups
from medallion.notify import is_wanted, notify
from medallion.report import Report, meaning_of
from medallion.shell import FAILED_NODE, Dbt, dbt_session
from medallion.source import declared_sources

Tell = Callable[[dict[str, Any]], None]


def in_words(answer: dict[str, Any]) -> None:
    """Without --json the lines say it all."""


@contextmanager
def told(as_json: bool, command: str, arguments: Sequence[str]) -> Iterator[Tell]:
    """Gives what tells the answer of a command: for --json one object on stdout, also where it fails or is stopped."""
    with only_json() if as_json else nullcontext(in_words) as tell:

        def ended(code: int, problem: str = "") -> None:
            answer = {"command": command, "arguments": list(arguments), "code": code, "meaning": meaning_of(code)}
            answer |= {"nodes": [], "errors": [problem] if problem else []}
            tell(answer)
            notify(answer)

        shell.on_stop[:] = [lambda signum: ended(SIGNALLED + signum)]
        try:
            yield tell
        except Failure as problem:
            ended(problem.exit_code, problem.message)
            raise
        finally:
            shell.on_stop.clear()


OF_A_RUN = [
    click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout at the end; all else on stderr."),
    click.option("--skip-code", is_flag=True, help="Exit with 5 instead of 0 where there was nothing to do."),
]


def of_a_run(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in OF_A_RUN:
        command = option(command)
    return command


@click.command(context_settings={"ignore_unknown_options": True})
@of_a_run
@click.option("--unit-tests", is_flag=True, help="Run dbt's unit tests too.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[DBT ARGUMENTS]...")
def build(arguments: tuple[str, ...], as_json: bool, skip_code: bool, unit_tests: bool) -> None:
    """Run `dbt build` with any of its arguments, from any folder, and say what came of it.

    A selection that matches nothing is a mistake (exit code 2). A build that finds nothing new is done (0). Unit tests
    say nothing of the data; they run if asked for.

    \b
    Examples:
      medallion build
      medallion build --select tag:gold
      medallion build --select silver_order_lines+ --full-refresh
      medallion build --json --skip-code
    """
    with told(as_json, "build", arguments) as tell, dbt_session(arguments) as dbt:
        code = run(dbt, "build", arguments, dbt_build(arguments, unit_tests), tell, skip_code)
    raise click.exceptions.Exit(code)


def dbt_build(arguments: Sequence[str], unit_tests: bool = False) -> list[str]:
    """The command of dbt: without its unit tests, unless they or a resource type are named."""
    is_named = unit_tests or any("unit" in word or "resource-type" in word for word in arguments)
    return ["build"] if is_named else ["build", "--exclude-resource-type", "unit_test"]


@click.command()
@of_a_run
def resume(as_json: bool, skip_code: bool) -> None:
    """Take up the last build or demo of this lake: what failed or was skipped in it, or all of it if it was killed.

    Safe at any time: where the last run ended well, nothing is done.

    \b
    Examples:
      medallion resume
      medallion resume --json
    """
    command, results = noted()
    arguments = command["arguments"] if command else []
    left = [row for row in (results or {}).get("results", []) if row["status"] in (*FAILED_NODE, "skipped")]
    with told(as_json, "resume", arguments) as tell:
        if command is None or (results is not None and not left):
            say("Nothing to resume: " + ("the last run ended well." if command else "nothing was built here yet."))
            code = NOTHING if skip_code else DONE
            tell({"command": "resume", "arguments": [], "code": code, "meaning": meaning_of(code), "nodes": []})
            raise click.exceptions.Exit(code)
        with dbt_session([*arguments, "--target", command["target"]]) as dbt:
            if results is None:
                say(f"The last run was stopped in the middle; running it again: build {shlex.join(arguments)}")
                dbt.options = list(arguments)
                code = run(dbt, "resume", arguments, dbt_build(arguments), tell, skip_code)
            else:
                say(f"Taking up {len(left)} nodes that failed or were skipped.")
                state = str(results_kept(results))
                dbt.options = ["--target", command["target"]]
                code = run(dbt, "resume", arguments, ["retry", "--state", state], tell, skip_code)
    raise click.exceptions.Exit(code)


def results_kept(results: dict[str, Any]) -> Path:
    """A folder with the artifact of the last run, for dbt retry; what this run notes does not touch it."""
    import json

    folder = ROOT / shell.OWN_ARTIFACTS[1] / "resumed"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "run_results.json").write_text(json.dumps(results))
    return folder


def run(
    dbt: Dbt, name: str, arguments: Sequence[str], command: list[str], tell: Tell = in_words, skip_code: bool = False
) -> int:
    """A run of dbt, noted before and after, and its report; returns the exit code."""
    report = Report(dbt, name, arguments)
    note_start(arguments, dbt.target)
    code = dbt.run(*command)
    note_end(ROOT / artifacts_of(arguments) / "run_results.json")
    if code == DONE and not dbt.nodes:
        if declared_sources():
            say(
                "The selection matches nothing: see --select and --exclude. dbt ls with the same shows what they match."
            )
        else:
            say(f"There is no model to build yet. Write a source: {here('medallion', 'source', 'new', '--help')}")
        code = USAGE
    answer = report.finish(code)
    if reader_groups() and report.changed and code in (DONE, DATA):
        share_tables(dbt)
    if skip_code and code == DONE and report.is_nothing_new:
        code = NOTHING
        answer |= {"code": code, "meaning": meaning_of(code)}
    report.show()
    if code in (DATA, RETRY):
        say(f"To take up what failed or was skipped: {here('medallion', 'resume')}")
    if tell is not in_words or is_wanted(code):
        answer |= {"tables": report.tables()}
        tell(answer)
        notify(answer)
    return code


def artifacts_of(arguments: Sequence[str]) -> str:
    """The folder in which dbt writes its artifacts."""
    words = [word for argument in arguments for word in argument.split("=", 1)]
    if "--target-path" in words[:-1]:
        return words[words.index("--target-path") + 1]
    return os.environ.get("DBT_TARGET_PATH") or "target"


# The demo ------------------------------------------------------------------------------------------------------------


@click.command()
@click.option("--days", default=14, show_default=True, type=click.IntRange(1), help="Days of demo files.")
@click.option("--events", default=5_000, show_default=True, type=click.IntRange(1), help="Web events in all.")
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same files.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, resolve_path=True),
    help="Folder of the files.  [default: the landing root]",
)
@with_dbt(first_target="sail")
def demo(dbt: Dbt, days: int, events: int, seed: int, out: str | None) -> int:
    """Write demo files, build every table from them, show the result.

    It runs on Sail, which needs no Java, unless the lake was built by Spark or --target says otherwise. A landing
    folder that already has files is left as it is and built from.

    \b
    Examples:
      medallion demo
      medallion demo --events 1000000 --days 60
      medallion demo --seed 7 --out /tmp/landing
    """
    if not (ROOT / "scripts/generate.py").exists():
        raise Failure(f"This project has no demo. Write a source: {here('medallion', 'source', 'new', '--help')}")
    landing = out or landing_root()
    if "://" in landing:
        raise Failure(f"The demo writes local files, and the landing root is {landing}; choose a folder with --out.")
    os.environ["MEDALLION_LANDING"] = landing
    if dbt.target == "sail":
        say("The engine is Sail: no Java needed. For Spark: make demo ENGINE=spark, or --target local.")
    write_demo_files(Path(landing), days, events, seed)
    code = run(dbt, "demo", [], dbt_build([]))
    if code != USAGE and show_tables(dbt):
        show_quarantine(dbt)
        for name in ("daily_sales_by_product", "customer_lifetime_value"):
            best = dbt.rows(f"select * from {{{{ ref('{name}') }}}} order by net_revenue desc", limit=5)
            if best:
                show_table(f"gold.{name}, by net revenue", best)
        target = [] if built_by() == dbt.target else ["--target", dbt.target]
        say(
            "Next:\n"
            f"  {here('medallion', 'build', '--select', 'tag:gold', *target)}   # one layer\n"
            f"  {here('medallion', 'status', *target)}   # tables, sizes, quarantine\n"
            f"  {here('medallion', 'docs', '--serve', *target)}   # lineage and descriptions in the browser\n"
            f"Or put files of your own into {landing} and build again"
            + (f", with MEDALLION_LANDING={shlex.quote(out)}." if out else ".")
        )
    return code


def landing_root() -> str:
    """As the macro of this name has it."""
    import yaml

    variables = yaml.safe_load((ROOT / "dbt_project.yml").read_text())["vars"]
    root = os.environ.get("MEDALLION_LANDING") or variables["landing_root"]
    return root if "://" in root else str(ROOT / root)


def write_demo_files(landing: Path, days: int, events: int, seed: int) -> None:
    there = sum(1 for file in landing.glob("*/**/*") if file.is_file())
    if there:
        say(f"{landing} already has {there:,} files; building from those. (Delete the folder for fresh demo files.)")
        return
    from medallion.generate import generate

    say(f"Writing {days} days of demo files with {events:,} web events to {landing} ...")
    try:
        generate(landing, seed=seed, days=days, events=events)
    except ValueError as problem:
        raise Failure(str(problem)) from None
