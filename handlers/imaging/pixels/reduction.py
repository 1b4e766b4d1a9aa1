"""How far a picture may be reduced while it is decoded, and which output a smaller one may be made from.

By these rules, every output has at least 45 dB PSNR compared with Lanczos-3 from the full decode. Tests check it, and
`python -m benchmarks quality` measures it.
"""

from PIL import Image, ImageChops, ImageStat

Size = tuple[int, int]

FACTORS = (8, 4, 2)
GAP = 1.4
"""A reduced picture is at least this many times as large as its largest output."""

SMOOTH_RMS = 16.0
"""Up to this roughness, the order of resampling's passes does not show (51 dB or more; text: 39)."""

CALM_RMS = 8.0
"""Up to this roughness of a picture, its sizes are smooth too; above, each is measured before others are made from it,
which takes a millisecond."""

MOST_GRAIN = 6.0
"""The most grain that a reduced picture may have, even for very small outputs; text has more."""

FAR_LEVELS = 30
"""Decoders reduce a picture in its own colours, which shows if they are farther from sRGB, as linear light is."""

STRIPS, GRAIN_STRIPS = 24, 8
_MIDDLE = 128

CASCADE_GAP = 2
SMALL_WIDTH, SMALL_GAP = 256, 4


def reduction(size: Size, widest: Size) -> int:
    """Return the factor (1, 2, 4 or 8) by which to try to reduce a picture of `size` for outputs up to `widest`."""
    return next((factor for factor in FACTORS if _gap(size, widest) >= GAP * factor), 1)


def loses_detail(reduced: Image.Image, rough: float, widest: Size) -> bool:
    """Return whether a reduced picture lacks detail that an output as large as `widest` would show.

    The nearer the two are in size, the fewer edges (`rough`, see `roughness`) and the less noise there may be. With the
    most grain that is allowed, photographs and white noise had 45 dB, at gaps from 1.4 to 2.3.
    """
    gap = _gap(reduced.size, widest)
    return rough > SMOOTH_RMS * min(1.0, gap - 1) or grain(reduced) > min(MOST_GRAIN, 2.6 * (gap - 0.6))


def roughness(image: Image.Image) -> float:
    """Return how much pixels differ from the mean of their block of 2 x 2, in levels (RMS of the worst band).

    Half of the blocks begin at odd columns, because drawings often have all their edges at even ones.
    """
    samples = _rows(image, 0, min(2, image.height), STRIPS, shifted=True)
    means = samples.reduce(2).resize(samples.size, Image.Resampling.NEAREST)
    return max(ImageStat.Stat(ImageChops.difference(samples, means)).rms)


def grain(image: Image.Image) -> float:
    """Return how much blocks of 2 x 2 pixels differ from a slope, in levels (RMS of the worst band).

    Noise and the finest texture count; horizontal and vertical edges do not.
    """
    steps = ImageChops.subtract(_rows(image, 0, 1, GRAIN_STRIPS), _rows(image, 1, 1, GRAIN_STRIPS), 1, _MIDDLE)
    width, height = steps.size
    bends = ImageChops.subtract(steps.crop((1, 0, width, height)), steps.crop((0, 0, width - 1, height)), 1, _MIDDLE)
    return max(ImageStat.Stat(bends).stddev) / 4


def _rows(image: Image.Image, below: int, height: int, strips: int, *, shifted: bool = False) -> Image.Image:
    """Return `height` rows at several heights of the picture, `below` rows further down.

    They are a sample, because reading the whole picture would take as long as resampling it. If they are `shifted`, all
    have the same even number of pixels, and every other strip begins at the second one.
    """
    strips = min(strips, (image.height + 1) // 2)
    width = (image.width - 1) // 2 * 2 if shifted and image.width > 2 else image.width  # noqa: PLR2004
    rows = Image.new(image.mode, (width, height * strips), None)
    for strip in range(strips):
        left = strip % 2 if width < image.width else 0
        top = (image.height - min(2, image.height)) * strip // max(1, strips - 1) + below
        rows.paste(image.crop((left, top, left + width, top + height)), (0, height * strip))
    return rows


def serves(larger: Size, smaller: Size) -> bool:
    """Return whether an output may be resampled from a larger one."""
    gap = SMALL_GAP if smaller[0] < SMALL_WIDTH else CASCADE_GAP
    # Sizes are rounded: 1333 pixels are twice 667.
    return larger[0] + 1 >= gap * smaller[0] and larger[1] + 1 >= gap * smaller[1]


def _gap(size: Size, widest: Size) -> float:
    return min(size[0] / widest[0], size[1] / widest[1])
