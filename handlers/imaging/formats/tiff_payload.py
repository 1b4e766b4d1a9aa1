"""Write a new TIFF with only the first page's pixels, all compressed, so that libtiff decodes them.

Pillow decodes uncompressed data itself, and gets subsampled colours and separate planes of 16 bits wrong.
"""

import itertools
import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

from PIL.ExifTags import Base as Tag

from handlers.errors import BrokenImageError
from handlers.imaging.facts.directories import Rational
from handlers.imaging.facts.exif import directory_bytes
from handlers.imaging.limits import Limits

from .tiff_header import (
    BLACK_IS_ZERO,
    DECODED_BY,
    DEFLATE,
    JPEG,
    LZW,
    NONE,
    PACKED,
    PLACES,
    SIDES,
    STRIP_PLACES,
    TILE_PLACES,
    WHITE_IS_ZERO,
    YCBCR,
    TiffHeader,
    opaque,
)
from .tiff_jpeg import check_jpegs

_MOST_TIMES = {NONE: 1, PACKED: 64, LZW: 4_096, JPEG: 1_024, **dict.fromkeys(DEFLATE, 1_100)}
"""The highest ratio of a part's pixels to its data that each compression can reach, rounded up."""

_REVERSED = 2
_BIT_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_LONGS = frozenset((*SIDES, *PLACES, Tag.T4Options, Tag.T6Options))
_SHORT, _LONG, _RATIONAL, _UNDEFINED = 3, 4, 5, 7
_BYTE_COLOURS = 257


def payload(header: TiffHeader, file: bytes, limits: Limits) -> bytes:
    """Return the new file.

    Raises:
        BrokenImageError: The file ends within its pixels, or has too little data for them.
        ImageTooLargeError: It has too many JPEGs, or they have too many scans.
    """
    data = list(_data(header, memoryview(file)))
    if header.compression == JPEG:
        check_jpegs(header, data, limits)
    tags = _tags(header)
    starts, sizes = TILE_PLACES if header.parts.tiled else STRIP_PLACES
    tags[sizes] = tuple(map(len, data))
    tags[starts] = (0,) * len(data)
    *places, _ = itertools.accumulate(tags[sizes], initial=len(_directory(tags, header.order)))
    tags[starts] = tuple(places)
    return b"".join((_directory(tags, header.order), *data))


def _tags(header: TiffHeader) -> dict[int, Any]:
    """Return the tags that a decoder needs; opacity and grey are not inverted."""
    wanted = {*DECODED_BY, Tag.ColorMap}
    kept = {tag: value for tag, value in header.tags.items() if tag in wanted and _is_writable(value)}
    tags: dict[int, Any] = {
        **kept,
        Tag.ImageWidth: (header.width,),
        Tag.ImageLength: (header.height,),
        Tag.BitsPerSample: (header.depth,) * header.samples,
        Tag.Compression: (DEFLATE[0] if header.compression == NONE else header.compression,),
        Tag.PhotometricInterpretation: (BLACK_IS_ZERO if header.photometric == WHITE_IS_ZERO else header.photometric,),
        Tag.SamplesPerPixel: (header.samples,),
        Tag.PlanarConfiguration: (2 if header.planes > 1 else 1,),
    }
    if header.compression == NONE:
        tags.pop(Tag.Predictor, None)
    if Tag.JPEGTables in kept:
        tags[Tag.JPEGTables] = opaque(kept[Tag.JPEGTables], header.order)
    if header.extra:
        tags[Tag.ExtraSamples] = header.extra
    if Tag.ColorMap in kept:
        tags[Tag.ColorMap] = _sixteen_bit(kept[Tag.ColorMap])
    width, height = header.parts.size
    if header.parts.tiled:
        tags.update({Tag.TileWidth: (width,), Tag.TileLength: (height,)})
    else:
        tags[Tag.RowsPerStrip] = (height,)
    return tags


def _is_writable(value: Any) -> bool:
    """Return whether a tag's value can be written unchanged: bytes, or unsigned numbers."""
    if isinstance(value, bytes):
        return bool(value)
    sides = [
        side for one in value for side in ((one.numerator, one.denominator) if isinstance(one, Rational) else (one,))
    ]
    same = len({type(one) for one in value}) == 1
    return same and all(isinstance(side, int) and 0 <= side < 1 << 32 for side in sides)


