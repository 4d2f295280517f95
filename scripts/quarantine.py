"""`medallion quarantine`: records that broke a rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from medallion.command import here, with_dbt
from medallion.console import printable, say, show_table
from medallion.display import show_quarantine
from medallion.errors import DONE, USAGE, Failure
from medallion.shell import OWN_ARTIFACTS, Dbt, call, operation


@click.group()
def quarantine() -> None:
    """Records that broke a rule: count them, look at them, judge them again after a change of the rules, give them up.

    \b
    Examples:
      medallion quarantine list
      medallion quarantine show orders --rule quantity_valid
      medallion quarantine replay orders
      medallion quarantine discard orders --rule quantity_valid --note "test orders of the till"
    """


@quarantine.command("list")
@click.option("--source", help="Only this source, for instance orders.")
@with_dbt(writes=False)
def waiting(dbt: Dbt, source: str | None) -> None:
    """Count the records in quarantine by source, rule and age.

    \b
    Examples:
      medallion quarantine list
      medallion quarantine list --source orders
    """
    show_quarantine(dbt, source, with_age=True)


def of_records(command: Callable[..., Any]) -> Callable[..., Any]:
    command = click.option("--file", "source_file", help="Only records of this file, named as `show` prints it.")(
        command
    )
    command = click.option("--rule", help="Only records that break this rule.")(command)
    return click.argument("source")(command)


def none_found(dbt: Dbt, source: str, rule: str | None, source_file: str | None) -> None:
    """Says that there are no such records; a rule or file that nothing has is a mistake of the command."""
    if rule or source_file:
        rows = dbt.rows(f"select distinct rule from ({call('quarantine_summary', source=source)}) order by rule")
        rules = [str(row["rule"]) for row in rows]
        if rule and rule not in rules:
            raise Failure(
                f"No record of {source} waits because of the rule '{rule}'. Rules with records: "
                + (", ".join(rules) or "none") + ".",
                USAGE,
            )  # fmt: skip
        raise Failure(f"No record of {source} in quarantine fits --rule and --file.", USAGE)
    say("No such records.")


@quarantine.command("show")
@of_records
@click.option("--discarded", "is_discarded", is_flag=True, help="Show discarded records, with their notes.")
@click.option("--limit", default=5, show_default=True, type=click.IntRange(1), help="Number of records to show.")
@click.option("--unmask", is_flag=True, help="Show the records as they came, with what is personal in them.")
@with_dbt(writes=False)
def records(
    dbt: Dbt, source: str, rule: str | None, source_file: str | None, is_discarded: bool, limit: int, unmask: bool
) -> None:
    """Show records, newest first, with their file, their number in it and the rules that they break.

    Of a source with personal data only the declared fields that are not personal are shown, without --unmask.
    Characters that would steer the terminal are shown as \\x1b or \\u202e.

    \b
    Examples:
      medallion quarantine show orders
      medallion quarantine show orders --rule quantity_valid --limit 20
      medallion quarantine show orders --discarded --unmask
    """
    chosen = call(
        "quarantined_records",
        source=source,
        rule=rule,
        source_file=source_file,
        is_discarded=is_discarded or None,
        is_masked=not unmask,
    )
    rows = dbt.rows(
        "select source_file, record_number, array_join(violated_rules, ', ') as rules, record, note"
        f" from ({chosen}) order by ingested_at desc, source_file, record_number",
        limit,
    )
    for row in rows:
        file, rules, record = (printable(row[name]) for name in ("source_file", "rules", "record"))
        note = f" (discarded: {printable(row['note'])})" if is_discarded else ""
        say(f"{file} record {row['record_number']}: {rules}{note}\n{record}\n")
    if not rows:
        none_found(dbt, source, rule, source_file)


@quarantine.command("replay")
@click.argument("source")
@click.option("--apply", is_flag=True, help="Build; without it the records are only judged and counted.")
@with_dbt()
def replay(dbt: Dbt, source: str, apply: bool) -> int:
    """Judge the records of a source again, by the rules as they are now: those in quarantine and those in silver.

    With --apply, the seeds that the rules read are loaded, and silver, quarantine and what is built on them are
    computed again from bronze: they end as if the rules had always been these. The row ledger gets the corrections.

    \b
    Examples:
      medallion quarantine replay orders
      medallion quarantine replay orders --apply
    """
    judged = f"judged_{source}"
    dbt.need(["run", "--select", judged, *OWN_ARTIFACTS])
    rows = dbt.rows(f"select * from ({call('judged_again', source=source)}) order by record_count desc, old_rules")
    if rows:
        show_table(
            f"Records of {source} that broke a rule, or break one now",
            [
                {"broke": row["old_rules"] or "nothing", "breaks now": row["new_rules"] or "nothing",
                 "records": row["record_count"]}
                for row in rows
            ],
        )  # fmt: skip
    else:
        say(f"No record of {source} broke a rule, and none breaks one now.")
    if apply:
        # a rule may read a seed
        return dbt.run("build", "--full-refresh", "--select", f"+{judged},resource_type:seed", f"{judged}+")
    say(f"Nothing was changed. To do it: {here('medallion', 'quarantine', 'replay', source, '--apply')}")
    return DONE


@quarantine.command("discard")
@of_records
@click.option("--note", required=True, help="Why they are given up; kept in ops.discarded_records.")
@click.option("--apply", is_flag=True, help="Discard; without it the records are only counted.")
@with_dbt()
def discard(dbt: Dbt, source: str, rule: str | None, source_file: str | None, note: str, apply: bool) -> None:
    """Give up records that wait: they are no longer counted, but stay in quarantine, in bronze and in the ledger.

    If a change of the rules lets one of them pass, a replay takes it to silver all the same.

    \b
    Examples:
      medallion quarantine discard orders --rule quantity_valid --note "test orders of the till"
      medallion quarantine discard orders --file orders/2026-01-07.csv --note "sent again, see 2026-01-08" --apply
    """
    if not note.strip():
        raise Failure("--note must say why the records are given up.")
    chosen = call("quarantined_records", source=source, rule=rule, source_file=source_file)
    rows = dbt.rows(
        f"select array_join(violated_rules, ', ') as broke, count(*) as records from ({chosen})"
        " group by 1 order by records desc, broke"
    )
    if apply:
        chosen = {"source": source, "note": note, "rule": rule, "source_file": source_file}
        dbt.need(operation("discard_records", **chosen))
    if not rows:
        none_found(dbt, source, rule, source_file)
        return
    show_table(f"Records of {source}, {'discarded' if apply else 'to discard'}", rows)
    if not apply:
        say("Nothing was changed. The same command with --apply does it.")
