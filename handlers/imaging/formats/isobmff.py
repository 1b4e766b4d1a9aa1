"""The boxes of a file in the ISO base media format.

Source: ISO/IEC 14496-12, 4.2.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from handlers.errors import BrokenImageError, ImageTooLargeError
from handlers.imaging.limits import Limits
from handlers.imaging.source import Source

MAX_ITEMS = 4_096
"""Items, properties, or extents of one item: 64 million pixels in tiles of 512 x 512 are 245 items."""

FARTHEST = 1 << 62
"""Positions beyond do not fit into a file's offsets."""


@dataclass(frozen=True)
class FileBox:
    """One box: its type and the position of its content."""

    kind: bytes
    start: int
    end: int


class Reader:
    """Reads numbers and texts from a box's content."""

    def __init__(self, content: bytes, position: int = 0) -> None:
        self.content, self.position = content, position

    def take(self, size: int) -> bytes:
        """Return the next bytes.

        Raises:
            BrokenImageError: The box has fewer.
        """
        part = self.content[self.position : self.position + size]
        if len(part) < size:
            raise damaged("a box is shorter than what it lists")
        self.position += size
        return part

    def number(self, size: int) -> int:
        """Return the next number of `size` bytes."""
        return int.from_bytes(self.take(size))

    def text(self) -> bytes:
        """Return the bytes up to the next zero, or to the end."""
        text, _, _ = self.content[self.position :].partition(b"\0")
        self.position += len(text) + 1
        return text


def damaged(what: str) -> BrokenImageError:
    """Return the error for a file whose boxes are wrong."""
    return BrokenImageError(f"the picture's container is damaged: {what}")


def walk(source: Source, start: int, limits: Limits) -> Iterator[FileBox]:
    """Yield the file's boxes from `start` on.

    Raises:
        BrokenImageError: The file ends within the head of a box.
        ImageTooLargeError: There are too many.
    """
    number = 0
    while source.peek(start, 1):
        limits.check_segments(number, "boxes")
        box = _box(source.take(start, 8) + source.peek(start + 8, 8), start, FARTHEST)
        yield box
        start, number = box.end, number + 1


def boxes(content: bytes, start: int = 0) -> Iterator[tuple[bytes, bytes]]:
    """Yield the type and content of each box within another's content.

    Raises:
        BrokenImageError: A box is longer than the content around it.
        ImageTooLargeError: There are more than `MAX_ITEMS`.
    """
    number = 0
    while start + 8 <= len(content):
        box = _box(content[start : start + 16], start, len(content))
        number += 1
        check_count(number, "boxes")
        yield box.kind, content[box.start : box.end]
        start = box.end


def check_count(count: int, what: str, most: int = MAX_ITEMS) -> None:
    """Refuse a file that lists more than `most`."""
    if count > most:
        raise ImageTooLargeError(f"expected a picture of at most {most:,} {what}, got {count:,} or more: save it again")


def _box(head: bytes, start: int, end: int) -> FileBox:
    """Read the head of a box that begins at `start` and ends no later than `end`."""
    size, first = int.from_bytes(head[:4]), 8
    if size == 1:
        size, first = int.from_bytes(head[8:16]), 16
    stop = start + size if size else end
    if stop < start + first or stop > end:
        raise damaged(f"a box of type {head[4:8]!r} has {size:,} bytes")
    return FileBox(head[4:8], start + first, stop)
