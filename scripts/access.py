"""`medallion access`: who may read what, and the groups of the lake's files that make it so on this machine."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from itertools import pairwise
from pathlib import Path
from typing import Any

import click

from medallion.command import here, with_dbt
from medallion.console import say, show_table
from medallion.errors import DATA, Failure
from medallion.lake import ON_THIS_MACHINE, lake_home, lake_lock, reader_groups, warehouse
from medallion.shell import Dbt, call

FOLDER, FILE = 0o2750, 0o640  # the group reads; what comes later gets the group of the folder
PASSAGE = 0o711  # to the tables; no listing


@click.command()
@click.option("--who", metavar="NAME", help="Only what a reader of the grants, or a user of this machine, may read.")
@click.option("--table", help="Only this table, with its personal columns, for instance gold.dim_customers.")
@click.option(
    "--sample", type=click.IntRange(1), metavar="ROWS", help="Look for personal values in that many rows of each table."
)
@click.option("--apply", is_flag=True, help="Give the files of the lake the groups of MEDALLION_GROUPS.")
@with_dbt(writes=False)
def access(dbt: Dbt, who: str | None, table: str | None, sample: int | None, apply: bool) -> None:
    """Show who may read which table, by which rule, and what of a person they see there.

    Readers are named by the config `grants`; on a lake of this machine MEDALLION_GROUPS says which groups they are.
    With --sample it exits with 1 if a column that is not declared personal has values that look so.

    \b
    Examples:
      medallion access
      medallion access --table gold.dim_customers
      medallion access --who business
      medallion access --sample 10000
      medallion access --apply
    """
    if apply:
        if not reader_groups():
            raise Failure(
                "MEDALLION_GROUPS names no groups, so all files are private to you. Set it to a list of reader=group,"
                " narrowest first: engineers=lake-engineers,explorers=lake-explorers,business=lake-business."
            )
        with lake_lock():
            say(f"The groups of {share_tables(dbt, again=True)} tables were set.")
    rows = dbt.rows(call("table_access", table=table))
    chosen = [row for row in rows if who is None or may_read(who, row)]
    columns = dbt.rows(call("personal_columns", table=table))
    seen: dict[str, list[str]] = {}
    for column in columns:
        seen.setdefault(column["table_name"], []).append(f"{column['column_name']} {column['seen']}")
    if chosen:
        show_table(
            f"What {who} may read" if who else "Who may read what",
            [
                {"table": f"{row['layer']}.{row['table_name']}", "readers": row["readers"], "files": files_of(row),
                 "personal": ", ".join(seen.get(row["table_name"], []))}
                for row in chosen
            ],
        )  # fmt: skip
    else:
        say(f"{who} may read no table." if rows else f"No tables yet; make some with: {here('medallion', 'demo')}")
    if table and columns:
        show_table("Personal columns", [{name: row[name] for name in row if name != "layer"} for row in columns])
    for sentence in outside():
        say(sentence)
    if sample:
        look_for_persons(dbt, sample, table)


def look_for_persons(dbt: Dbt, sample: int, table: str | None) -> None:
    chosen = call("undeclared_persons", rows=sample, table=table)
    found = dbt.rows(f"select * from ({chosen}) order by layer, table_name, column_name")
    if found:
        show_table("Values that look personal", found)
        raise Failure("Declare these columns, or say why they are not personal: docs/access.md.", DATA)
    say(f"No undeclared column has a value that looks personal, in {sample:,} rows of each table.")


def readers_of(row: dict[str, Any]) -> list[str]:
    return [reader for reader in row["readers"].split(", ") if reader]


def may_read(who: str, row: dict[str, Any]) -> bool:
    """Whether a reader, or a user of this machine by the mode of the table's folder, may read a table.

    Raises:
        Failure: there is nobody of that name.
    """
    groups = reader_groups()
    if who in groups or who in readers_of(row):
        return who in readers_of(row)
    try:
        user = pwd.getpwnam(who)
    except KeyError:
        raise Failure(f"{who!r} is no reader in the config grants, and no user of this machine.") from None
    if not row["location"]:
        return False
    state = Path(row["location"]).stat()
    in_group = state.st_gid in os.getgrouplist(who, user.pw_gid) and state.st_mode & stat.S_IRGRP
    return user.pw_uid in (0, state.st_uid) or bool(in_group)


def files_of(row: dict[str, Any]) -> str:
    """Whom the system lets read the files of a table."""
    if not row["location"]:
        return "in the catalog"
    state = Path(row["location"]).stat()
    group = f", group {grp.getgrgid(state.st_gid).gr_name}" if state.st_mode & stat.S_IRGRP else ""
    return f"owner {pwd.getpwuid(state.st_uid).pw_name}{group}"


def outside() -> list[str]:
    """Members of a narrower group who are not in the wider ones, and so may not read what these may."""
    names = [(reader, grp.getgrgid(gid)) for reader, gid in reader_groups().items()]
    return [
        f"{member} is in group {narrow.gr_name} and not in {wide.gr_name}, so may not read what {reader} may."
        for (_, narrow), (reader, wide) in pairwise(names)
        for member in sorted(set(narrow.gr_mem) - set(wide.gr_mem))
    ]


def share_tables(dbt: Dbt, again: bool = False) -> int:
    """Gives each table the group of its widest reader; returns how many had another one.

    Args:
        dbt: a session.
        again: also tables whose folder is right already, file by file.

    Raises:
        Failure: the user who runs this may not give files to a group.
    """
    groups = reader_groups()
    if dbt.target not in ON_THIS_MACHINE:
        return 0
    narrowest = next(iter(groups.values()))
    shared = 0
    try:
        lake_home().chmod(PASSAGE)
        give(warehouse(), narrowest, stat.S_ISGID | PASSAGE)
        for row in dbt.rows(call("table_access")):
            folder = Path(row["location"])
            known = [groups[reader] for reader in groups if reader in readers_of(row)]
            give(folder.parent, narrowest, stat.S_ISGID | PASSAGE)  # what a build adds is for few, until it is shared
            if again or not is_shared(folder, known):
                share(folder, known)
                shared += 1
    except PermissionError as problem:
        raise Failure(
            f"{problem.filename} cannot be given to its group: only its owner can, as a member of that group. Run this"
            " as the user who builds, and add that user to all groups of MEDALLION_GROUPS."
        ) from None
    return shared


def is_shared(folder: Path, groups: list[int]) -> bool:
    state = folder.stat()
    return (stat.S_IMODE(state.st_mode), state.st_gid) == (FOLDER, groups[-1]) if groups else not state.st_mode & 0o077


def share(folder: Path, groups: list[int]) -> None:
    """The folder last: until then nobody new gets in; a table without a group is for its owner alone."""
    group, of_folders, of_files = (groups[-1], FOLDER, FILE) if groups else (-1, 0o700, 0o600)
    for parent, folders, files in os.walk(folder, topdown=False):
        for name in files:
            give(Path(parent, name), group, of_files)
        for name in folders:
            give(Path(parent, name), group, of_folders)
    give(folder, group, of_folders)


def give(path: Path, group: int, mode: int) -> None:
    os.chown(path, -1, group, follow_symlinks=False)
    if not path.is_symlink():
        path.chmod(mode)
