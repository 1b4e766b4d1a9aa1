"""The coded picture of a JPEG, cut out of its file, and how much work its scans are.

Source: ITU-T T.81, annex B for segments, B.2.3 for scan headers, annex G for progressive coding.
"""

import itertools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from handlers.errors import ImageTooLargeError
from handlers.imaging.limits import Limits
from handlers.imaging.source import Source

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
    count,
    count_segment,
    in_sequence,
    is_metadata,
    padding,
    segment_bytes,
    walk,
    without_fill,
    without_zeros,
)

ARITHMETIC = frozenset({0xC9, 0xCA})
_HUFFMAN = frozenset({0xC0, 0xC1, 0xC2})
_ONE_SCAN = SEQUENTIAL | {LOSSLESS}
_PLAIN = frozenset({DHT, DQT, DRI, SOS, *_HUFFMAN})
"""The segments of a coded picture that every browser decodes."""

MAX_ARITHMETIC_SCANS = 20
ARITHMETIC_WEIGHT = 8
"""How many times as long a block takes with arithmetic coding as with Huffman coding."""

MAX_RESTARTS = 500_000
"""Restarts in all scans, each of which takes time; encoders write one for a row, or for a few blocks."""

MAX_BLOCKS = 32_000_000
"""Blocks of 8 x 8 samples in all scans: twice those of a progressive picture of 64 million pixels."""

FEW_BLOCKS, MAX_TIMES = 6_000_000, 40
"""Blocks that a picture of any size may have in all scans, and how many times those of one component a larger one may
have; real pictures have at most 26 times."""


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
    its segments. `ended`: the file has EOI. `watched`: a decoder's requests show whether its only scan is complete.
    `compared`: the picture has several scans, is progressive or lossless, and must be decoded twice to find that out.
    `segments`: how many the file has before EOI, with those that are left out.
    """

    parts: Sequence[bytes | memoryview]
    scans: Sequence[Scan]
    ended: bool
    plain: bool
    watched: bool
    compared: bool
    segments: int

    @property
    def size(self) -> int:
        """Bytes of all parts."""
        return sum(map(len, self.parts))

    def joined(self) -> bytes:
        """Return the coded picture for a decoder."""
        return b"".join(self.parts)

    def padded(self) -> bytes:
        """Return it with bytes after each scan that a decoder reads only if the scan is incomplete."""
        return b"".join(piece for part in self.parts for piece in (part, padding(part) if part[1] == SOS else b""))


def coded_picture(source: Source, header: JpegHeader, limits: Limits) -> CodedPicture:
    """Cut the coded picture out of a whole file.

    Raises:
        BrokenImageError: A segment is malformed.
        ImageTooLargeError: Too many segments or scans, or scans that take too long to decode.
    """
    file = memoryview(source.whole())
    counts = defaultdict[str, int](int)
    first = _colour_segments(header)
    parts: list[bytes | memoryview] = [*first]
    scans, ended, restarts = list[Scan](), False, False
    segments, end = 0, Segment(EOI, len(file), len(file))
    for segment, following in itertools.pairwise(itertools.chain(walk(source), (end,))):
        if segment.marker in (SOI, EOI):
            ended = segment.marker == EOI
            break
        segments += 1
        count_segment(counts, segment, limits)
        if is_metadata(segment.marker) or _is_all(header, scans):
            continue
        # Coded data follow a scan's header, up to the next segment.
        part = file[segment.start : following.start if segment.marker == SOS else segment.end]
        if segment.marker == DRI:
            restarts = any(part[4:6])
        elif segment.marker == SOS:
            scans.append(_scan(bytes(file[segment.start + 4 : segment.end])))
            part = _data_of_scan(part, _most_restarts(header) if restarts else 0, counts)
        parts.append(part)
    # Tables after the last scan would keep the decoder from asking for the data that it lacks.
    while parts[-1][1] != SOS:
        parts.pop()
    if not ended:
        parts[-1] = without_zeros(parts[-1])
    plain = _is_plain(parts[len(first) :])
    _check_work(header, scans)
    watched = len(scans) == 1 and header.frame in SEQUENTIAL
    compared = not watched and header.frame not in ARITHMETIC
    return CodedPicture(parts, scans, ended, plain, watched, compared, segments)


def _data_of_scan(part: memoryview, most_restarts: int, counts: defaultdict[str, int]) -> memoryview:
    """Return a scan as far as its markers are in sequence, without fill bytes at its end; count its restarts."""
    part, restarts = in_sequence(without_fill(part), most_restarts)
    count(counts, "restarts", restarts, MAX_RESTARTS)
    return without_fill(part)


@dataclass(frozen=True)
class FirstScan:
    """What a decoder needs before the first scan's data, which begin at `start`; see `CodedPicture`.

    `alone`: no other scan must follow, because this one interleaves components, or the picture has a single one.
    """

    head: bytes
    start: int
    alone: bool
    plain: bool


def first_scan(source: Source, header: JpegHeader) -> FirstScan:
    """Read the file up to the coded data of its first scan."""
    first, parts = _colour_segments(header), list[bytes]()
    for segment in walk(source):
        if not is_metadata(segment.marker):
            parts.append(source.take(segment.start, segment.end - segment.start))
        if segment.marker == SOS:
            break
    alone = header.mode == "L" or len(_scan(parts[-1][4:]).components) != 1
    return FirstScan(b"".join(first + parts), segment.end, alone, _is_plain(parts))


def _is_plain(parts: Sequence[bytes | memoryview]) -> bool:
    """Return whether every decoder knows the segments; some lack the Huffman tables that motion JPEG leaves out."""
    kinds = {part[1] for part in parts}
    return DHT in kinds and kinds <= _PLAIN


def _scan(parameters: bytes) -> Scan:
    """Read a scan header's parameters; the decoder refuses malformed ones."""
    count = parameters[0] if parameters else 0
    tail = parameters[1 + 2 * count : 4 + 2 * count].ljust(3, b"\0")
    return Scan(tuple(parameters[1 : 1 + 2 * count : 2]), tail[0], tail[1], tail[2] & 15)


