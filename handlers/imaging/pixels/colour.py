"""Convert colours to sRGB, from embedded profiles and from CMYK."""

import io
from functools import lru_cache
from math import prod
from typing import NamedTuple

from PIL import Image

from .code_points import coded_profile
from .hdr import HDR_TRANSFERS
from .profile import tags_of

MAX_DIFFERENCE = 2
"""Levels by which a profile may differ from sRGB and still count as sRGB; cameras' profiles do, invisibly."""

KEPT_BYTES = 64 * 1024
"""Up to this size, a profile's departure from sRGB is cached."""

_RGB = b"RGB "
_SPACES = {"L": (b"GRAY", _RGB), "RGB": (_RGB,), "CMYK": (b"CMYK",)}
"""By mode: the colour spaces of profiles that describe a picture; browsers use RGB profiles for grey ones, too."""

_SPACE = slice(16, 20)


def to_srgb(image: Image.Image, profile: bytes | None, warnings: list[str]) -> Image.Image:
    """Return a picture of mode L, RGB or CMYK as L or RGB in sRGB, by relative colorimetric rendering.

    A profile that cannot be used adds a warning; CMYK is then converted by Pillow's formula.
    """
    if profile and not is_srgb(profile, image.mode):
        try:
            return _rendered(image, profile)
        except (ValueError, OSError, SyntaxError) as error:
            warnings.append(f"the ICC profile was ignored: {error}")
    return image.convert("RGB") if image.mode == "CMYK" else image


def usable(profile: bytes, mode: str) -> bool:
    """Return whether a profile describes pictures of a mode."""
    return profile[_SPACE] in _SPACES.get(mode, ())


def is_srgb(profile: bytes, mode: str) -> bool:
    """Return whether a profile counts as sRGB."""
    found = departure(profile, mode)
    return found is not None and found.largest <= MAX_DIFFERENCE


class Departure(NamedTuple):
    """By how many levels of 255 a profile differs from sRGB, for samples of all hues."""

    largest: int
    mean: float


def departure(profile: bytes | None, mode: str) -> Departure | None:
    """Return how far a profile departs from sRGB, or None if it is ignored or missing, or the picture is CMYK."""
    if profile is None or mode == "CMYK" or not usable(profile, mode):
        return None
    return (_departure if len(profile) <= KEPT_BYTES else _departure.__wrapped__)(profile, mode)


@lru_cache(maxsize=32)
def _departure(profile: bytes, mode: str) -> Departure | None:
    sample = _sample(mode)
    try:
        rendered = _rendered(sample, profile)
    except (ValueError, OSError, SyntaxError):
        return None
    levels = zip(sample.convert(rendered.mode).tobytes(), rendered.tobytes(), strict=True)
    found = [abs(before - after) for before, after in levels]
    return Departure(max(found), sum(found) / len(found))


def _sample(mode: str) -> Image.Image:
    if mode == "L":
        return Image.frombytes("L", (256, 1), bytes(range(256)))
    levels = range(0, 256, 51)
    lattice = b"".join(bytes((red, green, blue)) for red in levels for green in levels for blue in levels)
    return Image.frombytes("RGB", (len(lattice) // 3, 1), lattice)


def _without_traps(profile: bytes) -> bytes:
    """Return a profile whose tags that would stall LittleCMS are renamed, so that its other tags count.

    They are pipelines of floating-point elements (D2Bx), because a few kilobytes can list a million, each of which
    takes time for every colour; browsers do not use them either. And tables of more values than the profile has bytes,
    because LittleCMS clears the memory for all of them first, up to 500 MB.
    Source: ICC.1:2022, 9.2 for the tags' names.
    """
    found, view = bytearray(profile), memoryview(profile)
    for tag in tags_of(profile):
        data = view[tag.start :]
        if tag.name[:3] == b"D2B" or _values(data) > len(data):
            found[tag.entry : tag.entry + 1] = b"d"
    return bytes(found)


def _hdr(profile: bytes) -> bytes | None:
    """Return the profile of the HDR code points in a profile, which count before its tables, as in browsers.

    Source: ICC.1:2022, 9.2.17 and 10.5: primaries, transfer, matrix and range, each a byte.
    """
    for tag in tags_of(profile):
        codes = profile[tag.start + 8 : tag.start + 12]
        if tag.name == b"cicp" and profile[_SPACE] == _RGB and codes[2:] == b"\0\1" and codes[1] in HDR_TRANSFERS:
            return coded_profile(codes[0], codes[1], grey=False)
    return None


def _values(tag: memoryview) -> int:
    """Return how many values the table of a tag claims; each takes one byte or two.

    Source: ICC.1:2022, 10.10 and 10.11 for `mft2` and `mft1`, 10.12 for `mAB`.
    """
    kind, (inputs, outputs, side) = bytes(tag[:4]), bytes(tag[8:11]).ljust(3, b"\0")
    if kind in (b"mft1", b"mft2"):
        return outputs * int(side**inputs)
    start = int.from_bytes(tag[24:28]) if kind == b"mAB " else 0
    return outputs * prod(bytes(tag[start : start + inputs])) if start else 0


def _rendered(image: Image.Image, profile: bytes) -> Image.Image:
    """Convert a picture from its profile to sRGB; grey stays grey, unless an RGB profile tints it."""
    if image.mode != "L":
        return _transformed(image, profile)
    # Level by level, because LittleCMS would interpolate between 33 levels of grey.
    levels = Image.frombytes("L", (256, 1), bytes(range(256)))
    levels = levels.convert("RGB") if profile[_SPACE] == _RGB else levels
    red, green, blue = (list(band.tobytes()) for band in _transformed(levels, profile, exactly=True).split())
    if all(max(other) - min(other) <= MAX_DIFFERENCE for other in zip(red, green, blue, strict=True)):
        return image.point(green)
    return Image.merge("RGB", [image.point(band) for band in (red, green, blue)])


def _transformed(image: Image.Image, profile: bytes, *, exactly: bool = False) -> Image.Image:
    # Only pictures with a profile pay for loading LittleCMS.
    from PIL import ImageCms  # noqa: PLC0415

    if not usable(profile, image.mode):
        raise ValueError(f"it describes {profile[_SPACE]!r}, and the picture is {image.mode}")
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(_hdr(profile) or _without_traps(profile)))
        rendered = ImageCms.profileToProfile(
            image,
            source,
            ImageCms.createProfile("sRGB"),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
            flags=ImageCms.Flags.NOOPTIMIZE if exactly else ImageCms.Flags.NONE,
        )
    except ImageCms.PyCMSError as error:
        raise ValueError(str(error)) from error
    assert rendered is not None  # noqa: S101 - it is None only with inPlace
    rendered.info.pop("icc_profile", None)
    return rendered
