"""Read the chunks of a WebP; no pixel is decoded.

Source: WebP container specification; RFC 6386, section 9.1, for VP8; WebP lossless bitstream specification for VP8L.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from handlers.errors import BrokenImageError
from handlers.imaging.limits import Limits
from handlers.imaging.source import Source

from .picture import MAX_PROFILE_BYTES, Header

LOSSY, LOSSLESS, EXTENDED, FRAME = b"VP8 ", b"VP8L", b"VP8X", b"ANMF"
ALPHA, PROFILE, EXIF, XMP = b"ALPH", b"ICCP", b"EXIF", b"XMP "
FIRST_CHUNK = 12
FRAME_HEADER_BYTES = 16
_ANIMATION_FLAG, _ALPHA_FLAG, _PROFILE_FLAG = 0x02, 0x10, 0x20


@dataclass(frozen=True)
class RiffChunk:
    """One chunk: its type and the position of its data; a byte of padding follows data of odd size."""

    kind: bytes
    start: int
    size: int

    @property
    def end(self) -> int:
        """The position of the next chunk."""
        return self.start + self.size + self.size % 2


@dataclass(frozen=True, kw_only=True)
class WebpHeader(Header):
    """Facts up to the first picture's data, which is in the chunks `picture` and, if it has one, `alpha`.

    `box` is the picture's (left, top, width, height) on the canvas. `profiled` means that a profile counts, which may
    also follow the picture. `picture_start` is the position of the picture's first chunk, or of its frame, and `end`
    the position after the last chunk.
    """

    picture: RiffChunk
    alpha: RiffChunk | None
    box: tuple[int, int, int, int]
    picture_start: int
    end: int
    animated: bool = False
    extended: bool = False
    profiled: bool = False


@dataclass(frozen=True)
class _Bitstream:
    """A picture's chunks, its (width, height) and whether pixels may be transparent."""

    picture: RiffChunk
    alpha: RiffChunk | None
    size: tuple[int, int]
    has_alpha: bool


def walk(source: Source, start: int, end: int) -> Iterator[RiffChunk]:
    """Yield the chunks from `start` to `end`, or to the end of the file.

    Raises:
        BrokenImageError: The file ends within the head of a chunk.
    """
    while start < end and source.peek(start, 1):
        head = source.take(start, 8)
        chunk = RiffChunk(head[:4], start + 8, int.from_bytes(head[4:], "little"))
        yield chunk
        start = chunk.end


def read_header(source: Source, limits: Limits) -> WebpHeader:
    """Read the chunks up to the data of the first picture.

    Raises:
        BrokenImageError: There is no picture, or its sizes contradict each other.
        ImageTooLargeError: Too many chunks.
    """
    end = 8 + int.from_bytes(source.take(4, 4), "little")
    first = next(walk(source, FIRST_CHUNK, end), None)
    if first is None or first.kind != EXTENDED:
        found = _bitstream(source, FIRST_CHUNK, end, limits)
        return _header(found, found.size, (0, 0, *found.size), picture_start=FIRST_CHUNK, end=end)
    data = source.take(first.start, 10)
    canvas = (1 + int.from_bytes(data[4:7], "little"), 1 + int.from_bytes(data[7:10], "little"))
    animated, profiled = bool(data[0] & _ANIMATION_FLAG), bool(data[0] & _PROFILE_FLAG)
    icc, warnings = None, list[str]()
    for number, chunk in enumerate(walk(source, first.end, end)):
        limits.check_segments(number, "chunks before the picture")
        if chunk.kind == PROFILE and icc is None:
            icc = _profile(source, chunk, warnings, profiled=profiled)
        if chunk.kind in (ALPHA, LOSSY, LOSSLESS) and not animated:
            found = _still(source, chunk, end, limits, opaque=not data[0] & _ALPHA_FLAG)
            box = (0, 0, *found.size)
        elif chunk.kind == FRAME and animated:
            found, box = _first_frame(source, chunk, limits)
        else:
            continue
        return _header(
            found,
            canvas,
            box,
            icc=icc,
            warnings=warnings,
            animated=animated,
            extended=True,
            profiled=profiled,
            picture_start=chunk.start - 8,
            end=end,
        )
    raise BrokenImageError("the WebP holds no picture: no VP8 or VP8L chunk before its end")


