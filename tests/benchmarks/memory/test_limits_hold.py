"""The pixel limit that follows from memory: images within it are processed, larger ones rejected without a crash."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from benchmarks.artefact import Artefact
from benchmarks.memory.boundary import check, costliest_png
from benchmarks.memory.cgroups import usable
from benchmarks.memory.mix import Plan, plan
from benchmarks.memory.request import FUNCTIONS
from benchmarks.memory.sizes import largest_megapixels, largest_pixels
from benchmarks.memory.trial import Bench, run
from benchmarks.worker_process import loopback
from components.config import StackConfig
from handlers.errors import ImageTooLargeError
from handlers.imaging import Limits
from handlers.imaging.limits import pixels_that_fit

from .conftest import pictures

NEEDED = pytest.mark.skipif(bool(usable()), reason=f"no control groups here: {usable()}")
SMALL_MB = 200
EMPTY = Plan(masters={}, batches=[], heaviest=[], lightest=[])


@pytest.fixture
def bench(artefact: Artefact) -> Bench:
    """Return a bench of one run under the default settings."""
    return Bench(plan=EMPTY, port=0, config=StackConfig(), runs=1, no_groups="", artefact=artefact)


@pytest.mark.parametrize("memory_mb", [128, 256, 1769])
@pytest.mark.parametrize("bytes_per_pixel", [0.0, 0.3, 4.0])
def test_the_largest_picture_is_exactly_at_the_limit(memory_mb: int, bytes_per_pixel: float) -> None:
    """A picture of the limit's size passes the functions' check, and one 30 % larger does not."""
    pixels = largest_pixels(memory_mb, bytes_per_pixel)
    assert pixels <= pixels_that_fit(memory_mb, int(pixels * bytes_per_pixel))
    over = int(1.3 * pixels) + 2
    limits = Limits.for_memory(memory_mb, max_side=10**10, max_pixels=10**10)
    if pixels:
        limits.check_canvas(pixels, 1, int(pixels * bytes_per_pixel))
    with pytest.raises(ImageTooLargeError, match="MB of memory"):
        limits.check_canvas(over, 1, int(over * bytes_per_pixel))


def test_the_limit_of_a_class_follows_from_its_files() -> None:
    """More bytes per pixel leave less memory for pixels, and the stack's own limit still applies."""
    found = largest_megapixels(512, {"camera": 0.3, "png": 2.0}, 50_000_000)
    assert found["camera"] > found["png"] > 0
    assert largest_megapixels(10_240, {"camera": 0.3}, 50_000_000) == {"camera": 50.0}


def test_the_costliest_picture_is_readable(tmp_path: Path) -> None:
    """Pillow can read the picture: 16 bit, with a transparent colour and an orientation."""
    (tmp_path / "costly.png").write_bytes(costliest_png(40, 30))
    with Image.open(tmp_path / "costly.png") as image:
        image.load()
        assert image.size == (40, 30)
        assert image.getexif()[0x0112] == 6
        assert "transparency" in image.info


@NEEDED
@pytest.mark.parametrize("name", ["resize", "convert"])
def test_a_picture_at_the_limit_crashes_no_function(name: str, bench: Bench) -> None:
    """Within Lambda's memory, the largest costly picture is written and a larger one rejected."""
    found = check(bench, FUNCTIONS[name], SMALL_MB, delay_ms=0)
    assert found.at_limit == "written"
    assert found.over_limit == "rejected: ImageTooLargeError"
    assert found.holds
    assert (found.peak_mb or SMALL_MB) < SMALL_MB


@NEEDED
def test_a_killed_function_is_a_trial_with_a_reason(tmp_path: Path, bench: Bench) -> None:
    """When the kernel kills the function, the benchmark continues; counting frames reads all of a GIF."""
    folder, gif = pictures(tmp_path / "in"), io.BytesIO()
    Image.new("L", (320, 240)).save(gif, "GIF")
    comment = b"!\xfe" + (b"\xff" + bytes(255)) * 190_000 + b"\0"
    (folder / "0.jpg").write_bytes(gif.getvalue()[:-1] + comment + b";")
    dealt = plan(folder, {}, 2)
    with loopback(dealt.objects, 0, 0) as port:
        found = run(replace(bench, plan=dealt, port=port), FUNCTIONS["metadata"], 90)
    assert found.problem == "it was killed: out of memory"
    assert not found.batches
