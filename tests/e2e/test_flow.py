"""A picture goes in at one end and everything that is promised comes out at the other."""

import io
import json

from PIL import Image

from tests.e2e.conftest import Live, picture, until


def test_a_picture_becomes_its_outputs_and_its_record(live: Live) -> None:
    """Each branch leaves what it promises, under names made of the master's own."""
    etag = live.put("master/2024/a b+ü.png", picture(60, 40))
    until("the JPEG is there", live.head, "converted/2024/a b+ü.jpg")
    until("the sizes are there", live.head, "resized/2024/a b+ü/tall.jpg")
    item = until("the record is there", live.item, "2024/a b+ü")

    assert item["etag"] == {"S": etag}
    assert item["metadata"]["M"]["width"] == {"S": "60"}
    body = live.client("s3").get_object(Bucket=live.stack.bucket, Key="resized/2024/a b+ü/small.jpg")["Body"].read()
    assert Image.open(io.BytesIO(body)).size == (40, 27)


def test_a_picture_of_twelve_megapixels_becomes_three_sizes(live: Live) -> None:
    """The worker's own sizes are widths; the heights follow."""
    live.put("master/large.png", picture(4000, 3000))
    until("the sizes are there", live.head, "resized/large/tall.jpg")
    body = live.client("s3").get_object(Bucket=live.stack.bucket, Key="resized/large/small.jpg")["Body"].read()
    assert Image.open(io.BytesIO(body)).size == (40, 30)


def test_an_output_says_what_it_is_and_where_from(live: Live) -> None:
    """Browsers and caches are told the type and the age, operators the master."""
    etag = live.put("master/headers.png", picture())
    head = until("the JPEG is there", live.head, "converted/headers.jpg")
    assert head["ContentType"] == "image/jpeg"
    assert head["CacheControl"] == live.deployment.config.cache_control
    assert head["Metadata"]["key"] == "master/headers.png"
    assert head["Metadata"]["etag"] == etag


def test_what_is_no_picture_is_rejected_with_a_reason(live: Live) -> None:
    """The image's fault is written down where its uploader can read it, by each branch."""
    live.put("master/letter.jpg", b"Dear reader, this is no picture.")
    for branch in ("format-conversion", "resizing", "metadata-extraction"):
        key = f"rejected/letter.jpg/{branch}.json"
        until(f"{branch} says why", live.head, key)
        reason = json.loads(live.client("s3").get_object(Bucket=live.stack.bucket, Key=key)["Body"].read())
        assert reason["key"] == "master/letter.jpg"
        assert reason["error"] == "NotAnImageError"


def test_the_second_master_of_a_name_is_rejected(live: Live) -> None:
    """The first keeps its outputs, whatever comes under its name with another extension."""
    etag = live.put("master/twin.png", picture())
    until("the first's JPEG is there", live.head, "converted/twin.jpg")
    live.put("master/twin.gif", picture())
    until("the second is rejected", live.head, "rejected/twin.gif/format-conversion.json")
    assert live.master_etag("converted/twin.jpg") == etag


def test_a_large_upload_in_parts_is_seen(live: Live) -> None:
    """A multipart upload ends with another event than a put, and starts the pipeline all the same."""
    s3, where = live.client("s3"), {"Bucket": live.stack.bucket, "Key": "master/parts.png"}
    upload = s3.create_multipart_upload(**where)["UploadId"]
    part = s3.upload_part(**where, UploadId=upload, PartNumber=1, Body=picture())
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    s3.complete_multipart_upload(**where, UploadId=upload, MultipartUpload=parts)
    until("the JPEG is there", live.head, "converted/parts.jpg")


def test_a_job_published_by_hand_is_done(live: Live) -> None:
    """A job needs a bucket and a key and nothing else."""
    live.put("master/by hand.png", picture())
    until("the JPEG is there", live.head, "converted/by hand.jpg")
    live.client("s3").delete_object(Bucket=live.stack.bucket, Key="converted/by hand.jpg")
    job = json.dumps({"bucket": live.stack.bucket, "key": "master/by hand.png"})
    live.client("sns").publish(TopicArn=live.deployment.outputs["topic"], Message=job)
    until("the JPEG is there again", live.head, "converted/by hand.jpg")
