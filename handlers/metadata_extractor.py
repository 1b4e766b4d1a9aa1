"""metadata-extractor: one item in the metadata table for each master, from its headers alone.

Event: SQS, one job a message.
Environment: `TABLE`, and see `handlers.settings`.
Writes: the DynamoDB item `<name>`.
"""

import os
from collections.abc import Mapping
from datetime import UTC
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from handlers import imaging, output, storage, worker
from handlers.master import Master
from handlers.settings import Settings


def handler(event: dict[str, Any], context: LambdaContext) -> Mapping[str, Any]:
    """Record the batch's masters."""
    return worker.process(event, context, extract, whole=False)


def extract(master: Master, settings: Settings) -> Mapping[str, Any]:
    """Write a master's item."""
    picture = imaging.describe(master.body, gps=settings.gps, limits=output.header_limits(master, settings))
    name = settings.layout.name(master.claim.key)
    written = storage.write_record(
        master,
        os.environ["TABLE"],
        name,
        {**picture.extras(), "bucket": master.bucket, "metadata": strings(master, picture)},
    )
    return {
        "written": written,
        "bytes_in": master.size_bytes,
        "bytes_fetched": master.fetched_bytes,
        "pixels": picture.width * picture.height,
    }


def strings(master: Master, picture: imaging.Metadata) -> dict[str, str]:
    """Return the six fields that every record has, as strings; the time is S3's, as RFC 3339."""
    return {
        "width": str(picture.width),
        "height": str(picture.height),
        "format": picture.format,
        "file_size": str(master.size_bytes),
        "file_name": master.claim.key.rpartition("/")[2],
        "last_modified": master.last_modified.astimezone(UTC).isoformat().replace("+00:00", "Z"),
    }
