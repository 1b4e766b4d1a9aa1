"""What the commands print: the answer first, full keys, and no control characters."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import IO, Any

import click
from rich.table import Table

from components.branches import BRANCHES
from costs.console import text_console
from ops.audit import STATES, Account
from ops.backfill import BackfillPlan
from ops.status import Status
from ops.text import command, counted, printable

console = text_console()


def print_json(fields: Mapping[str, Any]) -> None:
    """Print an object as one line of JSON."""
    report(fields, "", as_json=True)


def report(fields: Mapping[str, Any], said: str, *, as_json: bool, file: IO[str] | None = None) -> None:
    """Print what was found or done, as a line of JSON or as text."""
    click.echo(json.dumps(fields, ensure_ascii=False) if as_json else said, file=file)


def audit_verdict(totals: Counter[str], *, deep: bool) -> str:
    """Return the first line of an audit."""
    orphans = f", {counted(totals['orphans'], 'object')} without a master" if totals["orphans"] else ""
    masters = counted(totals["masters"], "master")
    if not totals["unaccounted"]:
        return f"OK: {masters}, all accounted for{orphans}."
    queued = totals["in_queues"]
    wait = f"wait for the {counted(queued, 'message')} in the queues and audit again, then " if queued else ""
    repair = command("backfill", "--missing", *(["--deep"] if deep else []))
    return (
        f"NOT OK: {totals['unaccounted']:,} of {masters} unaccounted for{orphans}: {wait}see "
        f"{command('letters')}, fix the cause, then run {repair}."
    )


def print_account(found: Account, *, as_json: bool, file: IO[str]) -> None:
    """Print what became of one master in each branch."""
    states = ", ".join(f"{branch} {state}" for branch, state in found.states.items())
    fields = {**asdict(found), "accounted_for": found.accounted_for}
    report(fields, f"{printable(found.key)}: {states}", as_json=as_json, file=file)


def print_totals(totals: Counter[str]) -> None:
    """Print the number of masters in each state, by branch."""
    table = Table("branch", *STATES)
    for branch in BRANCHES:
        table.add_row(branch.name, *(str(totals[f"{branch.name} {state}"]) for state in STATES))
    console.print(table)


def print_status(found: Status) -> None:
    """Print one picture's record."""
    click.echo(f"{printable(found.key)}: {found.state}")
    click.echo(f"received {found.received_at}, settled {found.settled_at or 'not yet'}")
    for branch, facts in found.branches.items():
        said = facts.get("message") or ", ".join(facts.get("outputs", ())) or ""
        click.echo(f"  {branch}: {facts['state']} {printable(said)}".rstrip())


def print_rejections(reasons: Sequence[Mapping[str, Any]]) -> None:
    """Print how many masters are rejected, the count of each error, and one line per master and reason."""
    branches: dict[tuple[str, str, str], list[str]] = {}
    for reason in reasons:
        branches.setdefault((reason["key"], reason["error"], reason["message"]), []).append(reason["branch"])
    masters = {key for key, _, _ in branches}
    click.echo(f"{counted(len(masters), 'master')} rejected." if masters else "OK: no master is rejected.")
    for error, count in Counter(error for _, error in {(key, error) for key, error, _ in branches}).most_common():
        click.echo(f"{count:6}  {error}")
    for (key, error, message), names in branches.items():
        click.echo(printable(f"{key}: {error} in {', '.join(names)}: {message}"))


def print_letters(counts: Mapping[str, int], found: Mapping[str, Sequence[Mapping[str, str]]]) -> None:
    """Print how many messages have failed, and the first of each queue with their errors."""
    total = sum(counts.values())
    if not total:
        click.echo("OK: the failure queues are empty.")
        return
    click.echo(f"NOT OK: {counted(total, 'message')} failed: fix the cause, then run {command('redrive')}.")
    for queue, letters in found.items():
        click.echo(f"{counts[queue]:6}  {queue}")
        for letter in letters:
            click.echo(printable(f"        {letter['what']}: {letter['error']}"))
        if hidden := counts[queue] - len(letters):
            click.echo(f"        {hidden:,} not shown")


def print_plan(plan: BackfillPlan) -> None:
    """Print how many masters a backfill would read, and what that costs."""
    click.echo(
        f"{counted(plan.masters, 'master')}, about {plan.dollars:.2f} US dollars in requests; nothing was published."
    )
    made = ", ".join(f"{branch} {count}" for branch, count in sorted(plan.again.items()))
    click.echo(f"Outputs that would be made again, at most: {made or 'none'}.")
    click.echo("This does not include the functions' time: see `python -m ops estimate`.")
    if not plan.requests:
        return
    table = Table("requests", "number")
    for what, count in plan.requests.items():
        table.add_row(what, str(count))
    console.print(table)
