"""Upload masters to the deployed program, and wait until each is accounted for."""

import mimetypes
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from handlers.reconcile import NAME_TAKEN
from local.deployment import Deployment
from local.masters import opened
from local.pacing import UploadPacer
from ops.audit import Account, audit
from ops.inventory import Inventory
from ops.queues import messages
from ops.stack import DeployedStack

SHORTEST_POLL_S = 0.2
# How long an upload may take to become a message in a queue.
IDLE_S = 20


def stack_of(deployment: Deployment) -> DeployedStack:
    """Return the deployed stack as `ops` represents it."""
    return DeployedStack.from_outputs(deployment.outputs, deployment.emulator.client)


def upload(
    deployment: Deployment, masters: Mapping[str, Path], advance: Callable[[], None], look: Callable[[], None]
) -> dict[str, float]:
    """Upload files by key; return the time of each in seconds since 1970.

    `advance` is called after each, and `look` while the next must wait.

    Raises: NoMastersError, if a file is no longer there.
    """
    stack = stack_of(deployment)
    pacer, times = UploadPacer(stack, look), dict[str, float]()
    for key, file in masters.items():
        content_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        with opened(file) as body:
            stack.client("s3").put_object(Bucket=stack.bucket, Key=key, Body=body, ContentType=content_type)
        times[key] = time.time()
        pacer.pace(key)
        advance()
    return times


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How many masters and messages are done.

    `settled` masters have a settled record, or a reason that their name is taken; `pieces` counts them and all
    branches' outcomes; `waiting` counts the messages in the branches' queues, including those in flight; `dead` counts
    the dead letters.
    """

    settled: int
    pieces: int
    waiting: int
    dead: int


def wait(
    deployment: Deployment,
    masters: Sequence[str],
    advance: Callable[[int], None],
    look: Callable[[], None],
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Wait until every master is settled, or until nothing more can come.

    Nothing can come if no message waits, or if nothing has changed for longer than a queue hides a message. `advance`
    is called with the number of settled masters, and `look` each time; `pause` waits for at most so many seconds.
    """
    stack = stack_of(deployment)
    before, changed = None, time.monotonic()
    while True:
        started = time.monotonic()
        now = _progress(stack, deployment, masters)
        advance(now.settled)
        look()
        if now != before:
            before, changed = now, time.monotonic()
        patience_s = deployment.config.visibility_timeout_s + IDLE_S if now.waiting else IDLE_S
        given_up = not now.waiting and now.dead >= len(masters) - now.settled > 0
        if given_up or now.settled == len(masters) or time.monotonic() - changed > patience_s:
            return
        # Looking takes at most a fifth of the time, because the functions need the processor.
        pause(max(SHORTEST_POLL_S, 4 * (time.monotonic() - started)))


def accounts(stack: DeployedStack, masters: Iterable[str]) -> list[Account]:
    """Return what became of each master, as `ops audit` reports it."""
    found = {account.key: account for account in audit(stack)}
    return [found[key] for key in masters]


def _progress(stack: DeployedStack, deployment: Deployment, masters: Sequence[str]) -> Progress:
    with Inventory.of(stack, outputs=False) as inventory:
        records = list(inventory.records())
        owners = {record.key for record in records if record.settled}
        settled = sum(key in owners or inventory.has(stack.layout.rejected_key(key, NAME_TAKEN)) for key in masters)
    return Progress(
        settled=settled,
        pieces=sum(len(record.branches) for record in records) + settled,
        waiting=messages(stack, deployment.outputs["queues"].values()),
        dead=messages(stack, deployment.outputs["deadLetterQueues"].values()),
    )
