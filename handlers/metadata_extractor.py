"""metadata-extractor: one item in the metadata table for each master, made from its header.

Event: SQS, one job a message.
Environment: `TABLE`, and see `handlers.settings`.
Writes: the DynamoDB item `<name>`.
"""

from collections.abc import Mapping
from datetime import UTC
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from handlers import imaging, worker
from handlers.errors import ImageTooLargeError, RejectedImageError
from handlers.imaging import Picture
from handlers.master import Master
from handlers.output import Item
from handlers.settings import Settings
from handlers.work import Work


def handler(event: dict[str, Any], context: LambdaContext) -> Mapping[str, Any]:
    """Record the batch's masters."""
    return worker.process(event, context, WORK)


def extract(picture: Picture, master: Master, settings: Settings) -> Item:
    """Return a master's item."""
    facts = imaging.describe(picture, gps=settings.gps)
    fields = {**facts.extras(), "bucket": master.bucket, "metadata": strings(master, facts)}
    if settings.salvage and _is_damaged(picture):
        fields["salvaged"] = True
    details = {"bytes_fetched": master.fetched_bytes, "pixels": facts.width * facts.height}
    return Item(fields=fields, details=details)


def strings(master: Master, facts: imaging.Metadata) -> dict[str, str]:
    """Return the six fields that every item has, as strings; the time is S3's, in RFC 3339."""
    return {
        "width": str(facts.width),
        "height": str(facts.height),
        "format": facts.format,
        "file_size": str(master.size_bytes),
        "file_name": master.key.rpartition("/")[2],
        "last_modified": master.last_modified.astimezone(UTC).isoformat().replace("+00:00", "Z"),
    }


def bytes_needed(picture: Picture, settings: Settings) -> int:
    """Return 0, or the bytes for decoding if the stack salvages: only decoding shows whether the end is damaged."""
    try:
        return picture.bytes_needed() if settings.salvage else 0
    except ImageTooLargeError:
        return 0  # Its header is still recorded.


def _is_damaged(picture: Picture) -> bool:
    """Return whether the picture has outputs only because it is salvaged; a rejected picture has none."""
    try:
        picture.read()
        return picture.damage() is not None
    except RejectedImageError:
        return False


WORK = Work(run=extract, bytes_needed=bytes_needed, whole=False)
