"""The scans of a JPEG: how much work they ask for, and whether they hold all of the picture.

Source: ITU-T T.81, B.2.3 for scan headers, annex G for progressive coding.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from handlers.errors import ImageTooLargeError

from .jpeg_header import JpegHeader

ARITHMETIC = frozenset({0xC9, 0xCA})
MAX_ARITHMETIC_SCANS = 20
ARITHMETIC_WEIGHT = 8
"""How many times as long a block takes in arithmetic coding as in Huffman coding."""

MAX_BLOCKS = 32_000_000
"""Blocks of 8 x 8 samples in all scans together: twice those of a progressive picture of 64 million pixels."""

PADDING = bytes(min(level, 0xFE) for level in hashlib.sha512(b"padding").digest())
"""Bytes without a marker and without a pattern: a decoder that reads them paints something else than it would."""


@dataclass(frozen=True)
class Scan:
    """One scan: component numbers, the band of coefficients, and the bits that it leaves for later scans."""

    components: tuple[int, ...]
    first: int
    last: int
    bits_left: int


def read_scan(parameters: bytes) -> Scan:
    """Read a scan header's parameters; what is malformed is left to the decoder."""
    count = parameters[0] if parameters else 0
    tail = parameters[1 + 2 * count : 4 + 2 * count].ljust(3, b"\0")
    return Scan(tuple(parameters[1 : 1 + 2 * count : 2]), tail[0], tail[1], tail[2] & 15)


def check_work(header: JpegHeader, scans: Sequence[Scan]) -> None:
    """Refuse a picture whose scans take too long to decode, however short its file is.

    Raises:
        ImageTooLargeError: The message names the limit and the value.
    """
    arithmetic = header.frame in ARITHMETIC
    if arithmetic and len(scans) > MAX_ARITHMETIC_SCANS:
        raise ImageTooLargeError(
            f"expected at most {MAX_ARITHMETIC_SCANS} scans of an arithmetic JPEG, got {len(scans)}: save it again"
        )
    blocks = sum(len(scan.components) for scan in scans) * header.width * header.height // 64
    blocks *= ARITHMETIC_WEIGHT if arithmetic else 1
    if blocks > MAX_BLOCKS and len(scans) > 1:
        raise ImageTooLargeError(
            f"expected at most {MAX_BLOCKS:,} blocks in all scans, got {blocks:,} in {len(scans)}: save it again"
        )


def missing(header: JpegHeader, scans: Sequence[Scan], *, ended: bool) -> str | None:
    """Say what of the picture no scan holds, None where all is there.

    Each component needs its mean values (DC), all bits of them. A file that `ended` may leave out further detail, which
    the standard allows; where the end is lost, so may be the scans that held it.
    """
    for component in header.components:
        bands = [scan for scan in scans if component in scan.components]
        means = [scan.bits_left for scan in bands if scan.first == 0]
        if not means or means[-1]:
            return "the JPEG is incomplete: a scan of one of its components is missing"
        if not ended and not _has_all_detail(header, bands):
            return "the JPEG is truncated: it ends before its last scan"
    return None


def _has_all_detail(header: JpegHeader, bands: Sequence[Scan]) -> bool:
    """Tell whether all 64 coefficients of a component are there to their last bit."""
    if not header.progressive:
        return True
    left = dict.fromkeys(range(64), 1)
    for scan in bands:
        left.update(dict.fromkeys(range(scan.first, min(scan.last, 63) + 1), scan.bits_left))
    return not any(left.values())
