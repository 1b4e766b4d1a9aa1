"""Orientation: all eight values, in JPEG and PNG, and invalid ones."""

import struct

import pytest
from PIL import Image, ImageOps

from handlers.imaging import convert, describe, resize

from .pictures import chunk, corners, difference, exif, exif_segment, jpeg, opened, saved, with_segments

SIZE = (96, 64)


def _expected(orientation: int) -> Image.Image:
    """Return the picture as Pillow's own `exif_transpose` turns it."""
    image = corners(SIZE)
    image.getexif()[0x0112] = orientation
    return ImageOps.exif_transpose(image)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_jpeg_is_turned_upright(orientation: int) -> None:
    """Each of the eight orientations gives an upright picture without an orientation tag."""
    master = with_segments(jpeg(corners(SIZE)), exif_segment(exif({0x0112: orientation})))
    output = opened(convert(master))
    assert difference(output, _expected(orientation)) < 8
    assert 0x0112 not in output.getexif()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_png_is_turned_upright_by_its_exif_chunk(orientation: int) -> None:
    """The eXIf chunk turns a PNG as an EXIF segment turns a JPEG."""
    master = saved(corners(SIZE), "PNG")
    master = master[:33] + chunk(b"eXIf", exif({0x0112: orientation}, order="<")) + master[33:]
    assert difference(opened(convert(master)), _expected(orientation)) < 8


def test_an_exif_chunk_after_the_pixels_is_applied() -> None:
    """An eXIf chunk after the image data is applied."""
    master = saved(corners(SIZE), "PNG")
    master = master[:-12] + chunk(b"eXIf", exif({0x0112: 6})) + master[-12:]
    assert difference(opened(convert(master)), _expected(6)) < 8


@pytest.mark.parametrize("value", [0, 9, 65_535, b"6", (7, 1, b"\6"), (4, 0, b"")])
def test_an_impossible_orientation_counts_as_upright(value: object) -> None:
    """Numbers outside 1 to 8, text and empty values leave the picture unturned."""
    master = with_segments(jpeg(corners(SIZE)), exif_segment(exif({0x0112: value})))
    assert describe(master).orientation == 1
    assert difference(opened(convert(master)), corners(SIZE)) < 4


def test_an_orientation_in_four_bytes_is_read() -> None:
    """An orientation stored in four bytes, as some writers do, is read."""
    master = with_segments(jpeg(corners(SIZE)), exif_segment(exif({0x0112: (4, 1, struct.pack(">I", 6))})))
    assert describe(master).orientation == 6


@pytest.mark.parametrize("beside", [{}, {0x0112: 0}], ids=["alone", "beside an invalid one"])
def test_an_orientation_in_the_photo_directory_is_read(beside: dict[int, int]) -> None:
    """Some writers put it there; browsers turn such a picture."""
    master = with_segments(jpeg(corners(SIZE)), exif_segment(exif(beside, {0x0112: 6})))
    assert describe(master).orientation == 6
    assert difference(opened(convert(master)), _expected(6)) < 8


@pytest.mark.parametrize("orientation", range(1, 9))
def test_widths_apply_to_the_upright_picture(orientation: int) -> None:
    """A size's width applies to the upright picture, and its pixels are turned."""
    master = with_segments(jpeg(corners((640, 480))), exif_segment(exif({0x0112: orientation})))
    output = opened(resize(master, {"small": 120})["small"])
    assert output.size == ((120, 90) if orientation < 5 else (120, 160))
    assert difference(output, _expected(orientation).resize(output.size)) < 8


def test_the_header_size_is_described_as_stored() -> None:
    """The record has the header's width and height, and the orientation."""
    metadata = describe(with_segments(jpeg(corners(SIZE)), exif_segment(exif({0x0112: 6}))))
    assert (metadata.width, metadata.height, metadata.orientation) == (96, 64, 6)
