"""Check the JPEGs that are a TIFF's strips or tiles: libtiff fills in what one lacks, and only warns.

Source: Adobe's TIFF technical note 2.
"""

from collections.abc import Sequence

from PIL.ExifTags import Base as Tag

from handlers.errors import BrokenImageError, ImageTooLargeError
from handlers.imaging.limits import Limits, area
from handlers.imaging.source import Source

from .jpeg import JpegPicture
from .jpeg_coded import MAX_BLOCKS, blocks_of
from .jpeg_decoder import END_OF_IMAGE
from .tiff_header import YCBCR, TiffHeader, opaque

FEW_JPEGS, JPEG_PX = 1_024, 64 * 64
"""JPEGs that every picture may have, and pixels for each of more: each takes 0.3 ms to check, however small it is."""

SEGMENTS = 12
"""Segments for each JPEG that a picture may have, over all of them; encoders write up to ten. Each takes 10 us."""

MAX_TABLES_BYTES = 16 * 1024
"""The longest tables that all JPEGs share, because they are read for each; encoders write up to 2,000 bytes."""

SCAN_BLOCKS = 12_288
"""Blocks that a scan counts for at least, because a small scan takes longer for each of its blocks."""

BLOCK_PX = 16
"""JPEGs are coded in blocks of up to so many pixels a side; a program may declare the last ones in full."""

_SOI = b"\xff\xd8"
_CHECKED_SAMPLES = 1, 3, 4


def check_jpegs(header: TiffHeader, parts: Sequence[bytes | memoryview], limits: Limits) -> None:
    """Refuse JPEGs that are damaged or smaller than what their strips or tiles show, and those that take too long."""
    most = max(FEW_JPEGS, area([header.size]) * header.planes // JPEG_PX)
    if len(parts) > most:
        raise ImageTooLargeError(f"expected a TIFF of at most {most:,} JPEGs, got {len(parts):,}: save it again")
    if (1 if header.planes > 1 else header.samples) not in _CHECKED_SAMPLES:
        return
    segments = blocks = 0
    for number, part in enumerate(parts):
        picture = _checked(header, number, part, limits)
        segments += picture.coded.segments
        blocks += _blocks(picture)
        _check_total("segments of", segments, SEGMENTS * most)
        _check_total("blocks in all scans of", blocks, MAX_BLOCKS)


def _check_total(what: str, count: int, most: int) -> None:
    if count > most:
        raise ImageTooLargeError(
            f"expected a TIFF of at most {most:,} {what} its JPEGs, got {count:,} or more: save it again"
        )


def _blocks(picture: JpegPicture) -> int:
    """Return the number of blocks in all scans, or 0 if there is only one."""
    scans = picture.coded.scans
    return max(blocks_of(picture.header, scans), SCAN_BLOCKS * len(scans)) if len(scans) > 1 else 0


def _checked(header: TiffHeader, number: int, part: bytes | memoryview, limits: Limits) -> JpegPicture:
    """Check the JPEG of a strip or tile."""
    picture = JpegPicture.open(Source(_with_tables(header, part), limits.max_bytes), limits)
    _check_size(header, number, picture.header.size)
    picture.read()
    if damage := picture.damage():
        raise BrokenImageError(f"the TIFF is damaged, in strip or tile {number:,}: {damage}")
    return picture


def _with_tables(header: TiffHeader, part: bytes | memoryview) -> bytes:
    """Return a JPEG with the tables that all JPEGs of a TIFF share."""
    tables = opaque(header.tags.get(Tag.JPEGTables), header.order)
    if not tables.startswith(_SOI) or part[:2] != _SOI:
        return bytes(part)
    if len(tables) > MAX_TABLES_BYTES:
        raise ImageTooLargeError(
            f"expected a TIFF whose JPEGs share at most {MAX_TABLES_BYTES:,} bytes of tables, got {len(tables):,}: "
            "save it again"
        )
    return b"".join((tables.removesuffix(END_OF_IMAGE), part[2:]))


def _check_size(header: TiffHeader, number: int, size: tuple[int, int]) -> None:
    """Refuse a size that does not cover the picture's pixels in a strip or tile, or that exceeds it by whole blocks."""
    if header.planes > 1 and header.photometric == YCBCR:
        return  # Planes of chroma may be smaller.
    shown = header.shown(number)
    if any(
        side < least or side >= most + BLOCK_PX
        for side, least, most in zip(size, shown, header.parts.size, strict=True)
    ):
        raise BrokenImageError(
            f"the TIFF is damaged: the JPEG of strip or tile {number:,}, of {size[0]:,} x {size[1]:,} pixels, does not "
            f"fit its {shown[0]:,} x {shown[1]:,}"
        )
