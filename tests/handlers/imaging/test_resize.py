"""Resizing: sizes, enlarging, and how close a reduced decode comes to a full one."""

import functools
import io
import math
from collections.abc import Callable

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFont, ImageStat

from handlers.imaging import Limits, open_picture, output_sizes, resize
from handlers.imaging.pixels.code_points import coded_profile
from handlers.imaging.pixels.reduction import grain, loses_detail, reduction, roughness
from handlers.imaging.render import rendered

from .noise import noise
from .pictures import jpeg, opened, p3_profile, photo, saved

WIDTHS = {"thumbnail": 100, "medium": 500, "large": 1000}


def psnr(one: Image.Image, other: Image.Image) -> float:
    """Return the peak signal-to-noise ratio in dB."""
    statistics = ImageStat.Stat(ImageChops.difference(one, other))
    error = sum(statistics.sum2) / sum(statistics.count)
    return 99.0 if error == 0 else 10 * math.log10(255**2 / error)


def test_sizes_are_widths_and_heights_follow() -> None:
    """4000 x 3000 gives 100 x 75, 500 x 375 and 1000 x 750."""
    outputs = resize(jpeg(photo((4000, 3000))), WIDTHS)
    assert {name: opened(output).size for name, output in outputs.items()} == {
        "thumbnail": (100, 75),
        "medium": (500, 375),
        "large": (1000, 750),
    }


def test_outputs_keep_the_requested_order() -> None:
    """The outputs keep the order of the names, whatever order they are made in."""
    assert list(resize(jpeg(), {"b": 20, "a": 40, "c": 10})) == ["b", "a", "c"]


def test_a_smaller_master_is_enlarged() -> None:
    """A master 160 pixels wide becomes 500 wide where that width is requested."""
    assert opened(resize(jpeg(), {"medium": 500})["medium"]).size == (500, 375)


def test_a_smaller_master_keeps_its_size_without_enlarge() -> None:
    """With `enlarge=False`, widths above the master's keep the master's size."""
    outputs = resize(jpeg(), WIDTHS, enlarge=False)
    assert [opened(output).size for output in outputs.values()] == [(100, 75), (160, 120), (160, 120)]


def test_heights_are_rounded_half_up_and_never_zero() -> None:
    """A line one pixel high keeps one row, and a height of 2.5 becomes 3."""
    for size, expected in (((1000, 1), (10, 1)), ((100, 25), (10, 3))):
        picture = open_picture(jpeg(photo(size)), Limits())
        assert output_sizes(picture, {"a": 10}, enlarge=True) == {"a": expected}


@pytest.mark.exhaustive
@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("size", [(2400, 1800), (1999, 1333), (4000, 3000), (333, 1000)])
def test_a_reduced_decode_keeps_the_quality(size: tuple[int, int], subsampling: int) -> None:
    """Each size has a PSNR of at least 45 dB against Lanczos on the full decode, for each subsampling and odd sizes."""
    master = jpeg(_detailed(size), subsampling=subsampling)
    full = opened(master)
    for name, output in resize(master, {"small": 60, "middle": 240, "wide": 480}).items():
        ours = opened(output)
        # Both go through the same encoder, so that its loss does not count.
        theirs = opened(jpeg(full.resize(ours.size, Image.Resampling.LANCZOS), quality=100, subsampling=2))
        assert psnr(ours, theirs) >= 45, name


@pytest.mark.exhaustive
@pytest.mark.parametrize(("primaries", "transfer"), [(12, 13), (1, 4), (9, 13), (9, 1), (1, 8), (9, 8)])
def test_colours_far_from_srgb_keep_their_quality(primaries: int, transfer: int) -> None:
    """Late conversion and reduced decodes keep a PSNR of 45 dB in Display P3, BT.2020 and linear light."""
    master = jpeg(_detailed((2400, 1800), sigma=4), icc_profile=coded_profile(primaries, transfer, grey=False))
    full = rendered(open_picture(master, Limits()), (255, 255, 255))
    for name, output in resize(master, {"small": 60, "middle": 240, "wide": 480, "wider": 800}).items():
        ours = opened(output)
        theirs = opened(jpeg(full.resize(ours.size, Image.Resampling.LANCZOS), quality=100, subsampling=2))
        assert psnr(ours, theirs) >= 45, name


