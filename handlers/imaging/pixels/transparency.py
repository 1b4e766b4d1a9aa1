"""Put transparent pictures onto a background."""

import functools
from collections.abc import Sequence

from PIL import Image, ImageChops

Colour = tuple[int, int, int]


def split(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Return the picture as L, RGB or CMYK, and its opacity as L, or None if it is opaque."""
    if image.mode == "P":
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
    if image.mode == "LA":
        return image.getchannel("L"), image.getchannel("A")
    if image.mode == "RGBA":
        return image.convert("RGB"), image.getchannel("A")
    return image, None


def matches(image: Image.Image, key: Sequence[int]) -> Image.Image:
    """Return 255 for pixels of a picture of mode L or RGB that equal the key (one sample a band), else 0."""
    hits = (
        image.getchannel(band).point([255 if level == value else 0 for level in range(256)])
        for band, value in zip(image.getbands(), key, strict=True)
    )
    return functools.reduce(ImageChops.darker, hits)


def flatten(image: Image.Image, opacity: Image.Image | None, background: Colour) -> Image.Image:
    """Return a picture of mode L or RGB over the background; grey stays grey on a grey background."""
    if opacity is None:
        return image
    if image.mode == "L" and len(set(background)) > 1:
        image = image.convert("RGB")
    under = Image.new(image.mode, image.size, background if image.mode == "RGB" else background[0])
    under.paste(image, mask=opacity)
    return under
