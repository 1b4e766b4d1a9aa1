"""Check how much work the coded data of an HEVC picture are for a decoder, before it gets them.

Source: ITU-T H.265, 7.3.1 to 7.3.3; ISO/IEC 14496-15, 8.3 for the configuration and the lengths of units.
"""

from collections.abc import Iterator

from handlers.errors import BrokenImageError, ImageTooLargeError

from .bits import Bits
from .heif_items import FULL, Kind
from .isobmff import Reader

MAX_UNITS = 16_384
"""Network abstraction layer units of one picture, such as slices and parameter sets."""

MAX_PICTURES = 4
"""Coded pictures in the data of one item, which should have one."""

BLOCK_PX = 64
"""Pictures are coded in blocks of up to so many pixels a side, which may extend beyond the picture."""

_PARAMETERS, _LAST_SLICE = 33, 31
_CONFIGURATION_BYTES, _LENGTH_BYTES_AT = 22, 21
_KIND_AT = slice(16, 18)
_MOST_PARAMETER_BYTES = 1_024
_PROFILE_BITS, _LEVEL_BITS, _MOST_LAYERS = 88, 8, 8
_WINDOW_SIDES = 4


def kind_of(configuration: bytes) -> Kind:
    """Return the kind of a picture by the content of its `hvcC`."""
    chroma, luma = configuration[_KIND_AT].ljust(2, b"\0")
    return Kind(chroma & 3, 8 + (luma & 7))


def check_hevc(configuration: bytes, data: bytes, size: tuple[int, int]) -> None:
    """Refuse coded data with pictures larger than this (width, height), of another kind, or with too many.

    `configuration` is the content of `hvcC`, by which readers choose the memory that the decoder's pixels are copied
    into.

    Raises:
        BrokenImageError: The data contradict the size, or are damaged.
        ImageTooLargeError: Decoding would take too long.
    """
    reader = Reader(configuration, _CONFIGURATION_BYTES)
    length_bytes = int.from_bytes(configuration[_LENGTH_BYTES_AT:_CONFIGURATION_BYTES]) % 4 + 1
    parameters, pictures, units = 0, 0, 0
    for unit in (*_configured(reader), *_units(data, length_bytes)):
        units += 1
        if units > MAX_UNITS:
            raise ImageTooLargeError(f"expected a HEIC of at most {MAX_UNITS:,} units, got more: save it again")
        kind, layer = unit[0] >> 1 & 63, (unit[0] & 1) << 5 | unit[1] >> 3
        if layer:
            continue  # Another view, which is not decoded.
        if kind == _PARAMETERS:
            parameters += 1
            _check_parameters(unit, size, kind_of(configuration))
        pictures += kind <= _LAST_SLICE and len(unit) > 2 and unit[2] >> 7  # noqa: PLR2004 - after the unit's head
    if pictures > MAX_PICTURES:
        raise ImageTooLargeError(f"expected a HEIC of at most {MAX_PICTURES} pictures an item, got {pictures:,}")
    if not parameters:
        raise BrokenImageError("the HEIC is damaged: its coded data have no parameters")


def _configured(reader: Reader) -> Iterator[bytes]:
    """Yield the units of the decoder's configuration."""
    for _ in range(reader.number(1)):
        reader.take(1)
        for _ in range(reader.number(2)):
            yield _whole(reader.take(reader.number(2)))


def _units(data: bytes, length_bytes: int) -> Iterator[bytes]:
    """Yield the beginning of each unit of an item's data."""
    position = 0
    while position < len(data):
        size = int.from_bytes(data[position : position + length_bytes])
        position += length_bytes
        if position + size > len(data):
            raise BrokenImageError("the HEIC is truncated: its coded data end within a unit")
        yield _whole(data[position : position + min(size, _MOST_PARAMETER_BYTES)])
        position += size


def _whole(unit: bytes) -> bytes:
    if len(unit) < 2:  # noqa: PLR2004
        raise BrokenImageError("the HEIC is damaged: a unit of its coded data is too short")
    return unit


def _check_parameters(unit: bytes, size: tuple[int, int], kind: Kind) -> None:
    bits = Bits(unit[2:].replace(b"\0\0\3", b"\0\0"))
    chroma = _chroma(bits)
    coded = bits.exponential(), bits.exponential()
    if any(side > most + BLOCK_PX for side, most in zip(coded, size, strict=True)):
        raise BrokenImageError(
            f"the HEIC is damaged: its header says {size[0]} x {size[1]} pixels, its coded data {coded[0]} x {coded[1]}"
        )
    if bits.take(1):
        for _ in range(_WINDOW_SIDES):
            bits.exponential()
    found = Kind(chroma, 8 + bits.exponential())
    if found != kind:
        raise BrokenImageError(f"the HEIC is damaged: its header says {kind}, its coded data {found}")


def _chroma(bits: Bits) -> int:
    """Return the code of the chroma subsampling of a sequence parameter set, read up to its size."""
    bits.take(4)
    sub_layers = bits.take(3)
    bits.take(1 + _PROFILE_BITS + _LEVEL_BITS)
    there = [(bits.take(1), bits.take(1)) for _ in range(sub_layers)]
    if sub_layers:
        bits.take(2 * (_MOST_LAYERS - sub_layers))
    for profile, level in there:
        bits.take(_PROFILE_BITS * profile + _LEVEL_BITS * level)
    bits.exponential()
    chroma = bits.exponential()
    if chroma == FULL:
        bits.take(1)
    return chroma
