"""Read the first directory of a TIFF; no pixel is decoded.

Source: TIFF 6.0; Adobe's supplements for deflate and JPEG; the BigTIFF design of libtiff.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from PIL.ExifTags import Base as Tag

from handlers.errors import BrokenImageError, ImageTooLargeError, UnsupportedFormatError
from handlers.imaging.facts.directories import Directories, whole_number
from handlers.imaging.facts.exif import Exif, exif_of
from handlers.imaging.facts.rights import MAX_BLOCK_BYTES
from handlers.imaging.source import Source

from .picture import MAX_PROFILE_BYTES, Header

_CHROMA = (Tag.YCbCrCoefficients, Tag.YCbCrSubSampling, Tag.YCbCrPositioning, Tag.ReferenceBlackWhite)
DECODED_BY = (Tag.T4Options, Tag.T6Options, Tag.Predictor, Tag.JPEGTables, *_CHROMA)
"""What decoders get unchanged."""

SIDES = (Tag.ImageWidth, Tag.ImageLength, Tag.RowsPerStrip, Tag.TileWidth, Tag.TileLength)
STRIP_PLACES, TILE_PLACES = (Tag.StripOffsets, Tag.StripByteCounts), (Tag.TileOffsets, Tag.TileByteCounts)
PLACES = (*STRIP_PLACES, *TILE_PLACES)
_PIXELS = (Tag.BitsPerSample, Tag.SampleFormat, Tag.SamplesPerPixel, Tag.ExtraSamples, Tag.PlanarConfiguration)
_CODING = (Tag.Compression, Tag.PhotometricInterpretation, Tag.FillOrder, Tag.ColorMap)
_STRUCTURE = frozenset((*SIDES, *PLACES, *_PIXELS, *_CODING, *DECODED_BY))

LONGEST: dict[int, int] = {
    **dict.fromkeys(PLACES, 2 * 1024 * 1024),
    **dict.fromkeys((Tag.XMLPacket, Tag.IPTCNAA, Tag.ImageResources), MAX_BLOCK_BYTES),
    Tag.InterColorProfile: MAX_PROFILE_BYTES,
}
MAX_TAG_BYTES = 8 * 1024 * 1024
MAX_PARTS = 131_072
"""Strips or tiles: one for each row of the highest picture, in two planes."""

_HEAD_BYTES = 8
"""The length of the file's header; a strip that begins within it has zeros instead of a position."""

MAX_TILE_PX = 1_024
"""The longest side of a tile that extends beyond its picture."""

NONE, G3, G4, LZW, JPEG, PACKED = 1, 3, 4, 5, 7, 32_773
FAX, DEFLATE = (2, G3, G4), (8, 32_946)
COMPRESSIONS = frozenset({NONE, *FAX, LZW, JPEG, *DEFLATE, PACKED})

WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, CMYK, YCBCR = 0, 1, 2, 3, 5, 6
SEPARATE = 2
_COLOURS = {WHITE_IS_ZERO: 1, BLACK_IS_ZERO: 1, RGB: 3, PALETTE: 1, CMYK: 4, YCBCR: 3}
_MODES = {WHITE_IS_ZERO: "L", BLACK_IS_ZERO: "L", RGB: "RGB", PALETTE: "P", CMYK: "CMYK", YCBCR: "RGB"}
_DEPTHS = {
    **dict.fromkeys((WHITE_IS_ZERO, BLACK_IS_ZERO), (1, 2, 4, 8, 16)),
    **dict.fromkeys((RGB, CMYK), (8, 16)),
    PALETTE: (1, 2, 4, 8),
    YCBCR: (8,),
}
_WHOLE_NUMBERS = frozenset({1, 4})
"""Sample formats: unsigned, and undefined, which readers treat as unsigned."""

_WIDE = 16
ASSOCIATED, UNASSOCIATED = 1, 2
_MOST_EXTRA = 3


@dataclass(frozen=True)
class Parts:
    """The strips or tiles of a picture: (start, size) of each, and the (width, height) of one in pixels.

    Tiles are complete; the last strip has the remaining rows. If all sizes are 0, the file does not say them.
    """

    places: tuple[tuple[int, int], ...]
    size: tuple[int, int]
    tiled: bool


