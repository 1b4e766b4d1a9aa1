"""From the upload of a picture to all of its outputs."""

import io
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from PIL import Image

from components.branches import BRANCHES
from ops.logs import log_group
from tests.e2e.conftest import Live, picture, until


def test_an_uploaded_picture_gets_its_outputs_and_its_record(live: Live) -> None:
    """Each branch writes its output under a name derived from the master's."""
    etag = live.put("master/2024/a b+ü.png", picture(60, 40))
    until("the JPEG is there", live.head, "converted/2024/a b+ü.jpg")
    until("the sizes are there", live.head, "resized/2024/a b+ü/tall.jpg")
    item = until("the record is there", live.item, "2024/a b+ü")

    assert item["etag"] == {"S": etag}
    assert item["metadata"]["M"]["width"] == {"S": "60"}
    body = live.client("s3").get_object(Bucket=live.stack.bucket, Key="resized/2024/a b+ü/small.jpg")["Body"].read()
    assert Image.open(io.BytesIO(body)).size == (40, 27)


def test_a_picture_of_twelve_megapixels_gets_each_size(live: Live) -> None:
    """The configured sizes are widths, and heights keep the aspect ratio."""
    live.put("master/large.png", picture(4000, 3000))
    until("the sizes are there", live.head, "resized/large/tall.jpg")
    for name, size in {"small": (40, 30), "tall": (80, 60)}.items():
        body = live.client("s3").get_object(Bucket=live.stack.bucket, Key=f"resized/large/{name}.jpg")["Body"].read()
        assert Image.open(io.BytesIO(body)).size == size


def test_an_output_has_its_headers_and_names_its_master(live: Live) -> None:
    """The headers give browsers and caches the type and age, and the metadata names the master."""
    etag = live.put("master/headers.png", picture())
    head = until("the JPEG is there", live.head, "converted/headers.jpg")
    assert head["ContentType"] == "image/jpeg"
    assert head["CacheControl"] == live.deployment.config.cache_control
    assert head["Metadata"]["key"] == "master/headers.png"
    assert head["Metadata"]["etag"] == etag


def test_a_file_that_is_not_a_picture_is_rejected_with_a_reason(live: Live) -> None:
    """Each branch writes the reason to where the uploader can read it."""
    live.put("master/letter.jpg", b"Dear reader, this is not a picture.")
    for branch in ("format-conversion", "resizing", "metadata-extraction"):
        key = f"rejected/letter.jpg/{branch}.json"
        until(f"{branch} writes its reason", live.head, key)
        reason = json.loads(live.client("s3").get_object(Bucket=live.stack.bucket, Key=key)["Body"].read())
        assert reason["key"] == "master/letter.jpg"
        assert reason["error"] == "NotAnImageError"


def test_only_one_of_two_masters_with_one_name_is_accepted(live: Live) -> None:
    """Of two masters uploaded at once, one owns the name in all branches; the other gets a single rejection."""
    keys = ["master/twin.png", "master/twin.gif"]
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(live.put, keys, [picture(), picture()]))
    record = until("one of them is complete", lambda: live.settled(keys[0]) or live.settled(keys[1]))
    rejected = next(key for key in keys if key != record.key)
    taken = f"rejected/{rejected.removeprefix('master/')}/name-taken.json"
    until("the other is rejected", live.head, taken)
    for output in ("converted/twin.jpg", "resized/twin/small.jpg", "resized/twin/tall.jpg"):
        head = live.head(output)
        assert head
        assert head["Metadata"]["key"] == record.key
    item = live.item("twin")
    assert item
    assert item["key"] == {"S": record.key}
    reasons = live.client("s3").list_objects_v2(Bucket=live.stack.bucket, Prefix="rejected/twin.")["Contents"]
    assert [reason["Key"] for reason in reasons] == [taken]


def test_a_name_is_free_after_its_owner_is_deleted(live: Live) -> None:
    """`freed.JPG` is deleted and its outputs go; then `freed.jpg` gets the name."""
    live.put("master/freed.JPG", picture())
    until("the first is complete", live.settled, "master/freed.JPG")
    live.client("s3").delete_object(Bucket=live.stack.bucket, Key="master/freed.JPG")
    until("its deletion is recorded", live.settled, "master/freed.JPG", "deleted")
    until("its outputs are gone", lambda: live.head("converted/freed.jpg") is None and live.item("freed") is None)
    live.put("master/freed.jpg", picture())
    until("the second is complete", live.settled, "master/freed.jpg")
    assert live.head("rejected/freed.jpg/name-taken.json") is None


def test_a_rejected_master_gets_the_name_when_its_owner_is_deleted(live: Live) -> None:
    """It is processed without another upload, and its rejection is deleted."""
    live.put("master/successor.png", picture())
    until("the owner is complete", live.settled, "master/successor.png")
    live.put("master/successor.gif", picture())
    until("the second master is rejected", live.head, "rejected/successor.gif/name-taken.json")
    live.client("s3").delete_object(Bucket=live.stack.bucket, Key="master/successor.png")
    until("the second master is complete", live.settled, "master/successor.gif")
    until("its reason is deleted", lambda: live.head("rejected/successor.gif/name-taken.json") is None)


