"""Is anything lost under load? With killed workers, failing calls, duplicates, and messages in any order."""

import contextlib
import json
import platform
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from benchmarks import faults as sources
from benchmarks.masters import FAULTS, Upload, uploads
from benchmarks.options import json_option
from benchmarks.outcome import LoadOutcome, assess, assess_records, dead_letters
from components.branches import BRANCHES
from components.config import PROJECT
from components.errors import NOT_AS_EXPECTED
from components.nearest import did_you_mean
from components.stack_file import stack_config
from costs.console import text_console
from local import cascade, results
from local.deployment import Deployment
from local.emulator import Emulator
from local.events import EventQueue
from local.pacing import UploadPacer
from ops.inventory import Inventory
from ops.listing import list_objects
from ops.logs import log_events
from ops.queues import messages
from ops.stack import DeployedStack

TIMEOUT_S = 20
QUIET_S = 4.0
# A killed worker uses up one delivery of every message in its batch.
KILL_ONE_IN = 50
GIVE_UP_S = 900.0
CONFIG = {f"{PROJECT}:timeoutS": str(TIMEOUT_S), f"{PROJECT}:maxReceives": "8", f"{PROJECT}:deletions": "follow"}


@click.command()
@click.option("--images", default=500, type=click.IntRange(1), help="How many pictures to upload.")
@click.option("--faults", "names", default="none", help=f"none, all, or some of {', '.join(FAULTS)}.")
@click.option("--seed", default=1, help="Seed of the random choice of pictures and faults.")
@json_option
def load(images: int, names: str, seed: int, json_file: Path | None) -> None:
    """Upload pictures during faults, and check every outcome.

    Exits 1 if one is lost, stale, mixed, deleted by mistake, without its event, or a dead letter although it is good.
    """
    chosen = _chosen(names)
    figures = run(images, chosen, seed)
    _print(figures)
    if json_file:
        json_file.write_text(json.dumps(figures, indent=2) + "\n")
    if any(figures["named"].values()):
        raise SystemExit(NOT_AS_EXPECTED)


def _chosen(names: str) -> set[str]:
    chosen = {"none": set[str](), "all": set(FAULTS)}.get(names, set(names.split(",")))
    if unknown := chosen - set(FAULTS):
        expected = f"none, all, or some of {', '.join(FAULTS)}, separated by commas"
        wrong = min(unknown)
        raise click.BadParameter(
            f"expected {expected}, got {wrong!r}{did_you_mean(wrong, FAULTS)}: correct it", param_hint="--faults"
        )
    return chosen


def run(images: int, faults: set[str], seed: int) -> dict[str, Any]:
    """Run the pipeline under load and return the figures."""
    planned = list(uploads(images, faults, seed))
    with Emulator("us-east-1") as emulator, contextlib.ExitStack() as around:
        deployment = Deployment(emulator)
        deployment.deploy("local", stack_config("local", CONFIG))
        events = EventQueue(emulator)
        sources.sabotage_workers(deployment)
        proxy = around.enter_context(sources.flaky_s3(deployment, seed)) if "network" in faults else None
        kills = max(3, images // KILL_ONE_IN)
        killed = around.enter_context(sources.killed_workers(deployment, kills, seed)) if "kill" in faults else []
        started = time.monotonic()
        reverse, twice = "reorder" in faults, "duplicates" in faults
        held = sources.held_back(deployment, reverse=reverse, twice=twice)
        with held if reverse or twice else contextlib.nullcontext():
            _send(deployment, planned, seed)
        _wait(cascade.stack_of(deployment))
        seconds = time.monotonic() - started
        figures = _figures(deployment, planned, seconds, {notice.id for notice in events.drain()})
    figures |= {"killed_processes": len(killed), "failed_calls": dict(proxy.faults) if proxy else {}}
    return {"images": images, "faults": sorted(faults), "seed": seed, **figures}


def _send(deployment: Deployment, planned: Sequence[Upload], seed: int) -> None:
    """Upload everything; re-upload or delete some a little later, while their jobs are in flight."""
    stack, chance = cascade.stack_of(deployment), random.Random(seed)  # noqa: S311 no secret
    pacer = UploadPacer(stack)
    again: list[tuple[str, bytes | None]] = []
    for upload in planned:
        key = stack.layout.master + upload.path
        _change(stack, key, upload.contents[0], pacer)
        again += [(key, body) for body in upload.contents[1:]]
        again += [(key, None)] if upload.deleted or upload.recreated else []
        again += [(key, upload.contents[-1])] if upload.recreated else []
        while again and chance.random() < 0.5:  # noqa: PLR2004 some at once, some a while later
            _change(stack, *again.pop(0), pacer)
    for change in again:
        _change(stack, *change, pacer)
    pacer.drain()


def _change(stack: DeployedStack, key: str, body: bytes | None, pacer: UploadPacer) -> None:
    if body is None:
        stack.client("s3").delete_object(Bucket=stack.bucket, Key=key)
    else:
        stack.client("s3").put_object(Bucket=stack.bucket, Key=key, Body=body)
        pacer.pace(key)


def _wait(stack: DeployedStack) -> None:
    """Wait until the branches' queues have been empty, in flight too, for a few seconds."""
    deadline, quiet_since = time.monotonic() + GIVE_UP_S, time.monotonic()
    while time.monotonic() < deadline and time.monotonic() - quiet_since < QUIET_S:
        if messages(stack, stack.queues.values()):
            quiet_since = time.monotonic()
        time.sleep(0.5)


def _figures(deployment: Deployment, planned: Sequence[Upload], seconds: float, ids: set[str]) -> dict[str, Any]:
    stack = cascade.stack_of(deployment)
    present = [key for key, _ in list_objects(stack, stack.layout.master)]
    outcome: LoadOutcome = assess(stack, planned, cascade.accounts(stack, present), dead_letters(stack))
    with Inventory.of(stack) as inventory:
        assess_records(stack, outcome, inventory.records(), ids)
    prefixes = filter(None, (row.prefix_in(stack.layout) for row in BRANCHES))
    return {
        **outcome.counts(),
        "outputs": sum(1 for prefix in prefixes for _ in list_objects(stack, prefix)),
        "records": len(results.records(stack)),
        "retries": _retries(deployment),
        "seconds": round(seconds, 1),
        "images_per_second": round(len(planned) / seconds, 2),
        "functions": results.functions(deployment),
        "cpu_seconds": sources.cpu_seconds(deployment),
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
    }


def _retries(deployment: Deployment) -> int:
    """Return how many records workers reported as failed."""
    logs = deployment.emulator.client("logs")
    return sum(
        '"message":"retry"' in event["message"]
        for group in deployment.log_groups().values()
        for event in log_events(logs, group, filterPattern="retry")
    )


def _print(figures: dict[str, Any]) -> None:
    table = Table(title=f"{figures['images']} uploads", show_header=False)
    for name, value in figures.items():
        if name != "named":
            table.add_row(name.replace("_", " "), str(value))
    console = text_console()
    console.print(table)
    for name, entries in figures["named"].items():
        for entry in entries[:20]:
            console.print(f"{name}: {entry}")
