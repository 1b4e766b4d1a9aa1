"""Hostile files: each is refused, or harmless, at a bounded cost and within a bounded memory.

The cost of JPEG, PNG and GIF is the number of Python and C calls, which does not depend on the machine's load. The
decoders of AVIF, HEIC and TIFF spend most of their time in a single C call, so their cost is CPU time. A call that
hangs is timed out.
"""

import gc
import io
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pytest

from benchmarks.guarded import run_guarded
from handlers.errors import PixelCascadeError, UnsupportedFormatError
from handlers.imaging import Limits, convert, describe, load_formats, open_picture, resize
from handlers.imaging.formats import DEFAULT_FORMATS

from . import hostile, hostile_further
from .heic import has_decoder, needs_decoder
from .hostile import HARMLESS, frame_header
from .pictures import exif, exif_segment, jpeg, opened, photo, saved

Call = Callable[[bytes, Sequence[str]], object]
FURTHER = ("avif", "heic", "tiff") if has_decoder() else ("avif", "tiff")
FILES = {
    **{kind: make for kind, (make, _) in (hostile.REFUSED | hostile_further.REFUSED).items()},
    **hostile.HARMLESS,
    **hostile_further.HARMLESS,
}
ERRORS = {kind: error.__name__ for kind, (_, error) in (hostile.REFUSED | hostile_further.REFUSED).items()}
KINDS = [pytest.param(kind, marks=needs_decoder if kind in hostile_further.HEIC else ()) for kind in FILES]


def _counted(work: Callable[[], str]) -> tuple[float, str]:
    """Return how many functions were called, and the result."""
    steps = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal steps
        steps += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        result = work()
    finally:
        sys.setprofile(None)
    return steps, result


def _timed(work: Callable[[], str]) -> tuple[float, str]:
    """Return the CPU seconds of all threads, and the result."""
    started = time.process_time()
    result = work()
    return time.process_time() - started, result


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """How the cost of a call is measured, and the most cost and memory that it may take."""

    measured: Callable[[Callable[[], str]], tuple[float, str]]
    cost: float
    memory_mb: int
    formats: Sequence[str]

    @classmethod
    def of(cls, kind: str) -> "Bounds":
        """Return the bounds of a hostile file."""
        if kind in hostile.REFUSED or kind in hostile.HARMLESS:
            return cls(measured=_counted, cost=2_000_000, memory_mb=100, formats=DEFAULT_FORMATS)
        return cls(measured=_timed, cost=0.5, memory_mb=150, formats=FURTHER)


def _converted(data: bytes, formats: Sequence[str]) -> object:
    return convert(open_picture(data, Limits(), formats=formats))


def _streamed(data: bytes, formats: Sequence[str]) -> object:
    return convert(open_picture(io.BytesIO(data), Limits(), formats=formats))


def _resized(data: bytes, formats: Sequence[str]) -> object:
    return resize(open_picture(data, Limits(), formats=formats), {"small": 8})


def _described(data: bytes, formats: Sequence[str]) -> object:
    return describe(open_picture(data, Limits(), formats=formats))


def _refusal(call: Call, data: bytes, formats: Sequence[str]) -> str:
    """Return the class of a call's refusal, or an empty text."""
    try:
        call(data, formats)
    except PixelCascadeError as error:
        return type(error).__name__
    return ""


def _bounded(call: Call, data: bytes, bounds: Bounds) -> str:
    """Return a call's refusal; fail if it crashes, hangs or exceeds its bounds."""
    outcome = run_guarded(
        bounds.measured, lambda: _refusal(call, data, bounds.formats), timeout_s=20, memory_mb=bounds.memory_mb
    )
    assert outcome.crash is None
    assert not outcome.timed_out
    cost, refusal = outcome.value
    assert cost < bounds.cost
    return str(refusal)


@pytest.fixture(autouse=True, scope="module")
def _loaded() -> Iterator[None]:
    """Import the decoders and freeze existing objects, so that neither counts towards a file's cost."""
    load_formats(FURTHER)
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.parametrize("kind", KINDS)
def test_a_hostile_file_is_refused_or_converted_within_bounds(kind: str) -> None:
    """Each file raises its expected error; a harmless one is converted, because data beside the pixels are not read."""
    data, bounds = FILES[kind](), Bounds.of(kind)
    for call in (_converted, _resized, _streamed):
        assert _bounded(call, data, bounds) == ERRORS.get(kind, "")


@pytest.mark.parametrize("kind", KINDS)
def test_a_hostile_file_is_described_within_bounds(kind: str) -> None:
    """A header is read or refused within the bounds, whatever it claims."""
    _bounded(_described, FILES[kind](), Bounds.of(kind))


def test_frames_beyond_the_limit_are_not_counted() -> None:
    """Counting stops with a warning, and the picture counts as one frame."""
    metadata = describe(HARMLESS["GIF of 20,000 frames"]())
    assert metadata.frames == 1
    assert any("10,000" in warning for warning in metadata.warnings)


def test_apng_frames_are_counted_and_not_taken_from_the_header() -> None:
    """An APNG of one frame that claims two billion has one frame."""
    assert describe(HARMLESS["APNG that claims two billion frames"]()).frames == 1


def test_an_archive_after_a_jpeg_is_dropped() -> None:
    """A JPEG followed by an archive is converted; the archive is not in the output."""
    assert b"PK\3\4" not in bytes(convert(HARMLESS["polyglot"]()))


def test_the_error_names_the_detected_format() -> None:
    """The message says what the file is and what is accepted."""
    with pytest.raises(UnsupportedFormatError, match="expected a JPEG, PNG or GIF, got a WebP picture"):
        convert(saved(photo(), "WEBP"))


@pytest.mark.parametrize("marker", [0xC3, 0xC9, 0xCA], ids=["lossless", "arithmetic", "progressive arithmetic"])
def test_a_damaged_jpeg_in_a_rare_coding_is_refused(marker: int) -> None:
    """What libjpeg raises for blank data in a rare coding becomes a rejection."""
    assert _refusal(_converted, frame_header(marker, components=1), DEFAULT_FORMATS) == "BrokenImageError"


def test_segments_after_the_first_scan_are_dropped() -> None:
    """Metadata between scans is not copied."""
    master = jpeg(progressive=True)
    last = master.rindex(b"\xff\xda")
    output = convert(master[:last] + exif_segment(exif({0x010F: b"hidden"})) + master[last:])
    assert output.copied
    assert b"hidden" not in bytes(output)
    assert opened(output).tobytes() == opened(master).tobytes()
