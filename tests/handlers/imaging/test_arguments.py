"""Arguments that cannot be right are refused before a picture is read; the error says what was expected and given."""

import io
from collections.abc import Callable
from typing import Any

import pytest

from handlers import imaging as typed

from .pictures import jpeg

imaging: Any = typed
"""Without types, because mypy would refuse each call."""

MASTER = jpeg()
SIZES = {"a": imaging.Box(5, 5)}
WRONG: dict[str, tuple[Callable[[], Any], str]] = {
    "a source of text": (lambda: imaging.convert(io.StringIO("text")), "got str: open files in binary mode"),
    "a path": (lambda: imaging.describe("a.jpg"), "got str: open files in binary mode"),
    "quality": (lambda: imaging.convert(MASTER, quality=101), "got 101"),
    "type of quality": (lambda: imaging.convert(MASTER, quality="80"), "got '80'"),
    "background": (lambda: imaging.convert(MASTER, background=(1, 2)), r"got \(1, 2\)"),
    "subsampling": (lambda: imaging.convert(MASTER, subsampling=["4:4:4"]), r"got \['4:4:4'\]"),
    "reencode": (lambda: imaging.convert(MASTER, reencode="never"), "got 'never'"),
    "a switch": (lambda: imaging.convert(MASTER, salvage="no"), "salvage as True or False, got 'no'"),
    "a switch of resize": (
        lambda: imaging.resize(MASTER, SIZES, enlarge=0),
        "enlarge as True or False, got 0",
    ),
    "limits": (lambda: imaging.convert(MASTER, limits={}), r"got dict: pass Limits\(\)"),
    "a limit": (lambda: imaging.Limits(max_bytes=-1), "got -1"),
    "no sizes": (lambda: imaging.resize(MASTER, {}), "got none: pass sizes"),
    "a list of sizes": (lambda: imaging.resize(MASTER, [100]), "got list"),
    "a width": (lambda: imaging.resize(MASTER, {"a": 0}), "width of a from 1 to 65,500 pixels, got 0"),
    "a width that no JPEG has": (lambda: imaging.resize(MASTER, {"a": 10**9}), "65,500 pixels, got 1,000,000,000"),
    "a width to predict": (
        lambda: imaging.output_sizes(imaging.open_picture(MASTER, imaging.Limits()), {"a": 0}, enlarge=True),
        "got 0",
    ),
    "a fraction as width": (lambda: imaging.resize(MASTER, {"a": 1.5}), "got 'a': 1.5"),
    "a box": (lambda: imaging.Box(0, 5), "got 0 x 5"),
    "a box that no JPEG has": (lambda: imaging.Box(65_501, 5), "got 65501 x 5"),
    "a box of text": (lambda: imaging.Box("5", 5), "got '5' x 5"),
    "a focal point outside": (lambda: imaging.resize(MASTER, SIZES, focus=(2, 0)), r"got \(2, 0\)"),
    "a focal point that is no number": (
        lambda: imaging.resize(MASTER, SIZES, focus=(float("nan"), 0)),
        r"got \(nan, 0\)",
    ),
    "a focal point of text": (lambda: imaging.resize(MASTER, SIZES, focus="centre"), "got 'centre'"),
    "a further format": (lambda: imaging.resize(MASTER, SIZES, further={"jxl": 80}), "got 'jxl'"),
    "a further quality": (lambda: imaging.resize(MASTER, SIZES, further={"webp": 0}), "got 0"),
    "a list of further formats": (lambda: imaging.resize(MASTER, SIZES, further=["webp"]), "got list"),
    "a format": (lambda: imaging.load_formats(["bmp", "jpg"]), "got 'bmp', 'jpg'"),
    "formats as text": (lambda: imaging.load_formats("jpeg"), "got 'jpeg'"),
}


@pytest.mark.parametrize(("call", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_argument_is_named_with_what_was_given(call: Callable[[], Any], message: str) -> None:
    """A caller's error is a TypeError or ValueError, never a rejected picture."""
    with pytest.raises((TypeError, ValueError), match=f"^expected .*{message}"):
        call()
