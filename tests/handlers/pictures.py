"""Pictures for the functions' tests; the tests of `handlers.imaging` check the quality of the conversion."""

import io
from typing import Any

from PIL import Image


def picture(size: tuple[int, int] = (400, 300), kind: str = "JPEG", mode: str = "RGB", **options: Any) -> bytes:
    """Return a file of `size` (width, height) with a soft gradient."""
    gradient = Image.linear_gradient("L").resize(size)
    image = Image.merge("RGB", (gradient, gradient.transpose(Image.Transpose.ROTATE_180), gradient)).convert(mode)
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def clear(size: tuple[int, int] = (8, 8)) -> bytes:
    """Return a PNG that is black and fully transparent."""
    file = io.BytesIO()
    Image.new("RGBA", size, (0, 0, 0, 0)).save(file, "PNG")
    return file.getvalue()


def opened(data: bytes) -> Image.Image:
    """Return the decoded JPEG."""
    image = Image.open(io.BytesIO(data), formats=["JPEG"])
    image.load()
    return image