def test_a_good_picture_removes_the_old_rejections(live: Live) -> None:
    """After a bad upload is replaced, each branch deletes its rejection."""
    live.put("master/replaced.png", b"no picture")
    until("it is rejected", live.settled, "master/replaced.png", "rejected")
    live.put("master/replaced.png", picture())
    until("it is complete", live.settled, "master/replaced.png")
    for branch in live.stack.queues:
        key = f"rejected/replaced.png/{branch}.json"
        until(f"{branch}'s reason is deleted", lambda key=key: live.head(key) is None)


def test_a_custom_rule_gets_every_event(live: Live) -> None:
    """A rule delivers rejected, complete and deleted events to a queue, with the keys of the outputs."""
    sqs, events, key = live.client("sqs"), live.client("events"), "master/events.png"
    url = sqs.create_queue(QueueName="my-events")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = {"source": ["pixelcascade"], "detail": {"bucket": [live.stack.bucket]}}
    events.put_rule(Name="mine", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="mine", Targets=[{"Id": "queue", "Arn": arn}])
    found: dict[str, Any] = {}

    def received(what: str) -> Any:
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            event = json.loads(message["Body"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            if event["detail"]["key"] == key:
                found[event["detail-type"]] = event["detail"]
        return found.get(what)

    live.put(key, b"no picture")
    until("the rejection event arrives", received, "Picture rejected")
    live.put(key, picture())
    complete = until("the completion event arrives", received, "Picture complete")
    assert all(live.head(output) for facts in complete["branches"].values() for output in facts.get("outputs", ()))
    live.client("s3").delete_object(Bucket=live.stack.bucket, Key=key)
    until("the deletion event arrives", received, "Picture deleted")


def test_a_versioned_picture_follows_its_current_version(live: Live) -> None:
    """A delete marker deletes the picture and its removal restores it, after an old version was removed."""
    s3, bucket, key = live.client("s3"), live.stack.bucket, "master/versions.png"
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    try:
        old = s3.put_object(Bucket=bucket, Key=key, Body=picture())["VersionId"]
        until("the old version is complete", live.settled, key)
        etag = live.put(key, picture())
        until("the new version is complete", lambda: (record := live.settled(key)) and record.etag == etag)
        s3.delete_object(Bucket=bucket, Key=key, VersionId=old)
        marker = s3.delete_object(Bucket=bucket, Key=key)["VersionId"]
        until("the deletion is recorded", live.settled, key, "deleted")
        s3.delete_object(Bucket=bucket, Key=key, VersionId=marker)
        until("the picture is back", live.settled, key)
        until("its JPEG is back", live.head, "converted/versions.jpg")
    finally:
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})


def test_a_multipart_upload_starts_the_pipeline(live: Live) -> None:
    """The completion of a multipart upload is an event other than Put, and starts the pipeline too."""
    s3, where = live.client("s3"), {"Bucket": live.stack.bucket, "Key": "master/parts.png"}
    upload = s3.create_multipart_upload(**where)["UploadId"]
    part = s3.upload_part(**where, UploadId=upload, PartNumber=1, Body=picture())
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    s3.complete_multipart_upload(**where, UploadId=upload, MultipartUpload=parts)
    until("the JPEG is there", live.head, "converted/parts.jpg")


def test_a_job_published_by_hand_remakes_a_missing_output(live: Live) -> None:
    """A job needs only a bucket and a key."""
    live.put("master/by hand.png", picture())
    until("the picture is complete", live.settled, "master/by hand.png")
    live.client("s3").delete_object(Bucket=live.stack.bucket, Key="converted/by hand.jpg")
    job = json.dumps({"bucket": live.stack.bucket, "key": "master/by hand.png"})
    live.client("sns").publish(TopicArn=live.deployment.outputs["topic"], Message=job)
    until("the JPEG is there again", live.head, "converted/by hand.jpg")


def test_a_queue_has_the_log_group_of_its_function(live: Live) -> None:
    """The log group is found through the event source mapping, for every branch."""
    for row in BRANCHES:
        group = live.deployment.resource("LogGroup", f"{row.module.replace('_', '-')}-logs")["name"]
        assert log_group(live.stack, live.stack.queues[row.name]) == group


def test_a_warm_up_invocation_is_not_counted(live: Live) -> None:
    """The warm-up invocation of each worker logs "kept" on its cold start, and sends no metric."""
    for branch in BRANCHES:
        log = live.log(branch.function_name)
        (kept,) = [line for line in log if '"kept"' in line and "master/warming" in line]
        assert '"cold_start":true' in kept
        assert log.index(kept) < min([number for number, line in enumerate(log) if '"_aws"' in line], default=len(log))
    assert live.record("master/warming") is None
