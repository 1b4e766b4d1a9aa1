"""Placeholders: a ThumbHash that decodes to the picture, blurred, and its dominant colour."""

import base64
import math

import pytest
from PIL import Image

from handlers.imaging import Box, resize
from handlers.imaging.placeholder import dominant_colour, placeholder_of, thumbhash
from tests.handlers.imaging.pictures import exif, exif_segment, saved, with_segments

SIZE = (200, 120)


def halves() -> Image.Image:
    """Return a picture that is red on the left and blue on the right."""
    image = Image.new("RGB", SIZE, (210, 40, 40))
    image.paste((40, 40, 210), (SIZE[0] // 2, 0, *SIZE))
    return image


def decoded(data: bytes, side: int = 32) -> Image.Image:
    """Decode an opaque ThumbHash as its format description specifies."""
    head, tail = int.from_bytes(data[:3], "little"), int.from_bytes(data[3:5], "little")
    means = [(head & 63) / 63, ((head >> 6) & 63) / 31.5 - 1, ((head >> 12) & 63) / 31.5 - 1]
    scales = [((head >> 18) & 31) / 31, ((tail >> 3) & 63) / 63, ((tail >> 9) & 63) / 63]
    wide, terms = bool(tail >> 15), max(3, tail & 7)
    across, down = (7, terms) if wide else (terms, 7)
    nibbles = iter([nibble for byte in data[5:] for nibble in (byte & 15, byte >> 4)])
    channels, turn = [], math.pi / side
    for mean, scale, (columns, rows) in zip(means, scales, ((across, down), (3, 3), (3, 3)), strict=True):
        waves = {
            (column, row): (next(nibbles) / 7.5 - 1) * scale
            for row in range(rows)
            for column in range(columns)
            if column * rows < columns * (rows - row) and (column or row)
        }
        channels.append((mean, waves))
    image = Image.new("RGB", (side, side))
    for y in range(side):
        for x in range(side):
            light, p, q = (
                mean
                + sum(
                    2 * wave * math.cos(turn * column * (x + 0.5)) * math.cos(turn * row * (y + 0.5))
                    for (column, row), wave in waves.items()
                )
                for mean, waves in channels
            )
            blue = light - 2 / 3 * p
            red = (3 * light - blue + q) / 2
            image.putpixel((x, y), tuple(min(255, max(0, round(255 * level))) for level in (red, red - q, blue)))
    return image


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("size", [(32, 19), (32, 8)])
def test_a_hash_decodes_to_the_picture(size: tuple[int, int], turned: bool) -> None:  # noqa: FBT001
    """The decoded hash has the picture's colours in the right places, in 15 to 28 bytes, also of a narrow picture."""
    image = halves().resize(size)
    data = thumbhash(image.transpose(Image.Transpose.TRANSPOSE) if turned else image)
    seen = decoded(data)
    assert 15 <= len(data) <= 28
    for along, colour in ((6, (210, 40, 40)), (25, (40, 40, 210))):
        pixel = seen.getpixel((16, along) if turned else (along, 16))
        assert isinstance(pixel, tuple)
        assert all(abs(one - other) < 40 for one, other in zip(pixel, colour, strict=True)), pixel


def test_the_hash_of_a_flat_picture_is_its_colour() -> None:
    """The hash of a flat picture decodes to its colour."""
    pixel = decoded(thumbhash(Image.new("RGB", (20, 30), (120, 200, 60)))).getpixel((3, 3))
    assert isinstance(pixel, tuple)
    assert all(abs(one - other) <= 10 for one, other in zip(pixel, (120, 200, 60), strict=True))


def test_the_dominant_colour_is_the_most_frequent_one() -> None:
    """The dominant colour is not the mean, which may not occur in the picture."""
    image = Image.new("RGB", (30, 30), (0, 128, 0))
    image.paste((255, 0, 0), (0, 0, 10, 30))
    assert dominant_colour(image) == "#008000"


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_picture_of_any_size_has_a_placeholder(mode: str) -> None:
    """Pictures of a single pixel, row or column have a placeholder, and so do flat pictures."""
    for size in ((1, 1), (500, 1), (1, 500), (300, 200)):
        found = placeholder_of(Image.new(mode, size, 128 if mode == "L" else (128, 128, 128)))
        assert (found.colour, bool(base64.b64decode(found.thumbhash))) == ("#808080", True)


def test_the_placeholder_is_of_the_whole_upright_picture() -> None:
    """All outputs, crops included, share one placeholder, made after the picture is turned upright."""
    stored = halves().transpose(Image.Transpose.ROTATE_90)
    master = with_segments(saved(stored, "JPEG"), exif_segment(exif({0x0112: 6})))
    jpegs = resize(master, {"crop": Box(20, 20), "small": 60, "large": 100}, placeholder=True)
    found = {jpeg.placeholder for jpeg in jpegs.values()}
    (placeholder,) = found
    assert placeholder
    left, right = (decoded(base64.b64decode(placeholder.thumbhash)).getpixel((x, 16)) for x in (4, 27))
    assert isinstance(left, tuple)
    assert isinstance(right, tuple)
    assert left[0] > left[2]
    assert right[2] > right[0]


def test_no_placeholder_by_default() -> None:
    """Without `placeholder`, none is computed."""
    assert resize(saved(halves(), "PNG"), {"small": 60})["small"].placeholder is None
