"""What the commands of `medallion` have in common. A module with commands of its own lists them in cli.COMMANDS."""

from __future__ import annotations

import functools
import os
import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from medallion.errors import DONE
from medallion.lake import built_by
from medallion.shell import dbt_session, options

Command = Callable[..., Any]
WHERE_IT_BEGAN = Path.cwd()  # a command works in the project's folder


def here(command: str, *arguments: str) -> str:
    """A command as it can be pasted, in any folder and outside the environment too."""
    mine = Path(sys.prefix, "bin", command)
    if shutil.which(command) and Path(shutil.which(command)).resolve() == mine.resolve():
        shown = command
    elif not mine.exists():
        shown = f"{shlex.quote(sys.executable)} -m {command}"
    else:
        shown = str(mine.relative_to(WHERE_IT_BEGAN)) if mine.is_relative_to(WHERE_IT_BEGAN) else shlex.quote(str(mine))
    return " ".join([shown, *arguments])


def with_dbt(writes: bool = True, first_target: str | None = None) -> Callable[[Command], Command]:
    """Gives a command dbt, and dbt the options that every command hands on; what it returns is the exit code.

    Args:
        writes: whether it needs the lake for itself; else it may run beside a build, where the engine lets it.
        first_target: its target where nothing is built yet.
    """

    def decorate(command: Command) -> Command:
        @click.option("--target", "-t", help="Target of profiles.yml.  [default: the engine that built the lake]")
        @click.option("--vars", "variables", metavar="YAML", help="Variables, as for dbt.")
        @functools.wraps(command)
        def inside(target: str | None, variables: str | None, **arguments: Any) -> None:
            if not (target or os.environ.get("DBT_TARGET") or built_by()):
                target = first_target
            with dbt_session(options(target=target, vars=variables), writes) as dbt:
                raise click.exceptions.Exit(command(dbt, **arguments) or DONE)

        return inside

    return decorate


def of_layer_or_table(command: Command) -> Command:
    command = click.option("--table", help="Only this table, for instance gold.sales_by_region.")(command)
    return click.option("--layer", help="Only this layer: bronze, silver, gold or ops.")(command)
