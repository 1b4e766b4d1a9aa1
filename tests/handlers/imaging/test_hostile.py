"""Hostile files: each is refused, or harmless, within half a second of CPU time and 150 MB.

`pytest -rP tests/handlers/imaging/test_hostile.py` shows what each takes.
"""

import ctypes
import gc
import io
import resource
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from benchmarks.guarded import run_guarded
from handlers.errors import PixelCascadeError, UnsupportedFormatError
from handlers.imaging import Limits, Picture, convert, describe, load_formats, open_picture, resize
from handlers.imaging.formats import DEFAULT_FORMATS

from . import hostile, hostile_coded, hostile_further
from .heic import has_decoder, needs_decoder
from .hostile import HARMLESS, frame_header
from .pictures import exif, exif_segment, jpeg, opened, photo, saved

pytestmark = pytest.mark.exhaustive

MOST_CPU_S, MOST_MB = 0.5, 150
GOOD_PX, MOST_GOOD = (4000, 3000), 4
"""A call that takes longer is compared with a good picture at the same moment: half a second is some four of these."""

M_MMAP_THRESHOLD, MMAP_THRESHOLD_BYTES = -3, 128 * 1024
"""A fresh process's threshold, which otherwise grows. Source: mallopt(3); glibc's malloc.h."""

Call = Callable[[Picture], object]
FURTHER = ("avif", "heic", "tiff") if has_decoder() else ("avif", "tiff")
REFUSED = hostile.REFUSED | hostile_coded.REFUSED | hostile_coded.TIFF | hostile_further.REFUSED
FILES = {
    **{kind: make for kind, (make, _) in REFUSED.items()},
    **hostile.HARMLESS,
    **hostile_further.HARMLESS,
}
ERRORS = {kind: error.__name__ for kind, (_, error) in REFUSED.items()}
OF_FURTHER = hostile_coded.TIFF | hostile_further.REFUSED | hostile_further.HARMLESS
KINDS = [pytest.param(kind, marks=needs_decoder if kind in hostile_further.HEIC else ()) for kind in FILES]


class Cost(NamedTuple):
    """What a call took: CPU seconds of all threads, and MB beyond what the process had before; and its refusal."""

    cpu_s: float
    peak_mb: float
    refusal: str


def _measured(call: Call, source: bytes | io.BytesIO, formats: tuple[str, ...]) -> Cost:
    # Or what earlier tests freed would decide how glibc enlarges a block: with or without a copy.
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD_BYTES)
    started, before_mb = time.process_time(), _peak_mb()
    refusal = _refusal(lambda: call(open_picture(source, Limits(), formats=formats)))
    return Cost(time.process_time() - started, _peak_mb() - before_mb, refusal)


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _refusal(work: Callable[[], object]) -> str:
    """Return the class of a refusal, or an empty text."""
    try:
        work()
    except PixelCascadeError as error:
        return type(error).__name__
    return ""


def _bounded(kind: str, call: Call, source: bytes | io.BytesIO) -> Cost:
    """Return what a call took; fail if it crashes, hangs or exceeds its bounds."""
    formats = FURTHER if kind in OF_FURTHER else DEFAULT_FORMATS
    # A tight limit would make an allocation fail that takes the memory of a worker.
    outcome = run_guarded(_measured, call, source, formats, timeout_s=20, memory_mb=1_000)
    assert outcome.crash is None
    assert not outcome.timed_out
    cost: Cost = outcome.value
    assert cost.peak_mb < MOST_MB
    assert cost.cpu_s < MOST_CPU_S or cost.cpu_s < MOST_GOOD * _good_cpu_s()
    return cost


def _good_cpu_s() -> float:
    """Return the CPU seconds that a good picture takes now, beside whatever else runs."""
    good = saved(photo(GOOD_PX), "PNG")
    cost: Cost = run_guarded(_measured, convert, good, DEFAULT_FORMATS, timeout_s=60, memory_mb=1_000).value
    return cost.cpu_s


@pytest.fixture(autouse=True, scope="module")
def _loaded() -> Iterator[None]:
    """Import the decoders and freeze existing objects, so that neither counts towards a file's cost."""
    load_formats(FURTHER)
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.parametrize("kind", KINDS)
def test_a_hostile_file_takes_little(kind: str) -> None:
    """Each is refused with its error, or converted, because data beside the pixels are not read; its header is read."""
    data = FILES[kind]()
    costs = {
        "convert": _bounded(kind, convert, data),
        "convert a stream": _bounded(kind, convert, io.BytesIO(data)),
        "resize": _bounded(kind, lambda picture: resize(picture, {"small": 8}), data),
        "describe": _bounded(kind, describe, data),
    }
    call, worst = max(costs.items(), key=lambda item: item[1].cpu_s)
    most_mb = max(cost.peak_mb for cost in costs.values())
    outcome = costs["convert"].refusal or "converted"
    print(f"{kind}: {call} {worst.cpu_s * 1000:.0f} ms, {most_mb:.0f} MB, {outcome}")  # noqa: T201 - `pytest -rP` shows the figures
    assert {cost.refusal for name, cost in costs.items() if name != "describe"} == {ERRORS.get(kind, "")}


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
    assert _refusal(lambda: convert(frame_header(marker, components=1))) == "BrokenImageError"


def test_segments_after_the_first_scan_are_dropped() -> None:
    """Metadata between scans is not copied."""
    master = jpeg(progressive=True)
    last = master.rindex(b"\xff\xda")
    output = convert(master[:last] + exif_segment(exif({0x010F: b"hidden"})) + master[last:])
    assert output.copied
    assert b"hidden" not in bytes(output)
    assert opened(output).tobytes() == opened(master).tobytes()
