"""HEIC files built here: three generated pictures are stored already encoded, so that no HEVC encoder is needed.

`heif-enc -q 90 -p chroma=444` encoded `pictures.corners(SIZE)` and an alpha plane whose left half is opaque; x265 grey
of 10 bits, a quarter of white in the left half and three quarters in the right one.
"""

import base64
import importlib.util
import itertools
import struct
from collections.abc import Sequence

import pytest

from .heif import box, container, extent, reference

SIZE = (96, 64)


def has_decoder() -> bool:
    """Return whether HEIC can be decoded here."""
    return importlib.util.find_spec("pi_heif") is not None


needs_decoder = pytest.mark.skipif(not has_decoder(), reason="pi_heif is not installed: `make` installs it")

CORNERS_CONFIGURATION = base64.b64decode(
    "AQQIAAAAAAAAAAAAHvAA/P/4+AAADwMgAAEAF0ABDAH//wQIAAADAJ44AAADAAAeugJAIQABACtCAQEECAAAAwCeOAAAAwAAHpAG"
    "ECCy3UkhE1zcCAgYEAAAAwAQAAADABCAIgABAAhEAcF2hgwCJA=="
)
CORNERS = base64.b64decode(
    "AAAA5ygBrwY44+e/P03+Z3v///K9d6H+9gcLvlabr9NFX/+/kj//yJF2Y4U9eZ9iZLyPQp5zDXWLGy44Zt1p0AQFnv6QWIkgwOJr"
    "8WTGTgc9Ab5XWOxL8H6DLRmk3fNBcwGwNUVw+eMlA8XVaPj11xd83XS4in/L7Ro39MsN//4+wNUsGfnCqpXAc1TSw3DBMhpkWypy"
    "aQj86tKECeD25U2E4epcKVtmmQvffGcZdBR0noVVUjo/7T/P/ofmf/KU///kCIsdbs3//9spo/uSZTh/yEcbqEUrF4czejrRhq68"
    "LYOZw3Q4/sehuA=="
)
HALF_CONFIGURATION = base64.b64decode(
    "AQQIAAAAAAAAAAAAHvAA/Pz4+AAADwMgAAEAF0ABDAH//wQIAAADAJ/4AAADAAAeugJAIQABACdCAQEECAAAAwCf+AAAAwAAHsDC"
    "BBZbqSQia5sCAAADAAIAAAMAAhAiAAEAB0QBwXawIkA="
)
HALF = base64.b64decode(
    "AAAA5CgBrgxw5CzGeW/8HMWhVNX/Jd03kB1WQrW8+nDD7vL9//dn+/OBuTSzSyatv993/ymgS4I4cDGpmSJ5HV5nPiGEOtOcQ7uz"
    "/uT09iogTAH//Zso3yJ89wWSgvmr4A1o5Un0jbHSCCXqFGX9A91CMhbXpnS4wf94CKA1Ea349v8L8T4MOQsWJchqKeYvrB2OmOZo"
    "D6zrcb8bOe/efDcVZorCeYqHkqy9xCs9HNlZfZflnbIkAILPT/Ti0r3ImAEhdMQwpL0V9a+zGzFPzEeIwOINz0ja2EeVrymsaXIP"
    "2/n2cJq1GA=="
)
DEEP_GREY_CONFIGURATION = base64.b64decode(
    "AQQIAAAAnfgAAAAAHvAA/Pz6+gAADwNgAAEAF0ABDAH//wQIAAADAJ34AAADAAAeugJAYQABACdCAQEECAAAAwCd+AAAAwAAHsDCBBNl"
    "upJKa5sCAAADADIAAAMAAhBiAAEAB0QBwXKwIkA="
)
DEEP_GREY = base64.b64decode(
    "AAAAeCgBrgxw+Fmxnwv+EnmhVDr+TFuDyAHKAsmcBcOvRYgZUAeIA42KB9j+qCoyUVB+UpikBa/5afbi9t2yIgAEqD/Uhg3uL+zYMCNy"
    "541Ht5gnSm/U1JVsxzugSnQmWmbqj3AAIL3fxpcroc0MuZB9GEwbdoM2eAPswA=="
)


def heic(
    *properties: bytes,
    configuration: bytes = CORNERS_CONFIGURATION,
    data: bytes = CORNERS,
    size: tuple[int, int] = SIZE,
    alpha: bool = False,
    references: bytes = b"",
    further: Sequence[tuple[bytes, bytes, bytes]] = (),
) -> bytes:
    """Return a HEIC of four corners, with further properties and, with `alpha`, an alpha item.

    Each `further` item is a type, the rest of its entry, and data; ids start at 2, or at 3 with alpha.
    """
    own = [extent(*size), box(b"hvcC", configuration), *properties]
    items = [(b"hvc1", list(range(1, len(own) + 1)), data, b"")]
    if alpha:
        auxiliary = box(b"auxC", bytes(4), b"urn:mpeg:hevc:2015:auxid:1\0")
        own += [box(b"hvcC", HALF_CONFIGURATION), auxiliary]
        items.append((b"hvc1", [1, len(own) - 1, len(own)], HALF, b""))
        references += reference(b"auxl", 2, [1])
    items += [(kind, [1], content, name) for kind, name, content in further]
    return packed(items, own, references)


def packed(
    items: Sequence[tuple[bytes, Sequence[int], bytes, bytes]], properties: Sequence[bytes], references: bytes = b""
) -> bytes:
    """Return a HEIC of items, each a type, the indices of its properties, data, and the rest of its entry."""

    def head(start: int) -> bytes:
        starts = itertools.accumulate((len(content) for _, _, content, _ in items), initial=start)
        placed = [
            (kind, linked, (0, place, len(content)), name)
            for (kind, linked, content, name), place in zip(items, starts, strict=False)
        ]
        return container(placed, properties, references, brand=b"heic")

    start = len(head(0)) + 8
    return head(start) + box(b"mdat", *(content for _, _, content, _ in items))


def parameters(width: int, height: int, chroma: int = 1) -> bytes:
    """Return a decoder configuration whose sequence parameter set holds chroma, size and 8 bits, and nothing else."""
    numbers = "".join(map(_golomb, (0, chroma, width, height)))
    bits = "0000" + "000" + "1" + 96 * "0" + numbers + "0" + _golomb(0)
    coded = int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8))
    escaped = coded.replace(b"\0\0\0", b"\0\0\3\0")
    unit = b"\x42\1" + escaped
    return bytes(21) + b"\3\1" + struct.pack(">BHH", 33, 1, len(unit)) + unit


def _golomb(value: int) -> str:
    coded = f"{value + 1:b}"
    return "0" * (len(coded) - 1) + coded
