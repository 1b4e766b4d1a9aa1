"""Profiles of pictures of high dynamic range (HDR), as Chromium shows them on a screen of standard range.

Source: ITU-R BT.2100 for PQ and HLG, BT.2408 for the level of white; SMPTE ST 2094-50 for the tone mapping, its
"reference white tone mapping operator"; ICC.1:2022, 10.10 for `lut16Type`.
"""

import math
import struct
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import product

from .profile import D50, Primaries, Vector, assembled, columns_of, fixed, times

WHITE_NITS = 203
"""The luminance of diffuse white, such as paper, in cd/m2; light is counted in units of it."""

USUAL_NITS = 1_000
"""The peak luminance of a picture that does not name it, and of the reference display for HLG."""

_LEVELS, _NODES = 1024, 21
_ABOVE_PEAK = 0.2
"""The part of the nodes for light above the peak: greys there are all white, but colours need the exact amounts."""

_BEND = 0.65


def _pq(level: float) -> float:
    """Return the light of a PQ level from 0 to 1."""
    root = level ** (32 / 2523)
    linear = max(0.0, root - 3424 / 4096) / (2413 / 128 - 2392 / 128 * root)
    return float(linear ** (16_384 / 2610) * 10_000 / WHITE_NITS)


def _hlg(level: float) -> float:
    """Return the light of the scene, up to 1, for an HLG level from 0 to 1."""
    if level <= 0.5:  # noqa: PLR2004 - here the curve changes from a square root to a logarithm
        return level * level / 3
    return (math.exp((level - 0.559_910_73) / 0.178_832_77) + 0.284_668_92) / 12


HDR_TRANSFERS: Mapping[int, Callable[[float], float]] = {16: _pq, 18: _hlg}
"""By code point: the curve from levels to light. Source: ITU-T H.273, table 3."""

_HLG_TRANSFER = 18


@lru_cache(maxsize=8)
def hdr_profile(primaries: Primaries, transfer: int, peak_nits: int) -> bytes:
    """Return a profile with a table from RGB levels to CIELAB; making it takes 0.03 s.

    `peak_nits` is the luminance of the picture's brightest light, in cd/m2. The levels are first mapped to the
    lightness of their grey, so that the table is exact for greys, and its steps are even for the eye.
    """
    x, y, z = zip(*columns_of(primaries), strict=True)
    lights = [HDR_TRANSFERS[transfer](level / (_LEVELS - 1)) for level in range(_LEVELS)]
    dimmed = _dimming(peak_nits / WHITE_NITS)

    def shown(*light: float) -> Vector:
        system = 1.0
        if transfer == _HLG_TRANSFER:
            luminance = sum(one * part for one, part in zip(light, y, strict=True))
            system = USUAL_NITS / WHITE_NITS * luminance**0.2
        factor = system * dimmed(system * max(light))
        return _lab(times((x, y, z), (light[0] * factor, light[1] * factor, light[2] * factor)))

    greys = [shown(light, light, light)[0] / 100 for light in lights]
    # Up to white, nothing is dimmed, and each light is clipped by itself.
    curve = _curve(greys, _ABOVE_PEAK if peak_nits > WHITE_NITS else 0)
    nodes = [lights[min(bisect_left(curve, node / (_NODES - 1)), _LEVELS - 1)] for node in range(_NODES)]
    colours = [shown(*light) for light in product(nodes, repeat=3)]
    return assembled({b"A2B0": _table(curve, colours)}, b"RGB ", b"Lab ")


def _curve(greys: Sequence[float], above: float) -> list[float]:
    """Return the curve from levels to nodes: the lightness of greys, and beyond the peak a rise by `above` in all."""
    peak = bisect_left(greys, 1 - 1e-9)
    step = above / max(1, len(greys) - 1 - peak)
    return [grey * (1 - above) + step * max(0, level - peak) for level, grey in enumerate(greys)]


def _dimming(peak: float) -> Callable[[float], float]:
    """Return by how much the brightest of a colour's three lights, and with it the others, is dimmed: a factor.

    Up to white, it is the same for all colours: the brighter the peak, the smaller, down to a half. Above, a quadratic
    Bezier curve leads to the peak, which is shown at full level.
    """
    white = 1 - min(1, math.log(max(1, peak), USUAL_NITS / WHITE_NITS)) / 2
    # The curve's three points are (1, white), (middle, level) and (peak, 1).
    middle, level = 1 - _BEND + _BEND / white, white + _BEND * (1 - white)
    slope, curvature = middle - 1, peak - 2 * middle + 1

    def factor(light: float) -> float:
        if light <= 1:
            return white
        if light >= peak:
            return 1 / light
        along = (light - 1) / (slope + math.sqrt(slope * slope + curvature * (light - 1)))
        return ((1 - along) ** 2 * white + 2 * along * (1 - along) * level + along**2) / light

    return factor


def _lab(colour: Vector) -> Vector:
    """Return L*, a* and b* of X, Y and Z."""
    x, y, z = (_lightness(value / white) for value, white in zip(colour, D50, strict=True))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def _lightness(value: float) -> float:
    return math.cbrt(value) if value > 216 / 24_389 else value * 841 / 108 + 4 / 29


def _table(curve: Sequence[float], colours: Sequence[Vector]) -> bytes:
    """Return a table from RGB to CIELAB, with the same curve before it for each of the three."""
    counts = bytes((3, 3, _NODES, 0)) + b"".join(map(fixed, (1, 0, 0, 0, 1, 0, 0, 0, 1)))
    before = [round(level * 65_535) for level in curve] * 3
    coded = [(652.8 * lightness, 256 * (a + 128), 256 * (b + 128)) for lightness, a, b in colours]
    table = [min(max(round(number), 0), 65_535) for colour in coded for number in colour]
    numbers = (*before, *table, *(0, 65_535) * 3)
    return b"mft2\0\0\0\0" + counts + struct.pack(f">HH{len(numbers)}H", len(curve), 2, *numbers)
