"""Turn a picture upright by its EXIF orientation."""

from PIL import Image

# Source: Exif 2.32, tag 0x0112: where row 0 and column 0 of the stored picture lie.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_FIRST_LYING = 5


def upright(image: Image.Image, orientation: int) -> Image.Image:
    """Return the picture as it is meant to be seen."""
    turn = _TURNS.get(orientation)
    return image if turn is None else image.transpose(turn)


def upright_size(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    """Return the (width, height) that a stored picture has once it is upright, and the other way round."""
    width, height = size
    return (height, width) if orientation >= _FIRST_LYING else (width, height)
