"""A worker's settings, read from its environment."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

from handlers.imaging import Limits
from handlers.job import Layout


@dataclass(frozen=True, kw_only=True)
class Settings:
    """A worker's settings, as the program's `components/image_worker.py` writes them."""

    branch: str
    bucket: str
    layout: Layout
    jpeg_quality: int
    background: tuple[int, int, int]
    sizes: Mapping[str, int]
    enlarge: bool
    reencode: Literal["when-needed", "always"]
    salvage: bool
    gps: bool
    cache_control: str
    limits: Mapping[str, int]
    memory_mb: int

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read the environment.

        Raises: KeyError, where a variable is missing: the function was not deployed by the program.
        """
        red, green, blue = bytes.fromhex(environment["BACKGROUND"].removeprefix("#"))
        return cls(
            branch=environment["BRANCH"],
            bucket=environment["BUCKET"],
            layout=Layout(**json.loads(environment["LAYOUT"])),
            jpeg_quality=int(environment["JPEG_QUALITY"]),
            background=(red, green, blue),
            sizes=json.loads(environment["SIZES"]),
            enlarge=environment["ENLARGE"] == "true",
            reencode="always" if environment["REENCODE"] == "always" else "when-needed",
            salvage=environment["SALVAGE"] == "true",
            gps=environment["GPS"] == "true",
            cache_control=environment["CACHE_CONTROL"],
            limits=json.loads(environment["LIMITS"]),
            memory_mb=int(environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]),
        )

    @property
    def picture_limits(self) -> Limits:
        """The limits of a picture in this function's memory."""
        return Limits(**self.limits, memory_mb=self.memory_mb)

    @property
    def output_options(self) -> dict[str, Any]:
        """The options that `imaging.convert` and `imaging.resize` share."""
        return {"quality": self.jpeg_quality, "background": self.background, "salvage": self.salvage}
