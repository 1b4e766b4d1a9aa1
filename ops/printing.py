"""What the commands print."""

import json
from collections import Counter
from dataclasses import asdict

import click
from rich.console import Console
from rich.table import Table

from components.branches import BRANCHES
from ops.audit import STATES, Account
from ops.backfill import Requests, Task
from ops.stack import DeployedStack
from ops.status import Status

console = Console()


def print_account(found: Account, *, as_json: bool) -> None:
    """Print one master's fate: what each branch made of it."""
    if as_json:
        click.echo(json.dumps({**asdict(found), "accounted_for": found.accounted_for}, ensure_ascii=False))
        return
    states = ", ".join(f"{branch} {state}" for branch, state in found.states.items())
    console.print(f"{found.key}: {states}", markup=False, highlight=False, soft_wrap=True)


def print_totals(totals: Counter[str]) -> None:
    """Print how many masters are in which state, by branch."""
    title = f"{totals['masters']} masters, {totals['unaccounted']} unaccounted for, {totals['orphans']} orphans"
    table = Table("branch", *STATES, title=title)
    for branch in BRANCHES:
        table.add_row(branch.name, *(str(totals[f"{branch.name} {state}"]) for state in STATES))
    console.print(table)


def print_orphan(key: str, *, as_json: bool) -> None:
    """Print the key of an output without a master."""
    click.echo(json.dumps({"orphan": key}, ensure_ascii=False) if as_json else f"{printable(key)}: no master")


def print_status(found: Status) -> None:
    """Print one picture's record."""
    console.print(f"{printable(found.key)}: {found.state}", markup=False, highlight=False, soft_wrap=True)
    console.print(f"received {found.received_at}, settled {found.settled_at or 'not yet'}", highlight=False)
    for branch, facts in found.branches.items():
        said = facts.get("message") or ", ".join(facts.get("outputs", ())) or ""
        line = f"  {branch}: {facts['state']} {printable(said)}".rstrip()
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def print_estimate(stack: DeployedStack, work: list[Task]) -> None:
    """Print how many masters a backfill would look at, and what that costs."""
    # A master is looked at, and its job delivered, once, however many branches work on it again.
    alike = Counter(tuple(task.branches) or tuple(row.name for row in BRANCHES) for task in work)
    requests = [Requests(jobs=count, sizes=len(stack.sizes), branches=branches) for branches, count in alike.items()]
    again = Counter(branch for branches in alike.elements() for branch in branches)
    dollars = sum(found.dollars for found in requests)
    table = Table("requests", "number", title=f"{len(work)} masters, about {dollars:.2f} US dollars in requests")
    for what, count in sum((found.counts for found in requests), Counter[str]()).items():
        table.add_row(what, str(count))
    console.print(table)
    made = ", ".join(f"{branch} {count}" for branch, count in sorted(again.items()))
    console.print(f"To be made again at most: {made or 'nothing'}.")
    console.print("The functions' time comes on top: see `python -m ops estimate`. Nothing was published.")


def printable(text: str) -> str:
    """Return a text in which control characters are escaped: a key may hold any."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)
