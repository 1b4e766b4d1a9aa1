"""Profiles of the colour spaces that a file gives by code points. Source: ITU-T H.273."""

from .hdr import HDR_TRANSFERS, USUAL_NITS, hdr_profile
from .profile import SRGB, Point, Primaries, build_profile

_FILM_WHITE: Point = (0.310, 0.316)
_NTSC = Primaries((0.630, 0.340), (0.310, 0.595), (0.155, 0.070))
PRIMARIES = {
    1: SRGB,
    4: Primaries((0.67, 0.33), (0.21, 0.71), (0.14, 0.08), _FILM_WHITE),
    5: Primaries((0.64, 0.33), (0.29, 0.60), (0.15, 0.06)),
    6: _NTSC,
    7: _NTSC,
    8: Primaries((0.681, 0.319), (0.243, 0.692), (0.145, 0.049), _FILM_WHITE),
    9: Primaries((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    11: Primaries((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.314, 0.351)),
    12: Primaries((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    22: Primaries((0.630, 0.340), (0.295, 0.605), (0.155, 0.077)),
}
"""By code point: BT.709 and sRGB, BT.470 M, BT.601 for PAL and NTSC, SMPTE 240M, film, BT.2020, DCI-P3, Display P3,
EBU 3213. Source: H.273, table 2."""

_SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
_SRGB_TRANSFER = 13
TV_TRANSFERS = frozenset({1, 6, 11, 14, 15})
"""The curves of cameras for television. Source: H.273, table 3: BT.709, BT.601, IEC 61966-2-4 and BT.2020."""

CURVES: dict[int, tuple[float, ...]] = {
    **dict.fromkeys(TV_TRANSFERS, (2.4,)),
    4: (2.2,),
    5: (2.8,),
    7: (1 / 0.45, 1 / 1.1115, 0.1115 / 1.1115, 1 / 4, 0.0912),
    8: (1.0,),
    _SRGB_TRANSFER: _SRGB_CURVE,
    17: (2.6, (52.37 / 48) ** (1 / 2.6), 0, 0, 0),
}
"""By code point: parameters of ICC's parametric curves, gamma first. Pictures for television are shown by the curve of
its displays (BT.1886), as in browsers. Source: H.273, table 3."""


def coded_profile(primaries: int, transfer: int, *, grey: bool, peak_nits: int = 0) -> bytes | None:
    """Return the profile of code points: empty for sRGB, None for those that are not known.

    `peak_nits` is the luminance of the brightest light of an HDR picture in cd/m2, or 0 if the file does not say it.
    """
    if primaries not in PRIMARIES:
        return None
    if transfer in HDR_TRANSFERS:
        return hdr_profile(PRIMARIES[primaries], transfer, peak_nits or USUAL_NITS)
    if transfer not in CURVES:
        return None
    if transfer == _SRGB_TRANSFER and (grey or PRIMARIES[primaries] == SRGB):
        return b""
    return build_profile(PRIMARIES[primaries], CURVES[transfer], grey=grey)
