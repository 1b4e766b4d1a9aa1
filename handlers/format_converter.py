"""format-converter: one JPEG of each master, in the master's size.

Event: SQS, one job a message.
Environment: see `handlers.settings`.
Writes: `converted/<name>.jpg`.
"""

from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from handlers import imaging, worker
from handlers.imaging import Picture
from handlers.layout import Layout
from handlers.master import Master
from handlers.output import Files
from handlers.settings import Settings
from handlers.work import Work


def handler(event: dict[str, Any], context: LambdaContext) -> Mapping[str, Any]:
    """Convert the batch's masters."""
    return worker.process(event, context, WORK)


def convert(picture: Picture, _master: Master, settings: Settings) -> Files:
    """Return a master's JPEG."""
    jpeg = imaging.convert(picture, reencode=settings.reencode, **settings.output_options)
    return Files({settings.layout.converted_file: jpeg})


WORK = Work(run=convert, bytes_needed=lambda picture, _: picture.bytes_needed(), files=Layout.converted_key)
