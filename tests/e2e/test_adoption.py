"""A bucket that the stack does not own and that already has a notification: both receive each event."""

import json

from components.config import PROJECT
from components.stack_file import stack_config
from local.cascade import stack_of
from local.deployment import Deployment
from local.emulator import Emulator
from ops.adopt import add_eventbridge
from tests.e2e.conftest import Live, picture, until

BUCKET = "existing-pictures"


def test_an_adopted_bucket_is_processed_and_keeps_its_notification() -> None:
    """The existing notification still fires, special characters in keys work, and a deletion is recorded."""
    with Emulator("us-east-1") as emulator:
        s3, sqs = emulator.client("s3"), emulator.client("sqs")
        s3.create_bucket(Bucket=BUCKET)
        existing_queue = sqs.create_queue(QueueName="existing")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=existing_queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        allow_s3 = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "s3.amazonaws.com"},
                    "Action": "sqs:SendMessage",
                    "Resource": arn,
                }
            ],
        }
        sqs.set_queue_attributes(QueueUrl=existing_queue, Attributes={"Policy": json.dumps(allow_s3)})
        configuration = {"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]}
        s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration=configuration)
        assert add_eventbridge(s3, BUCKET)

        deployment = Deployment(emulator)
        settings = {f"{PROJECT}:bucket": BUCKET, f"{PROJECT}:forceDestroy": "false"}
        deployment.deploy("local", stack_config("local", settings))
        live = Live(deployment=deployment, stack=stack_of(deployment))
        key = "master/2024/a b+ü%.png"
        live.put(key, picture())
        until("the picture is complete", live.settled, key)
        assert live.head("converted/2024/a b+ü%.jpg")
        messages = sqs.receive_message(QueueUrl=existing_queue, MaxNumberOfMessages=10)["Messages"]
        assert any("master/2024" in message["Body"] for message in messages)
        s3.delete_object(Bucket=BUCKET, Key=key)
        until("its deletion is recorded", live.settled, key, "deleted")
