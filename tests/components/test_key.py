"""`Key`: who may use it, and that whatever touches an encrypted queue is granted it.

That SQS and SNS are content with these grants is shown by a deployment alone.
"""

import pytest

from components.config import ConfigError
from tests.recording import ACCOUNT, REGION, allowed, arn, recorded, statements

OURS = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
MADE = arn("Key", "new-image-uploaded-key")
WORKERS = ["format-converter", "metadata-extractor", "pixel-resizer"]
KEYS = [("create", MADE), (OURS, OURS)]


def key_actions(function: str, key: str, found: str) -> set[str]:
    """Return what a function may do with a key."""
    policy = recorded(kmsKey=key).mocks.one("RolePolicy", f"{function}-policy").inputs["policy"]
    return {action for action, resource in allowed(policy) if resource == found}


def test_without_a_key_queues_have_sqs_own() -> None:
    """Nothing of KMS is made or granted."""
    mocks = recorded().mocks
    assert mocks.of_type("Key") == []
    assert not any("kms:" in policy.inputs["policy"] for policy in mocks.of_type("RolePolicy"))


@pytest.mark.parametrize(("key", "found"), KEYS)
def test_every_queue_is_encrypted_with_the_key(key: str, found: str) -> None:
    """Work queues and every queue of failures have it, and not SQS's own beside it."""
    queues = recorded(kmsKey=key).mocks.of_type("Queue")
    assert len(queues) == 10
    assert {queue.inputs["kmsMasterKeyId"] for queue in queues} == {found}
    assert not any("sqsManagedSseEnabled" in queue.inputs for queue in queues)


@pytest.mark.parametrize(("key", "found"), KEYS)
def test_the_topic_is_encrypted_with_the_key(key: str, found: str) -> None:
    """A job is no more readable on its way than where it waits."""
    assert recorded(kmsKey=key).mocks.one("Topic", "new-image-uploaded").inputs == {"kmsMasterKeyId": found}


@pytest.mark.parametrize(("key", "found"), KEYS)
@pytest.mark.parametrize("function", WORKERS)
def test_a_worker_may_read_its_messages(function: str, key: str, found: str) -> None:
    """Lambda polls as the worker's role, which must decrypt, and no more."""
    assert key_actions(function, key, found) == {"kms:Decrypt"}


@pytest.mark.parametrize(("key", "found"), KEYS)
def test_the_publisher_may_send(key: str, found: str) -> None:
    """What it publishes and what it failed on is encrypted by its role."""
    assert key_actions("job-publisher", key, found) == {"kms:GenerateDataKey", "kms:Decrypt"}


def test_a_key_of_ones_own_is_not_made() -> None:
    """With a key given, none is made, and its policy is its owner's."""
    assert recorded(kmsKey=OURS).mocks.of_type("Key") == []


def test_the_new_key_is_administered_by_its_account_and_used_by_sns_for_it_alone() -> None:
    """No other account's topics can deliver with it."""
    (key,) = recorded(kmsKey="create").mocks.of_type("Key")
    administer, use = statements(key.inputs["policy"])
    assert administer["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    assert (use["Principal"], use["Action"]) == (
        {"Service": "sns.amazonaws.com"},
        ["kms:GenerateDataKey*", "kms:Decrypt"],
    )
    assert use["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}


def test_the_new_key_rotates() -> None:
    """AWS makes new material each year."""
    assert recorded(kmsKey="create").mocks.one("Key", "new-image-uploaded-key").inputs["enableKeyRotation"] is True


@pytest.mark.parametrize(("stack", "days"), [("dev", 7), ("prod", 30)])
def test_a_key_that_goes_goes_late(stack: str, days: int) -> None:
    """A stack that is not for trying things gets all the time there is to change its mind."""
    key = recorded(stack, kmsKey="create").mocks.one("Key", "new-image-uploaded-key")
    assert key.inputs["deletionWindowInDays"] == days


@pytest.mark.parametrize("text", ["alias/mine", "yes", "arn:aws:kms:eu-central-1:123456789012:alias/mine"])
def test_what_is_no_key_is_refused(text: str) -> None:
    """An alias is no name to grant by."""
    with pytest.raises(ConfigError, match=r"pixelcascade:kmsKey: expected a KMS key's ARN, create"):
        recorded(kmsKey=text)
