"""Count the pictures of a multi-picture file (MPO).

Source: CIPA DC-007, the MP index IFD.
"""

from handlers.errors import BrokenImageError, ImageTooLargeError

from .exif import read_exif
from .limits import Limits

_NUMBER_OF_IMAGES = 0xB001


def count_pictures(index: bytes | None, limits: Limits) -> int:
    """Return the number of pictures that the index claims; 1 without an index.

    Raises:
        BrokenImageError: The index cannot be read.
        ImageTooLargeError: It claims more than are counted.
    """
    if index is None:
        return 1
    value = read_exif(index).image.get(_NUMBER_OF_IMAGES)
    if not isinstance(value, tuple) or not value or not isinstance(value[0], int) or value[0] < 1:
        raise BrokenImageError("the multi-picture index cannot be read")
    if value[0] > limits.max_frames:
        raise ImageTooLargeError(
            f"{value[0]:,} pictures are claimed, more than the {limits.max_frames:,} that are counted"
        )
    return value[0]
