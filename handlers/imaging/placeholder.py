"""What a page shows until a picture has loaded: a blurred hash of it, and its dominant colour."""

import base64
import math
from collections.abc import Sequence
from typing import NamedTuple

from PIL import Image

SIDE_PX = 32
"""Longest side of the picture that the hash is made from; the hash has at most seven waves a side."""

COLOURS = 6
_LUMINANCE_TERMS, _COLOUR_TERMS = 7, 3


class Placeholder(NamedTuple):
    """`thumbhash` is base64 of about 25 bytes, `colour` is `#rrggbb`."""

    thumbhash: str
    colour: str


def placeholder_of(image: Image.Image) -> Placeholder:
    """Return the placeholder of an opaque picture, of mode L or RGB."""
    small = image.convert("RGB")
    small.thumbnail((SIDE_PX, SIDE_PX), Image.Resampling.BOX)
    return Placeholder(base64.b64encode(thumbhash(small)).decode("ascii"), dominant_colour(small))


def dominant_colour(image: Image.Image) -> str:
    """Return a small RGB picture's most frequent colour, after reduction to a few, as `#rrggbb`."""
    reduced = image.quantize(COLOURS)
    counts = reduced.histogram()
    start = 3 * counts.index(max(counts))
    return "#" + bytes((reduced.getpalette() or [])[start : start + 3]).hex()


def thumbhash(image: Image.Image) -> bytes:
    """Return the ThumbHash of a small opaque RGB picture.

    Source: https://evanw.github.io/thumbhash/: luminance and two colour differences as cosine waves, four bits a wave.
    """
    width, height = image.size
    longest, data = max(image.size), image.tobytes()
    pixels = list(zip(data[::3], data[1::3], data[2::3], strict=True))
    light = [sum(pixel) / 765 for pixel in pixels]
    yellow_blue = [(red + green) / 510 - blue / 255 for red, green, blue in pixels]
    red_green = [(red - green) / 255 for red, green, _ in pixels]
    across, down = (max(1, round(_LUMINANCE_TERMS * side / longest)) for side in image.size)
    l_mean, l_waves, l_scale = _waves(light, image.size, (max(3, across), max(3, down)))
    p_mean, p_waves, p_scale = _waves(yellow_blue, image.size, (_COLOUR_TERMS, _COLOUR_TERMS))
    q_mean, q_waves, q_scale = _waves(red_green, image.size, (_COLOUR_TERMS, _COLOUR_TERMS))
    wide = width > height
    head = round(63 * l_mean) | round(31.5 + 31.5 * p_mean) << 6 | round(31.5 + 31.5 * q_mean) << 12
    head |= round(31 * l_scale) << 18
    tail = (down if wide else across) | round(63 * p_scale) << 3 | round(63 * q_scale) << 9 | wide << 15
    nibbles = [round(15 * wave) for wave in (*l_waves, *p_waves, *q_waves)]
    nibbles += [0] * (len(nibbles) % 2)
    packed = bytes(low | high << 4 for low, high in zip(nibbles[::2], nibbles[1::2], strict=True))
    return head.to_bytes(3, "little") + tail.to_bytes(2, "little") + packed


def _waves(channel: Sequence[float], size: tuple[int, int], terms: tuple[int, int]) -> tuple[float, list[float], float]:
    """Return a channel's mean, its cosine waves scaled to 0..1, and the scale."""
    (width, height), (across, down) = size, terms
    mean, waves = 0.0, []
    for row in range(down):
        rises = [math.cos(math.pi / height * row * (y + 0.5)) for y in range(height)]
        column = 0
        while column * down < across * (down - row):
            runs = [math.cos(math.pi / width * column * (x + 0.5)) for x in range(width)]
            found = sum(channel[x + y * width] * runs[x] * rises[y] for y in range(height) for x in range(width))
            if row or column:
                waves.append(found / (width * height))
            else:
                mean = found / (width * height)
            column += 1
    scale = max(map(abs, waves))
    return mean, [0.5 + 0.5 / scale * wave if scale else 0.5 for wave in waves], scale
