"""How far a JPEG may be reduced while it is decoded, and what a smaller output may be made from.

The margins keep every output within 45 dB PSNR of Lanczos-3 from the full decode; tests hold them to it.
"""

from collections.abc import Mapping

Size = tuple[int, int]

# Reduction -> how many times the widest output the reduced picture must still be. Where chroma is as coarse
# vertically as horizontally, libjpeg keeps more of it than of 4:2:2.
SQUARE_MARGINS: Mapping[int, float] = {8: 3.0, 4: 2.5, 2: 2.0}
OTHER_MARGINS: Mapping[int, float] = {8: 3.5, 4: 3.5, 2: 4.0}

CASCADE_MARGIN = 2
SMALL_WIDTH, SMALL_MARGIN = 256, 4


def reduction(size: Size, widest: Size, *, square_chroma: bool) -> int:
    """Return 8, 4, 2 or 1, by which a picture of `size` may be reduced for its widest output, both as stored."""
    room = min(size[0] / widest[0], size[1] / widest[1])
    for factor, margin in (SQUARE_MARGINS if square_chroma else OTHER_MARGINS).items():
        if room >= factor * margin:
            return factor
    return 1


def serves(larger: Size, smaller: Size) -> bool:
    """Say whether one output may be resampled from another, both sampled down."""
    margin = SMALL_MARGIN if smaller[0] < SMALL_WIDTH else CASCADE_MARGIN
    return larger[0] >= margin * smaller[0] and larger[1] >= margin * smaller[1]
