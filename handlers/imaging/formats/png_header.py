"""Read the chunks of a PNG up to its picture; no pixel is decoded and no text inflated.

Source: W3C PNG specification, third edition.
"""

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from handlers.errors import BrokenImageError, UnsupportedFormatError
from handlers.imaging.facts.rights import MAX_BLOCK_BYTES
from handlers.imaging.limits import Limits
from handlers.imaging.source import Source

from .picture import MAX_EXIF_BYTES, MAX_PROFILE_BYTES, Header
from .png_colour import COLOUR_BYTES, colour_profile
from .png_text import TEXTS, Texts

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_DATA_CHUNKS = 16_384
MAX_CHUNK_BYTES = 2**31 - 1
GREY, RGB, PALETTE, GREY_ALPHA, RGB_ALPHA = 0, 2, 3, 4, 6
_DEPTHS = {GREY: (1, 2, 4, 8, 16), RGB: (8, 16), PALETTE: (1, 2, 4, 8), GREY_ALPHA: (8, 16), RGB_ALPHA: (8, 16)}


@dataclass(frozen=True)
class Chunk:
    """One chunk: its type and the position of its data, which the checksum follows."""

    kind: bytes
    start: int
    size: int

    @property
    def end(self) -> int:
        """The position after the checksum."""
        return self.start + self.size + 4


@dataclass(frozen=True, kw_only=True)
class PngHeader(Header):
    """Facts from the chunks up to the first IDAT; `texts` are by keyword."""

    ihdr: bytes
    texts: Mapping[str, str]
    palette: bytes = b""
    trns: bytes = b""
    animated: bool = False

    @property
    def depth(self) -> int:
        """The bits of a sample."""
        return self.ihdr[8]

    @property
    def colour_type(self) -> int:
        """The colour type: 0, 2, 3, 4 or 6."""
        return self.ihdr[9]


def read_header(source: Source, limits: Limits) -> PngHeader:
    """Read the chunks up to the first IDAT.

    Raises:
        BrokenImageError: A critical chunk is missing or damaged.
        UnsupportedFormatError: A critical chunk is unknown.
        ImageTooLargeError: Too many chunks.
    """
    found: dict[bytes, bytes] = {}
    texts = Texts()
    warnings: list[str] = []
    for number, chunk in enumerate(walk(source)):
        if chunk.kind in (b"IDAT", b"IEND"):
            break
        limits.check_segments(number, "chunks before the picture")
        _check_known(source, chunk)
        if (number == 0) != (chunk.kind == b"IHDR"):
            raise BrokenImageError("the PNG is damaged: it must begin with one IHDR chunk")
        if misplaced := _misplaced(chunk.kind, found):
            warnings.append(misplaced)
        elif chunk.kind == b"PLTE" and b"PLTE" in found:
            raise BrokenImageError("the PNG is damaged: it has two palettes")
        elif chunk.kind in TEXTS and chunk.size <= MAX_BLOCK_BYTES:
            texts.read(chunk.kind, _intact(source, chunk) or b"")
        elif chunk.kind == b"PLTE" and not _has_indices(found):
            continue  # It is only a suggestion.
        elif chunk.kind in _WANTED and chunk.kind not in found:
            _take(source, chunk, found, warnings)
    return _header(found, texts, warnings)


_WANTED = {
    b"IHDR": 13,
    b"PLTE": 768,
    b"tRNS": 256,
    b"iCCP": MAX_PROFILE_BYTES,
    b"eXIf": MAX_EXIF_BYTES,
    b"acTL": 8,
    **COLOUR_BYTES,
}


def walk(source: Source, position: int = len(SIGNATURE)) -> Iterator[Chunk]:
    """Yield the chunks in order, IEND last; the file may end within a chunk's data.

    Raises:
        BrokenImageError: What follows is not a chunk.
    """
    while True:
        head = source.peek(position, 8)
        size, kind = int.from_bytes(head[:4], "big"), head[4:]
        if len(head) < 8:  # noqa: PLR2004
            return
        if not kind.isalpha() or size > MAX_CHUNK_BYTES:
            raise BrokenImageError(f"the PNG is damaged: no chunk at byte {position:,}")
        chunk = Chunk(kind, position + 8, size)
        yield chunk
        if kind == b"IEND":
            return
        position = chunk.end


def _check_known(source: Source, chunk: Chunk) -> None:
    """Refuse an unknown chunk that readers must know; a damaged one may have been another."""
    if chunk.kind[:1].isupper() and chunk.kind not in _WANTED and _intact(source, chunk) is not None:
        raise UnsupportedFormatError(
            f"expected a PNG of known critical chunks, got one of type {chunk.kind.decode('ascii')}: save it again"
        )


