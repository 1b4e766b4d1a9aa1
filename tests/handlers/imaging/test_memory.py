"""Memory: the model that limits pixels holds for the most expensive paths through convert and resize."""

import functools
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from handlers.imaging import load_formats
from handlers.imaging.limits import BASE_MB, BYTES_PER_PIXEL, FILE_COPIES, pixels_that_fit

from .heic import has_decoder
from .noise import noise
from .pictures import (
    BLACK,
    chunk,
    cmyk_profile,
    exif,
    exif_segment,
    gif,
    gif_frame,
    jpeg,
    p3_profile,
    photo,
    png,
    saved,
    wide,
    with_segments,
)
from .tiffs import plain, tiff

SIZE = (2000, 1600)
PIXELS = SIZE[0] * SIZE[1]
TURNED = exif({0x0112: 6})
P3 = chunk(b"iCCP", b"p\0\0" + zlib.compress(p3_profile()))
KEY = chunk(b"tRNS", wide(1, 2, 3))

# A separate process, so that memory freed after making the picture is not reused unnoticed.
CHILD = """
import sys
from handlers.imaging import Limits, convert, load_formats, open_picture, resize
from tests.handlers.imaging.pictures import jpeg, photo
SMALL = jpeg(photo((400, 300)))
formats = [name for name in sys.argv[2].split(",")]
load_formats(formats)
if sys.argv[3]:
    sys.modules[sys.argv[3]] = None
resize(SMALL, {"small": 100})
data = sys.stdin.buffer.read()
def memory_kb(name):
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(name))
before = memory_kb("VmRSS")
picture = open_picture(data, Limits(max_bytes=10**9), formats=formats)
if sys.argv[1] == "resize":
    resize(picture, {"thumbnail": 100, "medium": 500, "large": 1000})
else:
    convert(picture, reencode="when-needed" if sys.argv[1] == "copy" else "always")
print((memory_kb("VmHWM") - before) * 1024, before // 1024)
"""


def _rows(samples: int) -> list[bytes]:
    return [struct.pack(f">{samples}H", *[(i * 7919 + row * 31) % 65_536 for i in range(samples)]) for row in range(4)]


