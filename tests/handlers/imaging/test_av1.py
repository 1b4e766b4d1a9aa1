"""The size in an AV1 sequence header, and the lengths of units."""

import pytest

from handlers.errors import BrokenImageError
from handlers.imaging.formats.av1 import check_av1

SIZE = (640, 480)
SIDES = ((9, 4), (9, 4), (SIZE[0] - 1, 10), (SIZE[1] - 1, 10))
"""(value, bits) of the two lengths and of the two sides; each is one less than it says."""

# Source: AV1 specification, 5.5.1 to 5.5.5; (value, bits) of each field.
SHORT = ((0, 3), (1, 1), (1, 1), (8, 5))
PLAIN = ((0, 3), (1, 1), (0, 1), (0, 1), (0, 1), (0, 5), (0, 12), (5, 5))
TIMED = (
    *((0, 3), (0, 1), (0, 1)),
    *((1, 1), (1, 32), (25, 32), (1, 1), (2, 3)),  # timing; equal intervals of 2 - 1 ticks as Exp-Golomb 010
    *((1, 1), (9, 5), (1, 32), (4, 5), (4, 5)),  # a decoder's model with delays of 10 bits
    *((1, 1), (1, 5)),  # delays of the display, for two operating points
    *((1, 12), (8, 5), (1, 1), (1, 1), (3, 10), (4, 10), (0, 1), (1, 1), (2, 4)),  # the tier follows from level 8 on
    *((0, 12), (7, 5), (0, 1), (0, 1)),
)


def packed(*fields: tuple[int, int]) -> bytes:
    """Return numbers as bits, filled up to whole bytes."""
    bits = "".join(f"{value:0{width}b}" for value, width in fields)
    return int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8))


def unit(content: bytes, kind: int = 1) -> bytes:
    """Return a unit with its size; kind 1 is a sequence header."""
    return bytes((kind << 3 | 2, len(content))) + content


@pytest.mark.parametrize("fields", [SHORT, PLAIN, TIMED], ids=["short", "plain", "timed"])
def test_the_size_is_found_after_all_other_fields(fields: tuple[tuple[int, int], ...]) -> None:
    """The size of the coded data is compared with that of the file's header."""
    data = unit(packed(*fields, *SIDES))
    check_av1(data, SIZE)
    with pytest.raises(BrokenImageError, match=r"its header says 640 x 481 pixels, its coded data 640 x 480"):
        check_av1(data, (640, 481))


def test_a_unit_may_have_an_extension_and_no_size() -> None:
    """The last unit may lack its size, and each may have another byte of head."""
    check_av1(bytes((1 << 3 | 4, 0)) + packed(*SHORT, *SIDES), SIZE)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (unit(packed(*SHORT, *SIDES)) + bytes((2, *[0x80] * 8)), "a unit of its coded data has no size"),
        (unit(packed(*SHORT, *SIDES))[:-1], "its coded data end within a unit"),
        (unit(packed(*SHORT)), "the header of its coded data is too short"),
        (unit(packed(*PLAIN[:3], (1, 1), (0, 64), (1, 1), (0, 40))), "a number of its coded data is too large"),
        (unit(b"\0", kind=2), "its coded data have no sequence header"),
    ],
    ids=["no size", "cut", "short", "endless number", "no sequence"],
)
def test_damaged_units_are_refused(data: bytes, what: str) -> None:
    """Each way to be damaged has its reason."""
    with pytest.raises(BrokenImageError, match=what):
        check_av1(data, SIZE)
