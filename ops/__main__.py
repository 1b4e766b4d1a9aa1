"""`python -m ops`: what became of pictures, and setting it right, on AWS or the local stack; estimate before."""

import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import click
from rich.markup import escape
from rich.table import Table

from components.branches import BRANCHES
from costs.command import estimate_command
from costs.number import Number
from ops import backfill as backfilling
from ops import redrive as redriving
from ops.adopt import add_eventbridge, notification
from ops.audit import Auditor, rejected
from ops.backfill import Bookmark, Task
from ops.connect import connect
from ops.failures import Explained
from ops.inventory import Inventory
from ops.printing import console, print_account, print_estimate, print_orphan, print_status, print_totals, printable
from ops.removal import erase, orphan, orphans, sweep
from ops.replay import replay, settled_since
from ops.stack import DeployedStack
from ops.status import find, status

WATCH_S = 1.0


def stack_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that name its stack, and pass it the stack."""

    @click.option("--stack", "name", help="A stack on AWS, by its Pulumi name.")
    @click.option("--local", is_flag=True, help="The stack that `python -m local up` keeps running.")
    def with_stack(*, name: str | None, local: bool, **options: Any) -> None:
        command(connect(name, local=local), **options)

    with_stack.__doc__ = command.__doc__
    return with_stack


RATE = Number("rate", 0, sys.float_info.max, "a number of at least 0")
BOOKMARK = click.Path(dir_okay=False, writable=True, path_type=Path)
prefix_option = click.option("--prefix", default="", help="Only masters whose path, below master/, begins with this.")
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")


@click.group(cls=Explained, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Look after a running stack."""


@main.command(name="status")
@click.argument("key")
@click.option("--watch", is_flag=True, help="Look again every second until the picture is settled.")
@json_option
@stack_options
def status_command(stack: DeployedStack, *, key: str, watch: bool, as_json: bool) -> None:
    """Say what became of one picture, by its master's key or its name; exits 1 while it is not settled."""
    found = status(stack, key)
    while watch and not found.settled:
        time.sleep(WATCH_S)
        found = status(stack, key)
    if as_json:
        click.echo(json.dumps(found.as_dict(), ensure_ascii=False))
    else:
        print_status(found)
    if not found.settled:
        raise SystemExit(1)


@main.command(name="audit")
@prefix_option
@json_option
@click.option("--all", "everything", is_flag=True, help="List every master, not only those unaccounted for.")
@click.option("--deep", is_flag=True, help="Ask S3 and DynamoDB for each output, instead of trusting the records.")
@stack_options
def audit_command(stack: DeployedStack, *, prefix: str, as_json: bool, everything: bool, deep: bool) -> None:
    """Say what became of each master, and which outputs have none; exits 1 if a master is unaccounted for."""
    totals: Counter[str] = Counter(masters=0, unaccounted=0, orphans=0)
    with Inventory.of(stack, prefix) as inventory:
        for found in Auditor(stack, inventory, deep=deep).accounts(prefix):
            totals.update({"masters": 1, "unaccounted": int(not found.accounted_for)})
            totals.update(f"{branch} {state}" for branch, state in found.states.items())
            if everything or not found.accounted_for:
                print_account(found, as_json=as_json)
        for output, _ in inventory.orphans():
            totals["orphans"] += 1
            if everything:
                print_orphan(output, as_json=as_json)
    if as_json:
        click.echo(json.dumps({"totals": totals}))
    else:
        print_totals(totals)
    if totals["unaccounted"]:
        raise SystemExit(1)


@main.command(name="backfill")
@prefix_option
@click.option("--missing", is_flag=True, help="Only masters of which something is missing or stale.")
@click.option("--outdated", is_flag=True, help="Only masters with outputs that older settings made.")
@click.option("--branch", type=click.Choice([row.name for row in BRANCHES]), help="Only what this branch makes.")
@click.option("--register", "registering", is_flag=True, help="Record what was made before the stack had records.")
@click.option("--dry-run", is_flag=True, help="Say how many there are and what they would cost; change nothing.")
@click.option("--rate", type=RATE, default=0, help="Masters per second at most; 0 is no limit.")
@click.option("--resume", type=BOOKMARK, help="A file that remembers how far the backfill got.")
@stack_options
def backfill_command(stack: DeployedStack, **options: Any) -> None:
    """Reconcile masters that are in the bucket already; nothing that is current is made again."""
    chosen = BackfillOptions(**options)
    if chosen.registering:
        console.print(f"{backfilling.register(stack, chosen.prefix)} pictures recorded.")
        return
    bookmark = Bookmark(chosen.resume) if chosen.resume else None
    work = chosen.work(stack, bookmark.read(stack.bucket) if bookmark else None)
    if chosen.dry_run:
        print_estimate(stack, list(work))
        return

    def done(task: Task) -> None:
        if bookmark:
            bookmark.write(stack.bucket, task.key)

    count = backfilling.backfill(stack, work, per_second=chosen.rate, done=done)
    if bookmark:
        bookmark.remove()
    console.print(f"{count} jobs published.")


