"""`Key`: who may use it, and the grants that every user of an encrypted queue needs.

Only a deployment shows whether SQS and SNS accept these grants.
"""

import json

import pytest

from components.config import ConfigError
from tests.recording import ACCOUNT, REGION, WORKERS, allowed, arn, recorded, statements

EXISTING = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
CREATED = arn("Key", "new-image-uploaded-key")
LAST_RESORTS = [*(f"{branch}-undelivered" for branch in WORKERS), "job-publisher-failed"]
KEYS = [("create", CREATED), (EXISTING, EXISTING)]


def key_actions(function: str, key: str, found: str) -> set[str]:
    """Return the actions that a function may perform with a key."""
    policy = recorded(kmsKey=key).mocks.one("RolePolicy", f"{function}-policy").inputs["policy"]
    return {action for action, resource in allowed(policy) if resource == found}


def test_no_kms_key_is_used_by_default() -> None:
    """The stack neither creates a KMS key nor grants its use."""
    mocks = recorded().mocks
    assert mocks.of_type("Key") == []
    assert not any("kms:" in policy.inputs["policy"] for policy in mocks.of_type("RolePolicy"))


@pytest.mark.parametrize(("key", "found"), KEYS)
def test_job_queues_are_encrypted_with_the_key(key: str, found: str) -> None:
    """Work queues and their dead-letter queues use the key instead of SQS's own encryption."""
    queues = [queue for queue in recorded(kmsKey=key).mocks.of_type("Queue") if queue.name not in LAST_RESORTS]
    assert len(queues) == 2 * len(WORKERS)
    assert {queue.inputs["kmsMasterKeyId"] for queue in queues} == {found}
    assert not any("sqsManagedSseEnabled" in queue.inputs for queue in queues)


@pytest.mark.parametrize(("key", "found"), KEYS)
@pytest.mark.parametrize("name", LAST_RESORTS)
def test_the_queues_of_last_resort_do_not_use_the_key(name: str, key: str, found: str) -> None:
    """If the key denies access to SNS or the publisher, the failure queues still accept what failed."""
    queue = recorded(kmsKey=key).mocks.one("Queue", name).inputs
    assert found not in queue.values()
    assert queue["sqsManagedSseEnabled"] is True


@pytest.mark.parametrize(("key", "found"), KEYS)
def test_the_topic_is_encrypted_with_the_key(key: str, found: str) -> None:
    """Jobs are encrypted in the topic as in the queues."""
    assert recorded(kmsKey=key).mocks.one("Topic", "new-image-uploaded").inputs == {"kmsMasterKeyId": found}


@pytest.mark.parametrize(("key", "found"), KEYS)
@pytest.mark.parametrize("function", WORKERS.values())
def test_a_worker_may_decrypt_and_encrypt_messages(function: str, key: str, found: str) -> None:
    """Lambda polls with the worker's role, which must decrypt messages, and encrypt those that the worker publishes."""
    assert key_actions(function, key, found) == {"kms:GenerateDataKey", "kms:Decrypt"}


@pytest.mark.parametrize(("key", "found"), KEYS)
def test_the_publisher_may_encrypt_messages(key: str, found: str) -> None:
    """The publisher's role encrypts both its jobs and its failed events."""
    assert key_actions("job-publisher", key, found) == {"kms:GenerateDataKey", "kms:Decrypt"}


def test_an_existing_key_is_used() -> None:
    """An existing key is used as it is, and no key is created."""
    assert recorded(kmsKey=EXISTING).mocks.of_type("Key") == []


def test_only_this_account_and_its_topics_may_use_a_new_key() -> None:
    """The account administers the key, else nobody could change it; topics of other accounts cannot use it."""
    (key,) = recorded(kmsKey="create").mocks.of_type("Key")
    administer, use = statements(key.inputs["policy"])
    root = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    assert administer == {"Effect": "Allow", "Principal": root, "Action": "kms:*", "Resource": "*"}
    assert (use["Principal"], use["Action"]) == (
        {"Service": "sns.amazonaws.com"},
        ["kms:GenerateDataKey*", "kms:Decrypt"],
    )
    # SNS sends KMS the topic's ARN; that it sends the account, too, is not documented.
    assert use["Condition"] == {"ArnLike": {"aws:SourceArn": f"arn:aws:sns:*:{ACCOUNT}:*"}}


def test_a_new_key_rotates() -> None:
    """AWS rotates the key material each year."""
    assert recorded(kmsKey="create").mocks.one("Key", "new-image-uploaded-key").inputs["enableKeyRotation"] is True


@pytest.mark.parametrize(("stack", "days"), [("dev", 7), ("prod", 30)])
def test_production_has_the_longest_deletion_window_for_keys(stack: str, days: int) -> None:
    """A production stack has the longest deletion window."""
    key = recorded(stack, kmsKey="create").mocks.one("Key", "new-image-uploaded-key")
    assert key.inputs["deletionWindowInDays"] == days


@pytest.mark.parametrize("function", WORKERS.values())
def test_a_worker_may_only_decrypt_with_the_masters_key(function: str) -> None:
    """`masterKmsKey` lets each worker decrypt, and nothing more."""
    policy = recorded(masterKmsKey=EXISTING).mocks.one("RolePolicy", f"{function}-policy").inputs["policy"]
    assert {action for action, resource in allowed(policy) if resource == EXISTING} == {"kms:Decrypt"}


@pytest.mark.parametrize("bucket", [{}, {"bucket": "theirs", "forceDestroy": "false"}], ids=["own", "adopted"])
def test_the_masters_key_is_used_only_through_s3(bucket: dict[str, str]) -> None:
    """The key may protect other data: neither a worker nor an uploader may decrypt those with it."""
    program = recorded(masterKmsKey=EXISTING, **bucket)
    documents = [policy.inputs["policy"] for policy in program.mocks.of_type("RolePolicy")]
    found = [one for text in (*documents, program.outputs["uploaderPolicy"]) for one in json.loads(text)["Statement"]]
    uses = [statement for statement in found if statement["Resource"] == EXISTING]
    condition = {"StringLike": {"kms:ViaService": "s3.*.amazonaws.com*"}}
    # The workers and the uploader; in an adopted bucket the publisher too.
    assert [statement.get("Condition") for statement in uses] == [condition] * (len(WORKERS) + (2 if bucket else 1))


def test_the_publisher_may_not_use_the_masters_key() -> None:
    """The publisher does not read masters: `masterKmsKey` grants it nothing and encrypts no queue."""
    mocks = recorded(masterKmsKey=EXISTING).mocks
    assert EXISTING not in mocks.one("RolePolicy", "job-publisher-policy").inputs["policy"]
    assert not any("kmsMasterKeyId" in queue.inputs for queue in mocks.of_type("Queue"))


@pytest.mark.parametrize("text", ["create", "alias/mine"])
def test_the_masters_key_must_be_an_arn(text: str) -> None:
    """The key must exist already, and a policy cannot grant access by alias."""
    with pytest.raises(ConfigError, match=r"pixelcascade:masterKmsKey: expected a KMS key's ARN, or nothing"):
        recorded(masterKmsKey=text)


@pytest.mark.parametrize("text", ["alias/mine", "yes", "arn:aws:kms:eu-central-1:123456789012:alias/mine"])
def test_an_invalid_key_is_refused(text: str) -> None:
    """A policy cannot grant access by alias."""
    with pytest.raises(ConfigError, match=r"pixelcascade:kmsKey: expected a KMS key's ARN, create"):
        recorded(kmsKey=text)
