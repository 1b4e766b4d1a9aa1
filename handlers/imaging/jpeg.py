"""Walk over the markers of a JPEG: header, limits, scans; no pixel is decoded.

Source: ITU-T T.81, annex B; JFIF 1.02; Adobe technical note 5116 for APP14.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from handlers.errors import BrokenImageError, UnsupportedFormatError

from .header import MAX_PROFILE_BYTES, Header
from .limits import Limits
from .source import Source

SOI, EOI, SOS = 0xD8, 0xD9, 0xDA
DHT, DAC, DQT, DRI, COM = 0xC4, 0xCC, 0xDB, 0xDD, 0xFE
APP0, APP1, APP2, APP14, APP15 = 0xE0, 0xE1, 0xE2, 0xEE, 0xEF
FRAMES = frozenset(range(0xC0, 0xD0)) - {DHT, 0xC8, DAC}
SEQUENTIAL, PROGRESSIVE, LOSSLESS = frozenset({0xC0, 0xC1}), 0xC2, 0xC3
_DECODABLE = frozenset({0xC0, 0xC1, PROGRESSIVE, LOSSLESS, 0xC9, 0xCA})
_HIERARCHICAL = frozenset({0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF, 0xDE, 0xDF})
_MODES = {1: "L", 3: "RGB", 4: "CMYK"}

# A marker proper: neither a stuffed zero, nor fill bytes, nor a restart inside a scan.
_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
_SEARCH_BYTES = 256 * 1024
_TABLES_BYTES = 4 * (1 + 64 * 2)
_MOST_SAMPLES = 4

JUNK_BYTES = 64 * 1024
"""How far a segment of the header may be from the one before; real files have a few bytes of junk at most."""


@dataclass(frozen=True)
class Segment:
    """One marker segment: `start` at its 0xFF, `end` behind its parameters."""

    marker: int
    start: int
    end: int


@dataclass(frozen=True, kw_only=True)
class JpegHeader(Header):
    """Facts from the markers up to the first scan; `step` is how coarsely luminance is quantised, on average."""

    frame: int
    components: tuple[int, ...]
    sampling: tuple[int, ...]
    step: float
    jfif: bytes | None = None
    adobe: bytes | None = None
    multi_picture: bytes | None = None

    @property
    def is_ycbcr(self) -> bool:
        """Say whether decoders take three components as YCbCr, by the rule of libjpeg."""
        if len(self.components) != len("YCC"):
            return False
        if self.jfif is not None:
            return True
        if self.adobe is not None:
            return self.adobe[11] != 0
        return self.components != tuple(b"RGB")


@dataclass
class _Seen:
    """What the walk has met so far."""

    frame: tuple[int, bytes] | None = None
    exif: bytes | None = None
    jfif: bytes | None = None
    adobe: bytes | None = None
    multi_picture: bytes | None = None
    steps: dict[int, float] = field(default_factory=dict)
    icc: list[bytes] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)


def read_header(source: Source, limits: Limits) -> JpegHeader:
    """Read the markers up to the first scan.

    Raises:
        BrokenImageError: There is no frame or no scan, or a segment is malformed.
        UnsupportedFormatError: A JPEG of a kind that is not decoded.
        ImageTooLargeError: Too many segments.
    """
    seen = _Seen()
    for segment in walk(source):
        if segment.marker == SOS:
            return _header(seen)
        if segment.marker == EOI:
            break
        count_segment(seen.counts, segment, limits)
        _note(seen, segment, source)
    raise BrokenImageError("the JPEG holds no picture: it ends before the first scan")


def walk(source: Source) -> Iterator[Segment]:
    """Yield the segments in order, over scans too, until EOI, a second SOI or the file's end.

    Raises:
        BrokenImageError: A segment's length is impossible, or one before the first scan is cut short.
    """
    position, scanned = 2, False
    while True:
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
        end = start + 2 + length
        if scanned and len(source.peek(end - 1, 1)) == 0:
            return
        if length < 2:  # noqa: PLR2004 - the length counts its own two bytes
            raise BrokenImageError(f"the JPEG is damaged: marker FF{marker:02X} at byte {start:,} has no length")
        source.take(end - 1, 1)
        yield Segment(marker, start, end)
        scanned = scanned or marker == SOS
        position = end


def count_segment(counts: dict[str, int], segment: Segment, limits: Limits) -> None:
    """Count a segment by kind, and refuse the file once there are too many."""
    if is_metadata(segment.marker):
        what = "APPn and comment segments"
    elif segment.marker == SOS:
        counts["scans"] = counts.get("scans", 0) + 1
        limits.check_scans(counts["scans"])
        return
    else:
        what = "table segments"
    counts[what] = counts.get(what, 0) + 1
    limits.check_segments(counts[what], what)


def is_metadata(marker: int) -> bool:
    """Say whether a segment is APPn or a comment, no part of the coded picture."""
    return APP0 <= marker <= APP15 or marker == COM


def _next_marker(source: Source, position: int, reach: int | None) -> int | None:
    """Find the next marker, at most `reach` bytes on, passing over coded data, restarts, fill bytes and junk."""
    head = source.peek(position, 2)
    if _MARKER.match(head):
        return position
    while True:
        found, searched = source.find(_MARKER, position, _SEARCH_BYTES)
        if found is not None:
            return found
        reach = None if reach is None else reach - searched
        if searched < _SEARCH_BYTES or (reach is not None and reach <= 0):
            return None
        # A marker may straddle the blocks.
        position += searched - 1


def _note(seen: _Seen, segment: Segment, source: Source) -> None:
    """Remember what one segment before the first scan says."""
    body, size, marker = segment.start + 4, segment.end - segment.start - 4, segment.marker
    if APP0 <= marker <= APP15:
        _note_metadata(seen, marker, source, body, size)
    elif marker in _HIERARCHICAL:
        raise UnsupportedFormatError("a hierarchical JPEG; baseline and progressive JPEGs are taken")
    elif marker in FRAMES:
        if seen.frame:
            raise BrokenImageError("the JPEG is damaged: it has two frame headers")
        seen.frame = marker, source.take(body, size)
    elif marker == DQT:
        seen.steps.update(_steps(source.take(body, min(size, _TABLES_BYTES))))


def _note_metadata(seen: _Seen, marker: int, source: Source, body: int, size: int) -> None:
    """Remember what one APPn segment says, whose `body` has `size` bytes."""
    prefix = source.take(body, min(size, 16))
    if marker == APP0 and prefix.startswith(b"JFIF\0"):
        seen.jfif = seen.jfif or prefix
    elif marker == APP14 and prefix.startswith(b"Adobe") and size >= 12:  # noqa: PLR2004
        seen.adobe = prefix[:12]
    elif marker == APP1 and prefix.startswith(b"Exif\0"):
        seen.exif = seen.exif or source.take(body + 6, size - 6) if size > len(b"Exif\0\0") else seen.exif
    elif marker == APP2 and prefix.startswith(b"ICC_PROFILE\0"):
        seen.icc.append(source.take(body + 12, size - 12))
    elif marker == APP2 and prefix.startswith(b"MPF\0"):
        seen.multi_picture = source.take(body + 4, size - 4)


def _header(seen: _Seen) -> JpegHeader:
    """Make the header of what the walk has met."""
    if not seen.frame:
        raise BrokenImageError("the JPEG is damaged: a scan comes before the frame header")
    frame, body = seen.frame
    count = body[5] if len(body) > 5 else 0  # noqa: PLR2004 - T.81, B.2.2
    if not count or len(body) < 6 + 3 * count:
        raise BrokenImageError("the JPEG is damaged: its frame header is too short")
    height, width = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
    _check_kind(frame, body[0], count, (width, height))
    for pair in body[7 : 6 + 3 * count : 3]:
        if not (1 <= pair >> 4 <= _MOST_SAMPLES and 1 <= pair & 15 <= _MOST_SAMPLES):
            raise BrokenImageError(f"the JPEG is damaged: a component is sampled {pair >> 4} x {pair & 15}")
    warnings: list[str] = []
    return JpegHeader(
        format="JPEG",
        width=width,
        height=height,
        mode=_MODES[count],
        exif=seen.exif,
        icc=_joined(seen.icc, warnings),
        warnings=warnings,
        frame=frame,
        components=tuple(body[6 : 6 + 3 * count : 3]),
        sampling=tuple(body[7 : 6 + 3 * count : 3]),
        step=seen.steps.get(body[8], 1.0),
        jfif=seen.jfif,
        adobe=seen.adobe,
        multi_picture=seen.multi_picture,
    )


def _steps(tables: bytes) -> Iterator[tuple[int, float]]:
    """Yield the number and the mean of each quantisation table, of 64 steps of one byte or two."""
    at = 0
    while at < len(tables):
        width, number = (2 if tables[at] >> 4 else 1), tables[at] & 15
        table = tables[at + 1 : at + 1 + 64 * width]
        yield number, (sum(table) if width == 1 else 256 * sum(table[::2]) + sum(table[1::2])) / 64
        at += 1 + 64 * width


def _check_kind(frame: int, bits: int, components: int, size: tuple[int, int]) -> None:
    if frame not in _DECODABLE:
        raise UnsupportedFormatError("a lossless arithmetic JPEG; baseline and progressive JPEGs are taken")
    if bits != 8:  # noqa: PLR2004
        raise UnsupportedFormatError(f"a JPEG of {bits} bits a sample; those of 8 are taken")
    if components not in _MODES:
        raise UnsupportedFormatError(f"a JPEG of {components} components; those of 1, 3 or 4 are taken")
    if not size[0]:
        raise BrokenImageError("the JPEG is damaged: its width is 0")
    if not size[1]:
        raise UnsupportedFormatError("a JPEG that states its height after the scan (DNL); save it anew")


def _joined(parts: list[bytes], warnings: list[str]) -> bytes | None:
    """Join the profile's parts by their numbers; each begins with its own and that of all."""
    if not parts:
        return None
    numbered = sorted((part for part in parts if len(part) > 2), key=lambda part: part[0])  # noqa: PLR2004
    if not numbered or [part[0] for part in numbered] != list(range(1, numbered[0][1] + 1)):
        warnings.append("the ICC profile was ignored: parts of it are missing")
        return None
    profile = b"".join(part[2:] for part in numbered)
    if len(profile) > MAX_PROFILE_BYTES:
        warnings.append(f"the ICC profile was ignored: it has {len(profile):,} bytes, more than {MAX_PROFILE_BYTES:,}")
        return None
    return profile
