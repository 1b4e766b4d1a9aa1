"""The contestants: PixelCascade, and others that do the same work. Each call takes a picture's bytes."""

import contextlib
import functools
import importlib
import io
import os
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any
from unittest import mock

from PIL import Image

from benchmarks import peer
from benchmarks.measuring import milliseconds
from benchmarks.photos import LIMITS, Photo
from handlers.imaging import Picture, convert, describe, open_picture, output_sizes, resize
from handlers.imaging.formats import DEFAULT_FORMATS
from handlers.imaging.formats.jpeg_decoder import open_jpeg
from handlers.imaging.pixels.orientation import upright_size

WIDTHS = {"thumbnail": 100, "medium": 500, "large": 1000}
LANCZOS = Image.Resampling.LANCZOS
Contestant = Callable[[Photo], float]

_resample: Any = importlib.import_module("handlers.imaging.pixels.resample")
by_pillow: Callable[..., Image.Image] = _resample.by_pillow


def timed(call: Callable[[bytes], object]) -> Contestant:
    """Return a contestant of a call."""
    return lambda photo: milliseconds(lambda: call(photo.data))


def opened(data: bytes, formats: Sequence[str] = DEFAULT_FORMATS) -> Picture:
    """Return a picture of one of some formats."""
    return open_picture(data, LIMITS, formats=formats)


def sizes(
    data: bytes, formats: Sequence[str] = DEFAULT_FORMATS, further: Mapping[str, int] = MappingProxyType({})
) -> None:
    """Make three sizes with PixelCascade, each in further formats too."""
    resize(opened(data, formats), WIDTHS, further=further)


def resampled_by(back_end: Callable[..., Image.Image]) -> contextlib.AbstractContextManager[object]:
    """Resample with another library within the context."""

    def chosen(_: object) -> Callable[..., Image.Image]:
        return back_end

    return mock.patch.object(_resample, "_back_end", chosen)


def libvips(library: Any) -> Callable[..., Image.Image]:
    """Return the resampling of the layer for arm64."""
    return functools.partial(_resample.by_libvips, library)


def sizes_by(back_end: Callable[..., Image.Image]) -> Contestant:
    """Return PixelCascade making three sizes with another resampling library."""

    def call(data: bytes) -> None:
        with resampled_by(back_end):
            sizes(data)

    return timed(call)


def converted(data: bytes, formats: Sequence[str] = DEFAULT_FORMATS) -> None:
    """Convert with PixelCascade, by copying if possible."""
    convert(opened(data, formats))


def reencoded(data: bytes, formats: Sequence[str] = DEFAULT_FORMATS) -> None:
    """Convert with PixelCascade, never by copying."""
    convert(opened(data, formats), reencode="always")


def described(data: bytes, formats: Sequence[str] = DEFAULT_FORMATS) -> None:
    """Read the header with PixelCascade."""
    describe(open_picture(io.BytesIO(data), LIMITS, formats=formats))


def naive_sizes(data: bytes) -> None:
    """Do what the reference set-up does: decode all, resize it three times."""
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        for width in WIDTHS.values():
            height = max(1, round(image.height * width / image.width))
            _save(image.resize((width, height), LANCZOS))


def floor_of_sizes(photo: Photo) -> float:
    """Time libjpeg-turbo alone: decode at PixelCascade's reduced size, encode three results made beforehand."""
    factor, pictures = _results(photo.data)

    def work() -> None:
        _decoded(photo.data, factor)
        for picture in pictures:
            _save(picture)

    return milliseconds(work)


def floor_of_conversion(data: bytes) -> None:
    """Decode and encode with libjpeg-turbo, without any other work."""
    _save(_decoded(data, 1))


@functools.cache
def _results(data: bytes) -> tuple[int, list[Image.Image]]:
    picture = open_picture(data, LIMITS)
    picture.read()
    wanted = output_sizes(picture, WIDTHS, enlarge=True)
    raster = picture.decode(salvage=False, widest=upright_size(max(wanted.values()), picture.exif.orientation))
    factor = round(picture.header.width / raster.image.width)
    with Image.open(io.BytesIO(data)) as image:
        return factor, [image.convert("RGB").resize(one, LANCZOS) for one in wanted.values()]


def _decoded(data: bytes, factor: int) -> Image.Image:
    image = open_jpeg(data)
    if factor > 1:
        image.draft(None, (max(1, image.width // factor), max(1, image.height // factor)))
    image.load()
    return image


def _save(image: Image.Image) -> None:
    image.save(io.BytesIO(), "JPEG", quality=100, subsampling=2)


def vips() -> Any:
    """Return pyvips on one thread and without a cache, or None if it is not installed."""
    os.environ["VIPS_CONCURRENCY"] = "1"
    if not peer.available():
        return None
    library: Any = importlib.import_module("pyvips")
    library.cache_set_max(0)
    return library


def vips_sizes(library: Any, data: bytes) -> None:
    """Shrink while decoding to the widest, and resize the others from it."""
    large = library.Image.thumbnail_buffer(data, max(WIDTHS.values()), height=10**7).copy_memory()
    for width in sorted(WIDTHS.values(), reverse=True):
        one = large if width == large.width else large.thumbnail_image(width, height=10**7)
        one.jpegsave_buffer(Q=100, subsample_mode="on", keep="none")


def vips_conversion(library: Any, data: bytes) -> None:
    """Decode, turn and encode."""
    image = library.Image.new_from_buffer(data, "")
    image.autorot().jpegsave_buffer(Q=100, subsample_mode="on", keep="none")


TASKS: dict[str, Callable[..., None]] = {
    "sizes": sizes,
    "reencoded": reencoded,
    "converted": converted,
    "described": described,
}


def task(name: str) -> Callable[[bytes], None]:
    """Return a call by its name: `sizes`, `sizes webp=80` with a further format, `sizes@webp` for masters in one."""
    call, *further = name.split()
    call, _, form = call.partition("@")
    options: dict[str, Any] = {"formats": (*DEFAULT_FORMATS, form)} if form else {}
    if further:
        options["further"] = {one: int(quality) for one, _, quality in (text.partition("=") for text in further)}
    return functools.partial(TASKS[call], **options)
