"""The commands that only read: what became of one picture or of all, and why."""

import tempfile
import time
from collections import Counter
from dataclasses import asdict

import click

from components.errors import NOT_AS_EXPECTED
from ops.audit import Auditor, rejected
from ops.backfill import Task, backfill
from ops.inventory import Inventory
from ops.letters import explained_letters
from ops.listing import check_prefix
from ops.options import S3Key, check_queue, deep_option, prefix_option, stack_options
from ops.printing import (
    audit_verdict,
    print_account,
    print_json,
    print_letters,
    print_rejections,
    print_status,
    print_totals,
    report,
)
from ops.queues import messages
from ops.redrive import waiting
from ops.stack import DeployedStack
from ops.status import Status, UnrecordedPictureError, status
from ops.text import command, counted, printable

WATCH_S = 1.0
IN_MEMORY_BYTES = 1_000_000


@click.command(name="status")
@click.argument("key", type=S3Key())
@click.option("--watch", is_flag=True, help="Wait until the picture is settled.")
@stack_options
def status_command(stack: DeployedStack, *, key: str, watch: bool, as_json: bool) -> None:
    """Show what became of one picture.

    KEY is its master's key or its name. Exits 1 while the picture is not settled.
    """
    found = _recorded(stack, key) if watch else status(stack, key)
    if not found.settled:
        # Standard output may be JSON, for a program to read.
        click.echo(f"{printable(found.key)} is not settled; if it failed, {command('letters')} lists it.", err=True)
    while watch and not found.settled:
        time.sleep(WATCH_S)
        found = status(stack, key)
    if as_json:
        print_json(asdict(found))
    else:
        print_status(found)
    if not found.settled:
        raise SystemExit(NOT_AS_EXPECTED)


def _recorded(stack: DeployedStack, key: str) -> Status:
    """Return a picture's status, once it has a record: its upload's event may take a while."""
    waits = False
    while True:
        try:
            return status(stack, key)
        except UnrecordedPictureError:
            if not waits:
                hint = f"a new bucket sends no events in its first minutes; if it stays so, see {command('letters')}"
                click.echo(f"{printable(key)} was uploaded and has no record yet: {hint}.", err=True)
        waits = True
        time.sleep(WATCH_S)


@click.command(name="audit")
@prefix_option
@click.option("--all", "everything", is_flag=True, help="List every master, not only those unaccounted for.")
@deep_option
@stack_options
def audit_command(stack: DeployedStack, *, prefix: str, as_json: bool, everything: bool, deep: bool) -> None:
    """Show what became of each master.

    Also counts the objects among the outputs that have no master. Exits 1 if a master is unaccounted for.
    """
    check_prefix(stack, prefix)
    totals: Counter[str] = Counter(masters=0, unaccounted=0, orphans=0)
    # The verdict is printed first, so the lines are kept until then, on disk if there are many.
    with (
        Inventory.of(stack, prefix) as inventory,
        tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES, mode="w+", encoding="utf-8") as lines,
    ):
        for found in Auditor(stack, inventory, deep=deep).accounts(prefix):
            totals.update({"masters": 1, "unaccounted": int(not found.accounted_for)})
            totals.update(f"{branch} {state}" for branch, state in found.states.items())
            if everything or not found.accounted_for:
                print_account(found, as_json=as_json, file=lines)
        for output, _ in inventory.orphans():
            totals["orphans"] += 1
            if everything:
                report({"orphan": output}, f"{printable(output)}: no master", as_json=as_json, file=lines)
        waiting = [stack.queues[branch] for branch in stack.branches]
        totals["in_queues"] = messages(stack, waiting) if totals["unaccounted"] else 0
        if not as_json:
            click.echo(audit_verdict(totals, deep=deep))
        lines.seek(0)
        for line in lines:
            click.echo(line, nl=False)
    if as_json:
        print_json({"totals": totals})
    else:
        print_totals(totals)
    if totals["unaccounted"]:
        raise SystemExit(NOT_AS_EXPECTED)


@click.command(name="rejected")
@prefix_option
@click.option("--retry", is_flag=True, help="Process the rejected pictures again, after a fix.")
@stack_options
def rejected_command(stack: DeployedStack, *, prefix: str, as_json: bool, retry: bool) -> None:
    """List the masters whose newest state was rejected, and why."""
    check_prefix(stack, prefix)
    reasons = list(rejected(stack, prefix))
    if as_json:
        for reason in reasons:
            print_json(reason)
    else:
        print_rejections(reasons)
    if retry:
        again: dict[str, list[str]] = {}
        for reason in reasons:
            again.setdefault(reason["key"], []).append(reason["branch"])
        count = backfill(stack, (Task(key=key, branches=names) for key, names in again.items()), per_second=0)
        report({"jobs": count}, f"{counted(count, 'job')} published.", as_json=as_json)


@click.command(name="letters")
@click.option("--queue", help="Only this failure queue.")
@stack_options
def letters_command(stack: DeployedStack, *, queue: str | None, as_json: bool) -> None:
    """List the messages in the failure queues, and why they failed.

    Shows up to ten messages of each queue. Exits 1 if there are any.
    """
    check_queue(stack, queue)
    counts = waiting(stack, queue)
    found = {name: explained_letters(stack, name) for name, count in counts.items() if count}
    if as_json:
        for name, letters in found.items():
            print_json({"queue": name, "count": counts[name], "letters": letters})
    else:
        print_letters(counts, found)
    if any(counts.values()):
        raise SystemExit(NOT_AS_EXPECTED)