def _wide_png(colour: int, samples: int, *extra: bytes) -> bytes:
    return png(SIZE, 16, colour, _rows(samples * SIZE[0]) * (SIZE[1] // 4), *extra)


def _rgba() -> bytes:
    file = saved(photo(SIZE, "RGBA"), "PNG", compress_level=1)
    return file[:33] + chunk(b"eXIf", TURNED) + P3 + file[33:]


def _noise(bands: int) -> Image.Image:
    """Return a picture that does not compress well; each band has its own noise."""
    modes = {3: "RGB", 4: "RGBA"}
    return Image.merge(modes[bands], [noise(SIZE, 80, band) for band in range(bands)])


COSTLY: dict[str, Callable[[], bytes]] = {
    "progressive 4:4:4 JPEG with P3, turned": lambda: with_segments(
        jpeg(photo(SIZE), subsampling=0, progressive=True, icc_profile=p3_profile()), exif_segment(TURNED)
    ),
    "progressive CMYK JPEG with a profile, turned": lambda: with_segments(
        jpeg(photo(SIZE, "CMYK"), progressive=True, icc_profile=cmyk_profile()), exif_segment(TURNED)
    ),
    "noisy JPEG": lambda: jpeg(_noise(3), quality=100, subsampling=0),
    "noisy progressive JPEG, turned": lambda: with_segments(
        jpeg(_noise(3), quality=50, subsampling=0, progressive=True), exif_segment(TURNED)
    ),
    "noisy RGB PNG": lambda: saved(_noise(3), "PNG", compress_level=1),
    "noisy RGBA PNG": lambda: saved(_noise(4), "PNG", compress_level=1),
    "RGBA PNG with P3, turned": _rgba,
    "16-bit RGBA PNG with P3, turned": lambda: _wide_png(6, 4, P3, chunk(b"eXIf", TURNED)),
    "16-bit RGB PNG with a key and P3, turned": lambda: _wide_png(2, 3, P3, KEY, chunk(b"eXIf", TURNED)),
    "palette PNG with alpha": lambda: saved(photo(SIZE).quantize(256), "PNG", transparency=bytes(range(256))),
    "transparent GIF": lambda: gif(
        SIZE, [BLACK] * 128, gif_frame((0, 0, *SIZE), bytes(range(100)) * (PIXELS // 100), transparent=5)
    ),
}


def _noisy_webp() -> bytes:
    grey = noise(SIZE, 60)
    options = {"icc_profile": p3_profile(), "exif": TURNED, "exact": True}
    return saved(Image.merge("RGBA", [grey] * 4), "WEBP", lossless=True, method=0, quality=10, **options)


def _noisy_avif() -> bytes:
    grey = noise(SIZE, 60)
    options = {"icc_profile": p3_profile(), "exif": TURNED, "subsampling": "4:4:4", "speed": 10}
    return saved(Image.merge("RGBA", [grey] * 4), "AVIF", alpha_premultiplied=True, **options)


def _deep_heic() -> bytes:
    """Return a 10-bit HEIC with alpha, which takes the most memory; skip where it cannot be made."""
    if not has_decoder() or not shutil.which("heif-enc"):
        pytest.skip("no HEIC was measured: pi_heif or heif-enc is not installed")
    with tempfile.TemporaryDirectory() as folder:
        rows = [struct.pack(f">{4 * SIZE[0]}H", *[at * 16 % 65_536 for at in range(4 * SIZE[0])])] * SIZE[1]
        Path(folder, "a.png").write_bytes(png(SIZE, 16, 6, rows, P3))
        command = [
            "heif-enc",
            "-p",
            "chroma=444",
            "-p",
            "preset=ultrafast",
            "-b",
            "10",
            "-q",
            "60",
            "a.png",
            "-o",
            "a.heic",
        ]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        return Path(folder, "a.heic").read_bytes()


def _wide_tiff() -> bytes:
    rows = [struct.pack(f"<{4 * SIZE[0]}H", *[at * 16 % 65_536 for at in range(4 * SIZE[0])])] * SIZE[1]
    extra: dict[str, Any] = {"t338": (3, [1]), "t34675": (7, p3_profile()), "t274": (3, [6])}
    strip = zlib.compress(b"".join(rows), 1)
    return tiff(plain(*SIZE, 4, 16, t259=(3, [8]), **extra), [strip])


FURTHER: dict[str, Callable[[], bytes]] = {
    "webp": _noisy_webp,
    "avif": _noisy_avif,
    "heic": _deep_heic,
    "tiff": _wide_tiff,
}


@functools.cache
def _file(kind: str) -> bytes:
    return (COSTLY | FURTHER)[kind]()


@pytest.mark.parametrize("call", ["convert", "copy", "resize"])
@pytest.mark.parametrize("kind", COSTLY)
def test_the_model_covers_the_costliest_pictures(kind: str, call: str) -> None:
    """No path takes more bytes per pixel than the model says, in addition to the file's copies."""
    data = _file(kind)
    a_pixel, before_mb = _measured(data, call, "jpeg,png,gif")
    print(f"{kind}, {call}: {a_pixel:.1f} bytes a pixel beside {len(data) / PIXELS:.1f} of file; {before_mb} MB before")  # noqa: T201 - `pytest -rP` shows the figures
    assert a_pixel <= BYTES_PER_PIXEL
    assert before_mb < BASE_MB


@pytest.mark.parametrize("call", ["convert", "resize"])
@pytest.mark.parametrize("name", FURTHER)
def test_the_model_covers_further_formats(name: str, call: str) -> None:
    """Each format has its own bytes per pixel, because decoders keep different buffers."""
    data = _file(name)
    a_pixel, before_mb = _measured(data, call, name)
    print(f"{name}, {call}: {a_pixel:.1f} bytes a pixel beside {len(data) / PIXELS:.1f} of file; {before_mb} MB before")  # noqa: T201 - `pytest -rP` shows the figures
    (kind,) = load_formats([name])
    assert a_pixel <= kind.bytes_per_pixel
    assert before_mb < BASE_MB


@pytest.mark.parametrize("kind", COSTLY)
def test_the_model_covers_libvips(kind: str) -> None:
    """libvips, used on arm64, copies the pixels to resample them and still fits the model."""
    pytest.importorskip("pyvips")
    a_pixel, before_mb = _measured(_file(kind), "resize", "jpeg,png,gif", hidden="cykooz_resizer")
    assert a_pixel <= BYTES_PER_PIXEL
    assert before_mb < BASE_MB


def _measured(data: bytes, call: str, formats: str, hidden: str = "") -> tuple[float, int]:
    """Return the bytes per pixel that a child takes beside the file's copies, and its MB before decoding.

    The package `hidden` is not importable in the child.
    """
    command = [sys.executable, "-c", CHILD, call, formats, hidden]
    child = subprocess.run(command, input=data, capture_output=True, check=True)
    taken, before_mb = map(int, child.stdout.split())
    return (taken - (FILE_COPIES - 1) * len(data)) / PIXELS, before_mb


def test_the_pixels_that_fit_take_no_more_than_the_memory() -> None:
    """The pixels that fit take no more than the memory beyond the base."""
    for memory_mb in (256, 512, 1024, 3008):
        assert BASE_MB * 2**20 + pixels_that_fit(memory_mb) * BYTES_PER_PIXEL <= memory_mb * 2**20