def blocks_of(header: JpegHeader, scans: Sequence[Scan]) -> int:
    """Return the number of blocks that a decoder reads in all scans."""
    return sum(len(scan.components) for scan in scans) * header.width * header.height // 64


def _check_work(header: JpegHeader, scans: Sequence[Scan]) -> None:
    """Refuse a picture whose scans take too long to decode, even if its file is short."""
    arithmetic = header.frame in ARITHMETIC
    if arithmetic and len(scans) > MAX_ARITHMETIC_SCANS:
        raise ImageTooLargeError(
            f"expected at most {MAX_ARITHMETIC_SCANS} scans of an arithmetic JPEG, got {len(scans)}: save it again"
        )
    if not header.progressive and sum(len(scan.components) for scan in scans) > len(header.components):
        raise ImageTooLargeError(
            f"expected one scan for each of the {len(header.components)} components of a JPEG that is not progressive, "
            f"got more in {len(scans)}: save it again"
        )
    blocks = blocks_of(header, scans)
    most = MAX_BLOCKS // ARITHMETIC_WEIGHT if arithmetic else MAX_BLOCKS
    most = min(most, max(FEW_BLOCKS, MAX_TIMES * largest_blocks(header)))
    if blocks > most and len(scans) > 1:
        raise ImageTooLargeError(
            f"expected at most {most:,} blocks in all scans, got {blocks:,} in {len(scans)}: save it again"
        )


def _is_all(header: JpegHeader, scans: Sequence[Scan]) -> bool:
    """Return whether decoders ignore whatever follows: they do if the picture's first scan has all components."""
    return header.frame in _ONE_SCAN and bool(scans) and len(scans[0].components) == len(header.components)


def _most_restarts(header: JpegHeader) -> int:
    """Return how many restarts a scan may have: as many as blocks, or rows of a lossless picture (T.81, H.1)."""
    return header.height if header.frame == LOSSLESS else largest_blocks(header)


def largest_blocks(header: JpegHeader) -> int:
    """Return the number of blocks of the component that has the most."""
    return -(-header.width // 8) * -(-header.height // 8)


def _colour_segments(header: JpegHeader) -> list[bytes]:
    """Return SOI and the segments that define the colours: JFIF without its thumbnail, and Adobe's 12 bytes."""
    segments = [b"\xff\xd8"]
    if header.jfif is not None:
        body = b"JFIF\0\1\1" + header.jfif[7:12].ljust(5, b"\0") + b"\0\0"
        segments.append(segment_bytes(APP0, body))
    if header.adobe is not None:
        segments.append(segment_bytes(APP14, header.adobe))
    return segments
