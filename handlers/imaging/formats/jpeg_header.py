"""Read the markers of a JPEG up to its first scan.

Source: ITU-T T.81, annex B; JFIF 1.02; Adobe technical note 5116 for APP14.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from handlers.errors import BrokenImageError, UnsupportedFormatError
from handlers.imaging.facts.rights import MAX_BLOCK_BYTES
from handlers.imaging.limits import Limits
from handlers.imaging.source import Source

from .jpeg_markers import (
    APP0,
    APP1,
    APP2,
    APP13,
    APP14,
    APP15,
    EOI,
    FRAMES,
    LOSSLESS,
    PROGRESSIVE,
    SOS,
    Segment,
    count_segment,
    walk,
)
from .picture import GAIN_MAP_IGNORED, MAX_PROFILE_BYTES, Header

_DECODABLE = frozenset({0xC0, 0xC1, PROGRESSIVE, LOSSLESS, 0xC9, 0xCA})
_HIERARCHICAL = frozenset({0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF, 0xDE, 0xDF})
_MODES = {1: "L", 3: "RGB", 4: "CMYK"}
_MOST_SAMPLES = 4
_JFIF_BYTES = 14  # Source: JFIF 1.02; libjpeg ignores a shorter header too.
_XMP = b"http://ns.adobe.com/xap/1.0/\0"  # Source: XMP specification, part 3, JPEG.
_GAIN_MAP = b"urn:iso:std:iso:ts:21496:-1\0"  # Source: ISO 21496-1, annex C.
_GAIN_MAP_XMP = (b"hdrgm:Version", b"HDRGainMap")
"""Names in the XMP of a picture whose second picture is a gain map: Android's and Apple's."""
_PHOTOSHOP = b"Photoshop 3.0\0"  # Source: the same, image resource blocks.


@dataclass(frozen=True, kw_only=True)
class JpegHeader(Header):
    """Facts from the markers up to the first scan; `frame` is the marker of the frame header."""

    frame: int
    components: tuple[int, ...]
    jfif: bytes | None = None
    adobe: bytes | None = None
    multi_picture: bytes | None = None

    @property
    def progressive(self) -> bool:
        """Whether the coefficients come in several scans."""
        return self.frame in (PROGRESSIVE, 0xCA)

    @property
    def is_ycbcr(self) -> bool:
        """Return whether decoders read three components as YCbCr, by libjpeg's rule."""
        if len(self.components) != 3:  # noqa: PLR2004
            return False
        if self.jfif is not None:
            return True
        if self.adobe is not None:
            return self.adobe[11] != 0
        return self.components != tuple(b"RGB")


@dataclass
class _Seen:
    """What has been read of the markers so far."""

    frame: tuple[int, bytes] | None = None
    exif: bytes | None = None
    jfif: bytes | None = None
    adobe: bytes | None = None
    multi_picture: bytes | None = None
    icc: dict[int, bytes] = field(default_factory=dict)
    iptc: list[bytes] = field(default_factory=list)
    xmp: bytes | None = None
    gain_map: bool = False


def read_header(source: Source, limits: Limits) -> JpegHeader:
    """Read the markers up to the first scan.

    Raises:
        BrokenImageError: There is no frame or no scan, or a segment is malformed.
        UnsupportedFormatError: A JPEG of a kind that is not decoded.
        ImageTooLargeError: Too many segments.
    """
    seen, counts = _Seen(), defaultdict[str, int](int)
    for segment in walk(source):
        if segment.marker == SOS:
            return _header(seen)
        if segment.marker == EOI:
            break
        count_segment(counts, segment, limits)
        _note(seen, segment, source)
    raise BrokenImageError("the JPEG holds no picture: it ends before the first scan")


def _note(seen: _Seen, segment: Segment, source: Source) -> None:
    """Read one segment before the first scan."""
    body, size, marker = segment.start + 4, segment.end - segment.start - 4, segment.marker
    if APP0 <= marker <= APP15:
        _note_metadata(seen, marker, source, body, size)
    elif marker in _HIERARCHICAL:
        raise UnsupportedFormatError("expected a baseline or progressive JPEG, got a hierarchical one: save it again")
    elif marker in FRAMES:
        if seen.frame:
            raise BrokenImageError("the JPEG is damaged: it has two frame headers")
        seen.frame = marker, source.take(body, size)


