"""How the picture of a HEIF file is shown: which part of the coded picture, how it is turned, and its colours.

Source: ISO/IEC 23008-12, 6.5; ISO/IEC 23000-22 for the order of transformations; ITU-T H.273 for code points.
"""

from collections.abc import Sequence
from fractions import Fraction
from math import floor

from handlers.imaging.pixels.code_points import TV_TRANSFERS, coded_profile
from handlers.imaging.pixels.orientation import stored_region, upright_size

from .heif_items import ImageItem
from .picture import MAX_PROFILE_BYTES

TRANSFORMATIONS = frozenset({b"irot", b"imir", b"clap"})
TILE_TRANSFORMATIONS = {b"hvc1": TRANSFORMATIONS, b"av01": frozenset[bytes]()}
"""By coding, the properties of a tile that count; `avifenc` gives tiles those of the whole, and readers ignore them."""

_UNSPECIFIED, _SRGB = 2, (1, 13)
_ORIENTATIONS: dict[tuple[int, bool], int] = {
    **{(quarters, False): number for quarters, number in enumerate((1, 6, 3, 8))},
    **{(quarters, True): number for quarters, number in enumerate((2, 7, 4, 5))},
}
"""EXIF's orientation (tag 0x0112) by clockwise quarter turns, and whether the picture is mirrored before."""


def shown(item: ImageItem, size: tuple[int, int], warnings: list[str]) -> tuple[tuple[int, int, int, int], int]:
    """Return the (left, top, right, bottom) of the part of a picture that is shown, and its EXIF orientation.

    The transformations apply in their order.
    """
    box, quarters, mirrored = (0, 0, *size), 0, False
    for kind, content in item.properties:
        if kind == b"irot":
            # Anticlockwise.
            quarters = (quarters - int.from_bytes(content[:1]) % 4) % 4
        elif kind == b"imir":
            # A quarter turn swaps the axes of a mirroring.
            upside_down = not int.from_bytes(content[:1]) & 1
            quarters = (-quarters + 2 * upside_down) % 4
            mirrored = not mirrored
        elif kind == b"clap":
            box = _cut(box, _ORIENTATIONS[quarters, mirrored], content, warnings)
    return box, _ORIENTATIONS[quarters, mirrored]


def _cut(
    box: tuple[int, int, int, int], orientation: int, content: bytes, warnings: list[str]
) -> tuple[int, int, int, int]:
    """Return the part of a box of the stored picture that a clean aperture of the turned box leaves."""
    width, height = box[2] - box[0], box[3] - box[1]
    across, down = upright_size((width, height), orientation)
    left, top, right, bottom = _aperture(content, (across, down), warnings)
    region = stored_region((left / across, top / down, right / across, bottom / down), orientation)
    return (
        box[0] + round(region[0] * width),
        box[1] + round(region[1] * height),
        box[0] + round(region[2] * width),
        box[1] + round(region[3] * height),
    )


def _aperture(content: bytes, size: tuple[int, int], warnings: list[str]) -> tuple[int, int, int, int]:
    """Return the (left, top, right, bottom) of a clean aperture in whole pixels, or all of it if it does not fit."""
    numbers = [int.from_bytes(content[i : i + 4], signed=True) for i in range(0, len(content), 4)]
    if len(numbers) == 8 and all(numbers[1::2]):  # noqa: PLR2004 - four fractions
        width, height, across, down = (Fraction(*pair) for pair in zip(numbers[::2], numbers[1::2], strict=True))
        # Rounding the right and lower sides on their own could change the size.
        left = floor((size[0] - width + 1) / 2 + across)
        top = floor((size[1] - height + 1) / 2 + down)
        box = left, top, left + round(width), top + round(height)
        if 0 <= box[0] < box[2] <= size[0] and 0 <= box[1] < box[3] <= size[1]:
            return box
    warnings.append("the clean aperture was ignored: it does not lie within the picture")
    return 0, 0, *size


def profile_of(items: Sequence[ImageItem], warnings: list[str], *, grey: bool) -> bytes | None:
    """Return the profile of a picture's colours, or None for sRGB; an ICC profile takes precedence over code points.

    `items` are the picture and its first tile, either of which may have the colours.
    """
    colours = [colour for item in items for colour in item.all(b"colr")]
    icc = next((colour[4:] for colour in colours if colour[:4] in (b"prof", b"rICC")), None)
    if icc is not None and len(icc) <= MAX_PROFILE_BYTES:
        return icc
    if icc is not None:
        warnings.append(f"the ICC profile was ignored: {len(icc):,} bytes are more than {MAX_PROFILE_BYTES:,}")
    codes = next((colour[4:8] for colour in colours if colour[:4] == b"nclx"), b"")
    light = next((light for item in items for light in item.all(b"clli")), b"")
    return _coded(codes, int.from_bytes(light[:2]), warnings, grey=grey)


def _coded(codes: bytes, peak_nits: int, warnings: list[str], *, grey: bool) -> bytes | None:
    """Return the profile of H.273's code points; unspecified ones are sRGB's."""
    if len(codes) < 4:  # noqa: PLR2004 - primaries and transfer, two bytes each
        return None
    found = int.from_bytes(codes[:2]), int.from_bytes(codes[2:])
    primaries, transfer = (default if one == _UNSPECIFIED else one for one, default in zip(found, _SRGB, strict=True))
    # Browsers show pictures in the curve of television, which converters write by default, as sRGB.
    transfer = _SRGB[1] if transfer in TV_TRANSFERS else transfer
    profile = coded_profile(primaries, transfer, grey=grey, peak_nits=peak_nits)
    if profile is None:
        warnings.append(f"the colr box was ignored: its colours of code {primaries}, {transfer} are not known")
    return profile or None
