"""How far a JPEG may be reduced while it is decoded, and what a smaller output may be made from.

The rules keep every output within 45 dB PSNR of Lanczos-3 from the full decode; tests hold them to it, and
`python -m benchmarks quality` measures it.
"""

from collections.abc import Iterator
from itertools import pairwise

from PIL import Image, ImageChops, ImageStat

Size = tuple[int, int]

FACTORS = (8, 4, 2)
ANY_RESTLESSNESS = 1e9

MOST_RESTLESS = ((1.3, 4.8), (1.4, 6.3), (1.6, 6.5), (1.8, 9.0), (2.0, 10.0), (2.5, 13.0), (4.0, 25.0))
"""How many times the widest output a reduced picture is, and how restless it may be at most; linear in between.

What a reduced decode loses is detail as fine as its own pixels: a calm picture has none to lose.
"""
ANY_ROOM = 5.0

MOST_RESTLESS_CALM = 16.0
"""Up to here no edge is sharp enough for the order of resampling's two passes to show (51 dB at least; text: 39 dB)."""

STRIPS = 24

CASCADE_MARGIN = 2
SMALL_WIDTH, SMALL_MARGIN = 256, 4


def reductions(size: Size, widest: Size, expected: float) -> Iterator[tuple[int, float]]:
    """Yield what to try: by which factor a picture of `size` may be reduced, and how restless it may then be.

    `widest` is its widest output; both are as stored. A picture of which more restlessness is `expected` is not tried:
    it would most likely be decoded in vain. The last factor is 1, whatever the picture is like.
    """
    for factor in FACTORS:
        room = min(size[0] / widest[0], size[1] / widest[1]) / factor
        most = _most_restless(room)
        if most and expected <= most:
            yield factor, most
    yield 1, ANY_RESTLESSNESS


def _most_restless(room: float) -> float:
    """Return how restless a picture with that much room may be; 0 where there is too little room for any."""
    if room >= ANY_ROOM:
        return ANY_RESTLESSNESS
    for (low, least), (high, most) in pairwise(MOST_RESTLESS):
        if low <= room < high:
            return least + (most - least) * (room - low) / (high - low)
    return MOST_RESTLESS[-1][1] if room > MOST_RESTLESS[0][0] else 0.0


def expected_restlessness(size: Size, coded_bytes: int, step: float) -> float:
    """Guess how restless a JPEG is once halved, before a pixel is decoded; two of three guesses are within 1.5 times.

    Detail costs bits, the more of them the finer the coefficients are quantised: by `step`, on average. Fitted to 36
    photographs, as they are and at three other qualities.
    """
    bits = 8 * coded_bytes / (size[0] * size[1])
    return float(0.9 * bits**1.1 * step**0.63)


def restlessness(image: Image.Image) -> float:
    """Return how far pixels are from the mean of their two by two, in levels (root mean square of the worst band).

    Pairs of rows stand for the picture: all of it would take as long as to resample it.
    """
    width, height = image.width, min(2, image.height)
    strips = min(STRIPS, (image.height + 1) // 2)
    samples = Image.new(image.mode, (width, height * strips), None)
    for strip in range(strips):
        top = (image.height - height) * strip // max(1, strips - 1)
        samples.paste(image.crop((0, top, width, top + height)), (0, height * strip))
    means = samples.reduce(2).resize(samples.size, Image.Resampling.NEAREST)
    return max(ImageStat.Stat(ImageChops.difference(samples, means)).rms)


def serves(larger: Size, smaller: Size) -> bool:
    """Say whether one output may be resampled from another, both sampled down."""
    margin = SMALL_MARGIN if smaller[0] < SMALL_WIDTH else CASCADE_MARGIN
    # Sizes are rounded: 1333 pixels are twice 667.
    return larger[0] + 1 >= margin * smaller[0] and larger[1] + 1 >= margin * smaller[1]
