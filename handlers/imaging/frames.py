"""Which part of a picture an output shows, and at which size: all of it, or a crop around a focal point."""

import re
from dataclasses import dataclass
from typing import Any, Self

from .limits import MAX_SIDE_PX, is_whole

BOX_RATIO = 10
"""The largest ratio of height to width of an output that shows the whole picture."""

CENTRE = (0.5, 0.5)

Size = tuple[int, int]
Focus = tuple[float, float]
Region = tuple[float, float, float, float]

_BOX = re.compile(r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})(:inside)?")


@dataclass(frozen=True)
class Box:
    """A (width, height) in pixels that an output fills, with the picture cropped, or that it fits `inside`."""

    width: int
    height: int
    inside: bool = False

    def __post_init__(self) -> None:
        for side in (self.width, self.height):
            if not is_whole(side) or not 1 <= side <= MAX_SIDE_PX:
                raise ValueError(
                    f"expected a box of whole numbers from 1 to {MAX_SIDE_PX:,} pixels a side, got {self.width!r} x "
                    f"{self.height!r}"
                )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `400x300` or `400x300:inside`.

        Raises: ValueError.
        """
        match = _BOX.fullmatch(text) if isinstance(text, str) else None
        if not match:
            raise ValueError(f"expected WIDTHxHEIGHT or WIDTHxHEIGHT:inside, in pixels, got {text!r}")
        return cls(int(match[1]), int(match[2]), inside=bool(match[3]))


@dataclass(frozen=True)
class Frame:
    """An output's (width, height) in pixels, and the region of the upright picture that it shows.

    The region is (left, top, right, bottom) in fractions of the picture's sides, or None for all of it.
    """

    size: Size
    region: Region | None = None

    @property
    def whole(self) -> Size:
        """The size that the whole picture would have at the output's scale."""
        if self.region is None:
            return self.size
        left, top, right, bottom = self.region
        return max(1, round(self.size[0] / (right - left))), max(1, round(self.size[1] / (bottom - top)))


def frame_of(picture: Size, wanted: int | Box, *, enlarge: bool, focus: Focus = CENTRE) -> Frame:
    """Return the frame of one output of an upright picture of (width, height) pixels.

    With a width alone, the output keeps the aspect ratio, up to a height of `BOX_RATIO` times that. Without `enlarge`,
    no output has more pixels a side than the part that it shows; a crop keeps its ratio and gets smaller.
    """
    if isinstance(wanted, int):
        return Frame(_by_width(picture, wanted, enlarge=enlarge))
    if wanted.inside:
        return Frame(_inside(picture, wanted, enlarge=enlarge))
    return _cropped(picture, wanted, enlarge=enlarge, focus=focus)


def focus_of(text: str | None) -> Focus:
    """Return the focal point in a text such as `0.3,0.7`: fractions from the top left of the upright picture.

    An empty text means the centre.

    Raises: ValueError, if it is not a focal point.
    """
    if not text:
        return CENTRE
    match = re.fullmatch(r"\s*(0(?:\.\d{1,9})?|1(?:\.0{1,9})?)\s*,\s*(0(?:\.\d{1,9})?|1(?:\.0{1,9})?)\s*", text)
    if not match:
        raise ValueError(f"expected a focal point of two fractions from 0 to 1, such as 0.3,0.7, got {text[:40]!r}")
    return float(match[1]), float(match[2])


def check_focus(focus: Any) -> None:
    """Check a focal point.

    Raises:
        TypeError: It is not two numbers.
        ValueError: A number is not from 0 to 1.
    """
    numbers = isinstance(focus, tuple | list) and all(isinstance(side, int | float) for side in focus)
    if not numbers or len(focus) != len(CENTRE):
        raise TypeError(f"expected focus as two fractions from 0 to 1, such as (0.3, 0.7), got {focus!r}")
    if not all(0 <= side <= 1 for side in focus):
        raise ValueError(f"expected focus as fractions from 0 to 1, such as (0.3, 0.7), got {focus!r}")


def _by_width(picture: Size, wanted: int, *, enlarge: bool) -> Size:
    width, height = picture
    new_width = wanted if enlarge else min(wanted, width)
    new_height, tallest = _scaled(height, new_width, width), min(BOX_RATIO * wanted, MAX_SIDE_PX)
    if new_height > tallest:
        return _scaled(width, tallest, height), tallest
    return new_width, new_height


def _inside(picture: Size, box: Box, *, enlarge: bool) -> Size:
    width, height = picture
    if not enlarge and width <= box.width and height <= box.height:
        return picture
    if width * box.height >= height * box.width:
        return box.width, _scaled(height, box.width, width)
    return _scaled(width, box.height, height), box.height


def _cropped(picture: Size, box: Box, *, enlarge: bool, focus: Focus) -> Frame:
    width, height = picture
    shown_width = min(float(width), height * box.width / box.height)
    shown_height = min(float(height), width * box.height / box.width)
    size = (box.width, box.height)
    if not enlarge and shown_width < box.width:
        size = max(1, round(shown_width)), max(1, round(shown_height))
    across, down = shown_width / width, shown_height / height
    left = min(max(0.0, focus[0] - across / 2), 1 - across)
    top = min(max(0.0, focus[1] - down / 2), 1 - down)
    return Frame(size, (left, top, left + across, top + down))


def _scaled(side: int, by: int, of: int) -> int:
    """Return side * by / of, rounded half up, at least 1; the built-in function rounds half to even."""
    return max(1, (2 * side * by + of) // (2 * of))
