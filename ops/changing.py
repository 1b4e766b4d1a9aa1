"""The commands that change a stack: process again, remove, send again."""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3
import click

from components.branches import BRANCHES
from costs.number import Number
from ops import backfill as backfilling
from ops import redrive as redriving
from ops.adopt import add_eventbridge, notification
from ops.backfill import BackfillPlan, Bookmark, Task
from ops.connect import connect
from ops.listing import check_prefix, near_keys
from ops.options import (
    S3Key,
    Time,
    check_master,
    check_queue,
    deep_option,
    dry_run_option,
    json_option,
    prefix_option,
    stack_options,
    yes_option,
)
from ops.output_file import OutputFile
from ops.printing import print_json, print_plan, report
from ops.removal import Erased, erase, orphan, orphans, sweep
from ops.replay import event_of, event_of_key, replay, settled_since
from ops.stack import DeployedStack
from ops.text import counted, printable

RATE = Number("rate", 0, sys.float_info.max, "a number of at least 0")
BOOKMARK = OutputFile(dir_okay=False, writable=True, path_type=Path)
BRANCH = click.Choice([row.name for row in BRANCHES])


@click.command(name="backfill")
@prefix_option
@click.option("--missing", is_flag=True, help="Only masters with missing or stale outputs.")
@click.option("--outdated", is_flag=True, help="Only masters whose outputs were made with older settings.")
@deep_option
@click.option("--branch", type=BRANCH, help="Only this branch, with --missing or --outdated.")
@click.option("--register", "registering", is_flag=True, help="Record pictures from before there were records.")
@click.option("--dry-run", is_flag=True, help="Print the number of masters and the cost; change nothing.")
@click.option("--rate", type=RATE, default=0, help="Maximum number of masters per second; 0 means no limit.")
@click.option("--resume", type=BOOKMARK, help="A file that stores the progress, to continue after an interruption.")
@stack_options
def backfill_command(
    stack: DeployedStack,
    *,
    prefix: str,
    registering: bool,
    dry_run: bool,
    rate: float,
    resume: Path | None,
    as_json: bool,
    **selection: Any,
) -> None:
    """Process masters that are already in the bucket.

    Outputs that are current are not made again.
    """
    check_prefix(stack, prefix)
    if registering:
        for option, given in {"dry_run": dry_run, "rate": rate, "resume": resume, **selection}.items():
            if given:
                name = f"--{option.replace('_', '-')}"
                raise click.UsageError(f"{name}: expected it without --register, got both: remove one")
        count = backfilling.register(stack, prefix)
        report({"recorded": count}, f"{counted(count, 'picture')} recorded.", as_json=as_json)
        return
    bookmark, whole = Bookmark(resume) if resume else None, {"bucket": stack.bucket, "prefix": prefix, **selection}
    work = _selected(stack, prefix, bookmark.read(whole) if bookmark else None, **selection)
    if dry_run:
        plan = BackfillPlan.of(stack, list(work))
        print_json(asdict(plan)) if as_json else print_plan(plan)
        return
    if bookmark:
        work = bookmark.kept(whole, work)
    count = backfilling.backfill(stack, work, per_second=rate)
    report({"jobs": count}, f"{counted(count, 'job')} published.", as_json=as_json)


def _selected(
    stack: DeployedStack,
    prefix: str,
    after: str | None,
    *,
    missing: bool,
    outdated: bool,
    deep: bool,
    branch: str | None,
) -> Iterator[Task]:
    """Return the masters that the options select, starting after the key `after`."""
    states = {*(("missing", "stale") if missing else ()), *(("outdated",) if outdated else ())}
    if states:
        return backfilling.in_state(stack, prefix, states, branch, after, deep=deep)
    for name, given in (("--branch", branch), ("--deep", deep)):
        if given:
            raise click.UsageError(f"{name}: expected --missing or --outdated with it, got neither: add one")
    return backfilling.every(stack, prefix, after)


@click.command(name="sweep")
@prefix_option
@dry_run_option
@stack_options
def sweep_command(stack: DeployedStack, *, prefix: str, dry_run: bool, as_json: bool) -> None:
    """Remove outputs whose master is gone.

    Objects that the pipeline did not write are left alone.
    """
    count = others = 0
    for key, name in orphans(stack, prefix):
        if orphan(stack, key, name) if dry_run else sweep(stack, key, name):
            count += 1
            report({"key": key}, printable(key), as_json=as_json)
        else:
            others += 1
    totals = {"orphans": count, "removed": 0 if dry_run else count, "others": others}
    said = f"{counted(count, 'output')} without a master{', nothing was removed' if dry_run else ' removed'}"
    left = f"; {counted(others, 'object')} of others left alone" if others else ""
    report({"totals": totals}, f"{said}{left}.", as_json=as_json)


