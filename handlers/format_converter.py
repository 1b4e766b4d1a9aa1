"""format-converter: one JPEG of each master, as large as the master.

Event: SQS, one job a message.
Environment: see `handlers.settings`.
Writes: `converted/<name>.jpg`.
"""

from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from handlers import imaging, output, worker
from handlers.master import Master
from handlers.settings import Settings


def handler(event: dict[str, Any], context: LambdaContext) -> Mapping[str, Any]:
    """Convert the batch's masters."""
    return worker.process(event, context, convert)


def convert(master: Master, settings: Settings) -> Mapping[str, Any]:
    """Write a master's JPEG."""
    key = settings.layout.converted_key(master.claim.key)
    jpeg = imaging.convert(master.body, reencode=settings.reencode, **output.options(master, settings))
    return output.write(master, settings, {key: jpeg})
