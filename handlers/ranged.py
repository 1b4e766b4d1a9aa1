"""A master's bytes, fetched by ranges as they are read. Each range is read whole, so that its connection is reused."""

import io
from collections.abc import Callable

FIRST_BYTES = 32 * 1024
"""Bytes of the first request: enough for three of four cameras' headers, and little waste for a small master."""

MOST_BYTES = 4 * 1024 * 1024

Fetch = Callable[[int, int], bytes]
"""Returns the bytes from a start up to an end, which is excluded."""


class RangedBody(io.RawIOBase):
    """A stream over an object of `size` bytes that starts with `head`; `fetch` returns the bytes beyond that.

    Each range is twice as long as the one before, so that a long read takes few requests.
    """

    def __init__(self, head: bytes, size: int, fetch: Fetch) -> None:
        self._block, self._position, self._size, self._fetch = memoryview(head), 0, size, fetch
        self._length, self.fetched_bytes = FIRST_BYTES, len(head)

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        """Read from what has been fetched, or else from the next range."""
        if self._position == len(self._block) and self.fetched_bytes < self._size:
            self._length = min(2 * self._length, MOST_BYTES)
            end = min(self.fetched_bytes + self._length, self._size)
            self._block, self._position = memoryview(self._fetch(self.fetched_bytes, end)), 0
            self.fetched_bytes = end
        part = self._block[self._position : self._position + len(buffer)]
        buffer[: len(part)] = part
        self._position += len(part)
        return len(part)
