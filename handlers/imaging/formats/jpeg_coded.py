"""The coded picture of a JPEG, cut out of its file; how much work its scans are, and whether they are complete.

Source: ITU-T T.81, annex B for segments, B.2.3 for scan headers, annex G for progressive coding.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from handlers.errors import ImageTooLargeError
from handlers.imaging.limits import Limits
from handlers.imaging.source import Source, length_without

from .jpeg_header import JpegHeader
from .jpeg_markers import (
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
    Segment,
    count_segment,
    is_metadata,
    walk,
)

ARITHMETIC = frozenset({0xC9, 0xCA})
_HUFFMAN = frozenset({0xC0, 0xC1, 0xC2})
_PLAIN = frozenset({DHT, DQT, DRI, SOS, *_HUFFMAN})
"""The segments of a coded picture that every browser decodes."""

_INSIDE = re.compile(rb"\xff[\x01-\xfe]")
"""The markers that do not end a scan for `walk`: restarts, TEM, and those whose parameters the file has no room for."""
_FIRST_RESTART, _RESTARTS = 0xD0, 8

_NO_END = "the JPEG is truncated: it has no end-of-image marker"

MAX_ARITHMETIC_SCANS = 20
ARITHMETIC_WEIGHT = 8
"""How many times as long a block takes with arithmetic coding as with Huffman coding."""

MAX_BLOCKS = 32_000_000
"""Blocks of 8 x 8 samples in all scans: twice those of a progressive picture of 64 million pixels."""

PADDING = bytes(min(level, 0xFE) for level in hashlib.sha512(b"padding").digest())
"""Bytes without a marker and without a pattern, so that a decoder that reads them produces different pixels."""


@dataclass(frozen=True)
class Scan:
    """One scan: the components' numbers, the band of coefficients, and the bits that are left to later scans."""

    components: tuple[int, ...]
    first: int
    last: int
    bits_left: int


@dataclass(frozen=True)
class CodedPicture:
    """The coded picture: `parts` of the file from SOI up to EOI, without EOI and without any metadata.

    The parts are joined only for a decoder, so that the file is rarely in memory twice. `plain`: all browsers decode
    its segments. `ended`: the file has EOI. `compared`: the picture has several scans, is progressive or lossless, and
    must be decoded twice to find out whether it is complete.
    """

    parts: Sequence[bytes | memoryview]
    scans: Sequence[Scan]
    ended: bool
    plain: bool
    compared: bool

    @property
    def size(self) -> int:
        """Bytes of all parts."""
        return sum(map(len, self.parts))

    def joined(self) -> bytes:
        """Return the coded picture for a decoder."""
        return b"".join(self.parts)

    def padded(self) -> bytes:
        """Return it with bytes after each scan that a decoder reads only if the scan is incomplete."""
        return b"".join(piece for part in self.parts for piece in (part, _padding(part) if part[1] == SOS else b""))


def coded_picture(source: Source, header: JpegHeader, limits: Limits) -> CodedPicture:
    """Cut the coded picture out of a whole file.

    Raises:
        BrokenImageError: A segment is malformed.
        ImageTooLargeError: Too many segments or scans, or scans that take too long to decode.
    """
    file = memoryview(source.whole())
    counts: dict[str, int] = {}
    first = [b"\xff\xd8", *_colour_segments(header)]
    parts: list[bytes | memoryview] = [*first]
    scans, ended, restarts = list[Scan](), False, False
    for segment, end in _with_data(source, len(file)):
        if segment.marker in (SOI, EOI):
            ended = segment.marker == EOI
            break
        count_segment(counts, segment, limits)
        if is_metadata(segment.marker):
            continue
        part = file[segment.start : end]
        if segment.marker == DRI:
            restarts = any(part[4:6])
        elif segment.marker == SOS:
            scans.append(_scan(bytes(file[segment.start + 4 : segment.end])))
            part = _without_fill(_in_sequence(part, header, restarts=restarts))
        parts.append(part)
    # Tables after the last scan would keep the decoder from asking for the data that it lacks.
    while parts[-1][1] != SOS:
        parts.pop()
    if not ended:
        parts[-1] = _without_zeros(parts[-1])
    plain = all(part[1] in _PLAIN for part in parts[len(first) :])
    _check_work(header, scans)
    watched = len(scans) == 1 and header.frame in SEQUENTIAL
    compared = not watched and header.frame not in ARITHMETIC
    return CodedPicture(parts, scans, ended, plain, compared)


@dataclass(frozen=True)
class FirstScan:
    """What a decoder needs before the first scan's data, which begin at `start`; see `CodedPicture`."""

    head: bytes
    start: int
    scan: Scan
    plain: bool

    def interleaves_less_than(self, header: JpegHeader) -> bool:
        """Return whether the scan lacks components of the picture, so that other scans must follow."""
        return header.mode != "L" and len(self.scan.components) == 1


def first_scan(source: Source, header: JpegHeader) -> FirstScan:
    """Read the file up to the coded data of its first scan."""
    parts, plain = [b"\xff\xd8", *_colour_segments(header)], True
    for segment in walk(source):
        if not is_metadata(segment.marker):
            parts.append(source.take(segment.start, segment.end - segment.start))
            plain = plain and segment.marker in _PLAIN
        if segment.marker == SOS:
            break
    return FirstScan(b"".join(parts), segment.end, _scan(parts[-1][4:]), plain)


