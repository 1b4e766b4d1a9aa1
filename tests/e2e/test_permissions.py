"""Every permission is needed: the flow stops without it, and continues once it is back.

The tests of the program cover what the emulator does not enforce: writing logs, and listing, without which AWS
answers 403 for a missing object (the emulator always answers 404). `tests/local/test_deployment.py` removes the
permissions that AWS checks on creation of a trigger, a mapping or a destination; the local deployment checks them.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from components.branches import BRANCHES as ROWS
from components.config import StackConfig
from tests.e2e.conftest import Live, picture, policy_of, until

BRANCHES = {row.function_name: row.name for row in ROWS}
# A HEAD response has no body, so its error has no name.
REFUSALS = ("AccessDenied", "AuthorizationError", "not authorized", "Forbidden")
# Without it retries are late, but nothing stops; see the last test.
DELAYS = {"sqs:ChangeMessageVisibility"}
NOT_ENFORCED = {"logs:CreateLogStream", "logs:PutLogEvents", "s3:ListBucket"}
CHECKED_WHEN_DEPLOYED = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:SendMessage"}


def text() -> bytes:
    """Return bytes that are not a picture, and that differ from every other call's."""
    return b"no picture " + picture()


Trigger = Callable[[Live, str], None]
"""An action on a master, by its key."""


def upload(live: Live, key: str) -> None:
    """Upload a new picture."""
    live.put(key, picture())


def upload_text(live: Live, key: str) -> None:
    """Upload a file that is not a picture."""
    live.put(key, text())


def delete(live: Live, key: str) -> None:
    """Delete the master."""
    live.client("s3").delete_object(Bucket=live.stack.bucket, Key=key)


def complete(live: Live, key: str) -> None:
    """Upload a picture, and wait until it is complete."""
    upload(live, key)
    until("the picture is complete", live.settled, key)


def reject(live: Live, key: str) -> None:
    """Upload a file that is not a picture, and wait until it is rejected."""
    upload_text(live, key)
    until("it is rejected", live.settled, key, "rejected")


def twin(key: str) -> str:
    """Return the key of another master with the same name."""
    return key.removesuffix(".png") + ".gif"


def upload_taken_name(live: Live, key: str) -> None:
    """Upload a master whose name is taken, and wait until it is rejected."""
    complete(live, twin(key))
    upload(live, key)
    until("it is rejected", live.head, live.stack.layout.rejected_key(key, "name-taken"))


def complete_twin(live: Live, key: str) -> None:
    """Upload another master with the same name, and wait until it is complete."""
    complete(live, twin(key))


def delete_owner(live: Live, key: str) -> None:
    """Delete the master that owns the name."""
    delete(live, twin(key))


def publish_by_hand(live: Live, key: str) -> None:
    """Publish a job by hand, without a generation."""
    job = json.dumps({"bucket": live.stack.bucket, "key": key})
    live.client("sns").publish(TopicArn=live.deployment.outputs["topic"], Message=job)


@dataclass(frozen=True, kw_only=True)
class Need:
    """A permission that a function needs: `trigger`, after `before`, makes the function use it.

    Replacing an output includes reading its owner, so only a second upload needs the permission to read outputs.
    """

    function: str
    action: str
    on: str
    trigger: Trigger
    before: Sequence[Trigger] = ()

    def __str__(self) -> str:
        return f"{self.function} {self.action} {self.on}"