@dataclass(frozen=True, kw_only=True)
class BackfillOptions:
    """What a backfill is asked for."""

    prefix: str
    missing: bool
    outdated: bool
    branch: str | None
    registering: bool
    dry_run: bool
    rate: float
    resume: Path | None

    def work(self, stack: DeployedStack, after: str | None) -> Iterator[Task]:
        """Yield the masters that are asked for, from the key after `after` on."""
        states = {*(("missing", "stale") if self.missing else ()), *(("outdated",) if self.outdated else ())}
        if self.branch and not states:
            raise click.UsageError("--branch: expected --missing or --outdated with it, got neither: add one")
        if states:
            return backfilling.in_state(stack, self.prefix, states, self.branch, after)
        return backfilling.every(stack, self.prefix, after)


@main.command(name="sweep")
@prefix_option
@click.option("--dry-run", is_flag=True, help="List them; remove nothing.")
@stack_options
def sweep_command(stack: DeployedStack, *, prefix: str, dry_run: bool) -> None:
    """Remove outputs whose master is gone; what the pipeline did not write stays."""
    count = 0
    for key, name in orphans(stack, prefix):
        if orphan(stack, key, name) if dry_run else sweep(stack, key, name):
            count += 1
            click.echo(printable(key))
    console.print(f"{count} outputs without a master{', nothing was removed' if dry_run else ' removed'}.")


@main.command(name="erase")
@click.argument("key")
@click.option("--yes", is_flag=True, help="Do not ask.")
@stack_options
def erase_command(stack: DeployedStack, *, key: str, yes: bool) -> None:
    """Remove a master and all that was made of it: outputs, reasons, metadata, record, and every version of them."""
    if not yes:
        click.confirm(f"Erase {printable(key)} and all its outputs for good?", abort=True)
    erased = erase(stack, key)
    console.print(f"{erased.objects} objects and {erased.items} items removed.")
    console.print(
        "The key remains in the functions' logs until their retention ends, in the tables' backups for 35 days where "
        "the stack has protectData, and wherever its events were sent."
    )


@main.command(name="events")
@click.option("--replay", "keys", multiple=True, metavar="KEY", help="A picture whose event to send again.")
@click.option("--since", help="All that were settled since this time, such as 2026-11-25T12:00:00Z.")
@stack_options
def events_command(stack: DeployedStack, *, keys: tuple[str, ...], since: str | None) -> None:
    """Send the events of settled pictures again, under the same ids."""
    if not keys and not since:
        raise click.UsageError("expected --replay KEY or --since TIME, got neither: name pictures or a time")
    if not stack.events:
        raise click.UsageError("expected a stack that sends events, got one with events: false: set it to true")
    again = [*(find(stack, key) for key in keys), *(settled_since(stack, since) if since else ())]
    sent = [detail for record in again if (detail := replay(stack, record))]
    for detail in sent:
        click.echo(json.dumps(detail, ensure_ascii=False))
    click.echo(f"{len(sent)} events sent, {len(again) - len(sent)} pictures not settled.", err=True)


@main.command(name="redrive")
@click.option("--queue", help="Only this queue of failures.")
@click.option("--dry-run", is_flag=True, help="Say what waits where; move nothing.")
@stack_options
def redrive_command(stack: DeployedStack, *, queue: str | None, dry_run: bool) -> None:
    """Send messages in the queues of failures back to where they failed."""
    if queue and queue not in stack.dead_letter_queues:
        raise click.UsageError(f"--queue: expected one of {', '.join(stack.dead_letter_queues)}, got {queue}")
    table = Table("queue of failures", "waiting" if dry_run else "sent back")
    for name, count in redriving.waiting(stack).items():
        if queue in {None, name}:
            table.add_row(name, str(count if dry_run or not count else redriving.redrive(stack, name)))
    console.print(table)


@main.command(name="rejected")
@prefix_option
@json_option
@click.option("--retry", is_flag=True, help="Let the branches that rejected work again, for after a fix.")
@stack_options
def rejected_command(stack: DeployedStack, *, prefix: str, as_json: bool, retry: bool) -> None:
    """List the masters whose newest state was rejected, and why."""
    table = Table("rejected", "by", "error", "reason")
    again: dict[str, list[str]] = {}
    for reason in rejected(stack, prefix):
        again.setdefault(reason["key"], []).append(reason["branch"])
        if as_json:
            click.echo(json.dumps(reason, ensure_ascii=False))
        table.add_row(*(escape(printable(reason[field])) for field in ("key", "branch", "error", "message")))
    if not as_json:
        console.print(table)
    if retry:
        work = (Task(key=key, branches=branches) for key, branches in again.items())
        count = backfilling.backfill(stack, work, per_second=0)
        # Standard output may be JSON, for a program to read.
        click.echo(f"{count} jobs published.", err=as_json)


@main.command(name="adopt")
@click.argument("bucket")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--local", is_flag=True, help="A bucket of the emulator that `python -m local up` keeps running.")
def adopt_command(*, bucket: str, yes: bool, local: bool) -> None:
    """Let a bucket that exists send its events to EventBridge, as the setting `bucket` needs; change nothing else."""
    s3 = connect(None, local=True).client("s3") if local else boto3.client("s3")
    click.echo(json.dumps(notification(s3, bucket), indent=2))
    if not yes:
        click.confirm(f"This is what {bucket} notifies. Add EventBridge to it?", abort=True)
    added = add_eventbridge(s3, bucket)
    console.print("EventBridge was added." if added else "EventBridge was on already; nothing was changed.")


main.add_command(estimate_command)


if __name__ == "__main__":
    main(prog_name="python -m ops")
