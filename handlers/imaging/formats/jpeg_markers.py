"""The markers of a JPEG, and the coded data of the scans between them; no pixel is decoded.

Source: ITU-T T.81, annex B.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from handlers.errors import BrokenImageError, ImageTooLargeError
from handlers.imaging.limits import Limits
from handlers.imaging.source import Source, length_without

SOI, EOI, SOS = 0xD8, 0xD9, 0xDA
DHT, DAC, DQT, DRI, COM = 0xC4, 0xCC, 0xDB, 0xDD, 0xFE
APP0, APP1, APP2, APP13, APP14, APP15 = 0xE0, 0xE1, 0xE2, 0xED, 0xEE, 0xEF
FRAMES = frozenset(range(0xC0, 0xD0)) - {DHT, 0xC8, DAC}
SEQUENTIAL, PROGRESSIVE, LOSSLESS = frozenset({0xC0, 0xC1}), 0xC2, 0xC3

# A marker that begins a segment: not a stuffed zero, a fill byte or a restart.
MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
_INSIDE = re.compile(rb"\xff[\x01-\xfe]")
"""The markers that do not end a scan for `walk`: restarts, TEM, and those whose parameters the file has no room for."""
_SEARCH_BYTES = 256 * 1024
_FILL = b"\xff" * _SEARCH_BYTES
"""Compared as a whole, because a search for a marker tries each fill byte."""

_FIRST_RESTART, _RESTARTS = 0xD0, 8

_PADDING = bytes(min(level, 0xFE) for level in hashlib.sha512(b"padding").digest())
"""Bytes without a marker and without a pattern, so that a decoder that reads them produces different pixels."""

MAX_MARKERS = 10_000
"""Markers that are read; a file with more is made to stall the reader."""

MAX_QUANTISATION_BYTES = 2_048
"""Bytes of all DQT segments, each of whose tables Pillow reads in Python; a picture has at most four tables."""

JUNK_BYTES = 64 * 1024
"""Junk bytes between two segments of the header; real files have a few at most."""


@dataclass(frozen=True)
class Segment:
    """One marker segment: `start` is the position of its 0xFF, `end` the position after its parameters."""

    marker: int
    start: int
    end: int


def walk(source: Source) -> Iterator[Segment]:
    """Yield the segments in order, including those after scans, until EOI, a second SOI or the end of the file.

    Raises:
        BrokenImageError: A segment's length is impossible, or the file ends in a segment before the first scan.
        ImageTooLargeError: Too many markers.
    """
    position, scanned = 2, False
    for _ in range(MAX_MARKERS):
        start = _next_marker(source, position, None if scanned else JUNK_BYTES)
        if start is None:
            return
        marker = source.peek(start + 1, 1)[0]
        if marker in (SOI, EOI):
            yield Segment(marker, start, start + 2)
            return
        if marker == 0x01:
            position = start + 2
            continue
        length = int.from_bytes(source.peek(start + 2, 2), "big")
        length = max(length, 2) if is_metadata(marker) else length  # As libjpeg does; no pixel is lost.
        end = start + 2 + length
        if scanned and (length < 2 or not source.peek(end - 1, 1)):  # noqa: PLR2004
            return
        if length < 2:  # noqa: PLR2004 - the length counts its own two bytes
            raise BrokenImageError(f"the JPEG is damaged: marker FF{marker:02X} at byte {start:,} has no length")
        source.take(end - 1, 1)
        yield Segment(marker, start, end)
        scanned = scanned or marker == SOS
        position = end
    raise ImageTooLargeError(
        f"expected at most {MAX_MARKERS:,} markers outside the coded data, got more: save it again"
    )


def count_segment(counts: defaultdict[str, int], segment: Segment, limits: Limits) -> None:
    """Count a segment by kind, and refuse the file once there are too many."""
    if segment.marker == DQT:
        count(counts, "bytes of quantisation tables", segment.end - segment.start, MAX_QUANTISATION_BYTES)
    if segment.marker == SOS:
        counts["scans"] += 1
        limits.check_scans(counts["scans"])
        return
    what = "APPn and comment segments" if is_metadata(segment.marker) else "table segments"
    counts[what] += 1
    limits.check_segments(counts[what], what)


def count(counts: defaultdict[str, int], what: str, more: int, most: int) -> None:
    """Add to a count, and refuse the file once it is too high."""
    counts[what] += more
    if counts[what] > most:
        raise ImageTooLargeError(f"expected at most {most:,} {what} in a JPEG, got more: save it again")


def is_metadata(marker: int) -> bool:
    """Return whether a segment is APPn or a comment, which are not part of the coded picture."""
    return APP0 <= marker <= APP15 or marker == COM


def _next_marker(source: Source, position: int, reach: int | None) -> int | None:
    """Find the next marker within `reach` bytes, after coded data, restarts, fill bytes and junk."""
    head = source.peek(position, 2)
    if MARKER.match(head):
        return position
    while True:
        if source.peek(position, 1) == b"\xff" and source.peek(position, _SEARCH_BYTES) == _FILL:
            found, searched = None, _SEARCH_BYTES
        else:
            found, searched = source.find(MARKER, position, _SEARCH_BYTES)
        if found is not None:
            return found
        reach = None if reach is None else reach - searched
        if searched < _SEARCH_BYTES or (reach is not None and reach <= 0):
            return None
        # A marker may be in two blocks.
        position += searched - 1


def in_sequence(scan: memoryview, most_restarts: int) -> tuple[memoryview, int]:
    """Return a scan up to the first marker that does not belong there, and the number of restarts before.

    Decoders invent data instead of what follows. Restart markers must be in sequence (T.81, B.2.1).
    """
    number = 0
    for marker in _markers(scan):
        if number >= most_restarts or scan[marker.start() + 1] != _FIRST_RESTART + number % _RESTARTS:
            return scan[: marker.start()], number
        number += 1
    return scan, number


def _markers(scan: bytes | memoryview) -> Iterator[re.Match[bytes]]:
    """Yield the markers in the coded data of a scan."""
    return _INSIDE.finditer(scan, 2 + int.from_bytes(scan[2:4]))


def padding(scan: bytes | memoryview) -> bytes:
    """Return padding for a scan: a decoder that expects a restart skips all bytes before it, so there is one too."""
    restart = _FIRST_RESTART + sum(1 for _ in _markers(scan)) % _RESTARTS
    return _PADDING + bytes((0xFF, restart)) + _PADDING


def without_fill(scan: memoryview) -> memoryview:
    """Return a scan without the fill bytes (FF) at its end, which may stand before a marker (T.81, B.1.1.2)."""
    return scan[: length_without(scan, b"\xff")]


def without_zeros(scan: bytes | memoryview) -> bytes | memoryview:
    """Return a scan without the zeros at its end: a file without EOI has them in place of data never written.

    A decoder would accept them as data. One zero follows each FF in the data.
    """
    length = length_without(scan, b"\0")
    return scan[: length + (scan[length - 1] == 0xFF)]  # noqa: PLR2004


def segment_bytes(marker: int, body: bytes) -> bytes:
    """Return a segment with its marker and length."""
    return bytes((0xFF, marker)) + (len(body) + 2).to_bytes(2, "big") + body
