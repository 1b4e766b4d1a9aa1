"""metadata-extractor: one item in the metadata table for each master, from its headers alone.

Event: SQS, one job a message.
Environment: `TABLE`, and see `handlers.settings`.
Writes: the DynamoDB item `<name>`.
"""

import os
from collections.abc import Mapping
from datetime import UTC
from typing import Any, BinaryIO

from aws_lambda_powertools.utilities.typing import LambdaContext

from handlers import imaging, output, storage, worker
from handlers.errors import RejectedImageError
from handlers.master import Master
from handlers.settings import Settings

READ_BYTES = 1024 * 1024


def handler(event: dict[str, Any], context: LambdaContext) -> Mapping[str, Any]:
    """Record the batch's masters."""
    return worker.process(event, context, extract, whole=False)


def extract(master: Master, settings: Settings) -> Mapping[str, Any]:
    """Write a master's item."""
    limits = output.header_limits(master, settings)
    source = _whole(master.body) if settings.salvage else master.body
    picture = imaging.describe(source, gps=settings.gps, limits=limits)
    name = settings.layout.name(master.claim.key)
    fields = {**picture.extras(), "bucket": master.bucket, "metadata": strings(master, picture)}
    if isinstance(source, bytes) and _salvaged(source, output.options(master, settings)):
        fields["salvaged"] = True
    written = storage.write_record(master, os.environ["TABLE"], name, fields)
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


def _whole(body: BinaryIO) -> bytes:
    """Read a master to its end: whether the end is damaged, no header says."""
    return b"".join(iter(lambda: body.read(READ_BYTES), b""))


def _salvaged(source: bytes, options: Mapping[str, Any]) -> bool:
    """Tell whether the picture is only kept because the stack salvages; one that is refused has no outputs to mark."""
    try:
        return imaging.convert(source, **options).salvaged
    except RejectedImageError:
        return False
