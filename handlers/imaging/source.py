"""A file's bytes; a stream is read only as far as needed."""

import io
import re
from typing import Protocol

from handlers.errors import BrokenImageError, ImageTooLargeError

BLOCK_BYTES = 16 * 1024
WHOLE_BLOCK_BYTES = 1024 * 1024


class BinaryStream(Protocol):
    """A file, a `BytesIO` or a botocore `StreamingBody`; it need not be seekable."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes; none only at the end."""
        ...


_BAD_SOURCE = "expected source as bytes or a binary stream with read(n), got {}: open files in binary mode"


class Source:
    """A file of at most `max_bytes` bytes, addressed by position.

    Pass the `size_bytes` of a stream if known: a buffer that grows to the same size may take twice the memory.
    Exceptions of the stream's `read` pass through, because they are not the image's fault. `error` is the last one, for
    a caller that gets a decoder's exception instead.
    """

    error: Exception | None = None

    def __init__(
        self, source: bytes | bytearray | memoryview | BinaryStream, max_bytes: int, size_bytes: int | None = None
    ) -> None:
        self._max_bytes, self._expected = max_bytes, size_bytes or 0
        self._stream: BinaryStream | None = None
        if isinstance(source, bytes | bytearray | memoryview):
            file = bytes(source)
            self._buffer, self._size = io.BytesIO(file), len(file)
            self._check(self._size)
        elif callable(getattr(source, "read", None)):
            self._buffer, self._size, self._stream = io.BytesIO(), 0, source
        else:
            raise TypeError(_BAD_SOURCE.format(type(source).__name__))

    @property
    def streaming(self) -> bool:
        """Whether more of the file may come."""
        return self._stream is not None

    def peek(self, start: int, size: int) -> bytes:
        """Return `size` bytes from `start`, or fewer at the end of the file."""
        self._fetch(start + size, BLOCK_BYTES)
        self._buffer.seek(start)
        if self._stream is not None:  # Beyond what was read, the buffer may be reserved.
            size = max(0, min(size, self._size - start))
        return self._buffer.read(size)

    def take(self, start: int, size: int) -> bytes:
        """Return exactly `size` bytes from `start`.

        Raises:
            BrokenImageError: The file has fewer.
        """
        data = self.peek(start, size)
        if len(data) < size:
            raise BrokenImageError(f"the file is truncated: it ends at byte {self._size:,}")
        return data

    def find(self, pattern: re.Pattern[bytes], start: int, size: int) -> tuple[int | None, int]:
        """Return the position of `pattern` in `size` bytes from `start`, or None, and the number of bytes searched."""
        self._fetch(start + size, BLOCK_BYTES)
        end = min(start + size, self._size)
        found = pattern.search(self._buffer.getvalue(), start, end)
        return (found.start() if found else None), max(0, end - start)

    def reserve(self) -> None:
        """Take the memory for the whole file at once, if its size is known and it will be read to its end."""
        if self._stream is not None and self._size < self._expected <= self._max_bytes:
            self._buffer.seek(self._expected - 1)
            self._buffer.write(b"\0")
            self._expected = 0

    def whole(self) -> bytes:
        """Return the whole file."""
        self.reserve()
        self._fetch(self._max_bytes + 1, WHOLE_BLOCK_BYTES)
        return self._buffer.getvalue()

    def _fetch(self, end: int, block_bytes: int) -> None:
        """Read until the file is known up to `end`, or ends."""
        while self._stream is not None and self._size < end:
            try:
                block = self._stream.read(min(max(block_bytes, end - self._size), WHOLE_BLOCK_BYTES))
            except Exception as error:
                self.error = error
                raise
            if not isinstance(block, bytes | bytearray | memoryview):
                raise TypeError(
                    f"expected bytes from source.read(), got {type(block).__name__}: open files in binary mode"
                )
            if not block:
                self._stream = None
                self._buffer.truncate(self._size)
                return
            self._buffer.seek(self._size)
            self._buffer.write(block)
            self._size += len(block)
            self._check(self._size)

    def _check(self, size: int) -> None:
        if size > self._max_bytes:
            raise ImageTooLargeError(
                f"expected a file of at most {self._max_bytes:,} bytes (maxBytes), got more: upload a smaller file or "
                "raise maxBytes"
            )


def length_without(data: bytes | memoryview, last: bytes) -> int:
    """Return the length of data without the bytes at their end that equal `last`; only the end is copied."""
    end = len(data)
    while end:
        start = max(0, end - BLOCK_BYTES)
        if kept := len(bytes(data[start:end]).rstrip(last)):
            return start + kept
        end = start
    return 0