def _misplaced(kind: bytes, found: dict[bytes, bytes]) -> str | None:
    """Return why a chunk is ignored where it is, as in browsers; a profile after the palette counts, as in Chromium."""
    if kind == b"cICP" and b"PLTE" in found:
        return "the cICP chunk was ignored: it comes after the palette"
    if kind == b"tRNS" and b"PLTE" not in found and _has_indices(found):
        return "the tRNS chunk was ignored: it comes before the palette"
    return None


def _has_indices(found: dict[bytes, bytes]) -> bool:
    """Return whether the pixels are indices into a palette."""
    return found.get(b"IHDR", b"")[9:10] == bytes((PALETTE,))


def _take(source: Source, chunk: Chunk, found: dict[bytes, bytes], warnings: list[str]) -> None:
    """Read one chunk; a bad ancillary one is a warning, a bad critical one is an error."""
    critical = chunk.kind[:1].isupper()
    name = chunk.kind.decode("ascii")
    if chunk.size > _WANTED[chunk.kind]:
        if critical:
            raise BrokenImageError(f"the PNG is damaged: its {name} chunk has {chunk.size:,} bytes")
        warnings.append(too_long(chunk))
        return
    data = _intact(source, chunk)
    if data is not None:
        found[chunk.kind] = data
    elif critical:
        raise BrokenImageError(f"the PNG is damaged: the checksum of its {name} chunk is wrong")
    else:
        warnings.append(f"the {name} chunk was ignored: its checksum is wrong")


def too_long(chunk: Chunk) -> str:
    """Return the warning for a chunk that has too many bytes to be read."""
    return f"the {chunk.kind.decode('ascii')} chunk was ignored: {chunk.size:,} bytes are too many"


def _intact(source: Source, chunk: Chunk) -> bytes | None:
    """Return a chunk's data, or None if their checksum is wrong."""
    data = source.take(chunk.start, chunk.size)
    checksum = int.from_bytes(source.take(chunk.start + chunk.size, 4), "big")
    return data if zlib.crc32(data, zlib.crc32(chunk.kind)) == checksum else None


def _header(found: dict[bytes, bytes], texts: dict[str, str], warnings: list[str]) -> PngHeader:
    ihdr = found.get(b"IHDR", b"")
    if len(ihdr) < 13:  # noqa: PLR2004 - the specification, 11.2.1
        raise BrokenImageError("the PNG is damaged: its IHDR chunk is missing or too short")
    width, height = int.from_bytes(ihdr[:4], "big"), int.from_bytes(ihdr[4:8], "big")
    depth, colour = ihdr[8], ihdr[9]
    if not 0 < width <= MAX_CHUNK_BYTES or not 0 < height <= MAX_CHUNK_BYTES:
        raise BrokenImageError(f"the PNG is damaged: {width} x {height} pixels")
    if depth not in _DEPTHS.get(colour, ()) or ihdr[10] or ihdr[11] or ihdr[12] > 1:
        raise BrokenImageError(
            f"the PNG is damaged: its colour type {colour} with {depth} bits, or its coding, is invalid"
        )
    palette = found.get(b"PLTE", b"")
    if colour == PALETTE and not len(palette) // 3:
        raise BrokenImageError("the PNG is damaged: its palette is missing")
    trns = _transparency(colour, found.get(b"tRNS", b""), len(palette) // 3, warnings)
    return PngHeader(
        format="PNG",
        width=width,
        height=height,
        mode=_mode(depth, colour),
        has_alpha=colour in (GREY_ALPHA, RGB_ALPHA) or bool(trns),
        exif=found.get(b"eXIf"),
        icc=colour_profile(found, warnings, grey=colour in (GREY, GREY_ALPHA)),
        texts=texts,
        warnings=warnings,
        ihdr=ihdr,
        palette=palette,
        trns=trns,
        animated=b"acTL" in found,
    )


def _mode(depth: int, colour: int) -> str:
    """Return Pillow's mode for the picture."""
    if colour == GREY:
        return {1: "1", 16: "I;16"}.get(depth, "L")
    if colour == GREY_ALPHA:
        return "LA" if depth == 8 else "RGBA"  # noqa: PLR2004
    return {RGB: "RGB", PALETTE: "P", RGB_ALPHA: "RGBA"}[colour]


def _transparency(colour: int, trns: bytes, entries: int, warnings: list[str]) -> bytes:
    """Return the tRNS chunk if it fits the colour type."""
    wanted = {GREY: 2, RGB: 6}.get(colour)
    if not trns or (wanted is not None and len(trns) >= wanted):
        return trns[:wanted]
    if colour == PALETTE and len(trns) <= entries:
        return trns
    warnings.append("the tRNS chunk was ignored: it does not fit the colour type")
    return b""
