"""Read a picture's metadata from its header, without decoding it."""

import contextlib
import re
from datetime import datetime
from decimal import Decimal

from PIL.ExifTags import Base as Tag

from handlers.errors import BrokenImageError, ImageTooLargeError

from .facts.exif import Exif
from .facts.gps import read_gps
from .facts.icc import profile_name
from .facts.metadata import Metadata
from .facts.tags import further_tags, number, text
from .formats import open_picture
from .formats.picture import Picture
from .limits import Limits
from .source import BinaryStream

MAX_WARNINGS = 20
_TAKEN = re.compile(r"(\d{4})[:/.-] ?(\d{1,2})[:/.-] ?(\d{1,2})[ T] ?(\d{1,2}): ?(\d{1,2}): ?(\d{1,2})")


def describe(
    source: bytes | bytearray | memoryview | BinaryStream | Picture,
    *,
    gps: bool = False,
    limits: Limits = Limits(),  # noqa: B008 - frozen
) -> Metadata:
    """Return the facts in the header; only with `gps` where the picture was taken.

    A stream is read up to the end of the header. A GIF or an animated PNG is read to its end to count the frames, and a
    PNG without EXIF before its pixels to find EXIF after them. A `Picture` keeps the limits that it was opened with.

    Raises:
        RejectedImageError: The image's fault; see `handlers.errors`. What `source.read` raises passes through.
    """
    picture = open_picture(source, limits)
    picture.facts()
    header, exif = picture.header, picture.exif
    frames = _frames(picture)
    warnings = [*picture.warnings, *exif.warnings]
    photo = exif.photo
    iso = number(photo.get(Tag.ISOSpeedRatings))
    return Metadata(
        width=header.width,
        height=header.height,
        format=header.format,
        mode=header.mode,
        frames=frames,
        orientation=exif.orientation,
        has_alpha=header.has_alpha,
        icc_profile=profile_name(header.icc),
        camera_make=text(exif.image.get(Tag.Make)),
        camera_model=text(exif.image.get(Tag.Model)),
        lens_model=text(photo.get(Tag.LensModel)),
        exposure_time_s=_decimal(exif, Tag.ExposureTime),
        f_number=_decimal(exif, Tag.FNumber),
        iso=iso if isinstance(iso, int) and iso > 0 else None,
        focal_length_mm=_decimal(exif, Tag.FocalLength),
        taken_at=_taken_at(exif),
        gps=read_gps(exif) if gps else None,
        tags=further_tags(exif),
        warnings=tuple(warnings[:MAX_WARNINGS]),
    )


def _decimal(exif: Exif, tag: int) -> Decimal | None:
    """Return a number of the exposure; cameras write 0 for an unknown one."""
    value = number(exif.photo.get(tag))
    return None if value is None or value <= 0 else Decimal(value)


def _taken_at(exif: Exif) -> str | None:
    """Return the time of the exposure by the camera's clock, as "2024-05-01T12:30:00"."""
    photo, image = exif.photo, exif.image
    # Cameras without a clock fill them with blanks.
    for value in (photo.get(Tag.DateTimeOriginal), photo.get(Tag.DateTimeDigitized), image.get(Tag.DateTime)):
        match = _TAKEN.match(text(value) or "")
        if not match:
            continue
        stamp = "{}-{:0>2}-{:0>2}T{:0>2}:{:0>2}:{:0>2}".format(*match.groups())
        with contextlib.suppress(ValueError):
            datetime.fromisoformat(stamp)
            return stamp
    return None


def _frames(picture: Picture) -> int:
    """Count the frames; if that fails, note it and return 1."""
    try:
        return picture.frames()
    except (BrokenImageError, ImageTooLargeError) as error:
        picture.warnings.append(f"the frames were not counted: {error}")
    return 1
