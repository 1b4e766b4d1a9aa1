"""Depth: 16-bit samples are scaled, not clipped; 1-bit and wide modes are converted."""

import pytest
from PIL import Image

from handlers.imaging import convert, resize
from handlers.imaging.pixels.depth import eight_bit

from .pictures import opened, png, wide

SIZE = (16, 16)
LEVEL, MIDDLE = 0x80FF, 128


@pytest.mark.parametrize(
    ("colour", "samples", "mode"),
    [
        (0, (LEVEL,), "L"),
        (4, (LEVEL, 65_535), "L"),
        (2, (LEVEL,) * 3, "RGB"),
        (6, (LEVEL, LEVEL, LEVEL, 65_535), "RGB"),
    ],
)
def test_sixteen_bits_are_scaled(colour: int, samples: tuple[int, ...], mode: str) -> None:
    """16-bit middle grey becomes 8-bit middle grey, in grey, grey with alpha, RGB and RGBA."""
    master = png(SIZE, 16, colour, [wide(*samples) * 16] * 16)
    for output in (convert(master), resize(master, {"small": 8})["small"]):
        image = opened(output)
        pixel = image.getpixel((4, 4))
        level = pixel[0] if isinstance(pixel, tuple) else pixel
        assert level == pytest.approx(MIDDLE, abs=1)
        assert image.mode == mode


@pytest.mark.parametrize(("depth", "row"), [(1, b"\x0f\x0f"), (2, b"\x00\xff" * 2), (4, b"\x00\xff" * 4)])
def test_low_bit_depths_are_scaled_to_the_full_range(depth: int, row: bytes) -> None:
    """The lowest and highest values of 1, 2 and 4 bits become black and white."""
    assert opened(convert(png(SIZE, depth, 0, [row] * 16))).getextrema() == (0, 255)


@pytest.mark.parametrize("mode", ["I;16", "I", "1", "F", "L", "RGB"])
def test_every_grey_mode_is_converted_to_eight_bits(mode: str) -> None:
    """Wide integers are scaled, floats are taken as levels, 8-bit pictures are left alone."""
    image = Image.new(mode, (4, 4), 0x80FF if mode.startswith("I") else 1 if mode == "1" else 128)
    result = eight_bit(image)
    assert result.mode == ("RGB" if mode == "RGB" else "L")
    assert result.getextrema()[0] == (255 if mode == "1" else (128, 128) if mode == "RGB" else 128)
