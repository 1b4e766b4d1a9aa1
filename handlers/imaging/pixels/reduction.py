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

MOST_GRAIN = 6.0
"""The most grain of a reduced picture, however much smaller its outputs are: text has more."""

FAR_LEVELS = 30
"""Decoders reduce a picture in its own colours; where these are farther from sRGB, as linear light is, it shows."""

STRIPS, GRAIN_STRIPS = 24, 8
_MIDDLE = 128

CASCADE_GAP = 2
SMALL_WIDTH, SMALL_GAP = 256, 4


def reduction(size: Size, widest: Size) -> int:
    """Return by which factor (1, 2, 4 or 8) to try to reduce a picture of `size` for outputs up to `widest`."""
    return next((factor for factor in FACTORS if _gap(size, widest) >= GAP * factor), 1)


def loses_detail(reduced: Image.Image, rough: float, widest: Size) -> bool:
    """Return whether a reduced picture lacks detail that an output as large as `widest` would show.

    The nearer the two are in size, the fewer edges (`rough`, see `roughness`) and the less noise there may be. With as
    much grain as is allowed, photographs and white noise came to 45 dB, at gaps from 1.4 to 2.3.
    """
    gap = _gap(reduced.size, widest)
    return rough > SMOOTH_RMS * min(1.0, gap - 1) or grain(reduced) > min(MOST_GRAIN, 2.6 * (gap - 0.6))


def roughness(image: Image.Image) -> float:
    """Return how far pixels are from the mean of their two by two, in levels (root mean square of the worst band)."""
    samples = _rows(image, 0, min(2, image.height), STRIPS)
    means = samples.reduce(2).resize(samples.size, Image.Resampling.NEAREST)
    return max(ImageStat.Stat(ImageChops.difference(samples, means)).rms)


def grain(image: Image.Image) -> float:
    """Return how far two by two pixels are from a slope, in levels (root mean square of the worst band).

    Noise and the finest texture count; edges across and down do not.
    """
    steps = ImageChops.subtract(_rows(image, 0, 1, GRAIN_STRIPS), _rows(image, 1, 1, GRAIN_STRIPS), 1, _MIDDLE)
    width, height = steps.size
    bends = ImageChops.subtract(steps.crop((1, 0, width, height)), steps.crop((0, 0, width - 1, height)), 1, _MIDDLE)
    return max(ImageStat.Stat(bends).stddev) / 4


def _rows(image: Image.Image, below: int, height: int, strips: int) -> Image.Image:
    """Return `height` rows from each of several places, `below` rows further down.

    They stand for the picture: all of it would take as long as to resample it.
    """
    strips = min(strips, (image.height + 1) // 2)
    rows = Image.new(image.mode, (image.width, height * strips), None)
    for strip in range(strips):
        top = (image.height - min(2, image.height)) * strip // max(1, strips - 1) + below
        rows.paste(image.crop((0, top, image.width, top + height)), (0, height * strip))
    return rows


def serves(larger: Size, smaller: Size) -> bool:
    """Return whether one output may be resampled from another, both sampled down."""
    gap = SMALL_GAP if smaller[0] < SMALL_WIDTH else CASCADE_GAP
    # Sizes are rounded: 1333 pixels are twice 667.
    return larger[0] + 1 >= gap * smaller[0] and larger[1] + 1 >= gap * smaller[1]


def _gap(size: Size, widest: Size) -> float:
    return min(size[0] / widest[0], size[1] / widest[1])
