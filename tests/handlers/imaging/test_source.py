"""Reading: bounded, no further than needed, and read errors never reject the image."""

import re
import tracemalloc

import pytest
from PIL import Image

from handlers.errors import ImageTooLargeError
from handlers.imaging import Limits, convert, describe, resize
from handlers.imaging.source import Source

from .pictures import Pipe, jpeg, photo, saved


@pytest.mark.parametrize(
    "error", [OSError("read timed out"), TimeoutError("slow"), ValueError("closed"), EOFError("cut")]
)
@pytest.mark.parametrize("error_at", [0, 1000, 30_000])
def test_a_read_error_is_raised_unchanged(error: Exception, error_at: int) -> None:
    """A read error is raised unchanged, although decoders raise the same classes."""
    data = saved(photo((400, 300)), "PNG") + bytes(100_000)
    for call in (convert, lambda source: resize(source, {"a": 10})):
        with pytest.raises(type(error)) as caught:
            call(Pipe(data, error_at, error))
        assert caught.value is error


def test_describe_raises_a_read_error_unchanged() -> None:
    """`describe` raises a read error unchanged too."""
    error = OSError("connection reset")
    with pytest.raises(OSError, match="reset") as caught:
        describe(Pipe(jpeg(), 0, error))
    assert caught.value is error


def test_describe_reads_no_further_than_the_header() -> None:
    """Only the first block of a picture of over a megabyte is read."""
    exif = Image.Exif()
    exif[0x0112] = 6
    for kind in ("JPEG", "PNG"):
        pipe = Pipe(saved(photo((2000, 1500)), kind, exif=exif) + bytes(1_000_000))
        describe(pipe)
        assert pipe.served <= 17_000


def test_reading_stops_at_the_limit() -> None:
    """A stream over the limit is read no further than the limit plus one block."""
    pipe = Pipe(jpeg() + bytes(5_000_000))
    with pytest.raises(ImageTooLargeError, match="maxBytes"):
        convert(pipe, limits=Limits(max_bytes=100_000))
    assert pipe.served <= 102_000


def test_a_file_of_exactly_the_limit_is_accepted() -> None:
    """A file of exactly the limit is accepted, and one more byte is refused."""
    data = jpeg()
    assert convert(data, limits=Limits(max_bytes=len(data)))
    assert convert(Pipe(data), limits=Limits(max_bytes=len(data)))
    with pytest.raises(ImageTooLargeError, match="maxBytes"):
        convert(data, limits=Limits(max_bytes=len(data) - 1))


def test_a_stream_of_text_raises_type_error() -> None:
    """A stream whose `read` returns text raises TypeError."""

    class Text:
        def read(self, _size: int) -> str:
            return "text"

    with pytest.raises(TypeError, match="bytes"):
        convert(Text())  # type: ignore[arg-type]


def test_bytes_can_be_read_in_any_order() -> None:
    """Bytes already fetched stay readable."""
    source = Source(Pipe(bytes(range(256)) * 100), 1_000_000)
    assert source.peek(20_000, 4) == bytes(range(32, 36))
    assert source.peek(3, 2) == b"\3\4"
    assert len(source.whole()) == 25_600


@pytest.mark.parametrize("size_bytes", [None, 0, 1, 999_999, 1_500_000, 2_000_000, 2_000_001, 3_000_000, 9_000_000])
def test_a_wrong_size_changes_no_byte(size_bytes: int | None) -> None:
    """The size is only a hint: a stream that is shorter or longer is read as it is."""
    data = bytes(range(250)) * 8000
    source = Source(Pipe(data), 4_000_000, size_bytes)
    assert source.peek(0, 3) == data[:3]
    source.reserve()
    assert source.peek(999_998, 100) == data[999_998:1_000_098]
    assert source.find(re.compile(b"\0{9}"), 1_100_000, 100) == (None, 100)
    assert source.peek(1_999_990, 100) == data[-10:]
    assert source.peek(2_500_000, 100) == b""
    assert source.find(re.compile(b"\0{9}"), 1_999_990, 100) == (None, 10)
    assert source.whole() == data
    assert source.peek(1_999_990, 100) == data[-10:]


def test_a_header_takes_no_memory_for_the_rest_of_its_file() -> None:
    """Ten long files may be open at once, of which only the headers are read."""
    source = Source(Pipe(bytes(2_000_000)), 10**9, 10**9)
    tracemalloc.start()
    source.peek(1_500_000, 100)
    _, most_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most_bytes < 10_000_000
