"""Whether a JPEG with restart markers lasts to its end, seen from its last interval: the others are not decoded.

Source: ITU-T T.81, A.2 for the MCU, E.1.4 for restart intervals.
"""

import re
from dataclasses import replace

from handlers.errors import BrokenImageError

from .jpeg import DRI, FRAMES, SEQUENTIAL, SOS, JpegHeader, walk
from .jpeg_body import JpegBody, decode_by
from .source import Source

# Every marker, so that any but a restart breaks the count; a stuffed zero is none.
_MARKER = re.compile(rb"\xff([\x01-\xfe])")
_NUMBERS = bytes(range(0xD0, 0xD8))
_BLOCK_PX = 8
_MOST_PX = 65_500


def lasts(body: JpegBody, header: JpegHeader) -> bool:
    """Say whether the picture surely is whole: its restart markers are all there, and its last interval is whole.

    False says nothing: there may be no markers.
    """
    if not body.ended or body.scans != 1 or header.frame not in SEQUENTIAL:
        return False
    part = _last_interval(body, header)
    try:
        return part is not None and decode_by(1, part, header, salvage=True).damage is None
    except BrokenImageError:
        return False


def _last_interval(body: JpegBody, header: JpegHeader) -> JpegBody | None:
    """Return the last restart interval as a picture of its own, one row of MCUs; None where it cannot be told apart."""
    payload = body.payload
    interval = frame_at = coded_at = scanned = 0
    for segment in walk(Source(payload, len(payload))):
        if segment.marker == DRI:
            interval = int.from_bytes(payload[segment.start + 4 : segment.end], "big")
        elif segment.marker in FRAMES:
            frame_at = segment.start
        elif segment.marker == SOS:
            scanned, coded_at = payload[segment.start + 4], segment.end
            break
    if not interval or scanned != len(header.components):
        return None
    across, down = _mcu(header)
    units = -(-header.width // across) * -(-header.height // down)
    markers = (units - 1) // interval
    found = b"".join(_MARKER.findall(payload, coded_at))
    last_units = units - markers * interval
    if not markers or last_units * across > _MOST_PX or found != (_NUMBERS * (markers // 8 + 1))[:markers]:
        return None
    size = down.to_bytes(2, "big") + (last_units * across).to_bytes(2, "big")
    start = payload.rindex(b"\xff" + found[-1:]) + 2
    parts = payload[: frame_at + 5], size, payload[frame_at + 9 : coded_at], payload[start:]
    return replace(body, payload=b"".join(parts))


def _mcu(header: JpegHeader) -> tuple[int, int]:
    """Return the (width, height) of a minimum coded unit in pixels; of one component it is a block."""
    if len(header.components) == 1:
        return _BLOCK_PX, _BLOCK_PX
    across, down = max(pair >> 4 for pair in header.sampling), max(pair & 15 for pair in header.sampling)
    return _BLOCK_PX * across, _BLOCK_PX * down
