"""GIF: the blocks before the first frame, its pixels on the canvas, and the number of frames.

Source: CompuServe GIF89a specification; XMP specification, part 3, GIF.
"""

import contextlib
import io
from dataclasses import dataclass, replace
from typing import Self

from PIL import GifImagePlugin, Image, ImageChops

from handlers.errors import BrokenImageError
from handlers.imaging.facts.rights import MAX_BLOCK_BYTES
from handlers.imaging.limits import Limits
from handlers.imaging.pixels.raster import Raster
from handlers.imaging.pixels.transparency import matches
from handlers.imaging.source import Source

from .decoding import image_faults, load
from .gif_codes import SubBlocks, closed, decodable
from .picture import Header, Picture

_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B
_CONTROL, _APPLICATION = 0xF9, 0xFF
_XMP = b"\x0bXMP DataXMP"
_XMP_TRAILER_BYTES = 258
"""After the packet, which is not in sub-blocks: bytes that lead from any of its bytes to the terminator."""
_MAX_PALETTE_BYTES = 768
_FEW_BYTES, _BYTES_PER_PIXEL = 64 * 1024, 3
"""Coded data that a decoder gets: two codes of 12 bits for each pixel, and some more."""

_NO_TRAILER = "the GIF ends without its trailer; its picture is whole"


@dataclass(frozen=True, kw_only=True)
class GifHeader(Header):
    """Facts up to the first frame's data; `box` is (left, top, width, height) on the canvas."""

    box: tuple[int, int, int, int]
    palette: bytes
    transparent: int | None
    interlaced: bool
    data_start: int


class GifPicture(Picture):
    """A GIF, or the first frame of an animated one."""

    magics = (b"GIF87a", b"GIF89a")
    header: GifHeader

    @classmethod
    def open(cls, source: Source, limits: Limits) -> Self:
        """Read the blocks up to the first frame's data; see `Picture.open`."""
        return cls(source, limits, _read_header(source, limits))

    def frames(self) -> int:
        """Count the frames by walking over the blocks; see `Picture.frames`."""
        blocks = SubBlocks(self.source)
        position, frames = blocks.skip(self.header.data_start), 1
        for _ in range(4 * self.limits.max_frames):
            found = self.source.peek(position, 1)
            if not found:
                self.warnings.append(_NO_TRAILER)
            if not found or found[0] == _TRAILER:
                return frames
            if found[0] == _EXTENSION:
                position = blocks.skip(position + 2)
                continue
            if found[0] != _IMAGE:
                raise BrokenImageError(f"the GIF has unknown data after frame {frames:,}")
            frames += 1
            if frames > self.limits.max_frames:
                break
            flags = self.source.take(position + 9, 1)[0]
            _, position = _colours(self.source, flags, position + 10)
            position = blocks.skip(position + 1)
        raise self.too_many_frames()

    def decode(self, *, salvage: bool, widest: tuple[int, int] | None = None) -> Raster:  # noqa: ARG002 - never reduced
        """Decode the first frame, transparent outside of it; see `Picture.decode`."""
        header = self.header
        left, top, width, height = header.box
        if not width or not height:
            raise BrokenImageError(f"the GIF is damaged: its first frame has {width} x {height} pixels")
        payload, ended = _payload(self.source, header)
        with image_faults():
            image = GifImagePlugin.GifImageFile(io.BytesIO(payload))
        damage = load(image, salvage=salvage)
        if not ended and not damage:
            self.warnings.append(_NO_TRAILER)
        shown = Image.new("L", (width, height), 255)
        if header.transparent is not None:
            indices = Image.frombytes("L", image.size, image.tobytes())
            shown = ImageChops.invert(matches(indices, [header.transparent]))
        picture, opacity = Image.new("RGB", header.size), Image.new("L", header.size)
        picture.paste(image.convert("RGB"), (left, top))
        opacity.paste(shown, (left, top))
        return Raster(picture, opacity, damage)


