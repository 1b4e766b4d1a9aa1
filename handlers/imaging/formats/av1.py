"""Check how much work the coded data of an AV1 picture are for a decoder, before it gets them.

Source: AV1 bitstream and decoding process specification, 5.3 to 5.5.
"""

from collections.abc import Iterator

from handlers.errors import BrokenImageError, ImageTooLargeError

from .bits import Bits
from .heif_items import FULL, GREY, HALVED, HALVED_ACROSS, Kind

MAX_UNITS = 4_096
"""Open bitstream units of one picture; encoders write up to a few dozen."""

MAX_FRAMES = 16
"""Frames that are decoded for one picture, such as layers and frames that are not shown."""

_SEQUENCE, _FRAME_HEADER, _FRAME = 1, 3, 6
_MAX_SIZE_BYTES = 8
_MOST_HEADER_BYTES = 1_024
_TIERED_FROM = 7
_DEEP, _DEEPER, _GREY, _ACROSS, _DOWN = 0x40, 0x20, 0x10, 0x08, 0x04


def kind_of(configuration: bytes) -> Kind:
    """Return the kind of a picture by the content of its `av1C`."""
    flags = int.from_bytes(configuration[2:3])
    chroma = GREY if flags & _GREY else HALVED if flags & _DOWN else HALVED_ACROSS if flags & _ACROSS else FULL
    return Kind(chroma, 8 + 2 * bool(flags & _DEEP) + 2 * bool(flags & _DEEPER))


def check_av1(data: bytes, size: tuple[int, int]) -> None:
    """Refuse coded data with pictures larger than this (width, height), or with too many.

    Raises:
        BrokenImageError: The data contradict the size, or are damaged.
        ImageTooLargeError: Decoding would take too long.
    """
    sequences, frames = 0, 0
    for number, (kind, start, end) in enumerate(_units(data)):
        if number == MAX_UNITS:
            raise ImageTooLargeError(f"expected an AVIF of at most {MAX_UNITS:,} units, got more: save it again")
        if kind == _SEQUENCE:
            sequences += 1
            coded = _sequence_size(Bits(data[start : min(end, start + _MOST_HEADER_BYTES)]))
            if coded != size:
                raise BrokenImageError(
                    f"the AVIF is damaged: its header says {size[0]} x {size[1]} pixels, its coded data "
                    f"{coded[0]} x {coded[1]}"
                )
        frames += kind in (_FRAME_HEADER, _FRAME)
        if frames > MAX_FRAMES:
            raise ImageTooLargeError(f"expected an AVIF of at most {MAX_FRAMES} frames a picture, got more")
    if not sequences:
        raise BrokenImageError("the AVIF is damaged: its coded data have no sequence header")


def _units(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield each unit's type and the position of its content."""
    position = 0
    while position < len(data):
        head = data[position]
        position += 2 if head & 4 else 1
        end = len(data)
        if head & 2:
            size, position = _leb128(data, position)
            end = position + size
        if end > len(data):
            raise BrokenImageError("the AVIF is truncated: its coded data end within a unit")
        yield head >> 3 & 15, position, end
        position = end


def _leb128(data: bytes, position: int) -> tuple[int, int]:
    """Return the variable-length number at `position`, and the position after it."""
    value = 0
    for number, byte in enumerate(data[position : position + _MAX_SIZE_BYTES]):
        value |= (byte & 0x7F) << 7 * number
        if not byte & 0x80:
            return value, position + number + 1
    raise BrokenImageError("the AVIF is damaged: a unit of its coded data has no size")


def _sequence_size(bits: Bits) -> tuple[int, int]:
    """Return the largest (width, height) of frames that a sequence header allows."""
    bits.take(4)
    if bits.take(1):
        bits.take(5)
    else:
        _skip_timing(bits)
    sides = bits.take(4) + 1, bits.take(4) + 1
    return bits.take(sides[0]) + 1, bits.take(sides[1]) + 1


def _skip_timing(bits: Bits) -> None:
    """Skip the fields before the size in a sequence header that is not the short one of a still picture."""
    delay_bits = 0
    if bits.take(1):
        bits.take(64)
        if bits.take(1):
            bits.exponential()
        if bits.take(1):
            delay_bits = bits.take(5) + 1
            bits.take(32 + 5 + 5)
    display_delay = bits.take(1)
    for _ in range(bits.take(5) + 1):
        bits.take(12)
        if bits.take(5) > _TIERED_FROM:
            bits.take(1)
        if delay_bits and bits.take(1):
            bits.take(2 * delay_bits + 1)
        if display_delay and bits.take(1):
            bits.take(4)
