"""A worker's settings, read from its environment."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

from handlers.imaging import Box, Limits
from handlers.layout import Layout
from handlers.stack import RecordSettings


@dataclass(frozen=True, kw_only=True)
class Settings:
    """A worker's settings; from `input_formats` on, they come from the JSON in `SETTINGS`.

    The program's `components/image_worker.py` writes it. `table` is the metadata table, empty for a worker without one.
    """

    branch: str
    queue_url: str
    table: str
    memory_mb: int
    record: RecordSettings
    recipe: str
    input_formats: Sequence[str]
    jpeg_quality: int
    subsampling: Literal["4:2:0", "4:4:4"]
    background: tuple[int, int, int]
    sizes: Mapping[str, int | Box]
    output_formats: Mapping[str, int]
    placeholders: bool
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

        Raises: KeyError or TypeError, if the program that deployed the function is not of this version.
        """
        settings = json.loads(environment["SETTINGS"])
        background, sizes = tuple(settings.pop("background")), settings.pop("sizes")
        del settings["layout"], settings["record"]
        return cls(
            branch=environment["BRANCH"],
            queue_url=environment["QUEUE_URL"],
            table=environment.get("TABLE", ""),
            memory_mb=int(environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]),
            record=RecordSettings.from_environment(environment),
            recipe=environment["RECIPE"],
            background=background,
            sizes={name: Box.parse(size) if isinstance(size, str) else size for name, size in sizes.items()},
            **settings,
        )

    @property
    def bucket(self) -> str:
        """The stack's bucket."""
        return self.record.bucket

    @property
    def layout(self) -> Layout:
        """Where objects are in it."""
        return self.record.layout

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
