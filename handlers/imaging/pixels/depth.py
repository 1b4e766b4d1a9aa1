"""Scale samples to 8 bits, without clipping."""

from PIL import Image

HIGH_BYTES = {"I;16": ("L", "L;16B"), "RGB": ("RGB", "RGB;16B")}
"""By mode of a 16-bit PNG: the mode and Pillow's raw mode that keep each sample's high byte."""

LOW_BYTES = {"I;16": ("L", "L;16"), "RGB": ("RGB", "RGB;16L")}
"""The same for the low byte: the file's big-endian samples, read as little-endian ones."""

_SHIFTED = [value >> 8 for value in range(65_536)]


def eight_bit(image: Image.Image) -> Image.Image:
    """Return the picture with 8 bits a sample: 16-bit grey by its high bytes, 1-bit as black and white."""
    if image.mode == "I" or image.mode.startswith("I;16"):
        return image.convert("I").point(_SHIFTED, "L")
    if image.mode in ("1", "F"):
        return image.convert("L")
    return image
