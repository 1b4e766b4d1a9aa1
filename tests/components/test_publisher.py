"""`Publisher`: the function that S3 calls, who may call it, for which events, and where its failures go."""

from tests.recording import ACCOUNT, Recorded, arn, physical, queue_url, recorded


def one(kind: str, name: str, **settings: str) -> Recorded:
    return recorded(**settings).mocks.one(kind, name)


def test_there_is_one_trigger_with_one_rule() -> None:
    """A bucket has one notification configuration, so a second would replace the first."""
    (trigger,) = recorded().mocks.of_type("BucketNotification")
    assert trigger.inputs == {
        "bucket": physical("images"),
        "lambdaFunctions": [
            {
                "lambdaFunctionArn": arn("Function", "job-publisher"),
                "events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"],
                "filterPrefix": "master/",
            }
        ],
    }


def test_the_trigger_covers_every_creation_and_removal() -> None:
    """Multipart uploads and copies are events other than Put; lifecycle expirations do not invoke the function."""
    (rule,) = one("BucketNotification", "job-publisher-trigger").inputs["lambdaFunctions"]
    assert rule["events"] == ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]


def test_the_triggers_prefix_follows_the_setting() -> None:
    """S3 filters by the stack's `masterPrefix`."""
    (rule,) = one("BucketNotification", "job-publisher-trigger", masterPrefix="in/new/").inputs["lambdaFunctions"]
    assert rule["filterPrefix"] == "in/new/"


def test_only_this_accounts_bucket_may_invoke_the_publisher() -> None:
    """The permission names the bucket and the account, because a bucket's ARN does not contain an account."""
    assert one("Permission", "job-publisher-permission").inputs == {
        "action": "lambda:InvokeFunction",
        "function": physical("job-publisher"),
        "principal": "s3.amazonaws.com",
        "sourceArn": arn("Bucket", "images"),
        "sourceAccount": ACCOUNT,
    }


def test_the_permission_exists_before_the_trigger() -> None:
    """S3 rejects a trigger for a function that it may not call."""
    trigger, permission = (
        one("BucketNotification", "job-publisher-trigger"),
        one("Permission", "job-publisher-permission"),
    )
    assert recorded().depends(trigger, on=permission)


def test_an_event_that_fails_three_times_goes_to_a_queue() -> None:
    """After two retries the event goes to a queue instead of being lost."""
    assert one("FunctionEventInvokeConfig", "job-publisher-failures").inputs == {
        "functionName": physical("job-publisher"),
        "maximumRetryAttempts": 2,
        "maximumEventAgeInSeconds": 6 * 3600,
        "destinationConfig": {"onFailure": {"destination": arn("Queue", "job-publisher-failed")}},
    }


def test_the_environment_has_the_topic() -> None:
    """The environment holds the ARN of the fan-out's topic."""
    variables = one("Function", "job-publisher").inputs["environment"]["variables"]
    assert variables["TOPIC_ARN"] == arn("Topic", "new-image-uploaded")


def test_the_queue_of_failed_events_is_exported() -> None:
    """The output lists this queue next to those of the branches, for operators who search for lost pictures."""
    assert recorded().outputs["deadLetterQueues"]["job-publisher-failed"] == queue_url("job-publisher-failed")
