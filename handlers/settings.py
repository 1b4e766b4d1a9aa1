"""A worker's settings, read from its environment."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

from handlers.imaging import Limits
from handlers.job import Layout
from handlers.stack import RecordSettings


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a worker is configured with; all but the first five is the JSON of `SETTINGS`.

    The program's `components/image_worker.py` writes it.
    """

    branch: str
    bucket: str
    queue_url: str
    memory_mb: int
    record: RecordSettings
    layout: Layout
    recipe: str
    jpeg_quality: int
    subsampling: Literal["4:2:0", "4:4:4"]
    background: tuple[int, int, int]
    sizes: Mapping[str, int]
    enlarge: bool
    reencode: Literal["when-needed", "always"]
    salvage: bool
    gps: bool
    cache_control: str
    visibility_timeout_s: int
    limits: Mapping[str, int]

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read the environment.

        Raises: KeyError or TypeError, where the program that deployed the function is not of this version.
        """
        settings = json.loads(environment["SETTINGS"])
        layout, background = Layout(**settings.pop("layout")), tuple(settings.pop("background"))
        del settings["record"]
        return cls(
            branch=environment["BRANCH"],
            bucket=environment["BUCKET"],
            queue_url=environment["QUEUE_URL"],
            memory_mb=int(environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]),
            record=RecordSettings.from_environment(environment),
            recipe=environment["RECIPE"],
            layout=layout,
            background=background,
            **settings,
        )

    @property
    def picture_limits(self) -> Limits:
        """The limits of a picture in this function's memory."""
        return Limits(**self.limits, memory_mb=self.memory_mb)

    @property
    def output_options(self) -> dict[str, Any]:
        """The options that `imaging.convert` and `imaging.resize` share."""
        return {
            "quality": self.jpeg_quality,
            "subsampling": self.subsampling,
            "background": self.background,
            "salvage": self.salvage,
        }
