"""List the tags of an ICC profile, and make profiles for colour spaces that a file gives by name or in numbers.

Source: ICC.1:2022, the header, the tag table, `XYZType`, `parametricCurveType`; ITU-T H.273 for the code points; the
Bradford transform as in ICC.1:2022, annex E.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

Vector = tuple[float, float, float]
Matrix = tuple[Vector, Vector, Vector]
Point = tuple[float, float]

MAX_TAGS = 100
"""LittleCMS refuses a profile with more."""

_TABLE = 132
"""The position of a profile's first tag in its table; the number of tags is before it."""

D50 = (0.9642, 1.0, 0.8249)
D65: Point = (0.3127, 0.3290)
BRADFORD: Matrix = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))


@dataclass(frozen=True)
class Primaries:
    """Chromaticities (x, y) of red, green, blue and white."""

    red: Point
    green: Point
    blue: Point
    white: Point = D65


_FILM_WHITE: Point = (0.310, 0.316)
SRGB = Primaries((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
_NTSC = Primaries((0.630, 0.340), (0.310, 0.595), (0.155, 0.070))
PRIMARIES = {
    1: SRGB,
    4: Primaries((0.67, 0.33), (0.21, 0.71), (0.14, 0.08), _FILM_WHITE),
    5: Primaries((0.64, 0.33), (0.29, 0.60), (0.15, 0.06)),
    6: _NTSC,
    7: _NTSC,
    8: Primaries((0.681, 0.319), (0.243, 0.692), (0.145, 0.049), _FILM_WHITE),
    9: Primaries((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    11: Primaries((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.314, 0.351)),
    12: Primaries((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    22: Primaries((0.630, 0.340), (0.295, 0.605), (0.155, 0.077)),
}
"""By code point: BT.709 and sRGB, BT.470 M, BT.601 for PAL and NTSC, SMPTE 240M, film, BT.2020, DCI-P3, Display P3,
EBU 3213. Source: H.273, table 2."""

_SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
_SRGB_TRANSFER = 13
TV_TRANSFERS = frozenset({1, 6, 11, 14, 15})
"""The curves of cameras for television. Source: H.273, table 3: BT.709, BT.601, IEC 61966-2-4 and BT.2020."""

CURVES: dict[int, tuple[float, ...]] = {
    **dict.fromkeys(TV_TRANSFERS, (2.4,)),
    4: (2.2,),
    5: (2.8,),
    7: (1 / 0.45, 1 / 1.1115, 0.1115 / 1.1115, 1 / 4, 0.0912),
    8: (1.0,),
    _SRGB_TRANSFER: _SRGB_CURVE,
    17: (2.6, (52.37 / 48) ** (1 / 2.6), 0, 0, 0),
}
"""By code point: parameters of ICC's parametric curves, gamma first. Pictures for television are shown by the curve of
its displays (BT.1886), as in browsers. Source: H.273, table 3."""


def coded_profile(primaries: int, transfer: int, *, grey: bool) -> bytes | None:
    """Return the profile of H.273's code points: empty for sRGB, None for those that do not fit into sRGB (HDR)."""
    if primaries not in PRIMARIES or transfer not in CURVES:
        return None
    if transfer == _SRGB_TRANSFER and (grey or PRIMARIES[primaries] == SRGB):
        return b""
    return build_profile(PRIMARIES[primaries], CURVES[transfer], grey=grey)


class Tag(NamedTuple):
    """A tag of a profile: the position of its `entry` in the table, and the `start` and `size` of its data in bytes."""

    entry: int
    name: bytes
    start: int
    size: int


def tags_of(profile: bytes) -> Iterator[Tag]:
    """Yield the tags in a profile's table; their data may lie beyond its end."""
    count = min(int.from_bytes(profile[_TABLE - 4 : _TABLE]), MAX_TAGS)
    for at in range(_TABLE, min(_TABLE + 12 * count, len(profile)), 12):
        start, size = (int.from_bytes(profile[place : place + 4]) for place in (at + 4, at + 8))
        yield Tag(at, profile[at : at + 4], start, size)


def build_profile(primaries: Primaries, curve: tuple[float, ...], *, grey: bool) -> bytes:
    """Return a display profile of an RGB space, or of its greys.

    Raises:
        ValueError: The primaries are not a colour space.
    """
    kind = {1: 0, 5: 3}[len(curve)]
    tone = b"para\0\0\0\0" + struct.pack(">HH", kind, 0) + b"".join(map(_fixed, curve))
    white = b"XYZ \0\0\0\0" + b"".join(map(_fixed, D50))
    tags = {b"wtpt": white}
    columns = _columns(primaries)
    if grey:
        tags[b"kTRC"] = tone
    else:
        tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), tone)
        for tag, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns, strict=True):
            tags[tag] = b"XYZ \0\0\0\0" + b"".join(map(_fixed, column))
    return _assembled(tags, b"GRAY" if grey else b"RGB ")


def _assembled(tags: dict[bytes, bytes], space: bytes) -> bytes:
    table, data, start = b"", b"", 128 + 4 + 12 * len(tags)
    for tag, value in tags.items():
        table += tag + struct.pack(">II", start + len(data), len(value))
        data += value
    body = struct.pack(">I", len(tags)) + table + data
    head = struct.pack(">I4xI", 128 + len(body), 0x04200000) + b"mntr" + space + b"XYZ " + bytes(12) + b"acsp"
    head = head.ljust(68, b"\0") + b"".join(map(_fixed, D50))
    return head.ljust(128, b"\0") + body


def _fixed(value: float) -> bytes:
    return struct.pack(">i", round(value * 65_536))


def _columns(primaries: Primaries) -> list[Vector]:
    """Return X, Y, Z of red, green and blue at full level under D50."""
    white = _xyz(primaries.white)
    colours = [_xyz(point) for point in (primaries.red, primaries.green, primaries.blue)]
    levels = _solved(colours, white)
    cone_white, cone_d50 = _times(BRADFORD, white), _times(BRADFORD, D50)
    adapted = []
    for colour, level in zip(colours, levels, strict=True):
        cone = _times(BRADFORD, (colour[0] * level, colour[1] * level, colour[2] * level))
        scaled = [one * to / by for one, to, by in zip(cone, cone_d50, cone_white, strict=True)]
        adapted.append(_solved(list(zip(*BRADFORD, strict=True)), (scaled[0], scaled[1], scaled[2])))
    return adapted


def _xyz(point: Point) -> Vector:
    x, y = point
    if not (0 <= x <= 1 and 0 < y <= 1):
        raise ValueError(f"the chromaticity {x:g}, {y:g} is not a colour")
    return x / y, 1.0, (1 - x - y) / y


def _times(matrix: Matrix, vector: Vector) -> Vector:
    one, two, three = (sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix)
    return one, two, three


def _solved(columns: list[Vector], target: Vector) -> Vector:
    """Return the factors by which three columns sum up to a target, by Cramer's rule."""
    whole = _determinant(*columns)
    if abs(whole) < 1e-9:  # noqa: PLR2004
        raise ValueError("the primaries lie on a line")
    one, two, three = columns
    return (
        _determinant(target, two, three) / whole,
        _determinant(one, target, three) / whole,
        _determinant(one, two, target) / whole,
    )


def _determinant(a: Vector, b: Vector, c: Vector) -> float:
    cross = (b[1] * c[2] - b[2] * c[1], b[2] * c[0] - b[0] * c[2], b[0] * c[1] - b[1] * c[0])
    return sum(one * other for one, other in zip(a, cross, strict=True))
