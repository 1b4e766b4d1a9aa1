"""The coded picture of a JPEG, apart from all that surrounds it: cut out, checked, decoded."""

from collections.abc import Iterator
from dataclasses import dataclass

from handlers.errors import BrokenImageError

from .decode import EOI as END
from .decode import load, open_jpeg
from .jpeg import (
    APP0,
    APP14,
    DHT,
    DQT,
    DRI,
    EOI,
    LOSSLESS,
    SEQUENTIAL,
    SOI,
    SOS,
    JpegHeader,
    Segment,
    count_segment,
    is_metadata,
    walk,
)
from .limits import Limits
from .raster import Raster
from .reduction import ANY_RESTLESSNESS, expected_restlessness, reductions
from .source import Source

_CODED = frozenset({DHT, DQT, DRI, SOS, 0xC0, 0xC1, 0xC2})
_SHORT = "the JPEG is truncated: its coded data ends before its last row"
_ZEROS = bytes(64)
"""Behind a picture without its end they stand for what was never written, though a decoder may make pixels of them."""
_NO_END = "the JPEG is truncated: it has no end-of-image marker"


@dataclass(frozen=True)
class JpegBody:
    """The coded picture: `payload` from SOI up to, not with, EOI, without any metadata.

    `plain` says that every browser decodes its segments; `ended` that EOI was there.
    """

    payload: bytes
    scans: int
    ended: bool
    plain: bool


def read_body(source: Source, header: JpegHeader, limits: Limits) -> JpegBody:
    """Walk over the whole file and cut out the coded picture.

    Raises:
        BrokenImageError: A segment is malformed.
        ImageTooLargeError: Too many scans or segments.
    """
    file = memoryview(source.whole())
    counts: dict[str, int] = {}
    parts = [b"\xff\xd8", *colour_segments(header)]
    ended, plain = False, True
    for segment, end in _with_data(source, len(file)):
        if segment.marker in (SOI, EOI):
            ended = segment.marker == EOI
            break
        count_segment(counts, segment, limits)
        if not is_metadata(segment.marker):
            plain = plain and segment.marker in _CODED
            parts.append(file[segment.start : end])  # type: ignore[arg-type]
    return JpegBody(b"".join(parts), counts.get("scans", 0), ended, plain)


def _with_data(source: Source, size: int) -> Iterator[tuple[Segment, int]]:
    """Yield each segment and where it ends, a scan's coded data included."""
    held: Segment | None = None
    for segment in walk(source):
        if held:
            yield held, segment.start if held.marker == SOS else held.end
        held = segment
    if held:
        yield held, size if held.marker == SOS else held.end


def colour_segments(header: JpegHeader) -> list[bytes]:
    """Return the two segments that decoders tell colours by, JFIF without its thumbnail, Adobe in its 12 bytes."""
    segments = []
    if header.jfif is not None:
        body = b"JFIF\0\1\1" + header.jfif[7:12].ljust(5, b"\0") + b"\0\0"
        segments.append(_segment(APP0, body))
    if header.adobe is not None:
        segments.append(_segment(APP14, header.adobe))
    return segments


def _segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(body) + 2).to_bytes(2, "big") + body


def decode(
    body: JpegBody,
    header: JpegHeader,
    warnings: list[str],
    *,
    salvage: bool,
    widest: tuple[int, int] | None = None,
) -> Raster:
    """Decode the picture, reduced by 2, 4 or 8 where an output of `widest` (width, height) loses nothing by it.

    Raises:
        BrokenImageError: The picture is damaged, and not salvaged.
    """
    size = (header.width, header.height)
    expected = expected_restlessness(size, len(body.payload), header.step)
    for factor, most_restless in reductions(size, widest or size, expected):
        if factor > 1 and header.frame == LOSSLESS:
            continue
        raster = decode_by(factor, body, header, salvage=salvage)
        if most_restless >= ANY_RESTLESSNESS or raster.restlessness <= most_restless:
            break
    if not raster.damage and not body.ended:
        warnings.append("the JPEG's end-of-image marker is missing; its picture is whole")
    return raster


def decode_by(factor: int, body: JpegBody, header: JpegHeader, *, salvage: bool) -> Raster:
    """Decode the picture, reduced by a factor of 1, 2, 4 or 8.

    Raises:
        BrokenImageError: The picture is damaged, and not salvaged.
    """
    watch = header.frame in SEQUENTIAL and body.scans == 1
    image = open_jpeg(body.payload if watch else body.payload + END, watch=watch)
    box = None
    if factor > 1:
        width, height = image.size
        # The smallest size that Pillow takes for this factor and no larger one.
        drafted = image.draft(None, (max(1, width // factor), max(1, height // factor)))
        # Which of the fewer pixels hold the picture.
        box = drafted[1] if drafted else None
    damage = load(image, salvage=salvage)
    if damage is None and image.short:
        damage = _SHORT
    if damage is None and not body.ended and (not watch or body.payload.endswith(_ZEROS)):
        damage = _NO_END
    if damage and not salvage:
        raise BrokenImageError(damage)
    return Raster(image, damage=damage, box=box)
