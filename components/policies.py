"""Every permission of the program: pure functions from ARNs to IAM statements and policies.

`image_worker.py`, `picture_record.py`, `branch.py` and `publisher.py` say which function gets which.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Statement = Mapping[str, Any]


def document(statements: Iterable[Statement]) -> str:
    """Return the JSON of a policy that holds `statements`."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def assume_by(service: str) -> str:
    """Return the trust policy of a role that only `service` may assume."""
    return document([{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}])


def write_logs(log_group_arn: str) -> Statement:
    """Let a function write to its own log group, which exists already."""
    return _allow(["logs:CreateLogStream", "logs:PutLogEvents"], f"{log_group_arn}:*")


def trace() -> Statement:
    """Let a function write traces.

    The resource is a wildcard, because X-Ray has none to name for these actions.
    Source: Service Authorization Reference, AWS X-Ray.
    """
    return _allow(["xray:PutTraceSegments", "xray:PutTelemetryRecords"], "*")


def consume(queue_arn: str) -> Statement:
    """Let Lambda poll a queue for a function, and the function choose when a failed message comes again.

    Source: Lambda's developer guide, "Using Lambda with Amazon SQS", execution role permissions.
    """
    return _allow(
        ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility"], queue_arn
    )


def send(queue_arn: str) -> Statement:
    """Let Lambda put what a function failed on into a queue."""
    return _allow(["sqs:SendMessage"], queue_arn)


def publish(topic_arn: str) -> Statement:
    """Let a function publish to a topic, in batches too."""
    return _allow(["sns:Publish"], topic_arn)


def read_objects(bucket_arn: str, prefix: str) -> Statement:
    """Let a function read the objects below a prefix."""
    return _allow(["s3:GetObject"], f"{bucket_arn}/{prefix}*")


def write_objects(bucket_arn: str, prefix: str, suffix: str = "") -> Statement:
    """Let a function write the objects below a prefix that end in `suffix`, and read who owns them."""
    return _allow(["s3:PutObject", "s3:GetObject"], f"{bucket_arn}/{prefix}*{suffix}")


def delete_objects(bucket_arn: str, prefix: str, suffix: str = "") -> Statement:
    """Let a function delete the objects below a prefix that end in `suffix`."""
    return _allow(["s3:DeleteObject"], f"{bucket_arn}/{prefix}*{suffix}")


def tell_missing(bucket_arn: str, prefixes: Sequence[str]) -> Statement:
    """Let S3 answer a read of a missing object with 404 instead of 403.

    `IfExists`, because a read carries no prefix: with a plain condition it would never hold.
    Source: S3's API reference, GetObject, permissions.
    """
    condition = {"StringLikeIfExists": {"s3:prefix": [f"{prefix}*" for prefix in prefixes]}}
    return {**_allow(["s3:ListBucket"], bucket_arn), "Condition": condition}


def upload(bucket_arn: str, prefix: str) -> Statement:
    """Let an uploader put masters below a prefix, large ones in parts, and nothing else."""
    return _allow(["s3:PutObject", "s3:AbortMultipartUpload"], f"{bucket_arn}/{prefix}*")


def serve_objects(bucket_arn: str, prefixes: Sequence[str], distribution_arn: str) -> Statement:
    """Let one CloudFront distribution read the objects below some prefixes (a statement of the bucket's policy).

    Source: CloudFront's developer guide, "Restrict access to an Amazon S3 origin".
    """
    return {
        "Effect": "Allow",
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Action": "s3:GetObject",
        "Resource": [f"{bucket_arn}/{prefix}*" for prefix in prefixes],
        "Condition": {"StringEquals": {"AWS:SourceArn": distribution_arn}},
    }


def put_items(table_arn: str) -> Statement:
    """Let a function write items, conditionally too."""
    return _allow(["dynamodb:PutItem"], table_arn)


def delete_items(table_arn: str) -> Statement:
    """Let a function delete items, conditionally too."""
    return _allow(["dynamodb:DeleteItem"], table_arn)