def _stripes(step: int, filter_: Image.Resampling) -> Image.Image:
    """Return vertical stripes of opposite colours, sharp or soft."""
    stripes = Image.frombytes("RGB", (2, 1), bytes((255, 0, 0, 0, 255, 255)))
    row = Image.new("RGB", (480 // step, 1))
    for left in range(0, row.width, 2):
        row.paste(stripes, (left, 0))
    return row.resize((480, 120), filter_)


def _fading() -> Image.Image:
    image = photo((480, 120), "RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    return image


@pytest.mark.parametrize(
    ("image", "width"),
    [
        (_stripes(4, Image.Resampling.NEAREST), 130),
        (_stripes(12, Image.Resampling.BICUBIC), 40),
        (_fading(), 240),
    ],
    ids=["sharp edges", "much smaller", "transparent"],
)
def test_a_profile_is_applied_before_resampling_where_it_would_show(image: Image.Image, width: int) -> None:
    """Outputs have 45 dB against Lanczos on the converted master, whose colours mix otherwise than its profile's."""
    master = saved(image, "PNG", icc_profile=p3_profile())
    ours = opened(resize(master, {"only": width})["only"])
    full = rendered(open_picture(master, Limits()), (255, 255, 255))
    theirs = opened(jpeg(full.resize(ours.size, Image.Resampling.LANCZOS), quality=100, subsampling=2))
    assert psnr(ours, theirs) >= 45


def _detailed(size: tuple[int, int], sigma: int = 12) -> Image.Image:
    """Return a picture with pixel-level detail."""
    dust = noise(size, sigma)
    bands = [ImageChops.add(band, dust, 1, -128) for band in photo(size).split()]
    return Image.merge("RGB", bands)


def test_outputs_are_baseline_with_420() -> None:
    """Chroma is halved in both directions, and the file is not progressive."""
    output = opened(resize(jpeg(photo((800, 600)), subsampling=0, progressive=True), {"a": 100})["a"])
    assert output.layer[0][1:3] == (2, 2)  # type: ignore[attr-defined]
    assert "progressive" not in output.info


def test_a_lower_quality_gives_a_smaller_file() -> None:
    """A lower quality gives a smaller file."""
    master = jpeg(photo((800, 600)))
    assert len(resize(master, {"a": 400}, quality=30)["a"]) < len(resize(master, {"a": 400})["a"]) / 2


def test_a_png_is_resized_to_all_sizes() -> None:
    """A PNG, which has no reduced decode, is resized too."""
    outputs = resize(saved(photo((800, 600)), "PNG"), WIDTHS, limits=Limits())
    assert [opened(output).size for output in outputs.values()] == [(100, 75), (500, 375), (1000, 750)]


def test_a_reduced_page_of_text_keeps_its_quality() -> None:
    """Sharp edges keep a PSNR of 45 dB in a reduced decode."""
    page = Image.new("RGB", (2400, 1600), "white")
    draw = ImageDraw.Draw(page)
    for top in range(0, 1600, 50):
        draw.text((5, top), "The quick brown fox jumps over the lazy dog. " * 6, "black", ImageFont.load_default(32))
    master = jpeg(page, quality=75)
    ours = opened(resize(master, {"wide": 600})["wide"])
    full = opened(master).resize(ours.size, Image.Resampling.LANCZOS)
    assert psnr(ours, opened(jpeg(full, quality=100, subsampling=2))) >= 45


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("share", [1, 0.4])
def test_each_size_of_a_page_of_text_keeps_its_quality(kind: str, share: float) -> None:
    """Sharp edges keep a PSNR of 45 dB in every size, wherever on the page the text is."""
    page = Image.new("RGB", (1654, 2339), "white")
    draw = ImageDraw.Draw(page)
    for top in range(90, int(2339 * share), 34):
        draw.text((90, top), "The quick brown fox jumps over the lazy dog. " * 2, "black", ImageFont.load_default(22))
    master = saved(page, kind)
    full = Image.open(io.BytesIO(master)).convert("RGB")
    for name, output in resize(master, WIDTHS).items():
        ours = opened(output)
        theirs = opened(jpeg(full.resize(ours.size, Image.Resampling.LANCZOS), quality=100, subsampling=2))
        assert psnr(ours, theirs) >= 45, name


def _checkers(side: int) -> Image.Image:
    squares = Image.frombytes("L", (2, 2), b"\0\xff\xff\0").resize((2 * side, 2 * side), Image.Resampling.NEAREST)
    board = Image.new("RGB", (3000, 2000))
    for left in range(0, 3000, 2 * side):
        for top in range(0, 2000, 2 * side):
            board.paste(squares.convert("RGB"), (left, top))
    return board


def _chart() -> Image.Image:
    """Return a chart of thin lines on a grid, all of whose pixels are in pairs, as on a screen of double density."""
    chart = Image.new("RGB", (1500, 1000), "white")
    draw = ImageDraw.Draw(chart)
    for at in range(0, 1500, 50):
        draw.line([(at, 0), (at, 1000)], fill="silver")
        draw.line([(0, at), (1500, at)], fill="silver")
    for colour, phase in (("red", 0), ("blue", 1), ("green", 2)):
        points = [(x, 500 + 400 * math.sin(x / 100 + phase)) for x in range(0, 1500, 5)]
        draw.line(points, fill=colour, width=3)
    return chart.resize((3000, 2000), Image.Resampling.NEAREST)


DRAWINGS: dict[str, Callable[[], Image.Image]] = {
    **{f"checkers of {side}": functools.partial(_checkers, side) for side in (20, 80, 200)},
    "chart": _chart,
}


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("name", DRAWINGS)
def test_each_size_of_a_drawing_keeps_its_quality(name: str, kind: str) -> None:
    """Edges keep a PSNR of 45 dB in every size, even if all are at even pixels, or get dense only in a small size."""
    drawing = DRAWINGS[name]()
    master = jpeg(drawing, subsampling=0) if kind == "JPEG" else saved(drawing, kind, compress_level=1)
    full = Image.open(io.BytesIO(master)).convert("RGB")
    alone = {f"{size} alone": resize(master, {size: width})[size] for size, width in WIDTHS.items()}
    for size, output in {**resize(master, WIDTHS), **alone}.items():
        ours = opened(output)
        theirs = opened(jpeg(full.resize(ours.size, Image.Resampling.LANCZOS), quality=100, subsampling=2))
        assert psnr(ours, theirs) >= 45, size


@pytest.mark.parametrize(
    ("width", "factor"), [(1999, 1), (2799, 1), (2800, 2), (5599, 2), (5600, 4), (11_200, 8), (60_000, 8)]
)
def test_a_picture_is_reduced_as_far_as_its_outputs_allow(width: int, factor: int) -> None:
    """The factor is the largest that leaves at least 1.4 source pixels per output pixel."""
    assert reduction((width, width), (1000, 1000)) == factor


@pytest.mark.parametrize(
    ("widest", "rough", "loses"),
    [(1000, 6.3, False), (1000, 6.5, True), (700, 15.9, False), (700, 16.1, True), (150, 15.9, False)],
)
def test_a_tightly_reduced_picture_must_be_smooth(widest: int, rough: float, loses: bool) -> None:  # noqa: FBT001
    """The closer the largest output is in size to the reduced picture, the less detail that picture may have."""
    assert loses_detail(Image.new("RGB", (1400, 1400)), rough, (widest, widest)) == loses


@pytest.mark.exhaustive
@pytest.mark.parametrize("sigma", [8, 12, 16, 24])
def test_a_noisy_picture_keeps_its_quality(sigma: int) -> None:
    """A picture taken at high sensitivity is reduced no further than its noise allows."""
    master = jpeg(_detailed((2400, 1800), sigma), quality=95)
    full = opened(master)
    for width in (850, 800, 700, 600, 500, 240):
        ours = opened(resize(master, {"only": width})["only"])
        theirs = opened(jpeg(full.resize(ours.size, Image.Resampling.LANCZOS), quality=100, subsampling=2))
        assert psnr(ours, theirs) >= 44.8, width


def test_grain_measures_noise_and_ignores_edges() -> None:
    """Vertical and horizontal edges have no grain, and neither does a picture of 2 x 2 pixels."""
    lines = Image.new("L", (64, 64))
    lines.paste(255, (0, 0, 33, 64))
    assert grain(lines) == grain(lines.rotate(90)) == 0
    assert grain(noise((64, 64), 10)) == pytest.approx(5, rel=0.2)
    assert grain(Image.frombytes("L", (2, 2), b"\x00\xff\x00\x00")) == 0


def test_detail_makes_a_picture_rough() -> None:
    """Pixel-level noise is rougher than a gradient."""
    assert roughness(photo((800, 600))) < roughness(_detailed((800, 600)))


@pytest.mark.parametrize("left", [0, 1])
def test_edges_at_all_columns_make_a_picture_rough(left: int) -> None:
    """Edges at even columns count as those at odd ones do."""
    lines = Image.new("L", (800, 600))
    for column in range(left, 800, 20):
        lines.paste(255, (column, 0, column + 10, 600))
    assert roughness(lines) == pytest.approx(40, abs=2)


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (2, 9), (3, 2)])
def test_tiny_pictures_have_a_roughness(size: tuple[int, int]) -> None:
    """Sampling stays within the picture."""
    assert roughness(photo((64, 64)).resize(size)) >= 0