def _read_header(source: Source, limits: Limits) -> GifHeader:
    """Read the blocks up to the first frame's data.

    Raises:
        BrokenImageError: There is no frame.
        ImageTooLargeError: Too many blocks before the first frame.
    """
    screen = source.take(6, 7)
    position = 13
    palette, position = _colours(source, screen[4], position)
    transparent: int | None = None
    xmp: bytes | None = None
    sub_blocks = SubBlocks(source)
    for blocks in range(limits.max_segments + 1):
        kind = source.take(position, 1)[0]
        if kind == _IMAGE:
            return replace(_header(source, position + 1, screen, palette, transparent), xmp=xmp)
        if kind != _EXTENSION:
            break
        limits.check_segments(blocks + 1, "blocks before the first frame")
        label = source.take(position + 1, 1)[0]
        if label == _CONTROL:
            transparent = _transparent(source.peek(position + 2, 6))
        start, position = position + 2, sub_blocks.skip(position + 2)
        if label == _APPLICATION:
            xmp = _packet(source, start, position) or xmp
    raise BrokenImageError("the GIF holds no picture: no frame before its end")


def _packet(source: Source, start: int, end: int) -> bytes | None:
    """Return the XMP packet of an application extension, or None if it has none."""
    if source.peek(start, len(_XMP)) != _XMP:
        return None
    start += len(_XMP)
    return source.peek(start, min(max(0, end - _XMP_TRAILER_BYTES - start), MAX_BLOCK_BYTES))


def _transparent(block: bytes) -> int | None:
    """Return the transparent index of a graphic control block (size, flags, delay, index)."""
    if len(block) < 6 or block[0] < 4 or not block[1] & 1:  # noqa: PLR2004
        return None
    return block[4]


def _colours(source: Source, flags: int, position: int) -> tuple[bytes, int]:
    """Return the colour table that `flags` describe, and the position after it."""
    if not flags & 0x80:
        return b"", position
    size = 3 << ((flags & 7) + 1)
    return source.take(position, size), position + size


def _header(source: Source, position: int, screen: bytes, palette: bytes, transparent: int | None) -> GifHeader:
    """Make the header from the first frame's descriptor at `position`."""
    numbers = source.take(position, 9)
    left, top, width, height = (int.from_bytes(numbers[i : i + 2], "little") for i in (0, 2, 4, 6))
    own, position = _colours(source, numbers[8], position + 9)
    # A frame that extends beyond the canvas enlarges it, as in Pillow, libvips and browsers.
    canvas_width = max(int.from_bytes(screen[:2], "little"), left + width)
    canvas_height = max(int.from_bytes(screen[2:4], "little"), top + height)
    if not canvas_width or not canvas_height:
        raise BrokenImageError(f"the GIF is damaged: {canvas_width} x {canvas_height} pixels")
    covers = (left, top, width, height) == (0, 0, canvas_width, canvas_height)
    return GifHeader(
        format="GIF",
        width=canvas_width,
        height=canvas_height,
        mode="P" if own or palette else "L",
        has_alpha=transparent is not None or not covers,
        box=(left, top, width, height),
        palette=own or palette,
        transparent=transparent,
        interlaced=bool(numbers[8] & 0x40),
        data_start=position + 1,
    )


def _payload(source: Source, header: GifHeader) -> tuple[bytes, bool]:
    """Return a GIF with the first frame only, as large as its canvas, and whether its data had an end."""
    _, _, width, height = header.box
    size = width.to_bytes(2, "little") + height.to_bytes(2, "little")
    palette = header.palette or bytes(level for level in range(256) for _ in "RGB")
    screen = b"GIF89a" + size + b"\xf7\0\0" + palette.ljust(_MAX_PALETTE_BYTES, b"\0")
    descriptor = b"," + bytes(4) + size + bytes((header.interlaced << 6,))
    start, end = header.data_start - 1, None
    # If the file ends within the data, the decoder finds out whether all pixels are there.
    with contextlib.suppress(BrokenImageError):
        end = SubBlocks(source).skip(header.data_start)
    cut = start + _FEW_BYTES + _BYTES_PER_PIXEL * width * height
    whole = end is not None and end <= cut
    data = source.whole()[start : end if whole else cut]
    data = data if whole else closed(data)
    return screen + descriptor + decodable(data, width * height) + b";", bool(end and source.peek(end, 1))