RECORDS, TAKEN = "/pictures-", "name-taken.json"
PUBLISHER = "job-publisher"
NEEDS = [
    Need(function=PUBLISHER, action="sns:Publish", on="new-image-uploaded", trigger=upload),
    Need(function=PUBLISHER, action="s3:GetObject", on="master/", trigger=upload),
    Need(function=PUBLISHER, action="s3:GetObject", on="converted/", trigger=upload),
    Need(function=PUBLISHER, action="dynamodb:GetItem", on=RECORDS, trigger=upload),
    Need(function=PUBLISHER, action="dynamodb:PutItem", on=RECORDS, trigger=upload),
    Need(function=PUBLISHER, action="events:PutEvents", on="event-bus", trigger=delete, before=[complete]),
    Need(function=PUBLISHER, action="s3:GetObject", on=TAKEN, trigger=upload),
    Need(function=PUBLISHER, action="s3:PutObject", on=TAKEN, trigger=upload, before=[complete_twin]),
    Need(function=PUBLISHER, action="s3:DeleteObject", on=TAKEN, trigger=delete_owner, before=[upload_taken_name]),
    *(
        need
        for row in ROWS
        if (prefix := row.prefix_of(StackConfig()))
        for need in (
            Need(function=row.function_name, action="s3:PutObject", on=prefix, trigger=upload),
            Need(function=row.function_name, action="s3:GetObject", on=prefix, trigger=upload, before=[complete]),
            Need(function=row.function_name, action="s3:DeleteObject", on=prefix, trigger=delete, before=[complete]),
        )
    ),
    Need(function="metadata-extractor", action="dynamodb:PutItem", on="pixel-metadata", trigger=upload),
    Need(
        function="metadata-extractor",
        action="dynamodb:DeleteItem",
        on="pixel-metadata",
        trigger=delete,
        before=[complete],
    ),
    *(
        need
        for function, branch in BRANCHES.items()
        for need in (
            Need(function=function, action="s3:GetObject", on="master/", trigger=upload),
            Need(function=function, action="dynamodb:UpdateItem", on=RECORDS, trigger=upload),
            Need(function=function, action="s3:PutObject", on=f"{branch}.json", trigger=upload_text),
            Need(function=function, action="s3:GetObject", on=f"{branch}.json", trigger=upload_text, before=[reject]),
            Need(function=function, action="s3:DeleteObject", on=f"{branch}.json", trigger=upload, before=[reject]),
        )
    ),
]

# A worker needs these only to reconcile a job published by hand, as the publisher does for every upload. Code and
# statements are the publisher's, which the table covers; `tests/test_program.py` checks each of them.
BY_HAND = {
    *(("sns:Publish", "new-image-uploaded"), ("s3:GetObject", "converted/")),
    *(("dynamodb:GetItem", RECORDS), ("dynamodb:PutItem", RECORDS)),
    *((f"s3:{action}", TAKEN) for action in ("GetObject", "PutObject", "DeleteObject")),
    # The worker that finishes last sends it; another test removes it from all three at once.
    ("events:PutEvents", "event-bus"),
}


def test_every_granted_permission_is_in_the_table(live: Live) -> None:
    """Every action on every resource in the functions' policies is in the table above or among the exceptions."""
    granted = {
        (function, action, statement["Resource"])
        for function in live.deployment.names("Function")
        for statement in policy_of(live, function)[2]["Statement"]
        for action in statement["Action"]
        if not action.endswith("Batch")  # The emulator's own: removed together with the action without `Batch`.
        and action not in NOT_ENFORCED | CHECKED_WHEN_DEPLOYED | DELAYS
    }
    covered = {
        (function, action, resource)
        for need in NEEDS
        for function, action, resource in granted
        if (function, action) == (need.function, need.action) and need.on in resource
    }
    by_hand = {
        (function, action, resource)
        for function, action, resource in granted - covered
        if function != PUBLISHER and any(action == known and on in resource for known, on in BY_HAND)
    }
    assert covered | by_hand == granted
    assert len(NEEDS) == len(covered)


@pytest.mark.parametrize("need", NEEDS, ids=str)
def test_without_the_permission_the_flow_stops(live: Live, need: Need) -> None:
    """The function is refused, and does its work once the permission is back."""
    key = f"master/{need}.png".replace(":", " ").replace("/", " ").replace("master ", "master/", 1)
    for prepare in need.before:
        prepare(live, key)
    refused = count_refusals(live, need.function)
    with revoked(live, need):
        need.trigger(live, key)
        until("the function is refused", lambda: count_refusals(live, need.function) > refused)
    if need.function == PUBLISHER:  # Its failed event is in a queue of its own and is not retried.
        need.trigger(live, key)
    until("the work is done", done, live, key)


def done(live: Live, key: str) -> bool:
    """Return whether a name is settled, without an outdated rejection and without outputs of a deleted master."""
    record = live.record(key)
    if record is None or record.state == "received":
        return False
    taken = live.head(live.stack.layout.rejected_key(record.key, "name-taken")) is not None
    rejected = {name for name, outcome in record.branches.items() if outcome.state == "rejected"}
    reasons = {
        name for name in BRANCHES.values() if live.head(live.stack.layout.rejected_key(record.key, name)) is not None
    }
    outputs = live.head(live.stack.layout.converted_key(key)) or live.item(record.name)
    return not taken and (reasons == rejected or not record.lives) and not (outputs and not record.lives)


