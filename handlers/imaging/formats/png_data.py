"""Find and check the chunks of a PNG's picture, in a whole file or while it arrives.

Source: W3C PNG specification, third edition, 5.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from handlers.errors import BrokenImageError, ImageTooLargeError
from handlers.imaging.facts.rights import MAX_BLOCK_BYTES
from handlers.imaging.limits import Limits
from handlers.imaging.source import Source, length_without

from .decoding import BLOCK_BYTES
from .picture import MAX_EXIF_BYTES
from .png_header import MAX_DATA_CHUNKS, PALETTE, SIGNATURE, Chunk, PngHeader, too_long, walk
from .png_text import TEXTS, Texts

MAX_CHUNKS = 65_536
"""Chunks that are read; a file with more is made to stall the reader."""

_END = b"\0\0\0\0IEND\xaeB`\x82"

MISSING = "the PNG is truncated: it ends before the checksum of its last data"


@dataclass
class PictureData:
    """The chunks of the picture, and what follows them: an eXIf chunk, texts, the end.

    `doubt` says which checksum of a chunk (CRC-32) is wrong or missing; `interrupted` means that another chunk comes
    between two of the picture; `others` counts the chunks without pixels.
    """

    chunks: list[Chunk] = field(default_factory=list)
    exif: bytes | None = None
    texts: Texts = field(default_factory=Texts)
    warnings: list[str] = field(default_factory=list)
    doubt: str | None = None
    ended: bool = False
    interrupted: bool = False
    others: int = 0

    def note(self, chunk: Chunk, file: memoryview, limits: Limits) -> None:
        """Note the next chunk of a file.

        Raises:
            ImageTooLargeError: Too many chunks.
        """
        if chunk.kind == b"IDAT":
            self.interrupted |= bool(self.chunks) and self.chunks[-1].end + 8 != chunk.start
            self.chunks.append(replace(chunk, size=max(0, min(chunk.size, len(file) - chunk.start))))
            self.doubt = self.doubt or _damage(file, chunk)
            if len(self.chunks) > MAX_DATA_CHUNKS:
                raise ImageTooLargeError(
                    f"expected a PNG of at most {MAX_DATA_CHUNKS:,} IDAT chunks, got more: save it again"
                )
            return
        self.ended = self.ended or chunk.kind == b"IEND"
        self.others += chunk.kind not in (b"fcTL", b"fdAT")
        limits.check_segments(self.others, "chunks")
        if not self.chunks:
            return  # The header has it.
        if chunk.kind == b"eXIf" and chunk.size > MAX_EXIF_BYTES:
            self.warnings.append(too_long(chunk))
        elif chunk.kind == b"eXIf" and not _damage(file, chunk):
            self.exif = bytes(file[chunk.start : chunk.start + chunk.size])
        elif chunk.kind in TEXTS and chunk.size <= MAX_BLOCK_BYTES and not _damage(file, chunk):
            self.texts.read(chunk.kind, bytes(file[chunk.start : chunk.start + chunk.size]))


def arriving(source: Source, chunks: list[tuple[int, int]]) -> Iterator[bytes]:
    """Yield the picture's data as they arrive, and note start and size of each complete chunk."""
    chunks.clear()
    for number, chunk in enumerate(walk(source)):
        if chunk.kind != b"IDAT":
            if chunks or number > MAX_CHUNKS:
                return
            continue
        if len(chunks) > MAX_DATA_CHUNKS:
            return
        for start in range(chunk.start, chunk.start + chunk.size, BLOCK_BYTES):
            yield source.peek(start, min(BLOCK_BYTES, chunk.start + chunk.size - start))
        chunks.append((chunk.start, chunk.size))


def read_data(source: Source, limits: Limits) -> PictureData:
    """Read from the picture to the end; a file that is damaged after its picture ends at the damage.

    Raises:
        BrokenImageError: There is no picture.
        ImageTooLargeError: Too many chunks.
    """
    file, data = _own(memoryview(source.whole())), PictureData()
    try:
        for number, chunk in enumerate(walk(source)):
            if number > MAX_CHUNKS:
                raise ImageTooLargeError(f"expected at most {MAX_CHUNKS:,} chunks in a PNG, got more: save it again")
            data.note(chunk, file, limits)
    except BrokenImageError:
        if not data.chunks:
            raise
    if not data.chunks:
        raise BrokenImageError("the PNG holds no picture: it has no IDAT chunk")
    return data


def _own(file: memoryview) -> memoryview:
    """Return a file without the IEND chunk and the zeros at its end, which replace lost data in a repaired file."""
    end = length_without(file, b"\0")
    return file[: end - len(_END) if file[:end][-len(_END) :] == _END else end]


def _damage(file: memoryview, chunk: Chunk) -> str | None:
    """Return what is wrong with a chunk's data, or None."""
    stored = file[chunk.end - 4 : chunk.end]
    if len(stored) < 4:  # noqa: PLR2004
        return MISSING
    if zlib.crc32(file[chunk.start : chunk.start + chunk.size], zlib.crc32(chunk.kind)) != int.from_bytes(stored):
        return f"the PNG is damaged: the checksum of the picture's data at byte {chunk.start:,} is wrong"
    return None


def without_data(header: PngHeader) -> bytes:
    """Return a PNG with only the chunks that its data need for decoding."""
    parts = [SIGNATURE, *_chunk(b"IHDR", header.ihdr)]
    if header.colour_type == PALETTE:
        # Indices beyond a short palette are black, not the colours of Pillow's default palette.
        parts += _chunk(b"PLTE", header.palette[: len(header.palette) // 3 * 3].ljust(768, b"\0"))
        if header.trns:
            parts += _chunk(b"tRNS", header.trns)
    return b"".join([*parts, *_chunk(b"IDAT", b""), *_chunk(b"IEND", b"")])


def _chunk(kind: bytes, data: bytes) -> list[bytes]:
    checksum = zlib.crc32(data, zlib.crc32(kind))
    return [len(data).to_bytes(4, "big"), kind, data, checksum.to_bytes(4, "big")]
