"""Pixels are decoded while their file arrives, and the output is the same as for the whole file."""

import functools
import io
import random
from collections.abc import Callable
from typing import Any

import botocore.exceptions
import pytest
from PIL import Image

from handlers.errors import RejectedImageError
from handlers.imaging import Limits, convert, open_picture, resize
from handlers.imaging.formats import jpeg as jpegs
from handlers.imaging.formats import png as pngs
from handlers.imaging.formats.jpeg_decoder import open_jpeg
from tests.handlers.imaging.pictures import chunk, exif, exif_segment, jpeg, photo, saved, segment, with_segments

WIDTHS = {"small": 40, "large": 100}
# Smooth enough for a reduced decode, and large enough to arrive in pieces.
NOISE = Image.effect_noise((45, 35), 30).resize((1800, 1400), Image.Resampling.BICUBIC)
BASELINE, PNG = saved(NOISE, "JPEG", quality=95), saved(NOISE, "PNG")
CALLS: dict[str, Callable[[Any], Any]] = {
    "copied": convert,
    "encoded": functools.partial(convert, reencode="always", quality=80),
    "salvaged": functools.partial(convert, salvage=True),
    "resized": lambda source: resize(source, WIDTHS),
}
FILES = {
    "baseline": BASELINE,
    "png": PNG,
    "colour": jpeg(photo((640, 480))),
    "turned": with_segments(jpeg(photo((640, 480))), exif_segment(exif({0x0112: 6}))),
    "progressive": jpeg(photo((640, 480)), progressive=True),
    "fill bytes": BASELINE[:-2] + b"\xff\xff\xff\xd9",
    "no end": BASELINE[:-2],
    "a marker without parameters": BASELINE[:-2] + b"\xff\x01" + BASELINE[-2:],
    "tables after the scan": BASELINE[:-2] + segment(0xFE, b"late") + BASELINE[-2:],
    "junk after the end": BASELINE + b"junk" * 100,
    "cut": BASELINE[: len(BASELINE) // 2],
    "alpha": saved(photo((200, 100), "RGBA"), "PNG"),
    "16 bit": saved(Image.new("I;16", (90, 70), 40_000), "PNG"),
    "cut png": PNG[: len(PNG) // 2],
    "png without an end": PNG[:-12],
    "late eXIf": PNG[:-12] + chunk(b"eXIf", exif({0x0112: 6})) + PNG[-12:],
    "gif": saved(photo((200, 100)).convert("P"), "GIF"),
    "no picture": b"text",
}


class ArrivingFile:
    """A stream that returns its file in pieces, and raises `error` in place of what follows `end`."""

    def __init__(self, file: bytes, end: int | None = None, error: Exception | None = None) -> None:
        self._file, self._error, self._chance = io.BytesIO(file[:end]), error, random.Random(1)  # noqa: S311 - no secret

    @property
    def returned_bytes(self) -> int:
        """Return how many bytes were read."""
        return self._file.tell()

    def read(self, size: int) -> bytes:
        """Return the next piece."""
        data = self._file.read(min(size, self._chance.choice([1, 1000, 100_000])))
        if not data and self._error:
            raise self._error
        return data


def outcome(call: Callable[[Any], Any], source: Any) -> Any:
    """Return the outputs with their warnings, or the rejection."""
    try:
        made = call(source)
    except RejectedImageError as error:
        return type(error), str(error)
    return [(name, bytes(one), vars(one)) for name, one in (made.items() if isinstance(made, dict) else [("", made)])]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("kind", FILES)
def test_a_stream_and_its_bytes_give_the_same_output(kind: str, call: str) -> None:
    """A stream and its bytes give byte-identical outputs, the same warnings and the same rejections."""
    assert outcome(CALLS[call], ArrivingFile(FILES[kind])) == outcome(CALLS[call], FILES[kind])


@pytest.mark.parametrize("call", ["copied", "encoded", "resized"])
@pytest.mark.parametrize(("module", "opener", "file"), [(jpegs, "open_jpeg", BASELINE), (pngs, "load", PNG)])
def test_decoding_starts_once_and_before_the_file_is_complete(
    monkeypatch: pytest.MonkeyPatch, module: Any, opener: str, file: bytes, call: str
) -> None:
    """The decoder is opened once, with more than half of the file still to come."""
    read_bytes = []
    decode = getattr(module, opener)

    def counted(*arguments: Any, **options: Any) -> Any:
        read_bytes.append(stream.returned_bytes)
        return decode(*arguments, **options)

    stream = ArrivingFile(file)
    monkeypatch.setattr(module, opener, counted)
    CALLS[call](stream)
    assert len(read_bytes) == 1
    assert read_bytes[0] < len(file) / 2


ERRORS: dict[str, Callable[[], Exception]] = {
    "reset": lambda: ConnectionResetError("reset by peer"),
    "without a number": lambda: OSError("timed out"),
    "time-out": lambda: botocore.exceptions.ReadTimeoutError(endpoint_url="https://s3"),
    "short": lambda: botocore.exceptions.IncompleteReadError(actual_bytes=1, expected_bytes=2),
}


@pytest.mark.parametrize("tenth", range(10))
@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("file", [BASELINE, PNG], ids=["jpeg", "png"])
def test_a_read_error_is_raised_unchanged(file: bytes, error: str, tenth: int) -> None:
    """A read error at any tenth of the file is raised unchanged, whatever the decoder makes of it."""
    raised = ERRORS[error]()
    for call in CALLS.values():
        with pytest.raises(type(raised)) as caught:
            call(ArrivingFile(file, len(file) * tenth // 10, raised))
        assert caught.value is raised


def test_reading_stops_when_the_limit_is_exceeded() -> None:
    """A stream is read no further than 100 KB, its largest piece, beyond the limit."""
    stream, max_bytes = ArrivingFile(BASELINE + bytes(10_000_000)), len(BASELINE) + 1_000_000
    with pytest.raises(RejectedImageError, match="maxBytes"):
        convert(stream, limits=Limits(max_bytes=max_bytes))
    assert max_bytes < stream.returned_bytes <= max_bytes + 100_000


def test_with_early_off_the_file_is_read_before_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    """With `early` off, the decoder is opened after the whole file is read."""
    stream, left = io.BytesIO(BASELINE), []

    def watched(payload: bytes, **options: Any) -> Any:
        left.append(stream.read(1))
        return open_jpeg(payload, **options)

    monkeypatch.setattr(jpegs, "open_jpeg", watched)
    convert(open_picture(stream, Limits(), early=False))
    assert left == [b""]