def test_a_job_by_hand_needs_access_to_the_records(live: Live) -> None:
    """A worker without access to records cannot do a job without a generation, and does it once it has access."""
    function, key = "pixel-resizer", "master/by hand without permission.png"
    need = Need(function=function, action="dynamodb:GetItem", on=RECORDS, trigger=publish_by_hand)
    complete(live, key)
    refused = count_refusals(live, function)
    with revoked(live, need):
        publish_by_hand(live, key)
        until("the function is refused", lambda: count_refusals(live, function) > refused)
    until("the work is done", done, live, key)


def test_a_picture_stays_received_if_no_worker_may_send_events(live: Live) -> None:
    """If the workers may not send events, the picture stays received, and completes once they may."""
    key, needs = "master/no events.png", {}
    for function in BRANCHES:
        needs[function] = Need(function=function, action="events:PutEvents", on="event-bus", trigger=upload)
    before = {function: count_refusals(live, function) for function in BRANCHES}
    with ExitStack() as away:
        for need in needs.values():
            away.enter_context(revoked(live, need))
        upload(live, key)
        until(
            "a worker is refused",
            lambda: any(count_refusals(live, function) > count for function, count in before.items()),
        )
        record = live.record(key)
        assert record
        assert record.state == "received"
    until("the picture is complete", live.settled, key)


@pytest.mark.parametrize("branch", BRANCHES.values())
def test_a_queue_without_its_policy_gets_no_messages(live: Live, branch: str) -> None:
    """The topic delivers to the other branches, and to this one once the queue's policy is back."""
    function = next(function for function, its_branch in BRANCHES.items() if its_branch == branch)
    url = live.deployment.outputs["queues"][branch]
    policy = live.deployment.resource("QueuePolicy", f"{branch}-queue-policy")["policy"]
    sqs, key = live.client("sqs"), f"master/no policy {branch}.png"

    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
    try:
        etag = live.put(key, picture())
        for other in set(BRANCHES) - {function}:
            until(f"{other} is done", has_result, live, other, key, etag)
        assert not has_result(live, function, key, etag)
    finally:
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    etag = live.put(key, picture())
    until("the branch gets messages again", has_result, live, function, key, etag)


def has_result(live: Live, function: str, key: str, etag: str) -> bool:
    """Return whether a worker has written an output or a rejection for this state of a master."""
    layout, branch = live.stack.layout, next(row for row in ROWS if row.name == BRANCHES[function])
    if live.master_etag(layout.rejected_key(key, branch.name)) == etag:
        return True
    if branch.records:
        item = live.item(layout.name(key))
        return item is not None and item["etag"] == {"S": etag}
    return all(live.master_etag(output) == etag for output in live.stack.files(key, branch))


def count_refusals(live: Live, function: str) -> int:
    """Return how many lines of a function's log report a refusal."""
    return sum(any(refusal in line for refusal in REFUSALS) for line in live.log(function))


@contextmanager
def revoked(live: Live, *needs: Need) -> Iterator[None]:
    """Remove actions on resources from one function's policy for the duration of the context."""
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
    """Return a statement without the action that `need` names, or None if no action is left."""
    if need.on not in statement["Resource"]:
        return statement
    # Removes the batch action with it, which only the emulator has.
    actions = [action for action in statement["Action"] if not action.startswith(need.action)]
    return {**statement, "Action": actions} if actions else None


def test_a_retry_waits_for_its_queue_without_the_permission(live: Live) -> None:
    """A worker that may not change visibility logs it, and the message is still delivered again."""
    function, key = "pixel-resizer", "master/no schedule.png"
    failing = Need(function=function, action="s3:PutObject", on="resized/", trigger=upload)
    unscheduled = Need(function=function, action="sqs:ChangeMessageVisibility", on="resizing-queue", trigger=upload)
    with revoked(live, unscheduled, failing):
        live.put(key, picture())
        until(
            "the retry is not scheduled",
            lambda: any("retries were not scheduled" in line for line in live.log(function)),
        )
    until("the work is done", live.head, "resized/no schedule/small.jpg")
