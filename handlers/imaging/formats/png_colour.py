"""The colour space of a PNG: cICP, else iCCP, else sRGB, else gAMA with cHRM, as in browsers.

Source: W3C PNG specification, third edition, 4.3 and 11.3.2; cLLI and mDCV count in 0.0001 cd/m2.
"""

import struct
from collections.abc import Mapping

from handlers.imaging.pixels.code_points import coded_profile
from handlers.imaging.pixels.profile import SRGB, Primaries, build_profile

from .picture import MAX_PROFILE_BYTES
from .png_text import inflated

COLOUR_BYTES = {b"cICP": 4, b"sRGB": 1, b"gAMA": 4, b"cHRM": 32, b"cLLI": 8, b"mDCV": 24}
_SRGB_GAMMA = 45_455
_GAMMA_TOLERANCE = _SRGB_GAMMA // 20
"""Gammas this close to sRGB's are left alone, as by libpng (PNG_GAMMA_THRESHOLD_FIXED) and browsers; with cHRM,
browsers use the gamma as it is."""
_FULL_RANGE_RGB = (0, 1)
_INTENTS = (b"\0", b"\1", b"\2", b"\3")
_MOST_NAME_BYTES = 79
_SIGNATURE = slice(36, 40)  # Source: ICC.1:2022, 7.2.


def colour_profile(found: Mapping[bytes, bytes], warnings: list[str], *, grey: bool) -> bytes | None:
    """Return the ICC profile of a PNG's colours, or None for sRGB; add a warning for what is ignored."""
    if len(found.get(b"cICP", b"")) == COLOUR_BYTES[b"cICP"]:
        primaries, transfer, *others = found[b"cICP"]
        full = tuple(others) == _FULL_RANGE_RGB
        profile = coded_profile(primaries, transfer, grey=grey, peak_nits=_peak_nits(found)) if full else None
        if profile is not None:
            return profile or None
        why = (
            f"its colours of code {primaries}, {transfer} are not known"
            if full
            else "it says that its samples are not RGB in full range"
        )
        warnings.append(f"the cICP chunk was ignored: {why}")
    embedded = _embedded(found[b"iCCP"], warnings) if b"iCCP" in found else None
    if embedded or found.get(b"sRGB") in _INTENTS or b"gAMA" not in found:
        return embedded
    return _described(found, warnings, grey=grey)


def _peak_nits(found: Mapping[bytes, bytes]) -> int:
    """Return the luminance of an HDR picture's brightest light in cd/m2, else of its author's screen, or 0."""
    for kind, at in ((b"cLLI", 0), (b"mDCV", 16)):
        light = found.get(kind, b"")
        nits = int.from_bytes(light[at : at + 4]) // 10_000
        if nits and len(light) == COLOUR_BYTES[kind]:
            return nits
    return 0


def _described(found: Mapping[bytes, bytes], warnings: list[str], *, grey: bool) -> bytes | None:
    """Return the profile of gAMA and cHRM; without cHRM, the primaries are sRGB's, as in browsers."""
    gamma, points = int.from_bytes(found[b"gAMA"]), found.get(b"cHRM", b"")
    if len(points) not in (0, COLOUR_BYTES[b"cHRM"]):
        warnings.append(f"the cHRM chunk was ignored: it has {len(points)} bytes")
        points = b""
    try:
        primaries = _primaries(points) if points else SRGB
        if not points and abs(gamma - _SRGB_GAMMA) <= _GAMMA_TOLERANCE:
            return None
        exponent = 100_000 / gamma
        if not 0.1 <= exponent <= 10:  # noqa: PLR2004
            raise ValueError(f"a gamma of {exponent:g}")
        return build_profile(primaries, (exponent,), grey=grey)
    except (ValueError, ZeroDivisionError) as error:
        warnings.append(f"the gAMA and cHRM chunks were ignored: {error}")
        return None


def _primaries(points: bytes) -> Primaries:
    white_x, white_y, *others = (value / 100_000 for value in struct.unpack(">8I", points))
    red, green, blue = zip(others[::2], others[1::2], strict=True)
    return Primaries(red, green, blue, (white_x, white_y))


def _embedded(chunk: bytes, warnings: list[str]) -> bytes | None:
    """Inflate the iCCP chunk, up to the longest profile that is used."""
    name, _, coded = chunk.partition(b"\0")
    profile = inflated(coded[1:], MAX_PROFILE_BYTES)
    if profile is None or not 1 <= len(name) <= _MOST_NAME_BYTES or coded[:1] != b"\0":
        warnings.append("the ICC profile was ignored: it is damaged or too long")
        return None
    if profile[_SIGNATURE] != b"acsp":
        warnings.append("the ICC profile was ignored: it has no profile's signature")
        return None
    return profile
