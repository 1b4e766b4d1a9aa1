"""How far a picture may be reduced while it is decoded, and what a smaller output may be made from.

The rules keep every output within 45 dB PSNR of Lanczos-3 from the full decode; tests hold them to it, and
`python -m benchmarks quality` measures it.
"""

from PIL import Image, ImageChops, ImageStat

Size = tuple[int, int]

FACTORS = (8, 4, 2)
GAP = 1.4
"""A reduced picture is at least this many times as large as its largest output."""

SMOOTH_RMS = 16.0
"""Up to this roughness, no edge is sharp enough to show the order of resampling's passes (51 dB at least; text: 39)."""

FAR_LEVELS = 30
"""Decoders reduce a picture in its own colours; where these are farther from sRGB, as linear light is, it shows."""

STRIPS = 24

CASCADE_GAP = 2
SMALL_WIDTH, SMALL_GAP = 256, 4


def reduction(size: Size, widest: Size) -> int:
    """Return by which factor (1, 2, 4 or 8) to try to reduce a picture of `size` for outputs up to `widest`."""
    return next((factor for factor in FACTORS if _gap(size, widest) >= GAP * factor), 1)


def most_roughness(reduced: Size, widest: Size) -> float:
    """Return how rough a reduced picture may be to lack no detail that an output as large as `widest` would show.

    The nearer the two are in size, the smoother the picture must be.
    """
    return SMOOTH_RMS * min(1.0, _gap(reduced, widest) - 1)


def roughness(image: Image.Image) -> float:
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
    """Return whether one output may be resampled from another, both sampled down."""
    gap = SMALL_GAP if smaller[0] < SMALL_WIDTH else CASCADE_GAP
    # Sizes are rounded: 1333 pixels are twice 667.
    return larger[0] + 1 >= gap * smaller[0] and larger[1] + 1 >= gap * smaller[1]


def _gap(size: Size, widest: Size) -> float:
    return min(size[0] / widest[0], size[1] / widest[1])
