"""pixel-resizer: pictures of each master at the configured widths.

Event: SQS, one job a message.
Environment: see `handlers.settings`.
Writes: `resized/<name>/<size>.jpg`, and the further formats that are smaller.
"""

from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from handlers import imaging, worker
from handlers.imaging import Picture
from handlers.imaging.further import encoder_bytes
from handlers.imaging.limits import area
from handlers.layout import Layout
from handlers.master import Master
from handlers.output import Files
from handlers.settings import Settings
from handlers.work import Work


def handler(event: dict[str, Any], context: LambdaContext) -> Mapping[str, Any]:
    """Resize the batch's masters."""
    return worker.process(event, context, WORK)


def resize(picture: Picture, master: Master, settings: Settings) -> Files:
    """Return a master's sizes."""
    try:
        focus = imaging.focus_of(master.focal_point)
    except ValueError as error:
        focus = imaging.focus_of(None)
        picture.warnings.append(f"the focal point was ignored: {error}")
    jpegs = imaging.resize(
        picture,
        settings.sizes,
        enlarge=settings.enlarge,
        focus=focus,
        further=settings.output_formats,
        placeholder=settings.placeholders,
        **settings.output_options,
    )
    return Files({settings.layout.resized_file(size): jpeg for size, jpeg in jpegs.items()})


def bytes_needed(picture: Picture, settings: Settings) -> int:
    """Return the peak memory, in bytes, that a picture's sizes need."""
    sizes = imaging.output_sizes(picture, settings.sizes, enlarge=settings.enlarge)
    return picture.bytes_needed(area(sizes.values()), encoder_bytes(sizes.values(), settings.output_formats))


WORK = Work(run=resize, bytes_needed=bytes_needed, files=Layout.resized_folder)
