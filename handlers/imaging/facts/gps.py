"""Where a picture was taken."""

import contextlib
from datetime import date
from decimal import Decimal

from PIL.ExifTags import GPS

from .exif import Exif
from .metadata import Value
from .tags import number, text

_PLACES = Decimal("0.0000001")


def read_gps(exif: Exif) -> dict[str, Value] | None:
    """Return latitude and longitude in degrees, altitude in metres and the satellites' time, if they are known."""
    latitude = _degrees(exif, GPS.GPSLatitudeRef, GPS.GPSLatitude, hemispheres="NS", largest=90)
    longitude = _degrees(exif, GPS.GPSLongitudeRef, GPS.GPSLongitude, hemispheres="EW", largest=180)
    whole = latitude is not None and longitude is not None  # A position needs both.
    found: dict[str, Value | None] = {
        "latitude": latitude if whole else None,
        "longitude": longitude if whole else None,
        "altitude_m": _altitude(exif),
        "date": _date(exif),
        "time_utc": _time(exif),
    }
    return {name: value for name, value in found.items() if value is not None} or None


def _degrees(exif: Exif, ref: int, tag: int, *, hemispheres: str, largest: int) -> Decimal | None:
    value, hemisphere = exif.gps.get(tag), (text(exif.gps.get(ref)) or "?")[0].upper()
    if hemisphere not in hemispheres or not isinstance(value, tuple) or not 1 <= len(value) <= 3:  # noqa: PLR2004
        return None
    parts = [number(one) for one in value]
    while len(parts) > 1 and parts[-1] is None:
        # Programs write 0/0 if the value before has the fraction.
        parts.pop()
    degrees = Decimal(0)
    for part, unit in zip(parts, (1, 60, 3600), strict=False):
        if part is None or part < 0:
            return None
        degrees += Decimal(part) / unit
    if degrees > largest:
        return None
    sign = -1 if hemisphere == hemispheres[1] else 1
    return (sign * degrees).quantize(_PLACES).normalize() + 0


def _altitude(exif: Exif) -> int | Decimal | None:
    metres = number(exif.gps.get(GPS.GPSAltitude))
    if metres is None:
        return None
    return -metres if number(exif.gps.get(GPS.GPSAltitudeRef)) == 1 else metres


def _date(exif: Exif) -> str | None:
    """Return the date as it is stored, or None if it is not a date."""
    found = text(exif.gps.get(GPS.GPSDateStamp)) or ""
    with contextlib.suppress(ValueError):
        date.fromisoformat(found.replace(":", "-"))
        return found
    return None


def _time(exif: Exif) -> str | None:
    value = exif.gps.get(GPS.GPSTimeStamp)
    if not isinstance(value, tuple) or len(value) != 3:  # noqa: PLR2004
        return None
    parts = [number(one) for one in value]
    if any(part is None or not 0 <= part < most for part, most in zip(parts, (24, 60, 61), strict=True)):
        return None
    hour, minute, second = (int(part or 0) for part in parts)
    return f"{hour:02}:{minute:02}:{second:02}"
