"""The facts that are recorded of a picture, as values that DynamoDB accepts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

Value = str | int | Decimal | bool


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """Facts from the header; `width` and `height` are as stored, before orientation.

    `gps` is None unless it was requested. Texts have no control characters; numbers are int or Decimal.
    """

    width: int
    height: int
    format: str
    mode: str
    frames: int
    orientation: int
    has_alpha: bool
    icc_profile: str | None = None
    camera_make: str | None = None
    camera_model: str | None = None
    lens_model: str | None = None
    exposure_time_s: Decimal | None = None
    f_number: Decimal | None = None
    iso: int | None = None
    focal_length_mm: Decimal | None = None
    taken_at: str | None = None
    gps: Mapping[str, Value] | None = None
    tags: Mapping[str, Value | list[Value]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def extras(self) -> dict[str, Any]:
        """Return the facts for the item in addition to its six strings, without those that are unknown."""
        facts = {**vars(self), "tags": dict(self.tags), "warnings": list(self.warnings)}
        strings = ("width", "height", "format")
        return {name: value for name, value in facts.items() if name not in strings and value not in (None, {}, [])}
