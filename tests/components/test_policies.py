"""Permissions as pure functions; the end-to-end tests show whether they are sufficient."""

import json

import pytest

from components import policies

BUCKET = "arn:aws:s3:::images"
QUEUE = "arn:aws:sqs:eu-central-1:123456789012:queue"
TOPIC = "arn:aws:sns:eu-central-1:123456789012:topic"
TABLE = "arn:aws:dynamodb:eu-central-1:123456789012:table/records"
LOGS = "arn:aws:logs:eu-central-1:123456789012:log-group:logs"


def test_a_document_has_a_version() -> None:
    """Without a version, AWS applies the policy language of 2008."""
    assert json.loads(policies.document([])) == {"Version": "2012-10-17", "Statement": []}


def test_only_one_service_may_assume_a_role() -> None:
    """The trust policy names that service and no other principal."""
    (statement,) = json.loads(policies.assume_by("lambda.amazonaws.com"))["Statement"]
    assert statement == {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }


CONSUME = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility"]

# statement, its actions, its resource
ALLOWED = [
    (policies.write_logs(LOGS), ["logs:CreateLogStream", "logs:PutLogEvents"], f"{LOGS}:*"),
    (policies.consume(QUEUE), CONSUME, QUEUE),
    (policies.send(QUEUE), ["sqs:SendMessage"], QUEUE),
    (policies.publish(TOPIC), ["sns:Publish"], TOPIC),
    (policies.read_objects(BUCKET, "master/"), ["s3:GetObject"], f"{BUCKET}/master/*"),
    (policies.write_objects(BUCKET, "converted/"), ["s3:PutObject", "s3:GetObject"], f"{BUCKET}/converted/*"),
    (policies.write_objects(BUCKET, "no/", "/b.json"), ["s3:PutObject", "s3:GetObject"], f"{BUCKET}/no/*/b.json"),
    (policies.put_items(TABLE), ["dynamodb:PutItem"], TABLE),
]


@pytest.mark.parametrize(("statement", "actions", "resource"), ALLOWED)
def test_a_statement_allows_exactly_its_actions(
    statement: policies.Statement, actions: list[str], resource: str
) -> None:
    """A statement allows exactly its actions on one resource."""
    assert statement == {"Effect": "Allow", "Action": actions, "Resource": resource}


def test_listing_is_allowed_only_under_the_prefixes() -> None:
    """Listing turns a 403 for a missing object into a 404, and is limited to the prefixes."""
    assert policies.tell_missing(BUCKET, ["master/", "rejected/"]) == {
        "Effect": "Allow",
        "Action": ["s3:ListBucket"],
        "Resource": BUCKET,
        "Condition": {"StringLikeIfExists": {"s3:prefix": ["master/*", "rejected/*"]}},
    }


def test_only_one_topic_may_send_to_a_queue() -> None:
    """SNS may send messages for the given topic only."""
    assert policies.deliver(TOPIC, QUEUE) == {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": QUEUE,
        "Condition": {"ArnEquals": {"aws:SourceArn": TOPIC}},
    }


@pytest.mark.parametrize(("service", "actions"), [("s3", "s3:*"), ("sns", "sns:Publish"), ("sqs", "sqs:*")])
def test_plain_http_is_denied_to_everyone(service: str, actions: str) -> None:
    """The deny uses an action that the service's policies accept."""
    assert policies.tls_only(service, "first", "second") == {
        "Effect": "Deny",
        "Principal": "*",
        "Action": actions,
        "Resource": ["first", "second"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