def _sixteen_bit(colours: Any) -> Any:
    """Return a palette's colours in 16 bits, even if a program wrote them in 8."""
    if not isinstance(colours, tuple) or max(colours, default=_BYTE_COLOURS) >= _BYTE_COLOURS - 1:
        return colours
    return tuple(_BYTE_COLOURS * colour for colour in colours)


def _data(header: TiffHeader, file: memoryview) -> Iterator[bytes | memoryview]:
    """Yield the data to write of each strip or tile."""
    places = _places(header, len(file))
    if sum(size for _, size in places) > len(file):
        raise BrokenImageError("the TIFF is truncated, or damaged: its strips or tiles are longer than the file")
    for number, (start, size) in enumerate(places):
        part = file[start : start + size]
        if len(part) < size:
            raise BrokenImageError(f"the TIFF is truncated: it ends within strip or tile {number:,}")
        yield _part(header, number, part)


def _places(header: TiffHeader, end: int) -> Sequence[tuple[int, int]]:
    """Return the (start, size) of each strip or tile; without sizes, each reaches to the next, or to the file's end."""
    places = header.parts.places
    if any(size for _, size in places):
        return places
    starts = sorted({start for start, _ in places})
    ends = dict(zip(starts, (*starts[1:], max(end, starts[-1])), strict=True))
    return [(start, ends[start] - start) for start, _ in places]


def _part(header: TiffHeader, number: int, part: memoryview) -> bytes | memoryview:
    """Return a part's data, checked against the number of its pixels."""
    raw, most = _raw_bytes(header, number), _MOST_TIMES.get(header.compression, header.width)
    if len(part) * most < raw:
        raise BrokenImageError(
            f"the TIFF is damaged: the {len(part):,} bytes of strip or tile {number:,} cannot hold its pixels, "
            f"which are {raw:,} bytes"
        )
    if header.tags.get(Tag.FillOrder) == (_REVERSED,) and header.compression != JPEG:
        part = memoryview(bytes(part).translate(_BIT_REVERSED))
    return zlib.compress(part[:raw], 0) if header.compression == NONE else part


def _raw_bytes(header: TiffHeader, number: int) -> int:
    """Return the number of bytes of a part's pixels."""
    width, rows = header.parts.size if header.parts.tiled else header.shown(number)
    samples = 1 if header.planes > 1 else header.samples
    if header.photometric == YCBCR and header.planes == 1:
        across, down = _subsampling(header)
        return -(-width // across) * -(-rows // down) * (across * down + 2)
    return rows * -(-width * samples * header.depth // 8)


def _subsampling(header: TiffHeader) -> tuple[int, int]:
    """Return how many luma samples, across and down, share a chroma sample: 2 by 2 by default."""
    found = header.tags.get(Tag.YCbCrSubSampling, (2, 2))
    if len(found) != 2 or not set(found) <= {1, 2, 4}:  # noqa: PLR2004
        raise BrokenImageError("the TIFF is damaged: its chroma subsampling is invalid")
    return found[0], found[1]


def _directory(tags: dict[int, Any], order: str) -> bytes:
    """Return the head of a TIFF with one directory, in this byte order."""
    return directory_bytes(((tag, *_value(tag, value, order)) for tag, value in tags.items()), order)


def _value(tag: int, value: Any, order: str) -> tuple[int, int, bytes]:
    """Return a value's type, count and bytes."""
    if isinstance(value, bytes):
        return _UNDEFINED, len(value), value
    if isinstance(value[0], Rational):
        numbers = [side for one in value for side in (one.numerator, one.denominator)]
        return _RATIONAL, len(value), struct.pack(f"{order}{len(numbers)}I", *numbers)
    kind, code, most = (_LONG, "I", (1 << 32) - 1) if tag in _LONGS else (_SHORT, "H", 65_535)
    return kind, len(value), struct.pack(f"{order}{len(value)}{code}", *(min(one, most) for one in value))
