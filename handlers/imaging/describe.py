"""Read what is recorded of a picture from its header, without decoding it."""

import re
from datetime import datetime
from decimal import Decimal

from handlers.errors import BrokenImageError, ImageTooLargeError

from . import gif, jpeg, png
from .checks import check_limits
from .exif import Exif, read_exif
from .gps import read_gps
from .header import Header
from .icc import profile_name
from .limits import Limits
from .master import read_header
from .metadata import Metadata
from .mpf import count_pictures
from .source import BinaryStream, Source
from .tags import further_tags, number, text

_TAKEN = re.compile(r"(\d{4}):(\d\d):(\d\d) (\d\d):(\d\d):(\d\d)")


def describe(
    source: bytes | bytearray | memoryview | BinaryStream,
    *,
    gps: bool = False,
    limits: Limits = Limits(),  # noqa: B008 - frozen
) -> Metadata:
    """Return what the header says, and where the picture was taken only with `gps`.

    A stream is read no further than the header, or, for a GIF or an animated PNG, as far as frames are counted.

    Raises:
        RejectedImageError: The image's fault; see `handlers.errors`. What `source.read` raises passes through.
    """
    check_limits(limits)
    file = Source(source, limits.max_bytes)
    header = read_header(file, limits)
    exif = read_exif(header.exif)
    warnings = [*header.warnings, *exif.warnings]
    frames = _frames(file, header, limits, warnings)
    photo = exif.photo
    iso = number(photo.get(0x8827))
    return Metadata(
        width=header.width,
        height=header.height,
        format=header.format,
        mode=header.mode,
        frames=frames,
        orientation=exif.orientation,
        has_alpha=header.has_alpha,
        icc_profile=profile_name(header.icc),
        camera_make=text(exif.image.get(0x010F)),
        camera_model=text(exif.image.get(0x0110)),
        lens_model=text(photo.get(0xA434)),
        exposure_time_s=_decimal(exif, 0x829A),
        f_number=_decimal(exif, 0x829D),
        iso=iso if isinstance(iso, int) else None,
        focal_length_mm=_decimal(exif, 0x920A),
        taken_at=_taken_at(exif),
        gps=read_gps(exif) if gps else None,
        tags=further_tags(exif),
        warnings=tuple(warnings[:MAX_WARNINGS]),
    )


MAX_WARNINGS = 20


def _decimal(exif: Exif, tag: int) -> Decimal | None:
    value = number(exif.photo.get(tag))
    return None if value is None else Decimal(value)


def _taken_at(exif: Exif) -> str | None:
    """Return the time of the exposure as the camera's clock had it, "2024-05-01T12:30:00"."""
    match = _TAKEN.match(text(exif.photo.get(0x9003)) or text(exif.image.get(0x0132)) or "")
    if not match:
        return None
    year, month, day, hour, minute, second = match.groups()
    stamp = f"{year}-{month}-{day}T{hour}:{minute}:{second}"
    try:
        datetime.fromisoformat(stamp)
    except ValueError:
        return None
    return stamp


def _frames(file: Source, header: Header, limits: Limits, warnings: list[str]) -> int:
    """Count the frames; a count that fails is noted and the picture counts as one."""
    try:
        if isinstance(header, gif.GifHeader):
            return gif.count_frames(file, header, limits)
        if isinstance(header, png.PngHeader) and header.animated:
            return png.count_frames(file, limits)
        if isinstance(header, jpeg.JpegHeader):
            return count_pictures(header.multi_picture, limits)
    except (BrokenImageError, ImageTooLargeError) as error:
        warnings.append(f"the frames were not counted: {error}")
    return 1