@dataclass(frozen=True, kw_only=True)
class TiffHeader(Header):
    """Facts from the first directory; `tags` are those that a decoder needs.

    `order` is the byte order in `struct`'s notation. `samples` and `depth` are a pixel's, `extra` the kinds of its
    samples that are not colours.
    """

    tags: Mapping[int, tuple[int, ...] | bytes]
    order: str
    parts: Parts
    compression: int
    photometric: int
    samples: int
    depth: int
    extra: tuple[int, ...]
    facts: Exif

    @property
    def planes(self) -> int:
        """The number of planes, each with one sample of every pixel."""
        return self.samples if self.tags.get(Tag.PlanarConfiguration) == (SEPARATE,) else 1

    def shown(self, number: int) -> tuple[int, int]:
        """Return the (width, height) of the picture's pixels in a strip or tile."""
        width, height = self.parts.size
        across, down = -(-self.width // width), -(-self.height // height)
        row, column = divmod(number % (across * down), across)
        return min(width, self.width - column * width), min(height, self.height - row * height)


def directories(source: Source) -> tuple[Directories, int, str]:
    """Return a file's directories, the position of the first, and the byte order."""
    head = source.take(0, 16)
    order = "<" if head[:2] == b"II" else ">"
    big = struct.unpack(order + "H", head[2:4])[0] == 43  # noqa: PLR2004 - the number of BigTIFF
    first = struct.unpack(order + ("Q" if big else "I"), head[8:16] if big else head[4:8])[0]
    return Directories(source.peek, MAX_TAG_BYTES, order, big=big, longest=LONGEST), first, order


def read_header(source: Source) -> TiffHeader:
    """Read the first directory, and those of EXIF.

    Raises:
        BrokenImageError: There is no picture, or its tags contradict each other.
        UnsupportedFormatError: The pixels are stored in a way that is not decoded.
        ImageTooLargeError: There are too many strips or tiles.
    """
    found, first, order = directories(source)
    facts = exif_of(found, first)
    if first in found.cut:
        raise BrokenImageError("the TIFF is truncated: it ends within its directory")
    tags = facts.image
    width, height = whole_number(tags.get(Tag.ImageWidth)) or 0, whole_number(tags.get(Tag.ImageLength)) or 0
    if width < 1 or height < 1:
        raise _damaged(f"{width:,} x {height:,} pixels")
    photometric = _photometric(tags)
    samples, depth, extra = _pixel(tags, photometric)
    mode = "I;16" if depth == _WIDE and _MODES[photometric] == "L" else _MODES[photometric]
    has_alpha = any(kind in (ASSOCIATED, UNASSOCIATED) for kind in extra)
    parts = _parts(tags, (width, height), samples)
    if lost := found.lost & _STRUCTURE:
        raise _damaged(f"no value for tag {min(lost)}, which decoders need")
    described = {tag: value for tag, value in tags.items() if tag not in _STRUCTURE}
    return TiffHeader(
        format="TIFF",
        width=width,
        height=height,
        mode={"L": "LA", "RGB": "RGBA", "P": "PA"}.get(mode, mode) if has_alpha else mode,
        has_alpha=has_alpha,
        icc=opaque(tags.get(Tag.InterColorProfile), order) or None,
        xmp=opaque(tags.get(Tag.XMLPacket), order) or None,
        iptc=opaque(tags.get(Tag.ImageResources), order) + _resource(opaque(tags.get(Tag.IPTCNAA), order)),
        warnings=list(facts.warnings),
        tags={tag: value for tag, value in tags.items() if tag in _STRUCTURE},
        order=order,
        parts=parts,
        compression=_compression(tags),
        photometric=photometric,
        samples=samples,
        depth=depth,
        extra=extra,
        facts=Exif(described, facts.photo, facts.gps, facts.opaque),
    )


def _numbers(tags: Mapping[int, Any], tag: int) -> tuple[int, ...]:
    value = tags.get(tag)
    return value if isinstance(value, tuple) and all(isinstance(one, int) for one in value) else ()


def _photometric(tags: Mapping[int, Any]) -> int:
    found = whole_number(tags.get(Tag.PhotometricInterpretation))
    photometric = WHITE_IS_ZERO if found is None else found
    if photometric not in _MODES:
        raise _unsupported("grey, RGB, palette, CMYK or YCbCr colours", f"colours of kind {photometric}")
    return photometric


def _compression(tags: Mapping[int, Any]) -> int:
    compression = whole_number(tags.get(Tag.Compression)) or NONE
    if compression not in COMPRESSIONS:
        raise _unsupported("no compression, CCITT, LZW, Deflate, JPEG or PackBits", f"compression {compression}")
    return compression


def _pixel(tags: Mapping[int, Any], photometric: int) -> tuple[int, int, tuple[int, ...]]:
    """Return a pixel's number of samples, their depth in bits, and the kinds of those that are not colours."""
    colours = _COLOURS[photometric]
    samples = whole_number(tags.get(Tag.SamplesPerPixel)) or 1
    bits = _numbers(tags, Tag.BitsPerSample)[:samples] or (1,)
    depth, extra = bits[0], _numbers(tags, Tag.ExtraSamples)[: max(0, samples - colours)]
    if samples < colours or samples > colours + _MOST_EXTRA:
        raise _damaged(f"{samples} samples a pixel, of {colours} colours")
    # A sample without a kind is not opacity, except RGB's fourth, as in most programs.
    unnamed = UNASSOCIATED if not extra and (photometric, samples) == (RGB, 4) else 0
    known = tuple(kind if kind in (ASSOCIATED, UNASSOCIATED) else 0 for kind in extra)
    extra = known + (unnamed,) * (samples - colours - len(known))
    whole = _WHOLE_NUMBERS.issuperset(_numbers(tags, Tag.SampleFormat))
    if set(bits) != {depth} or depth not in _DEPTHS[photometric] or not whole:
        kind = "whole numbers" if whole else "other numbers"
        raise _unsupported("8 or 16 bits a sample, for grey also 1, 2 or 4", f"{kind} of {depth} bits")
    return samples, depth, extra


def _parts(tags: Mapping[int, Any], size: tuple[int, int], samples: int) -> Parts:
    """Return the strips or tiles, as many as the picture needs."""
    tiled = Tag.TileOffsets in tags or Tag.TileWidth in tags
    if tiled:
        one = whole_number(tags.get(Tag.TileWidth)) or 0, whole_number(tags.get(Tag.TileLength)) or 0
    else:
        one = size[0], min(whole_number(tags.get(Tag.RowsPerStrip)) or size[1], size[1])
    if min(one) < 1 or any(side > max(whole, MAX_TILE_PX) for side, whole in zip(one, size, strict=True)):
        raise _damaged(f"tiles of {one[0]:,} x {one[1]:,} pixels")
    planes = samples if whole_number(tags.get(Tag.PlanarConfiguration)) == SEPARATE else 1
    count = -(-size[0] // one[0]) * -(-size[1] // one[1]) * planes
    if count > MAX_PARTS:
        raise ImageTooLargeError(
            f"expected a TIFF of at most {MAX_PARTS:,} strips or tiles, got {count:,}: save it again"
        )
    starts, sizes = (_numbers(tags, tag) for tag in (TILE_PLACES if tiled else STRIP_PLACES))
    sizes = sizes or (0,) * count
    if len(starts) < count or len(sizes) < count:
        raise _damaged(f"{min(len(starts), len(sizes)):,} strips or tiles of {count:,}")
    places = tuple(zip(starts[:count], sizes[:count], strict=True))
    if any(start < _HEAD_BYTES or size < 0 or start > 1 << 62 for start, size in places):
        raise _damaged("a strip or tile that lies outside")
    return Parts(places, one, tiled)


def opaque(value: Any, order: str) -> bytes:
    """Return bytes, which programs also store as text, bytes or longs."""
    if isinstance(value, bytes):
        return value
    if not isinstance(value, tuple) or not all(isinstance(one, int) and one >= 0 for one in value):
        return b""
    if max(value, default=0) < 256:  # noqa: PLR2004
        return bytes(value)
    return struct.pack(f"{order}{len(value)}I", *value) if max(value) < 1 << 32 else b""


def _resource(datasets: bytes) -> bytes:
    """Return IPTC's datasets as one of Photoshop's image resources."""
    return b"8BIM\4\4\0\0" + struct.pack(">I", len(datasets)) + datasets if datasets else b""


def _damaged(what: str) -> BrokenImageError:
    return BrokenImageError(f"the TIFF is damaged: it has {what}")


def _unsupported(expected: str, got: str) -> UnsupportedFormatError:
    return UnsupportedFormatError(f"expected a TIFF with {expected}, got {got}: save it again")
