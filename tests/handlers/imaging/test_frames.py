"""Sizes: widths, boxes filled around a focal point, and boxes to fit into."""

import pytest
from PIL import Image

from handlers.imaging import Box, focus_of, resize
from handlers.imaging.frames import frame_of
from handlers.imaging.pixels.orientation import stored_region, upright
from tests.handlers.imaging.pictures import exif, exif_segment, opened, saved, with_segments

TOP_LEFT, TOP_RIGHT, BOTTOM_LEFT, BOTTOM_RIGHT = (220, 30, 30), (30, 200, 30), (30, 30, 220), (230, 220, 40)
CORNERS = {(0.0, 0.0): TOP_LEFT, (1.0, 0.0): TOP_RIGHT, (0.0, 1.0): BOTTOM_LEFT, (1.0, 1.0): BOTTOM_RIGHT}


def quarters(size: tuple[int, int] = (800, 600)) -> Image.Image:
    """Return a picture with a colour in each quarter."""
    image = Image.new("RGB", size)
    for (x, y), colour in CORNERS.items():
        image.paste(colour, (int(x * size[0] / 2), int(y * size[1] / 2), *size) if x and y else _box(x, y, size))
    return image


def _box(x: float, y: float, size: tuple[int, int]) -> tuple[int, int, int, int]:
    left, top = int(x * size[0] / 2), int(y * size[1] / 2)
    return left, top, left + size[0] // 2, top + size[1] // 2


def close(pixel: object, colour: tuple[int, int, int]) -> bool:
    """Return whether a pixel has a colour, within JPEG's loss."""
    assert isinstance(pixel, tuple)
    return all(abs(int(one) - other) < 8 for one, other in zip(pixel, colour, strict=True))


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("focus", CORNERS)
def test_a_crop_shows_the_corner_at_the_focal_point(focus: tuple[float, float], kind: str) -> None:
    """All four corners of a tall and of a wide crop have the expected quarter's colour."""
    master = saved(quarters(), kind, **({"quality": 95} if kind == "JPEG" else {}))
    crops = resize(master, {"tall": Box(60, 240), "wide": Box(240, 60), "plain": 100}, focus=focus)
    for name, x, y in (("tall", focus[0], None), ("wide", None, focus[1])):
        image = opened(crops[name])
        assert image.size == ((60, 240) if name == "tall" else (240, 60))
        for at_x, at_y in ((0, 0), (1, 0), (0, 1), (1, 1)):
            seen = (float(at_x) if x is None else x, float(at_y) if y is None else y)
            pixel = image.getpixel((at_x * (image.width - 1), at_y * (image.height - 1)))
            assert close(pixel, CORNERS[seen]), (name, at_x, at_y, pixel)
    assert opened(crops["plain"]).size == (100, 75)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("focus", CORNERS)
def test_the_focal_point_applies_to_the_upright_picture(orientation: int, focus: tuple[float, float]) -> None:
    """The crop shows the corner of the upright picture, however the pixels are stored."""
    back = {5: 5, 6: 8, 7: 7, 8: 6}.get(orientation, orientation)
    stored = upright(quarters((600, 600)), back)
    master = with_segments(saved(stored, "JPEG", quality=95), exif_segment(exif({0x0112: orientation})))
    crop = opened(resize(master, {"crop": Box(200, 40)}, focus=focus)["crop"])
    left, right = crop.getpixel((2, 20)), crop.getpixel((197, 20))
    assert close(left, CORNERS[0.0, focus[1]])
    assert close(right, CORNERS[1.0, focus[1]])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_region_is_turned_like_its_picture(orientation: int) -> None:
    """A pixel's region maps to the same pixel in the stored picture."""
    stored = Image.new("L", (4, 4))
    stored.putdata(range(16))
    seen = upright(stored, orientation)
    for x in range(4):
        for y in range(4):
            left, top, right, bottom = stored_region((x / 4, y / 4, (x + 1) / 4, (y + 1) / 4), orientation)
            assert stored.getpixel((round(left * 4), round(top * 4))) == seen.getpixel((x, y))
            assert (round((right - left) * 4), round((bottom - top) * 4)) == (1, 1)


FRAMES = [
    (100, True, (100, 75)),
    (2000, True, (2000, 1500)),
    (2000, False, (800, 600)),
    (Box(400, 400), True, (400, 400)),
    (Box(1000, 1000), True, (1000, 1000)),
    (Box(1000, 1000), False, (600, 600)),
    (Box(1600, 400), False, (800, 200)),
    (Box(400, 400, inside=True), True, (400, 300)),
    (Box(100, 30, inside=True), True, (40, 30)),
    (Box(1600, 9000, inside=True), True, (1600, 1200)),
    (Box(1600, 9000, inside=True), False, (800, 600)),
]


@pytest.mark.parametrize(("wanted", "enlarge", "size"), FRAMES, ids=str)
def test_an_output_of_800_x_600_has_the_expected_size(wanted: int | Box, enlarge: bool, size: tuple[int, int]) -> None:  # noqa: FBT001
    """Widths, filled boxes and fitted boxes, enlarged or not; a crop that is not enlarged keeps its ratio."""
    assert frame_of((800, 600), wanted, enlarge=enlarge).size == size


@pytest.mark.parametrize("box", [Box(400, 300), Box(200, 300), Box(400, 100)], ids=str)
def test_a_crop_has_the_scale_of_its_picture(box: Box) -> None:
    """The whole picture at a crop's scale is as large as the crop on the side that is not cut."""
    assert frame_of((800, 600), box, enlarge=True).whole == (400, 300)


def test_a_crop_stays_within_the_picture() -> None:
    """A crop around a focal point near the edge stops at the edge; a picture of one pixel is accepted."""
    assert frame_of((800, 600), Box(300, 300), enlarge=True, focus=(0.95, 0.5)).region == (0.25, 0.0, 1.0, 1.0)
    assert frame_of((1, 1), Box(300, 100), enlarge=False).size == (1, 1)


@pytest.mark.parametrize("text", ["0.3", "1.1,0", "-0.1,0", "a,b", "0.3;0.7", "nan,0", "0.3,0.7,1", "1e-1,0"])
def test_an_invalid_focal_point_is_refused(text: str) -> None:
    """Text that is not two fractions from 0 to 1 raises an error that says what is expected."""
    with pytest.raises(ValueError, match=r"expected a focal point of two fractions from 0 to 1, such as 0\.3,0\.7"):
        focus_of(text)


def test_a_missing_focal_point_means_the_centre() -> None:
    """A missing focal point means the centre."""
    assert [focus_of(text) for text in (None, "", "0.3,0.7", " 1 , 0 ")] == [(0.5, 0.5), (0.5, 0.5), (0.3, 0.7), (1, 0)]


@pytest.mark.parametrize("text", ["400", "0x300", "400x", "400x300:outside", "400X300"])
def test_an_invalid_box_is_refused(text: str) -> None:
    """Text that is not WIDTHxHEIGHT is refused."""
    with pytest.raises(ValueError, match="expected WIDTHxHEIGHT"):
        Box.parse(text)
    assert Box.parse("400x300:inside") == Box(400, 300, inside=True)


@pytest.mark.parametrize("text", ["65501x1", "1x65501"])
def test_a_box_larger_than_a_jpeg_is_refused(text: str) -> None:
    """Each side has the limit of a JPEG."""
    with pytest.raises(ValueError, match=r"from 1 to 65,500 pixels a side, got (65501 x 1|1 x 65501)"):
        Box.parse(text)
    assert Box.parse("65500x65500").width == 65_500
