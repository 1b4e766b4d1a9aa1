"""Checks of the arguments of the public calls."""

from collections.abc import Mapping, Sequence
from typing import Any

from .limits import Limits
from .transparency import Colour

_TOP_LEVEL = 255


def check_common(quality: Any, background: Any, limits: Any) -> Colour:
    """Check what `convert` and `resize` share, and return the background as a tuple."""
    if isinstance(quality, bool) or not isinstance(quality, int):
        raise TypeError(f"quality must be a whole number from 1 to 100, not {quality!r}")
    if not 1 <= quality <= 100:  # noqa: PLR2004
        raise ValueError(f"quality must be from 1 to 100, not {quality}")
    check_limits(limits)
    if not isinstance(background, Sequence) or len(background) != len("RGB"):
        raise ValueError(f"background must be red, green and blue from 0 to 255, not {background!r}")
    for level in background:
        if isinstance(level, bool) or not isinstance(level, int) or not 0 <= level <= _TOP_LEVEL:
            raise ValueError(f"background must be red, green and blue from 0 to 255, not {background!r}")
    red, green, blue = background
    return red, green, blue


def check_limits(limits: Any) -> None:
    """Check that `limits` are a `Limits`."""
    if not isinstance(limits, Limits):
        raise TypeError(f"limits must be a Limits, not {type(limits).__name__}")


def check_reencode(reencode: Any) -> None:
    """Check the choice between copying and encoding."""
    if reencode not in ("when-needed", "always"):
        raise ValueError(f'reencode must be "when-needed" or "always", not {reencode!r}')


def check_widths(widths: Any) -> None:
    """Check the names and widths of the sizes."""
    if not isinstance(widths, Mapping):
        raise TypeError(f'widths must map names to pixels, as {{"medium": 500}}, not {type(widths).__name__}')
    if not widths:
        raise ValueError('widths is empty; give at least one size, as {"medium": 500}')
    for name, width in widths.items():
        if not isinstance(name, str) or isinstance(width, bool) or not isinstance(width, int):
            raise TypeError(f"widths must map names to whole numbers of pixels, not {name!r} to {width!r}")
        if width < 1:
            raise ValueError(f"the width of {name} must be at least 1 pixel, not {width}")