def _header(
    found: _Bitstream, canvas: tuple[int, int], box: tuple[int, int, int, int], *, animated: bool = False, **facts: Any
) -> WebpHeader:
    left, top, width, height = box
    if (width, height) != found.size or left + width > canvas[0] or top + height > canvas[1]:
        raise _damaged(f"its picture of {found.size[0]} x {found.size[1]} pixels is not where its header says")
    if not animated and found.size != canvas:
        raise _damaged(
            f"its canvas has {canvas[0]} x {canvas[1]} pixels, its picture {found.size[0]} x {found.size[1]}"
        )
    has_alpha = found.has_alpha or found.size != canvas
    return WebpHeader(
        format="WEBP",
        width=canvas[0],
        height=canvas[1],
        mode="RGBA" if has_alpha else "RGB",
        has_alpha=has_alpha,
        picture=found.picture,
        alpha=found.alpha,
        box=box,
        animated=animated,
        **facts,
    )


def _still(source: Source, chunk: RiffChunk, end: int, limits: Limits, *, opaque: bool) -> _Bitstream:
    """Return the bitstream of a picture that is not animated; if it counts as opaque, readers ignore an ALPH chunk."""
    found = _bitstream(source, chunk.start - 8, end, limits)
    return replace(found, alpha=None, has_alpha=False) if opaque and found.alpha else found


def _first_frame(source: Source, chunk: RiffChunk, limits: Limits) -> tuple[_Bitstream, tuple[int, int, int, int]]:
    """Return the bitstream of an animation's first frame, and its (left, top, width, height)."""
    data = source.take(chunk.start, FRAME_HEADER_BYTES)
    left, top, width, height = (int.from_bytes(data[i : i + 3], "little") for i in (0, 3, 6, 9))
    found = _bitstream(source, chunk.start + FRAME_HEADER_BYTES, chunk.start + chunk.size, limits)
    return found, (2 * left, 2 * top, width + 1, height + 1)


def _bitstream(source: Source, start: int, end: int, limits: Limits) -> _Bitstream:
    """Find a picture's chunks, an optional ALPH before VP8 or one VP8L, and read its size."""
    alpha = None
    for number, chunk in enumerate(walk(source, start, end)):
        limits.check_segments(number, "chunks before the picture")
        if chunk.kind == ALPHA:
            alpha = chunk
        elif chunk.kind in (LOSSY, LOSSLESS):
            if chunk.start + chunk.size > end:
                raise _damaged("its picture is longer than the file says")
            if chunk.kind == LOSSY:
                return _Bitstream(chunk, alpha, _lossy_size(source, chunk), alpha is not None)
            size, has_alpha = _lossless_size(source, chunk)
            return _Bitstream(chunk, None, size, has_alpha)
    raise BrokenImageError("the WebP holds no picture: no VP8 or VP8L chunk before its end")


def _lossy_size(source: Source, chunk: RiffChunk) -> tuple[int, int]:
    data = source.take(chunk.start, 10)
    width, height = (int.from_bytes(data[i : i + 2], "little") & 0x3FFF for i in (6, 8))
    if data[0] & 1 or data[3:6] != b"\x9d\x01\x2a" or not width or not height:
        raise _damaged("its VP8 chunk does not begin with a key frame")
    return width, height


def _lossless_size(source: Source, chunk: RiffChunk) -> tuple[tuple[int, int], bool]:
    data = source.take(chunk.start, 5)
    bits = int.from_bytes(data[1:], "little")
    if data[0] != 0x2F or bits >> 29:  # noqa: PLR2004 - the signature; three bits of version follow size and alpha
        raise _damaged("its VP8L chunk has no signature, or is of an unknown version")
    return ((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1), bool(bits >> 28 & 1)


def _profile(source: Source, chunk: RiffChunk, warnings: list[str], *, profiled: bool) -> bytes | None:
    if not profiled:
        warnings.append("the ICC profile was ignored: the file's header says that there is none")
        return None
    if chunk.size > MAX_PROFILE_BYTES:
        warnings.append(f"the ICC profile was ignored: {chunk.size:,} bytes are more than {MAX_PROFILE_BYTES:,}")
        return None
    return source.take(chunk.start, chunk.size)


def _damaged(what: str) -> BrokenImageError:
    return BrokenImageError(f"the WebP is damaged: {what}")
