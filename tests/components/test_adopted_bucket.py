"""`bucket` in the config: a bucket that the stack does not own, whose settings and notification do not change."""

import json
from typing import Any

import pytest

from components.config import ConfigError, StackConfig
from components.publisher import event_pattern
from components.storage import adopted
from tests.recording import Recording, allowed, arn, recorded

BUCKET = "somebodys-pictures"


@pytest.fixture
def program() -> Recording:
    """Run the program on an existing bucket that sends its events to EventBridge."""
    return recorded("dev", bucket=BUCKET, forceDestroy="false")


def test_the_stack_neither_creates_nor_changes_the_bucket(program: Recording) -> None:
    """The stack has no resource for the bucket, its settings or its notification."""
    kinds = {found.kind for found in program.mocks.resources if found.custom}
    assert not {kind for kind in kinds if kind.startswith("Bucket")}
    assert program.outputs["bucket"] == BUCKET


def test_functions_may_use_the_adopted_bucket(program: Recording) -> None:
    """Their policies name the adopted bucket."""
    policy = program.mocks.one("RolePolicy", "format-converter-policy").inputs["policy"]
    assert ("s3:PutObject", f"arn:aws:s3:::{BUCKET}/converted/*") in allowed(policy)


def test_an_eventbridge_rule_invokes_the_publisher(program: Recording) -> None:
    """Creations and deletions under the prefix invoke the publisher; lifecycle expirations do not."""
    rule = program.mocks.one("EventRule", "job-publisher-rule").inputs
    assert json.loads(rule["eventPattern"]) == event_pattern(BUCKET, "master/")
    target = program.mocks.one("EventTarget", "job-publisher-target").inputs
    assert target["arn"] == arn("Function", "job-publisher")
    assert target["deadLetterConfig"] == {"arn": arn("Queue", "job-publisher-failed")}
    assert target["retryPolicy"] == {"maximumEventAgeInSeconds": 21600, "maximumRetryAttempts": 185}
    assert program.mocks.one("Permission", "job-publisher-permission").inputs["principal"] == "events.amazonaws.com"


def test_only_the_rule_may_send_to_the_failure_queue(program: Recording) -> None:
    """The policy of the failure queue allows this rule and no other."""
    policy = json.loads(program.mocks.one("QueuePolicy", "job-publisher-failed-policy").inputs["policy"])
    (statement,) = (found for found in policy["Statement"] if found["Effect"] == "Allow")
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": arn("EventRule", "job-publisher-rule")}}


@pytest.mark.parametrize("function", ["job-publisher", "format-converter"])
def test_functions_may_write_to_a_bucket_with_default_encryption(function: str) -> None:
    """With `masterKmsKey`, every function that writes to the bucket may use that key."""
    key = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    program = recorded("dev", bucket=BUCKET, forceDestroy="false", masterKmsKey=key)
    policy = program.mocks.one("RolePolicy", f"{function}-policy").inputs["policy"]
    assert {("kms:GenerateDataKey", key), ("kms:Decrypt", key)} <= allowed(policy)


@pytest.mark.parametrize(
    ("settings", "command"),
    [
        ({"versioning": "true"}, f"put-bucket-versioning .* --bucket {BUCKET}"),
        ({"rejectedDays": "1"}, f"put-bucket-lifecycle-configuration .* --bucket {BUCKET}"),
        ({"forceDestroy": "true"}, f"aws s3 rb --force s3://{BUCKET}"),
    ],
)
def test_bucket_settings_are_refused_for_an_adopted_bucket(settings: dict[str, Any], command: str) -> None:
    """The error says how to apply it by hand."""
    values = {f"pixelcascade:{key}": text for key, text in {"bucket": BUCKET, **settings}.items()}
    with pytest.raises(ConfigError, match=command):
        StackConfig.parse(values)


def test_a_bucket_without_eventbridge_is_refused() -> None:
    """The error names the command to run."""
    with pytest.raises(ConfigError, match=f"run `python -m ops adopt {BUCKET}`"):
        adopted(BUCKET, on=False)
    assert adopted(BUCKET, on=True) == BUCKET
