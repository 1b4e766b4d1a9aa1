"""Every permission is needed: without it the flow stops, with it the flow goes on.

What the emulator does not enforce is left to the tests of the program: writing logs, and listing, without which
AWS would answer 403 for a missing object (the emulator always says 404). What AWS checks when a trigger, a mapping
or a destination is made, the local deployment checks: `tests/local/test_resources.py` takes those away.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from components.branches import BRANCHES as ROWS
from tests.e2e.conftest import Live, picture, policy_of, until

BRANCHES = {
    "format-converter": "format-conversion",
    "pixel-resizer": "resizing",
    "metadata-extractor": "metadata-extraction",
}
# The answer to a HEAD has no body, so its error has no name.
REFUSALS = ("AccessDenied", "AuthorizationError", "not authorized", "Forbidden")
# Its absence delays retries and stops nothing; see the last test.
DELAYS = {"sqs:ChangeMessageVisibility"}
NOT_ENFORCED = {"logs:CreateLogStream", "logs:PutLogEvents", "s3:ListBucket"}
CHECKED_WHEN_DEPLOYED = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:SendMessage"}


def text() -> bytes:
    """Return what is no picture, and not what any other call returns."""
    return b"no picture " + picture()


@dataclass(frozen=True, kw_only=True)
class Need:
    """What one function needs a permission for: the uploads that take it, under one key, in order.

    To replace what is there takes reading whose it is, so the permission to read outputs is needed by the second.
    """

    function: str
    action: str
    on: str
    uploads: Sequence[Callable[[], bytes]]

    def __str__(self) -> str:
        return f"{self.function} {self.action} {self.on}"


NEEDS = [
    Need(function="job-publisher", action="sns:Publish", on="new-image-uploaded", uploads=[picture]),
    Need(function="format-converter", action="s3:PutObject", on="converted/", uploads=[picture]),
    Need(function="format-converter", action="s3:GetObject", on="converted/", uploads=[picture, picture]),
    Need(function="pixel-resizer", action="s3:PutObject", on="resized/", uploads=[picture]),
    Need(function="pixel-resizer", action="s3:GetObject", on="resized/", uploads=[picture, picture]),
    Need(function="metadata-extractor", action="dynamodb:PutItem", on="pixel-metadata", uploads=[picture]),
    *(Need(function=function, action="s3:GetObject", on="master/", uploads=[picture]) for function in BRANCHES),
    *(Need(function=function, action="s3:PutObject", on="rejected/", uploads=[text]) for function in BRANCHES),
    *(Need(function=function, action="s3:GetObject", on="rejected/", uploads=[text, text]) for function in BRANCHES),
]


def test_no_permission_is_left_out_here(live: Live) -> None:
    """Every action on every resource in the functions' policies stands in the table above, or among the exceptions."""
    granted = {
        (function, action, statement["Resource"])
        for function in live.deployment.names("Function")
        for statement in policy_of(live, function)[2]["Statement"]
        for action in statement["Action"]
        if not action.endswith("Batch")  # The emulator's own: they come and go with the action without it.
        and action not in NOT_ENFORCED | CHECKED_WHEN_DEPLOYED | DELAYS
    }
    taken = {
        (function, action, resource)
        for need in NEEDS
        for function, action, resource in granted
        if (function, action) == (need.function, need.action) and need.on in resource
    }
    assert taken == granted
    assert len(NEEDS) == len(granted)


@pytest.mark.parametrize("need", NEEDS, ids=str)
def test_without_the_permission_the_flow_stops(live: Live, need: Need) -> None:
    """The function is refused, writes nothing, and does its work once it may."""
    key = f"master/{need}.png".replace(":", " ")
    *before, last = [upload() for upload in need.uploads]
    for body in before:
        etag = live.put(key, body)
        until("the first upload is done", done, live, need, key, etag)

    refused = count_refusals(live, need.function)
    with taken_away(live, need):
        etag = live.put(key, last)
        until("the function is refused", lambda: count_refusals(live, need.function) > refused)
        assert not done(live, need, key, etag)
    if need.function == "job-publisher":  # What it failed on went to its own queue: it is called anew, not again.
        etag = live.put(key, last)
    until("the work is done after all", done, live, need, key, etag)


@pytest.mark.parametrize("branch", BRANCHES.values())
def test_without_its_policy_a_queue_gets_nothing(live: Live, branch: str) -> None:
    """The topic delivers to the other branches, and to this one again once the queue lets it in."""
    function = next(function for function, its_branch in BRANCHES.items() if its_branch == branch)
    url = live.deployment.outputs["queues"][branch]
    policy = live.deployment.resource("QueuePolicy", f"{branch}-queue-policy")["policy"]
    sqs, key = live.client("sqs"), f"master/no policy {branch}.png"

    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
    try:
        etag = live.put(key, picture())
        for other in set(BRANCHES) - {function}:
            until(f"{other} is done", left, live, other, key, etag)
        assert not left(live, function, key, etag)
    finally:
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    etag = live.put(key, picture())
    until("the branch is served again", left, live, function, key, etag)


def done(live: Live, need: Need, key: str, etag: str) -> bool:
    """Tell whether the function, or for the publisher every worker, has left something of that state of a master."""
    functions = BRANCHES if need.function == "job-publisher" else [need.function]
    return all(left(live, function, key, etag) for function in functions)


def left(live: Live, function: str, key: str, etag: str) -> bool:
    """Tell whether a worker has left an output or a rejection of that state of a master."""
    layout, branch = live.stack.layout, next(row for row in ROWS if row.name == BRANCHES[function])
    if live.master_etag(layout.rejected_key(key, branch.name)) == etag:
        return True
    if branch.records:
        item = live.item(layout.name(key))
        return item is not None and item["etag"] == {"S": etag}
    return all(live.master_etag(output) == etag for output in live.stack.files(key, branch))


def count_refusals(live: Live, function: str) -> int:
    """Return how often a function has logged that it was refused something."""
    return sum(any(refusal in line for refusal in REFUSALS) for line in live.log(function))


@contextmanager
def taken_away(live: Live, *needs: Need) -> Iterator[None]:
    """Take actions on resources out of one function's policy for a while."""
    role, name, policy = policy_of(live, needs[0].function)
    iam = live.client("iam")

    def put(document: dict[str, Any]) -> None:
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))

    statements = policy["Statement"]
    for need in needs:
        statements = [kept for statement in statements if (kept := without(statement, need))]
    put({**policy, "Statement": statements})
    try:
        yield
    finally:
        put(policy)


def without(statement: dict[str, Any], need: Need) -> dict[str, Any] | None:
    """Return a statement without the action that `need` names, None where nothing is left of it."""
    if need.on not in statement["Resource"]:
        return statement
    # With an action goes the one for batches, which only the emulator has.
    actions = [action for action in statement["Action"] if not action.startswith(need.action)]
    return {**statement, "Action": actions} if actions else None


def test_without_the_permission_a_retry_waits_for_its_queue(live: Live) -> None:
    """A worker that may not choose when a failed message comes again says so, and the message still comes."""
    function, key = "pixel-resizer", "master/no schedule.png"
    failing = Need(function=function, action="s3:PutObject", on="resized/", uploads=[picture])
    unscheduled = Need(function=function, action="sqs:ChangeMessageVisibility", on="resizing-queue", uploads=[picture])
    with taken_away(live, unscheduled, failing):
        live.put(key, picture())
        until(
            "the retry is not scheduled",
            lambda: any("retries were not scheduled" in line for line in live.log(function)),
        )
    until("the work is done after all", live.head, "resized/no schedule/small.jpg")
