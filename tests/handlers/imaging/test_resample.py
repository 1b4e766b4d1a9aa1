"""Resampling: three back ends give the same pictures, and Pillow is used where no other is installed."""

import functools
import importlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFont

from benchmarks.quality import psnr
from handlers.imaging import resize
from handlers.imaging.pixels.raster import Raster

from .pictures import corners, difference, jpeg, opened, photo, saved

WHOLE = (0, 0, 800, 600)

# The package exports `resize` and `resample` as functions; this is the module.
module: Any = importlib.import_module("handlers.imaging.pixels.resample")


@pytest.fixture(autouse=True)
def fresh_choice() -> Iterator[None]:
    """Make each test choose its back end again."""
    module._back_end.cache_clear()
    yield
    module._back_end.cache_clear()


@pytest.fixture
def without_simd(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the libraries, as if they were not installed."""
    monkeypatch.setitem(sys.modules, "cykooz_resizer", None)
    monkeypatch.setitem(sys.modules, "pyvips", None)


def simd() -> Any:
    """Return the SIMD back end, or skip where it is not installed."""
    library = pytest.importorskip("cykooz_resizer")
    return functools.partial(module.by_simd, library, threading.local())


def libvips() -> Any:
    """Return the libvips back end, or skip where it is not installed."""
    library: Any = pytest.importorskip("pyvips")
    library.concurrency_set(1)
    library.cache_set_max(0)
    return functools.partial(module.by_libvips, library)


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("size", [(100, 75), (333, 250), (600, 450)])
@pytest.mark.parametrize("box", [(0, 0, 800, 600), (200, 0, 800, 600)])
def test_libvips_gives_the_same_picture(
    monkeypatch: pytest.MonkeyPatch, mode: str, size: tuple[int, int], box: tuple[float, float, float, float]
) -> None:
    """A photograph, whole or cropped, reduced up to eight times, has a PSNR of over 48 dB against Pillow's result."""
    image = photo((800, 600), mode)
    theirs = module.by_pillow(image, size, box, smooth=True)
    monkeypatch.delattr(module, "by_pillow")
    ours = libvips()(image, size, box, smooth=True)
    assert (ours.mode, ours.size) == (mode, size)
    assert psnr(ours, theirs) > 48


@pytest.mark.parametrize(
    ("size", "box", "smooth"),
    [
        ((333, 250), WHOLE, False),
        ((1200, 900), WHOLE, True),
        ((800, 700), WHOLE, True),
        ((80, 60), WHOLE, True),
        ((333, 250), (0, 0, 799.5, 600), True),
        ((400, 300), (100.25, 0, 500, 600), True),
    ],
    ids=["sharp", "enlarged", "taller", "ten times smaller", "ends within a pixel", "begins within a pixel"],
)
def test_pillow_is_used_where_libvips_would_differ(
    size: tuple[int, int], box: tuple[float, float, float, float], *, smooth: bool
) -> None:
    """Where libvips would differ visibly, the result is Pillow's to the byte."""
    image = photo((800, 600))
    ours, theirs = (back_end(image, size, box, smooth=smooth) for back_end in (libvips(), module.by_pillow))
    assert ours.tobytes() == theirs.tobytes()


FORKED = """
import importlib, json, os, signal, sys
sys.modules["cykooz_resizer"] = None
from handlers.imaging.pixels.raster import Raster
from tests.handlers.imaging.pictures import photo
module = importlib.import_module("handlers.imaging.pixels.resample")

def used():
    module.resample(photo((400, 300)), (200, 150), smooth=True)
    return getattr(module._back_end(os.getpid()), "func", module._back_end(os.getpid())).__name__

found = [used()]
for _ in range(10):
    receiver, sender = os.pipe()
    if not os.fork():
        signal.alarm(20)
        os.write(sender, used().encode())
        os._exit(0)
    os.wait()
    os.close(sender)
    found.append(os.read(receiver, 100).decode())
print(json.dumps(found))
"""


def test_a_forked_child_does_not_use_libvips() -> None:
    """A forked child uses Pillow: libvips waits for threads that were not forked, and hung in 3 or 4 children of 10."""
    pytest.importorskip("pyvips")
    done = subprocess.run([sys.executable, "-c", FORKED], check=True, capture_output=True, text=True, timeout=240)
    assert json.loads(done.stdout) == ["by_libvips", *["by_pillow"] * 10]


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("size", [(100, 75), (333, 250), (1200, 900)])
@pytest.mark.parametrize("box", [(0, 0, 800, 600), (0, 0, 799.5, 599.25)])
def test_simd_gives_the_same_picture(mode: str, size: tuple[int, int], box: tuple[float, float, float, float]) -> None:
    """Reduced, enlarged, and from a box that ends within a pixel: samples differ by at most one level, at edges too."""
    image = corners((800, 600)).convert(mode)
    image.paste(photo((400, 600), mode))
    ours, theirs = (back_end(image, size, box, smooth=False) for back_end in (simd(), module.by_pillow))
    assert (ours.mode, ours.size) == (theirs.mode, theirs.size) == (mode, size)
    worst = max(band[1] if isinstance(band, tuple) else band for band in _extrema(ours, theirs))
    assert worst <= 1


def test_a_smooth_picture_may_be_resampled_in_the_other_order() -> None:
    """Without sharp edges the order of the passes is not visible: the PSNR is over 45 dB."""
    image = photo((800, 600))
    assert Raster(image).smooth
    ours, theirs = (back_end(image, (333, 250), WHOLE, smooth=True) for back_end in (simd(), module.by_pillow))
    assert psnr(ours, theirs) > 45


def test_sharp_edges_keep_the_order_of_the_passes() -> None:
    """Text is not smooth: the other order would be visible, so it is not used."""
    image = Image.new("RGB", (800, 600), "white")
    for row in range(0, 600, 16):
        ImageDraw.Draw(image).text((0, row), "sharp edges " * 20, "black", ImageFont.load_default(14))
    assert not Raster(image).smooth
    other, theirs = (back_end(image, (333, 250), WHOLE, smooth=True) for back_end in (simd(), module.by_pillow))
    assert psnr(other, theirs) < 45
    same = resize(saved(image, "PNG"), {"a": 333})["a"]
    assert psnr(opened(same), opened(saved(theirs, "JPEG", quality=100, subsampling=2))) > 45


def _extrema(one: Image.Image, other: Image.Image) -> list[Any]:
    return [band.getextrema() for band in ImageChops.difference(one, other).split()]


def test_simd_is_used_where_it_is_installed() -> None:
    """SIMD is chosen without a setting."""
    pytest.importorskip("cykooz_resizer")
    assert module._back_end(os.getpid()).func is module.by_simd


def test_libvips_is_used_without_cykooz_resizer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without cykooz_resizer, libvips is chosen, as in the arm64 layer."""
    pytest.importorskip("pyvips")
    monkeypatch.setitem(sys.modules, "cykooz_resizer", None)
    monkeypatch.delitem(sys.modules, "pyvips")
    assert module._back_end(os.getpid()).func is module.by_libvips


@pytest.mark.usefixtures("without_simd")
def test_pillow_is_used_where_no_library_is_installed() -> None:
    """Without the libraries, Pillow gives the same picture."""
    assert module._back_end(os.getpid()) is module.by_pillow
    master = jpeg(photo((800, 600)))
    alone = opened(resize(master, {"a": 200})["a"])
    module._back_end.cache_clear()
    sys.modules.pop("cykooz_resizer")
    assert difference(alone, opened(resize(master, {"a": 200})["a"])) < 1


def test_threads_resample_concurrently() -> None:
    """Each thread has its own resizer: four concurrent threads give the same results as one."""
    images = [photo((400 + 40 * number, 300)) for number in range(8)]
    alone = [module.resample(image, (123, 77)).tobytes() for image in images]
    with ThreadPoolExecutor(4) as pool:
        together = [picture.tobytes() for picture in pool.map(lambda one: module.resample(one, (123, 77)), images)]
    assert together == alone


def test_a_picture_of_the_requested_size_is_not_copied() -> None:
    """A picture that already has the size is returned without a copy."""
    image = photo()
    assert module.resample(image, image.size) is image
