"""Walk over the blocks of a GIF: canvas, first frame, number of frames; no pixel is decoded.

Source: CompuServe GIF89a specification.
"""

from dataclasses import dataclass

from handlers.errors import BrokenImageError, ImageTooLargeError

from .header import Header
from .limits import Limits
from .source import Source

MAX_SUB_BLOCKS = 250_000
"""Full sub-blocks in this number would be 64 MB; more are a file made to stall."""

_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B
_CONTROL = 0xF9


@dataclass(frozen=True, kw_only=True)
class GifHeader(Header):
    """Facts up to the first frame's data; `box` is (left, top, width, height) on the canvas."""

    box: tuple[int, int, int, int]
    palette: bytes
    transparent: int | None
    interlaced: bool
    data_start: int


def read_header(source: Source, limits: Limits) -> GifHeader:
    """Read the blocks up to the first frame's data.

    Raises:
        BrokenImageError: There is no frame.
        ImageTooLargeError: Too many blocks before the first frame.
    """
    screen = source.take(6, 7)
    position = 13
    palette, position = _colours(source, screen[4], position)
    transparent: int | None = None
    for blocks in range(limits.max_segments + 1):
        kind = source.take(position, 1)[0]
        if kind == _IMAGE:
            return _header(source, position + 1, screen, palette, transparent)
        if kind != _EXTENSION:
            break
        limits.check_segments(blocks + 1, "blocks before the first frame")
        label = source.take(position + 1, 1)[0]
        if label == _CONTROL:
            transparent = _transparent(source.peek(position + 2, 6))
        position = skip_blocks(source, position + 2)
    raise BrokenImageError("the GIF holds no picture: no frame before its end")


def skip_blocks(source: Source, position: int) -> int:
    """Return the position behind a series of sub-blocks and its terminator.

    Raises:
        BrokenImageError: The file ends within.
        ImageTooLargeError: The series is too long.
    """
    for _ in range(MAX_SUB_BLOCKS):
        size = source.take(position, 1)[0]
        position += size + 1
        if not size:
            return position
    raise ImageTooLargeError(f"the GIF has more than {MAX_SUB_BLOCKS:,} sub-blocks in one block; save it anew")


def count_frames(source: Source, header: GifHeader, limits: Limits) -> int:
    """Count the frames by walking over the blocks.

    Raises:
        BrokenImageError: The file ends or goes wrong after the first frame.
        ImageTooLargeError: There are more frames, or far more blocks, than are counted.
    """
    position, frames = skip_blocks(source, header.data_start), 1
    for _ in range(4 * limits.max_frames):
        kind = source.take(position, 1)[0]
        if kind == _TRAILER:
            return frames
        if kind == _EXTENSION:
            position = skip_blocks(source, position + 2)
            continue
        if kind != _IMAGE:
            raise BrokenImageError(f"the GIF goes on with junk after frame {frames:,}")
        frames += 1
        if frames > limits.max_frames:
            break
        flags = source.take(position + 9, 1)[0]
        _, position = _colours(source, flags, position + 10)
        position = skip_blocks(source, position + 1)
    raise ImageTooLargeError(f"more than the {limits.max_frames:,} frames that are counted")


def _transparent(block: bytes) -> int | None:
    """Return the transparent index of a graphic control block (size, flags, delay, index)."""
    if len(block) < 6 or block[0] < 4 or not block[1] & 1:  # noqa: PLR2004
        return None
    return block[4]


def _colours(source: Source, flags: int, position: int) -> tuple[bytes, int]:
    """Return the colour table that `flags` announce, and the position behind it."""
    if not flags & 0x80:
        return b"", position
    size = 3 << ((flags & 7) + 1)
    return source.take(position, size), position + size


def _header(source: Source, position: int, screen: bytes, palette: bytes, transparent: int | None) -> GifHeader:
    """Make the header from the first frame's descriptor at `position`."""
    numbers = source.take(position, 9)
    left, top, width, height = (int.from_bytes(numbers[i : i + 2], "little") for i in (0, 2, 4, 6))
    own, position = _colours(source, numbers[8], position + 9)
    # A frame that leaves the canvas enlarges it, as in Pillow, libvips and browsers.
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
