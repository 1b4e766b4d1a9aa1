"""Restart markers: a copy's check by the last interval is as strict as by all of them."""

import importlib
import random
import re
from typing import Any

import pytest
from PIL import Image

from handlers.errors import BrokenImageError
from handlers.imaging import Limits, convert
from handlers.imaging.jpeg import JpegHeader
from handlers.imaging.jpeg_body import JpegBody
from handlers.imaging.master import open_master
from handlers.imaging.restarts import lasts
from handlers.imaging.source import Source

from .pictures import jpeg, photo

copying: Any = importlib.import_module("handlers.imaging.copying")
EOI = b"\xff\xd9"
INTERVALS: list[dict[str, int]] = [
    {"restart_marker_rows": 1},
    {"restart_marker_rows": 3},
    {"restart_marker_blocks": 4},
    {"restart_marker_blocks": 7},
    {"restart_marker_blocks": 1},
]


def known(data: bytes) -> bool:
    """Say whether the file is known to be whole without decoding it."""
    master = open_master(Source(data, len(data)), Limits())
    assert isinstance(master.header, JpegHeader)
    assert isinstance(master.body, JpegBody)
    return lasts(master.body, master.header)


def refused(data: bytes) -> bool:
    """Say whether convert refuses the file."""
    try:
        convert(data)
    except BrokenImageError:
        return True
    return False


def picture(mode: str, size: tuple[int, int]) -> Image.Image:
    """Return a picture with as much detail at its end as elsewhere."""
    noise = random.Random(1).randbytes(3 * size[0] * size[1])  # noqa: S311 no secret
    return Image.frombytes("RGB", size, noise).convert(mode)


@pytest.mark.parametrize("intervals", INTERVALS)
@pytest.mark.parametrize("size", [(160, 120), (151, 113), (64, 300)])
@pytest.mark.parametrize(("mode", "subsampling"), [("RGB", 0), ("RGB", 1), ("RGB", 2), ("L", 0)])
def test_a_whole_picture_is_known_by_its_last_interval(
    mode: str, subsampling: int, size: tuple[int, int], intervals: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the sampling, and where rows do not end with an interval; nothing else is decoded."""
    data = jpeg(picture(mode, size), subsampling=subsampling, **intervals)
    assert known(data)
    monkeypatch.delattr(copying, "decode")
    assert convert(data).copied


@pytest.mark.parametrize("intervals", INTERVALS)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_truncated_picture_with_a_forged_end_is_refused(
    mode: str, intervals: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever it is cut, the verdict is that of a full decode."""
    data = jpeg(picture(mode, (100, 80)), **intervals)
    start = data.index(b"\xff\xda") + 14
    cuts = [*range(start, len(data) - 120, 61), *range(len(data) - 120, len(data) - 1)]
    found = [refused(data[:cut] + EOI) for cut in cuts]
    monkeypatch.setattr(copying, "lasts", lambda *_: False)
    assert found == [refused(data[:cut] + EOI) for cut in cuts]
    assert all(found[:-80])  # Of the last MCU, most lies outside the picture.


def test_lost_and_swapped_intervals_are_not_taken_for_whole() -> None:
    """Where the markers do not count up, all is decoded."""
    data = jpeg(picture("RGB", (160, 120)), restart_marker_rows=1)
    at = [found.start() for found in re.finditer(rb"\xff[\xd0-\xd7]", data)]
    lost = data[: at[1]] + data[at[2] :]
    swapped = data[: at[1]] + data[at[2] : at[3]] + data[at[1] : at[2]] + data[at[3] :]
    assert [known(one) for one in (data, lost, swapped)] == [True, False, False]


def test_a_segment_among_the_intervals_is_not_taken_for_coded_data() -> None:
    """A table's marker that covers the rest: what nobody decodes is not copied."""
    data = jpeg(photo((64, 48), "L"), restart_marker_blocks=1)
    start = data.index(b"\xff\xda") + 10
    for at in range(start, len(data) - 20):
        rest = (len(data) - at - 4).to_bytes(2, "big")
        assert not known(data[:at] + b"\xff\xc4" + rest + b"\x10\xa0" + data[at + 6 :])


@pytest.mark.parametrize(
    "data",
    [
        jpeg(),
        jpeg(photo(), progressive=True, restart_marker_rows=1),
        jpeg(photo(), restart_marker_rows=1)[:-2],
        jpeg(photo((16, 16)), restart_marker_rows=1),
    ],
    ids=["no markers", "progressive", "no end", "one interval"],
)
def test_other_pictures_are_decoded(data: bytes) -> None:
    """Without markers, with several scans, without its end, with one interval alone."""
    assert not known(data)
    assert convert(data).copied
