"""Turn a picture upright by its EXIF orientation; `handlers/imaging/render.py` does so once for each output."""

from PIL import Image

# Source: Exif 2.32, tag 0x0112: the sides that row 0 and column 0 of the stored picture are.
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
# Orientations that reverse the columns, or the rows, of the stored picture.
_RIGHT_TO_LEFT, _BOTTOM_TO_TOP = frozenset({2, 3, 6, 7}), frozenset({3, 4, 7, 8})


def upright(image: Image.Image, orientation: int) -> Image.Image:
    """Return the picture upright."""
    turn = _TURNS.get(orientation)
    return image if turn is None else image.transpose(turn)


def stored_region(region: tuple[float, float, float, float], orientation: int) -> tuple[float, float, float, float]:
    """Return the region of the stored picture for one of the upright picture (left, top, right, bottom; fractions)."""
    left, top, right, bottom = region
    if orientation in _RIGHT_TO_LEFT:
        left, right = 1 - right, 1 - left
    if orientation in _BOTTOM_TO_TOP:
        top, bottom = 1 - bottom, 1 - top
    return (top, left, bottom, right) if orientation >= _FIRST_LYING else (left, top, right, bottom)


def upright_size(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    """Return the upright (width, height) of a stored picture, or the stored one of an upright picture."""
    width, height = size
    return (height, width) if orientation >= _FIRST_LYING else (width, height)
