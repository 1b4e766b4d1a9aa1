"""pixel-resizer: JPEGs of each master at the configured widths.

Event: SQS, one job a message.
Environment: see `handlers.settings`.
Writes: `resized/<name>/<size>.jpg`.
"""

from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from handlers import imaging, output, worker
from handlers.master import Master
from handlers.settings import Settings


def handler(event: dict[str, Any], context: LambdaContext) -> Mapping[str, Any]:
    """Resize the batch's masters."""
    return worker.process(event, context, resize)


def resize(master: Master, settings: Settings) -> Mapping[str, Any]:
    """Write a master's sizes."""
    keys = {size: settings.layout.resized_key(master.claim.key, size) for size in settings.sizes}
    jpegs = imaging.resize(master.body, settings.sizes, enlarge=settings.enlarge, **output.options(master, settings))
    return output.write(master, settings, {keys[size]: jpeg for size, jpeg in jpegs.items()})
