"""The deployed program at work: upload masters, and wait until each is accounted for."""

import mimetypes
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from components.branches import BRANCHES, ImageBranch
from handlers.errors import NameTooLongError
from local.deployment import Deployment
from local.failures import Failure, FailureWatch
from local.pacing import UploadPacer
from ops.audit import Account, account, list_objects
from ops.stack import DeployedStack

AUDIT_THREADS = 8
SHORTEST_POLL_S = 0.2
# How long an upload may be on its way to the queues without being seen.
IDLE_S = 20


def stack_of(deployment: Deployment) -> DeployedStack:
    """Return the deployed stack as the `ops` commands see it."""
    return DeployedStack.from_outputs(deployment.outputs, deployment.emulator.client)


def upload(deployment: Deployment, masters: Mapping[str, Path], advance: Callable[[], None]) -> None:
    """Upload files by key; `advance` is called after each."""
    stack, pacer = stack_of(deployment), UploadPacer(deployment)
    for key, file in masters.items():
        content_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        stack.client("s3").upload_file(str(file), stack.bucket, key, ExtraArgs={"ContentType": content_type})
        pacer.pace()
        advance()


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far the masters are.

    `settled` have something from every branch; `pieces` are the outputs, records and rejections so far; `waiting`
    are messages in the branches' queues, in flight too; `dead` those in the dead-letter queues.
    """

    settled: int
    pieces: int
    waiting: int
    dead: int


def wait(
    deployment: Deployment,
    masters: Sequence[str],
    advance: Callable[[int], None],
    failed: Callable[[Failure], None] = lambda _: None,
) -> None:
    """Wait until every master has something from each branch, or until nothing more can come.

    Nothing can where no message waits, and where all those that wait are hidden longer than their queue hides them.
    `advance` is called with the number of masters that have settled, `failed` with the first failure of each kind.
    """
    stack = stack_of(deployment)
    watch = FailureWatch(logs=deployment.emulator.client("logs"), groups=deployment.log_groups())
    before, changed = None, time.monotonic()
    while True:
        started = time.monotonic()
        now = _progress(stack, deployment, masters)
        advance(now.settled)
        for failure in watch.news():
            failed(failure)
        if now != before:
            before, changed = now, time.monotonic()
        patience_s = deployment.config.visibility_timeout_s + IDLE_S if now.waiting else IDLE_S
        given_up = not now.waiting and now.dead >= len(masters) - now.settled > 0
        if given_up or now.settled == len(masters) or time.monotonic() - changed > patience_s:
            return
        # Looking costs time that the functions want: at most a fifth of it.
        time.sleep(max(SHORTEST_POLL_S, 4 * (time.monotonic() - started)))


def accounts(stack: DeployedStack, masters: Iterable[str]) -> list[Account]:
    """Return what became of each master, by the audit that `ops` makes."""
    etags = dict(list_objects(stack, stack.layout.master))
    with ThreadPoolExecutor(AUDIT_THREADS) as threads:
        return list(threads.map(lambda key: account(stack, key, etags[key]), masters))


def _progress(stack: DeployedStack, deployment: Deployment, masters: Sequence[str]) -> Progress:
    pieces = {key for prefix in stack.prefixes() for key, _ in list_objects(stack, prefix)}
    scan = stack.client("dynamodb").get_paginator("scan").paginate
    names = {"ProjectionExpression": "#name", "ExpressionAttributeNames": {"#name": "name"}}
    recorded = {item["name"]["S"] for page in scan(TableName=stack.table, **names) for item in page["Items"]}
    return Progress(
        settled=sum(_settled(stack, key, pieces, recorded) for key in masters),
        pieces=len(pieces) + len(recorded),
        waiting=messages(stack, deployment.outputs["queues"].values()),
        dead=messages(stack, deployment.outputs["deadLetterQueues"].values()),
    )


def _settled(stack: DeployedStack, key: str, pieces: set[str], recorded: set[str]) -> bool:
    """Tell whether every branch has left something for a master, whether or not it is the right thing."""
    return all(
        stack.layout.rejected_key(key, branch.name) in pieces
        or ((not branch.records or stack.layout.name(key) in recorded) and _made(stack, key, branch, pieces))
        for branch in BRANCHES
    )


def _made(stack: DeployedStack, key: str, branch: ImageBranch, pieces: set[str]) -> bool:
    """Tell whether a branch's files are there; those whose keys S3 would not take never are."""
    try:
        return pieces.issuperset(stack.files(key, branch))
    except NameTooLongError:
        return False


def messages(stack: DeployedStack, urls: Iterable[str]) -> int:
    """Return how many messages are in some queues, in flight too."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = (stack.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names) for url in urls)
    return sum(int(count) for answer in attributes for count in answer["Attributes"].values())
