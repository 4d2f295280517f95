"""`medallion watch`: dbt loaded and the project parsed, it builds when files land or a model is saved."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click

from medallion import landing
from medallion.build import dbt_build, run
from medallion.console import say
from medallion.errors import Failure
from medallion.lake import ROOT
from medallion.landing import News
from medallion.shell import Dbt, dbt_session, options

WATCHED = ("models", "macros", "seeds", "snapshots", "tests", "dbt_project.yml")


@click.command()
@click.option("--every", type=landing.Seconds(), default="1s", show_default=True, help="Time between looks.")
@click.option("--select", help="Build only these nodes, as for dbt.")
@landing.with_settings
def watch(every: int, select: str | None, target: str | None, given: str | None) -> None:
    """Build when files land or a model is saved, without starting anything anew, until Ctrl-C.

    It builds once at its start. While it waits it only lists folders. It holds the lake as a build does: other builds
    of the same lake end with exit code 3 while it runs.

    \b
    Examples:
      medallion watch
      medallion watch --every 10s
      medallion watch --select silver_order_lines+ --target sail
    """
    find = partial(landing.look, [], target, given)
    find()  # refuses a lake that is not on this machine
    with dbt_session(options(target=target, vars=given)) as dbt:
        watcher = Watcher(dbt, find, select)
        watcher.build()
        say("Waiting for files and changed models. Ctrl-C ends it.")
        while True:
            time.sleep(every)
            watcher.look()


class Watcher:
    """What is known between two builds."""

    def __init__(self, dbt: Dbt, read_settings: Callable[[], Callable[[], list[News]]], select: str | None) -> None:
        self.dbt, self.read_settings, self.select = dbt, read_settings, select
        self.find: Callable[[], list[News]] | None = None  # by the settings as they were read last
        self.files = project_files()
        self.tried: Any = None  # the news at the last look: what a build could not take in is not tried again and again
        self.manifest: Any = None

    def look(self) -> None:
        """Builds if a model was saved or a file has landed."""
        files = project_files()
        changed = {file for file in files.keys() | self.files.keys() if files.get(file) != self.files.get(file)}
        if changed:
            self.files, self.manifest, self.find = files, None, None
            say(f"Changed: {landing.shown(sorted(map(str, changed)))}")
            self.build([f"{name}+" for name in models_only(changed)])
            return
        found = self.news()
        if found and found != self.tried:
            self.tried = found
            say(f"Landed: {landing.shown([name for one in found for name in one[1:]])}")
            sources = [one[0] for one in found]
            self.build([] if "" in sources else [f"source:landing.{name}+" for name in sources])

    def news(self) -> list[tuple[str, ...]]:
        """Sources with the files that a build would ingest, or the sentence with which it would stop."""
        try:
            self.find = self.find or self.read_settings()
            found = self.find()
            landing.refuse(found)
        except Failure as problem:
            return [("", problem.message)]
        return [(one.source.name, *one.new) for one in found if one.is_something]

    def build(self, news: Sequence[str] = ()) -> None:
        """Builds all that is selected, or of it what depends on the news; all where it is not known what does."""
        if self.manifest is None:
            parsed = self.dbt.invoke(["parse", "--quiet"])
            if not parsed.success:
                say(f"The project cannot be parsed: {parsed.exception}")
                return
            self.manifest = parsed.result
        words = options(select=self.select) or (["--select", *news] if news else [])
        self.dbt.begin(self.manifest.deepcopy())  # a build changes it
        run(self.dbt, "watch", words, [*dbt_build(words), *words, "--quiet"])


def project_files() -> dict[Path, int]:
    """The files of the project with the times of their last change, in nanoseconds."""
    found = {}
    for place in WATCHED:
        for file in [ROOT / place] if (ROOT / place).is_file() else (ROOT / place).rglob("*"):
            try:
                if file.suffix in (".sql", ".yml", ".yaml", ".csv", ".md"):
                    found[file.relative_to(ROOT)] = file.stat().st_mtime_ns
            except OSError:  # gone meanwhile, as an editor's temporary file
                continue
    return found


def models_only(changed: set[Path]) -> list[str]:
    """Names of the models that changed; none if anything else changed too, which can concern all of them."""
    is_model = [file.parts[0] == "models" and file.suffix == ".sql" and (ROOT / file).exists() for file in changed]
    return sorted(file.stem for file in changed) if all(is_model) else []
