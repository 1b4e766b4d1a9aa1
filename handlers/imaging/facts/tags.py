"""EXIF values for DynamoDB: text without control characters, exact numbers, no binary data."""

from decimal import Decimal
from math import isfinite
from typing import Any

from PIL.ExifTags import TAGS
from PIL.ExifTags import Base as Tag

from .directories import Rational
from .exif import Exif, decoded_text
from .metadata import Value

MAX_TAGS = 200
MAX_TEXT_BYTES = 1_024
MAX_LIST = 32
MAX_TAGS_BYTES = 40_000
_DIGITS = 12
# Binary structures, any of which may have a position.
_POINTERS = {Tag.ExifOffset, Tag.GPSInfo, Tag.ExifInteroperabilityOffset, Tag.SubIFDs}
_BLOCKS = {Tag.XMLPacket, Tag.IPTCNAA, Tag.ImageResources, Tag.InterColorProfile}
_LEFT_OUT = _POINTERS | _BLOCKS | {Tag.MakerNote, Tag.UserComment, Tag.PrintImageMatching}
_WINDOWS_TEXTS = range(0x9C9B, 0x9CA0)


def text(value: Any, limit: int = MAX_TEXT_BYTES) -> str | None:
    """Return readable text of at most `limit` bytes, or None if there is none."""
    if not isinstance(value, bytes):
        return None
    return clean(decoded_text(value.split(b"\0", 1)[0]), limit)


def clean(value: str, limit: int = MAX_TEXT_BYTES) -> str | None:
    """Return the text without unprintable characters, at most `limit` bytes of UTF-8."""
    printable = "".join(c if c.isprintable() else " " for c in value.strip()[:limit]).strip()
    return printable.encode("utf-8", "ignore")[:limit].decode("utf-8", "ignore").strip() or None


def number(value: Any) -> int | Decimal | None:
    """Return the first number of a value, exact or to 12 digits; None for 1/0, NaN or infinity."""
    first = value[0] if isinstance(value, tuple) and value else value
    if isinstance(first, Rational):
        if not first.denominator:
            return None
        return _rounded(Decimal(first.numerator) / Decimal(first.denominator))
    if isinstance(first, float):
        return _rounded(Decimal(repr(first))) if isfinite(first) and _storable(first) else None
    return first if isinstance(first, int) and not isinstance(first, bool) else None


def further_tags(exif: Exif) -> dict[str, Value | list[Value]]:
    """Return the known, readable tags of the image and photo directories by name, limited in number and size."""
    found: dict[str, Value | list[Value]] = {}
    room = MAX_TAGS_BYTES
    for tag, raw in [*exif.image.items(), *exif.photo.items()]:
        name = TAGS.get(tag)
        value = None if name is None or tag in _LEFT_OUT or tag in exif.opaque else _value(tag, raw)
        if name is None or value is None or name in found or name.startswith("GPS"):
            continue
        room -= len(name) + _size(value)
        if room < 0 or len(found) == MAX_TAGS:
            break
        found[name] = value
    return found


def _value(tag: int, raw: Any) -> Value | list[Value] | None:
    if tag in _WINDOWS_TEXTS:
        return _windows_text(raw)
    if isinstance(raw, bytes):
        return text(raw)
    if not isinstance(raw, tuple) or len(raw) > MAX_LIST:
        return None
    numbers = [number(one) for one in raw]
    if len(numbers) == 1:
        return numbers[0]
    return [one for one in numbers if one is not None] if None not in numbers and numbers else None


def _windows_text(raw: Any) -> str | None:
    """Return the text of UTF-16 that is stored as single bytes."""
    if not isinstance(raw, tuple) or not all(isinstance(one, int) and 0 <= one <= 255 for one in raw):  # noqa: PLR2004
        return None
    return clean(bytes(raw).decode("utf-16-le", "ignore").split("\0", 1)[0])


def _rounded(value: Decimal) -> int | Decimal:
    if value == value.to_integral_value():
        return int(value)
    return Decimal(f"{value:.{_DIGITS}g}")


def _storable(value: float) -> bool:
    """Return whether DynamoDB accepts a number of this magnitude, with a wide margin."""
    return value == 0 or 1e-100 < abs(value) < 1e30  # noqa: PLR2004


def _size(value: Value | list[Value]) -> int:
    if isinstance(value, list):
        return sum(_size(one) + 3 for one in value)
    return len(value.encode()) if isinstance(value, str) else 21
