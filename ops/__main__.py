"""`python -m ops`: audit, backfill, redrive and rejected, against a stack on AWS or the local one; estimate before."""

import json
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from components.branches import BRANCHES
from costs.command import estimate_command
from costs.number import Number
from handlers.job import Job
from handlers.topic import publish
from ops import backfill as backfilling
from ops import redrive as redriving
from ops.audit import STATES, Account, audit, rejected
from ops.backfill import Bookmark, Requests
from ops.connect import connect
from ops.failures import Explained
from ops.stack import DeployedStack

console = Console()


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


@main.command(name="audit")
@prefix_option
@json_option
@click.option("--all", "everything", is_flag=True, help="List every master, not only those unaccounted for.")
@stack_options
def audit_command(stack: DeployedStack, *, prefix: str, as_json: bool, everything: bool) -> None:
    """Say what became of each master; exits 1 if one is unaccounted for."""
    totals: Counter[str] = Counter(masters=0, unaccounted=0)
    for found in audit(stack, prefix):
        totals.update({"masters": 1, "unaccounted": int(not found.accounted_for)})
        totals.update(f"{branch} {state}" for branch, state in found.states.items())
        if everything or not found.accounted_for:
            _print_account(found, as_json=as_json)
    if as_json:
        click.echo(json.dumps({"totals": totals}))
    else:
        _print_totals(totals)
    if totals["unaccounted"]:
        raise SystemExit(1)


@main.command(name="backfill")
@prefix_option
@click.option("--missing", is_flag=True, help="Only masters of which something is missing or stale.")
@click.option("--dry-run", is_flag=True, help="Say how many there are and what they would cost; publish nothing.")
@click.option("--rate", type=RATE, default=0, help="Jobs per second at most; 0 is no limit.")
@click.option("--resume", type=BOOKMARK, help="A file that remembers how far the backfill got.")
@stack_options
def backfill_command(
    stack: DeployedStack, *, prefix: str, missing: bool, dry_run: bool, rate: float, resume: Path | None
) -> None:
    """Publish jobs for masters that are in the bucket already."""
    bookmark = Bookmark(resume) if resume else None
    after = bookmark.read(stack.bucket) if bookmark else None
    work = backfilling.jobs(stack, prefix, missing=missing, after=after)
    if dry_run:
        _print_estimate(stack, sum(1 for _ in work))
        return

    def published(batch: list[Job]) -> None:
        if bookmark:
            bookmark.write(batch[-1])

    count = backfilling.backfill(stack, work, per_second=rate, published=published)
    if bookmark:
        bookmark.remove()
    console.print(f"{count} jobs published.")


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
@click.option("--retry", is_flag=True, help="Publish a job for each, for after a fix.")
@stack_options
def rejected_command(stack: DeployedStack, *, prefix: str, as_json: bool, retry: bool) -> None:
    """List the masters whose newest state was rejected, and why."""
    table, masters = Table("rejected", "by", "error", "reason"), []
    for found in rejected(stack, prefix):
        masters.append(Job(bucket=stack.bucket, key=found.key, etag=found.etag))
        for reason in found.rejections:
            if as_json:
                click.echo(json.dumps(reason, ensure_ascii=False))
            table.add_row(*(escape(reason[field]) for field in ("key", "branch", "error", "message")))
    if not as_json:
        console.print(table)
    if retry:
        count = sum(len(batch) for batch in publish(stack.client("sns"), stack.topic, masters))
        # Standard output may be JSON, for a program to read.
        click.echo(f"{count} jobs published.", err=as_json)


main.add_command(estimate_command)


def _print_account(found: Account, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({**asdict(found), "accounted_for": found.accounted_for}, ensure_ascii=False))
        return
    states = ", ".join(f"{branch} {state}" for branch, state in found.states.items())
    console.print(f"{found.key}: {states}", markup=False, highlight=False, soft_wrap=True)


def _print_totals(totals: Counter[str]) -> None:
    table = Table("branch", *STATES, title=f"{totals['masters']} masters, {totals['unaccounted']} unaccounted for")
    for branch in BRANCHES:
        table.add_row(branch.name, *(str(totals[f"{branch.name} {state}"]) for state in STATES))
    console.print(table)


def _print_estimate(stack: DeployedStack, jobs: int) -> None:
    requests = Requests(jobs=jobs, sizes=len(stack.sizes))
    table = Table("requests", "number", title=f"{jobs} jobs, about {requests.dollars:.2f} US dollars in requests")
    for what, count in requests.counts.items():
        table.add_row(what, str(count))
    console.print(table)
    console.print("The functions' time comes on top: see `python -m ops estimate`. Nothing was published.")


if __name__ == "__main__":
    main(prog_name="python -m ops")
