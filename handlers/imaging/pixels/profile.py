"""List the tags of an ICC profile, and make profiles for colour spaces that a file gives in numbers.

Source: ICC.1:2022, the header, the tag table, `XYZType`, `parametricCurveType`; annex E for the Bradford transform.
"""

import struct
from collections.abc import Iterator, Mapping
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


SRGB = Primaries((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))


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
    tone = b"para\0\0\0\0" + struct.pack(">HH", kind, 0) + b"".join(map(fixed, curve))
    columns = columns_of(primaries)
    if grey:
        return assembled({b"kTRC": tone}, b"GRAY")
    tags = dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), tone)
    return assembled(tags | dict(zip((b"rXYZ", b"gXYZ", b"bXYZ"), map(_xyz_tag, columns), strict=True)), b"RGB ")


def assembled(tags: Mapping[bytes, bytes], space: bytes, target: bytes = b"XYZ ") -> bytes:
    """Return a display profile with these tags and the white point; `space` and `target` are ICC's colour spaces."""
    tags = {b"wtpt": _xyz_tag(D50), **tags}
    table, data, start = b"", b"", 128 + 4 + 12 * len(tags)
    for tag, value in tags.items():
        table += tag + struct.pack(">II", start + len(data), len(value))
        data += value
    body = struct.pack(">I", len(tags)) + table + data
    head = struct.pack(">I4xI", 128 + len(body), 0x04200000) + b"mntr" + space + target + bytes(12) + b"acsp"
    head = head.ljust(68, b"\0") + b"".join(map(fixed, D50))
    return head.ljust(128, b"\0") + body


def _xyz_tag(colour: Vector) -> bytes:
    return b"XYZ \0\0\0\0" + b"".join(map(fixed, colour))


def fixed(value: float) -> bytes:
    """Return a number as ICC's `s15Fixed16Number`."""
    return struct.pack(">i", round(value * 65_536))


def columns_of(primaries: Primaries) -> list[Vector]:
    """Return X, Y, Z of red, green and blue at full level under D50."""
    white = _xyz(primaries.white)
    colours = [_xyz(point) for point in (primaries.red, primaries.green, primaries.blue)]
    levels = _solved(colours, white)
    cone_white, cone_d50 = times(BRADFORD, white), times(BRADFORD, D50)
    adapted = []
    for colour, level in zip(colours, levels, strict=True):
        cone = times(BRADFORD, (colour[0] * level, colour[1] * level, colour[2] * level))
        scaled = [one * to / by for one, to, by in zip(cone, cone_d50, cone_white, strict=True)]
        adapted.append(_solved(list(zip(*BRADFORD, strict=True)), (scaled[0], scaled[1], scaled[2])))
    return adapted


def _xyz(point: Point) -> Vector:
    x, y = point
    if not (0 <= x <= 1 and 0 < y <= 1):
        raise ValueError(f"the chromaticity {x:g}, {y:g} is not a colour")
    return x / y, 1.0, (1 - x - y) / y


def times(matrix: Matrix, vector: Vector) -> Vector:
    """Return the product of a matrix, given as rows, and a vector."""
    x, y, z = vector
    one, two, three = (a * x + b * y + c * z for a, b, c in matrix)
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
