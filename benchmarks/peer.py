"""The same picture decoded by libvips, if pyvips is installed."""

import importlib
import importlib.util
import logging
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageChops, ImageStat

UNBUILT = "it is built without a decoder for it, so nothing is compared"
PROFILE = "icc-profile-data"
_BUILT_WITHOUT = "has not been built in"
"""libheif's error for HEVC in libvips's wheel."""


@dataclass(frozen=True)
class PeerPicture:
    """libvips's result for a file: a picture or an error; `strict` is its error in strict mode."""

    image: Image.Image | None
    refusal: str | None
    strict: str | None
    profiled: bool = False
    cmyk: bool = False


def available() -> bool:
    """Return whether libvips can be used."""
    return importlib.util.find_spec("pyvips") is not None


def picture(data: bytes, profile: bytes | None = None) -> PeerPicture:
    """Decode the first picture: upright, in sRGB, 8 bit, over white; by `profile` where libvips finds none."""
    logging.getLogger("pyvips").setLevel(logging.ERROR)
    vips: Any = importlib.import_module("pyvips")
    try:
        found = vips.Image.new_from_buffer(data, "")
        profiled = found.get_typeof(PROFILE) != 0
        cmyk = found.interpretation == "cmyk"
        if profile and not profiled:
            found = found.copy()
            found.set_type(vips.GValue.blob_type, PROFILE, profile)
        image = _to_pillow(_shown(found))
    except vips.Error as error:
        return PeerPicture(None, UNBUILT if _BUILT_WITHOUT in str(error) else _last_line(error), None)
    return PeerPicture(image, None, _strictly(vips, data), profiled, cmyk)


def mean_difference(ours: Image.Image, theirs: Image.Image) -> float:
    """Return the mean absolute difference of two pictures of one size, in levels."""
    difference = ImageChops.difference(ours.convert("RGB"), theirs.convert("RGB"))
    return max(ImageStat.Stat(difference).mean)


def _shown(image: Any) -> Any:
    image = image.autorot()
    if image.format == "ushort":
        image = (image >> 8).cast("uchar").copy(interpretation="b-w" if image.bands < len("RGB") else "srgb")
    if image.get_typeof(PROFILE) != 0:
        image = image.icc_transform("srgb", embedded=True, intent="relative")
    elif image.interpretation == "cmyk":
        image = image.colourspace("srgb")
    if image.hasalpha():
        image = image.flatten(background=255)
    return image.cast("uchar")


def _to_pillow(image: Any) -> Image.Image:
    mode = "L" if image.bands == 1 else "RGB"
    return Image.frombytes(mode, (image.width, image.height), image.write_to_memory())


def _strictly(vips: Any, data: bytes) -> str | None:
    """Return libvips's strict-mode error for a file that it otherwise decodes."""
    try:
        vips.Image.new_from_buffer(data, "", fail_on="warning").avg()
    except vips.Error as error:
        return _last_line(error)
    return None


def _last_line(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[-1].strip() if lines else type(error).__name__
