"""Tell the format of a file in the ISO base media format by its brands, which come first.

Source: ISO/IEC 14496-12, 4.3; ISO/IEC 23008-12, 10; AV1 image file format, 7.
"""

SEQUENCE = frozenset({b"avis", b"msf1", b"hevc", b"hevx", b"hevm", b"hevs"})
_AVIF = frozenset({b"avif", b"avis"})
_HEIF = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"})


def brands(prefix: bytes) -> frozenset[bytes]:
    """Return the brands in a file's first bytes; none if it is in another format."""
    if prefix[4:8] != b"ftyp":
        return frozenset()
    end = min(int.from_bytes(prefix[:4]), len(prefix))
    return frozenset({prefix[8:12], *(prefix[start : start + 4] for start in range(16, end, 4))})


def is_avif(prefix: bytes) -> bool:
    """Return whether a file begins like an AVIF."""
    return not _AVIF.isdisjoint(brands(prefix))


def is_heic(prefix: bytes) -> bool:
    """Return whether a file begins like a HEIC, or like a HEIF whose coding only its items name."""
    return not _HEIF.isdisjoint(brands(prefix)) and not is_avif(prefix)
