"""Crops: cut around the master's focal point, and cut again when it changes."""

import io
import json

from PIL import Image

from components.config import PROJECT
from tests.e2e.conftest import Live, deployed, until

KEY, CROP = "master/wide.png", "resized/wide/square.jpg"


def side(live: Live) -> str | None:
    """Return the side of the picture that the crop shows, or None if there is no crop."""
    if live.head(CROP) is None:
        return None
    body = live.client("s3").get_object(Bucket=live.stack.bucket, Key=CROP)["Body"].read()
    pixel = Image.open(io.BytesIO(body)).getpixel((20, 20))
    assert isinstance(pixel, tuple)
    return "left" if pixel[0] > pixel[2] else "right"


def test_changing_only_the_focal_point_remakes_the_crop() -> None:
    """S3 keeps the ETag of such a copy, but the pipeline still detects the change."""
    image = Image.new("RGB", (200, 50), "red")
    image.paste("blue", (100, 0, 200, 50))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    with deployed({f"{PROJECT}:sizes": json.dumps(["square=40x40", "plain=50"])}) as live:
        s3, bucket = live.client("s3"), live.stack.bucket
        s3.put_object(Bucket=bucket, Key=KEY, Body=buffer.getvalue(), Metadata={"focal-point": "0.1,0.5"})
        until("the picture is complete", live.settled, KEY)
        assert side(live) == "left"
        s3.copy_object(
            Bucket=bucket,
            Key=KEY,
            CopySource={"Bucket": bucket, "Key": KEY},
            MetadataDirective="REPLACE",
            Metadata={"focal-point": "0.9,0.5"},
        )
        until("the crop shows the other side", lambda: side(live) == "right")
        until("the picture is complete again", live.settled, KEY)
