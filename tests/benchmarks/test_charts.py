"""Charts: one per unit, with every row in that unit."""

import io

from PIL import Image

from benchmarks.charts import bars
from benchmarks.measuring import Samples

MS, RATE = Samples([10.0, 11.0, 30.0]), Samples([1200.0], "images/s")


def height_px(png: bytes) -> int:
    """Return a picture's height."""
    with Image.open(io.BytesIO(png), formats=["PNG"]) as image:
        return image.height


def test_each_row_adds_a_bar() -> None:
    """The chart grows with its rows instead of squeezing them."""
    assert height_px(bars({"a": MS, "b": MS, "c": MS})) > height_px(bars({"a": MS}))


def test_each_unit_has_its_own_chart() -> None:
    """On one scale, milliseconds would be invisible beside images per second."""
    assert height_px(bars({"a": MS, "b": RATE})) > height_px(bars({"a": MS, "b": MS}))
