"""The picture's data of a PNG: cut out, checked, decoded."""

import zlib
from dataclasses import dataclass

from PIL import Image, ImageChops

from handlers.errors import BrokenImageError, ImageTooLargeError

from .decode import load, open_png
from .depth import HIGH_BYTES, LOW_BYTES, eight_bit
from .limits import Limits
from .png import GREY, GREY_ALPHA, MAX_DATA_CHUNKS, PALETTE, RGB, SIGNATURE, Chunk, PngHeader, walk
from .raster import Raster
from .source import Source
from .transparency import matches, split


@dataclass(frozen=True)
class PngBody:
    """Where the picture's data lies, and what is wrong with it."""

    data: tuple[Chunk, ...]
    exif: bytes | None
    damage: str | None


def read_body(source: Source, limits: Limits) -> PngBody:
    """Walk over the rest of the file, checking the checksum of each IDAT.

    Raises:
        BrokenImageError: There is no picture.
        ImageTooLargeError: Too many chunks.
    """
    file = memoryview(source.whole())
    data: list[Chunk] = []
    exif, damage, others = None, None, 0
    try:
        for chunk in walk(source):
            if chunk.kind == b"IDAT":
                data.append(chunk)
                damage = damage or _damage(file, chunk)
                if len(data) > MAX_DATA_CHUNKS:
                    raise ImageTooLargeError(f"the PNG has more than {MAX_DATA_CHUNKS:,} IDAT chunks; save it anew")
                continue
            others += chunk.kind not in (b"fcTL", b"fdAT")
            limits.check_segments(others, "chunks")
            if chunk.kind == b"eXIf" and data and not _damage(file, chunk):
                exif = bytes(file[chunk.start : chunk.start + chunk.size])
    except BrokenImageError as error:
        damage = damage or (None if data else str(error))
    if not data:
        raise BrokenImageError(damage or "the PNG holds no picture: it has no IDAT chunk")
    return PngBody(tuple(data), exif, damage)


def _damage(file: memoryview, chunk: Chunk) -> str | None:
    """Say what is wrong with a chunk's data, if anything."""
    stored = file[chunk.end - 4 : chunk.end]
    if len(stored) < 4:  # noqa: PLR2004
        return f"the PNG is truncated: it ends at byte {len(file):,}, within the picture"
    if zlib.crc32(file[chunk.start : chunk.start + chunk.size], zlib.crc32(chunk.kind)) != int.from_bytes(stored):
        return f"the PNG is damaged: the checksum of the picture's data at byte {chunk.start:,} is wrong"
    return None


def decode(source: Source, body: PngBody, header: PngHeader, *, salvage: bool) -> Raster:
    """Decode the picture.

    Raises:
        BrokenImageError: The picture is damaged, and not salvaged.
    """
    if body.damage and not salvage:
        raise BrokenImageError(body.damage)
    file = memoryview(source.whole())
    data = [file[chunk.start : chunk.start + chunk.size] for chunk in body.data]
    image, damage = _load(header, data, HIGH_BYTES.get(header.mode) if header.depth == WIDE else None, salvage=salvage)
    image, opacity = split(eight_bit(image))
    if header.colour_type == GREY_ALPHA and image.mode == "RGB":
        # Pillow reads 16-bit grey with alpha as RGBA.
        image = image.getchannel("G")
    if header.trns and header.colour_type in (GREY, RGB):
        opacity = ImageChops.invert(_keyed(data, image, header, salvage=salvage))
    return Raster(image, opacity, body.damage or damage)


WIDE = 16


def _load(
    header: PngHeader, data: list[memoryview], raw: tuple[str, str] | None, *, salvage: bool
) -> tuple[Image.Image, str | None]:
    """Decode a PNG, by another mode and raw mode where given."""
    image = open_png(_payload(header), data)
    if raw:
        # Pillow decodes 16-bit grey to a mode that it cannot scale down; the raw mode does it in passing.
        image._mode = raw[0]  # noqa: SLF001
        image.tile = [tile._replace(args=raw[1]) for tile in image.tile]
    return image, load(image, salvage=salvage)


def _keyed(data: list[memoryview], image: Image.Image, header: PngHeader, *, salvage: bool) -> Image.Image:
    """Return 255 where the picture has the transparent colour, compared in all its bits."""
    key = [int.from_bytes(header.trns[i : i + 2], "big") for i in range(0, len(header.trns), 2)]
    if header.depth < WIDE:
        top = (1 << header.depth) - 1
        return matches(image, [(value & top) * 255 // top for value in key])
    low, _ = _load(header, data, LOW_BYTES[header.mode], salvage=salvage)
    return ImageChops.darker(
        matches(image, [value >> 8 for value in key]), matches(low, [value & 255 for value in key])
    )


def _payload(header: PngHeader) -> bytes:
    """Return a PNG with nothing but what its data are decoded by."""
    parts = [SIGNATURE, *_chunk(b"IHDR", header.ihdr)]
    if header.colour_type == PALETTE:
        # Indices beyond a short palette are black, not whatever Pillow's palette begins with.
        parts += _chunk(b"PLTE", header.palette[: len(header.palette) // 3 * 3].ljust(768, b"\0"))
        if header.trns:
            parts += _chunk(b"tRNS", header.trns)
    return b"".join([*parts, *_chunk(b"IDAT", b""), *_chunk(b"IEND", b"")])


def _chunk(kind: bytes, data: bytes) -> list[bytes]:
    checksum = zlib.crc32(data, zlib.crc32(kind))
    return [len(data).to_bytes(4, "big"), kind, data, checksum.to_bytes(4, "big")]