def _scan(parameters: bytes) -> Scan:
    """Read a scan header's parameters; the decoder refuses malformed ones."""
    count = parameters[0] if parameters else 0
    tail = parameters[1 + 2 * count : 4 + 2 * count].ljust(3, b"\0")
    return Scan(tuple(parameters[1 : 1 + 2 * count : 2]), tail[0], tail[1], tail[2] & 15)


def _check_work(header: JpegHeader, scans: Sequence[Scan]) -> None:
    """Refuse a picture whose scans take too long to decode, even if its file is short.

    Raises:
        ImageTooLargeError: The message names the limit and the value.
    """
    arithmetic = header.frame in ARITHMETIC
    if arithmetic and len(scans) > MAX_ARITHMETIC_SCANS:
        raise ImageTooLargeError(
            f"expected at most {MAX_ARITHMETIC_SCANS} scans of an arithmetic JPEG, got {len(scans)}: save it again"
        )
    blocks = sum(len(scan.components) for scan in scans) * header.width * header.height // 64
    blocks *= ARITHMETIC_WEIGHT if arithmetic else 1
    if blocks > MAX_BLOCKS and len(scans) > 1:
        raise ImageTooLargeError(
            f"expected at most {MAX_BLOCKS:,} blocks in all scans, got {blocks:,} in {len(scans)}: save it again"
        )


def missing(header: JpegHeader, coded: CodedPicture) -> str | None:
    """Return what a picture that decodes lacks, by its scans and its end, or None if it is whole.

    Each component needs all bits of its mean values (DC). The standard allows a file to leave out further detail, but
    without EOI, the scans with that detail may be lost.
    """
    for component in header.components:
        bands = [scan for scan in coded.scans if component in scan.components]
        # Each scan of another frame has all bits, and its parameters mean something else, or nothing.
        means = [scan.bits_left for scan in bands if scan.first == 0] if header.progressive else [0 for _ in bands]
        if not means or means[-1]:
            return "the JPEG is incomplete: a scan of one of its components is missing"
        if not coded.ended and not _has_all_detail(header, bands):
            return "the JPEG is truncated: it ends before its last scan"
    return None if coded.ended or header.frame not in ARITHMETIC else _NO_END


def _has_all_detail(header: JpegHeader, bands: Sequence[Scan]) -> bool:
    """Return whether all 64 coefficients of a component are complete, to the last bit."""
    if not header.progressive:
        return True
    left = dict.fromkeys(range(64), 1)
    for scan in bands:
        left.update(dict.fromkeys(range(scan.first, min(scan.last, 63) + 1), scan.bits_left))
    return not any(left.values())


def _in_sequence(scan: memoryview, header: JpegHeader, *, restarts: bool) -> memoryview:
    """Return a scan up to the first marker that does not belong there; instead of what follows, decoders invent data.

    Restart markers must be in sequence (T.81, B.2.1).
    """
    most = _most_restarts(header) if restarts else 0
    for number, marker in enumerate(_markers(scan)):
        if number >= most or scan[marker.start() + 1] != _FIRST_RESTART + number % _RESTARTS:
            return scan[: marker.start()]
    return scan


def _markers(scan: bytes | memoryview) -> Iterator[re.Match[bytes]]:
    """Yield the markers in the coded data of a scan."""
    return _INSIDE.finditer(scan, 2 + int.from_bytes(scan[2:4]))


def _padding(scan: bytes | memoryview) -> bytes:
    """Return padding for a scan: a decoder that expects a restart skips all bytes before it, so there is one too."""
    restart = _FIRST_RESTART + sum(1 for _ in _markers(scan)) % _RESTARTS
    return PADDING + bytes((0xFF, restart)) + PADDING


def _most_restarts(header: JpegHeader) -> int:
    """Return how many restarts a scan may have: as many as blocks, or rows of a lossless picture (T.81, H.1)."""
    if header.frame == LOSSLESS:
        return header.height
    return -(-header.width // 8) * -(-header.height // 8)


def _without_fill(scan: memoryview) -> memoryview:
    """Return a scan without the fill bytes (FF) at its end, which may stand before a marker (T.81, B.1.1.2)."""
    return scan[: length_without(scan, b"\xff")]


def _without_zeros(scan: bytes | memoryview) -> bytes | memoryview:
    """Return a scan without the zeros at its end: a file without EOI has them in place of data never written.

    A decoder would accept them as data. One zero follows each FF in the data.
    """
    length = length_without(scan, b"\0")
    return scan[: length + (scan[length - 1] == 0xFF)]  # noqa: PLR2004


def _with_data(source: Source, size: int) -> Iterator[tuple[Segment, int]]:
    """Yield each segment and where it ends, including a scan's coded data."""
    previous: Segment | None = None
    for segment in walk(source):
        if previous:
            yield previous, segment.start if previous.marker == SOS else previous.end
        previous = segment
    if previous:
        yield previous, size if previous.marker == SOS else previous.end


def _colour_segments(header: JpegHeader) -> list[bytes]:
    """Return the segments that define the colours: JFIF without its thumbnail, and Adobe's 12 bytes."""
    segments = []
    if header.jfif is not None:
        body = b"JFIF\0\1\1" + header.jfif[7:12].ljust(5, b"\0") + b"\0\0"
        segments.append(segment_bytes(APP0, body))
    if header.adobe is not None:
        segments.append(segment_bytes(APP14, header.adobe))
    return segments


def segment_bytes(marker: int, body: bytes) -> bytes:
    """Return a segment with its marker and length."""
    return bytes((0xFF, marker)) + (len(body) + 2).to_bytes(2, "big") + body
