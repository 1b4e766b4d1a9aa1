"""Damage of every kind: the only exception raised is a rejection."""

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.errors import PixelCascadeError
from handlers.imaging import Limits, Picture, convert, describe, open_picture, resize
from handlers.imaging.formats import DEFAULT_FORMATS, FURTHER

from .heic import has_decoder, heic
from .heif import box
from .pictures import (
    BLACK,
    GPS,
    RED,
    cmyk_profile,
    exif,
    exif_segment,
    gif,
    gif_frame,
    jpeg,
    p3_profile,
    photo,
    png,
    saved,
    wide,
    with_segments,
)

pytestmark = pytest.mark.exhaustive

SIZE = (40, 30)
SEEDS = {
    "JPEG": with_segments(jpeg(photo(SIZE), icc_profile=p3_profile()), exif_segment(exif({0x0112: 6}, gps=GPS))),
    "progressive": jpeg(photo(SIZE), progressive=True),
    "CMYK": jpeg(photo(SIZE, "CMYK"), icc_profile=cmyk_profile()),
    "restarts": jpeg(photo(SIZE, "L"), restart_marker_blocks=2),
    "PNG": saved(photo(SIZE), "PNG", icc_profile=p3_profile(), exif=b"Exif\0\0" + exif({0x0112: 3})),
    "palette": saved(photo(SIZE).quantize(20), "PNG", transparency=bytes(range(20))),
    "16 bit": png((8, 8), 16, 6, [wide(*range(32))] * 8),
    "APNG": saved(photo(SIZE), "PNG", save_all=True, append_images=[photo(SIZE).rotate(90)]),
    "GIF": gif(
        SIZE, [BLACK, RED], gif_frame((3, 3, 20, 20), b"\1" * 400, transparent=0), gif_frame((0, 0, 2, 2), b"\1" * 4)
    ),
    "WebP": saved(photo(SIZE, "RGBA"), "WEBP", icc_profile=p3_profile(), exif=exif({0x0112: 6})),
    "lossless WebP": saved(photo(SIZE), "WEBP", lossless=True),
    "animated WebP": saved(photo(SIZE), "WEBP", save_all=True, append_images=[photo(SIZE).rotate(90)]),
    "AVIF": saved(
        photo(SIZE, "RGBA"), "AVIF", speed=10, icc_profile=p3_profile(), exif=exif({0x0112: 6, 0x010F: b"Maker"})
    ),
    "AVIF sequence": saved(photo(SIZE), "AVIF", speed=10, save_all=True, append_images=[photo(SIZE).rotate(90)]),
    "HEIC": heic(
        box(b"irot", b"\1"),
        box(b"colr", b"prof", p3_profile()),
        alpha=True,
        further=[(b"Exif", b"", bytes(4) + exif({}))],
    ),
    "TIFF": saved(photo(SIZE, "RGBA"), "TIFF", compression="tiff_lzw", icc_profile=p3_profile()),
    "plain TIFF": saved(
        photo(SIZE), "TIFF", exif=b"Exif\0\0" + exif({0x0112: 6}), save_all=True, append_images=[photo(SIZE).rotate(90)]
    ),
    "JPEG in a TIFF": saved(photo(SIZE), "TIFF", compression="jpeg"),
    "fax": saved(photo(SIZE, "1"), "TIFF", compression="group4"),
    "MPO": saved(photo(SIZE), "MPO", save_all=True, append_images=[photo(SIZE)]),
}
FORMATS = [name for name in (*DEFAULT_FORMATS, *FURTHER) if name != "heic" or has_decoder()]
CALLS: tuple[Callable[[Picture], Any], ...] = (
    convert,
    lambda picture: convert(picture, salvage=True, reencode="always"),
    lambda picture: resize(picture, {"a": 12, "b": 3}, salvage=True),
    lambda picture: describe(picture, gps=True).extras(),
)


def _attempt(data: bytes) -> None:
    for call in CALLS:
        try:
            call(open_picture(data, Limits(), formats=FORMATS))
        except PixelCascadeError as error:
            assert str(error)  # noqa: PT017 - a rejection is one of two valid outcomes


def _damaged(data: bytes, chance: random.Random) -> Iterator[bytes]:
    """Yield the file with changed bytes and with parts cut, repeated or blanked."""
    for _ in range(60):
        copy = bytearray(data)
        for _ in range(chance.choice((1, 1, 2, 8))):
            copy[chance.randrange(len(copy))] = chance.choice((0, 255, chance.randrange(256)))
        yield bytes(copy)
    for _ in range(20):
        start, end = sorted((chance.randrange(len(data)), chance.randrange(len(data))))
        yield data[:start] + data[end:]
        yield data[:end] + data[start:]
        yield data[:start] + bytes(end - start) + data[end:]


@pytest.mark.parametrize("kind", SEEDS)
def test_a_damaged_file_gives_a_picture_or_a_refusal(kind: str) -> None:
    """Changed bytes and cut, repeated or blanked parts raise no other exception, with and without salvage."""
    for data in _damaged(SEEDS[kind], random.Random(kind)):  # noqa: S311 - repeatable damage
        _attempt(data)


@pytest.mark.parametrize("kind", SEEDS)
def test_a_file_cut_anywhere_gives_a_picture_or_a_refusal(kind: str) -> None:
    """Files are cut at each of the first hundred bytes and at some sixty places after them."""
    data = SEEDS[kind]
    for end in (*range(100), *range(100, len(data), max(1, len(data) // 60))):
        _attempt(data[:end])


@settings(max_examples=60)
@given(st.binary(max_size=400), st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a"]))
def test_random_bytes_raise_nothing_but_a_rejection(tail: bytes, head: bytes) -> None:
    """Random bytes, with or without a magic number, raise nothing but a rejection."""
    _attempt(head + tail)


@settings(max_examples=150)
@given(st.binary(max_size=300))
def test_random_exif_is_read_or_left_out(body: bytes) -> None:
    """EXIF directories of random bytes never fail the picture."""
    for head in (b"MM\0*\0\0\0\x08", b"II*\0\x08\0\0\0"):
        assert describe(with_segments(SEEDS["restarts"], exif_segment(head + body)), gps=True).width == 40