def _note_metadata(seen: _Seen, marker: int, source: Source, body: int, size: int) -> None:
    """Read one APPn segment, whose `body` has `size` bytes."""
    prefix = source.take(body, min(size, 16))
    if marker == APP0 and prefix.startswith(b"JFIF\0") and size >= _JFIF_BYTES:
        seen.jfif = seen.jfif or prefix
    elif marker == APP14 and prefix.startswith(b"Adobe") and size >= 12:  # noqa: PLR2004
        seen.adobe = prefix[:12]
    elif marker == APP1 and prefix.startswith(b"Exif\0") and size > len(b"Exif\0\0"):
        seen.exif = seen.exif or source.take(body + 6, size - 6)
    elif marker == APP2 and prefix.startswith(b"ICC_PROFILE\0"):
        # Of repeated parts, the first counts: some editors store the whole profile twice, or another one after it.
        part = source.take(body + 12, size - 12)
        seen.icc.setdefault(part[0] if len(part) > 2 else 0, part)  # noqa: PLR2004
    elif marker == APP1 and prefix.startswith(_XMP[:16]) and source.take(body, min(size, len(_XMP))) == _XMP:
        seen.xmp = seen.xmp or source.take(body + len(_XMP), size - len(_XMP))
    elif marker == APP13 and prefix.startswith(_PHOTOSHOP) and sum(map(len, seen.iptc)) < MAX_BLOCK_BYTES:
        seen.iptc.append(source.take(body + len(_PHOTOSHOP), size - len(_PHOTOSHOP)))
    elif marker == APP2 and prefix.startswith(b"MPF\0"):
        seen.multi_picture = source.take(body + 4, size - 4)
    elif marker == APP2 and prefix == _GAIN_MAP[:16]:
        seen.gain_map = source.take(body, min(size, len(_GAIN_MAP))) == _GAIN_MAP


def _header(seen: _Seen) -> JpegHeader:
    """Make the header from what was read."""
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
    warnings = [GAIN_MAP_IGNORED] if _has_gain_map(seen) else []
    return JpegHeader(
        format="JPEG",
        width=width,
        height=height,
        mode=_MODES[count],
        exif=seen.exif,
        iptc=b"".join(seen.iptc),
        xmp=seen.xmp,
        icc=_joined(seen.icc, warnings),
        warnings=warnings,
        frame=frame,
        components=tuple(body[6 : 6 + 3 * count : 3]),
        jfif=seen.jfif,
        adobe=seen.adobe,
        multi_picture=seen.multi_picture,
    )


def _has_gain_map(seen: _Seen) -> bool:
    """Return whether the file's second picture is a gain map, which HDR displays add to the first."""
    named = any(name in (seen.xmp or b"") for name in _GAIN_MAP_XMP)
    return seen.multi_picture is not None and (seen.gain_map or named)


def _check_kind(frame: int, bits: int, components: int, size: tuple[int, int]) -> None:
    if frame not in _DECODABLE:
        raise UnsupportedFormatError(
            "expected a baseline or progressive JPEG, got a lossless arithmetic one: save it again"
        )
    if bits != 8:  # noqa: PLR2004
        raise UnsupportedFormatError(f"expected a JPEG of 8 bits a sample, got {bits}: save it again")
    if components not in _MODES:
        raise UnsupportedFormatError(f"expected a JPEG of 1, 3 or 4 components, got {components}: save it again")
    if not size[0]:
        raise BrokenImageError("the JPEG is damaged: its width is 0")
    if not size[1]:
        raise UnsupportedFormatError(
            "expected a JPEG whose frame header has its height, got one that has it after the scan (DNL): save it again"
        )


def _joined(numbered: Mapping[int, bytes], warnings: list[str]) -> bytes | None:
    """Join the profile's parts in order; each begins with its number, from 1, and the number of parts."""
    if not numbered:
        return None
    count = next((part[1] for number, part in numbered.items() if number), 0)
    if not count or any(number not in numbered for number in range(1, count + 1)):
        warnings.append("the ICC profile was ignored: parts of it are missing")
        return None
    profile = b"".join(numbered[number][2:] for number in range(1, count + 1))
    if len(profile) > MAX_PROFILE_BYTES:
        warnings.append(f"the ICC profile was ignored: it has {len(profile):,} bytes, more than {MAX_PROFILE_BYTES:,}")
        return None
    return profile