@click.command(name="erase")
@click.argument("key", type=S3Key())
@yes_option
@stack_options
def erase_command(stack: DeployedStack, *, key: str, yes: bool, as_json: bool) -> None:
    """Remove a master and everything made from it.

    That is its outputs, reasons, metadata item and record, with all their versions.
    """
    check_master(stack, key)
    if not yes:
        click.confirm(f"Erase {printable(key)} and all its outputs for good?", abort=True, err=as_json)
    erased = erase(stack, key)
    report({"key": key, **erased._asdict()}, _erased(stack, key, erased), as_json=as_json)


def _erased(stack: DeployedStack, key: str, erased: Erased) -> str:
    if not any(erased):
        return printable(f"Nothing was removed: the stack has nothing for {key}{near_keys(stack, key)}.")
    return (
        f"{counted(erased.objects, 'object')} and {counted(erased.items, 'item')} removed.\n"
        "The key remains in the functions' logs until their retention ends, in the tables' backups for 35 days if "
        "the stack has protectData, and wherever its events were sent. Caches such as CloudFront's keep outputs for as "
        "long as cacheControl says."
    )


@click.command(name="events")
@click.option(
    "--replay",
    "keys",
    type=S3Key(),
    multiple=True,
    metavar="KEY",
    help="Send this picture's event again; may be repeated.",
)
@click.option(
    "--since", type=Time(), help="Send the events of all pictures settled since then, such as 2026-11-25T12:00:00Z."
)
@stack_options
def events_command(stack: DeployedStack, *, keys: tuple[str, ...], since: datetime | None, as_json: bool) -> None:
    """Send the events of settled pictures again.

    They have the same ids as before.
    """
    if not keys and not since:
        raise click.UsageError("expected --replay KEY or --since TIME, got neither: name pictures or a time")
    if not stack.events:
        raise click.UsageError("expected a stack that sends events, got one with events: false: set it to true")
    again = [event_of_key(stack, key) for key in keys]
    again += [event_of(record) for record in settled_since(stack, since)] if since else []
    sent = [replay(stack, event) for event in again if event]
    for detail in sent:
        report(detail, printable(detail["id"]), as_json=as_json)
    totals = {"sent": len(sent), "not_settled": len(again) - len(sent)}
    said = f"{counted(totals['sent'], 'event')} sent, {counted(totals['not_settled'], 'picture')} not settled."
    report({"totals": totals}, said, as_json=as_json)


@click.command(name="redrive")
@click.option("--queue", help="Only this failure queue.")
@dry_run_option
@stack_options
def redrive_command(stack: DeployedStack, *, queue: str | None, dry_run: bool, as_json: bool) -> None:
    """Send failed messages back to the queue that they failed in.

    `letters` says why they failed.
    """
    check_queue(stack, queue)
    counts = redriving.waiting(stack, queue)
    if not dry_run:
        counts = {name: redriving.redrive(stack, name) if count else 0 for name, count in counts.items()}
    what = "waiting" if dry_run else "sent_back"
    lines = [f"{counted(sum(counts.values()), 'message')} {'in failure queues' if dry_run else 'sent back'}."]
    lines += [f"{count:6}  {name}" for name, count in counts.items()]
    report({what: counts}, "\n".join(lines), as_json=as_json)


@click.command(name="adopt")
@click.argument("bucket")
@yes_option
@json_option
@click.option("--local", is_flag=True, help="A bucket of the emulator that `python -m local up` keeps running.")
def adopt_command(*, bucket: str, yes: bool, as_json: bool, local: bool) -> None:
    """Let an existing bucket send its events to EventBridge.

    The setting `bucket` needs it. Nothing else about the bucket is changed.
    """
    s3 = connect(None, local=True).client("s3") if local else boto3.client("s3")
    before = notification(s3, bucket)
    click.echo(json.dumps(before, indent=2), err=as_json)
    if not yes:
        click.confirm(f"These are the notifications of {bucket}. Add EventBridge?", abort=True, err=as_json)
    added = add_eventbridge(s3, bucket)
    said = "EventBridge was added." if added else "EventBridge was already on; nothing was changed."
    report({"bucket": bucket, "added": added, "before": before}, said, as_json=as_json)