def keep_records(table_arn: str, *, settle: bool) -> Statement:
    """Let a function read and begin pictures' records and, with `settle`, write the outcome of its work into them."""
    settling = ["dynamodb:UpdateItem"] if settle else []
    return _allow(["dynamodb:GetItem", "dynamodb:PutItem", *settling], table_arn)


def send_events(table_arn: str) -> Statement:
    """Let a function send events to the default bus of the account and region that a table is in."""
    _, partition, _, region, account, _ = table_arn.split(":", 5)
    return _allow(["events:PutEvents"], f"arn:{partition}:events:{region}:{account}:event-bus/default")


def decrypt(key_arn: str) -> Statement:
    """Let a function read what a key has encrypted."""
    return _allow(["kms:Decrypt"], key_arn)


def encrypt(key_arn: str) -> Statement:
    """Let a function send what a key encrypts.

    Source: SQS's developer guide, "Key management", least-privilege permissions of a producer.
    """
    return _allow(["kms:GenerateDataKey", "kms:Decrypt"], key_arn)


def through_s3(use: Statement) -> Statement:
    """Restrict the use of a key to what S3 asks for on behalf of the caller, because the key may protect other data.

    Source: KMS's developer guide, condition keys, `kms:ViaService`; in China, service names end in `.cn`.
    """
    return {**use, "Condition": {"StringLike": {"kms:ViaService": "s3.*.amazonaws.com*"}}}


def use_key(partition: str, account: str) -> list[Statement]:
    """Let an account administer a key, and SNS use it for that account's topics (statements of the key's policy).

    The topics are known by `aws:SourceArn`, as in the statements of the AWS CDK: SNS is not documented to send KMS
    `aws:SourceAccount`, and EventBridge does not send it. The resource is a wildcard, because in a key's policy it
    means that key and nothing else.
    Source: KMS's developer guide, "Key policies", resource element; "Default key policy" for the account's statement;
    SNS's developer guide, "Key management"; the CDK's feature flag aws-sns-subscriptions:restrictSqsDescryption.
    """
    administrators = {"AWS": f"arn:{partition}:iam::{account}:root"}
    return [
        {"Effect": "Allow", "Principal": administrators, "Action": "kms:*", "Resource": "*"},
        {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": ["kms:GenerateDataKey*", "kms:Decrypt"],
            "Resource": "*",
            "Condition": {"ArnLike": {"aws:SourceArn": f"arn:{partition}:sns:*:{account}:*"}},
        },
    ]


def notify(topic_arn: str, account: str) -> Statement:
    """Let the alarms of an account, and no other's, publish to a topic (a statement of the topic's policy)."""
    return {
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": topic_arn,
        "Condition": {"StringEquals": {"aws:SourceAccount": account}},
    }


def deliver(source_arn: str, queue_arn: str, service: str = "sns") -> Statement:
    """Let one topic, or another service's source, deliver into a queue (a statement of the queue's policy)."""
    return {
        "Effect": "Allow",
        "Principal": {"Service": f"{service}.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": source_arn}},
    }


def tls_only(service: str, *resource_arns: str) -> Statement:
    """Deny requests without TLS; `service` is `s3`, `sns` or `sqs`.

    The wildcards are the point: a deny covers every principal and action.
    """
    return {
        "Effect": "Deny",
        "Principal": "*",
        "Action": _TLS_ACTIONS[service],
        "Resource": list(resource_arns),
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def no_customer_keys(bucket_arn: str) -> Statement:
    """Deny uploads that are encrypted with a key of the uploader's (SSE-C), which no worker could read.

    Source: S3's user guide, "Using server-side encryption with customer-provided keys", restricting SSE-C.
    """
    return {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": f"{bucket_arn}/*",
        "Condition": {"Null": {"s3:x-amz-server-side-encryption-customer-algorithm": "false"}},
    }


# SNS refuses `sns:*` in a topic's policy. Source: SNS's developer guide, topic policy actions.
_TLS_ACTIONS = {"s3": "s3:*", "sns": "sns:Publish", "sqs": "sqs:*"}


def _allow(actions: Sequence[str], resource: str) -> Statement:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource}
