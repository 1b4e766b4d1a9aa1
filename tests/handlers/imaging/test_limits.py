"""Limits: each rejection names the limit, the value and the setting, before a pixel is decoded."""

import pytest

from handlers.errors import ImageTooLargeError
from handlers.imaging import Limits, convert, describe, open_picture, output_sizes, resize
from handlers.imaging.facts.rights import MAX_BLOCK_BYTES
from handlers.imaging.limits import capacity_bytes, pixels_that_fit

from .pictures import exif, exif_segment, jpeg, opened, photo, png, saved, segment, with_segments

MASTER = saved(photo((400, 300)), "PNG")


def test_pixels_are_bounded() -> None:
    """The message names the size, the limit and the setting."""
    with pytest.raises(ImageTooLargeError, match=r"119,999 pixels \(maxPixels\), got 400 x 300 = 120,000"):
        convert(MASTER, limits=Limits(max_pixels=119_999))
    assert convert(MASTER, limits=Limits(max_pixels=120_000))


def test_bytes_are_bounded() -> None:
    """The message names the limit and the setting."""
    with pytest.raises(ImageTooLargeError, match=r"100 bytes \(maxBytes\), got more"):
        convert(MASTER, limits=Limits(max_bytes=100))


def test_pixels_are_bounded_by_the_memory() -> None:
    """Where memory allows fewer pixels than the setting, the message says to raise the function's memory."""
    limits = Limits.for_memory(256, max_pixels=500_000_000)
    with pytest.raises(ImageTooLargeError, match=r"256 MB.*raise the function's memory"):
        convert(png((10_000, 10_000), 1, 0, [bytes(1250)] * 10_000), limits=limits)
    assert convert(MASTER, limits=limits)


def test_the_setting_applies_even_with_much_memory() -> None:
    """The smaller of the two limits applies."""
    with pytest.raises(ImageTooLargeError, match="maxPixels"):
        convert(MASTER, limits=Limits.for_memory(10_240, max_pixels=1000))


def test_more_memory_allows_more_pixels() -> None:
    """The pixel limit grows with memory, shrinks with the file's size, and is at least 1."""
    assert pixels_that_fit(512) < pixels_that_fit(1024) < pixels_that_fit(10_240)
    assert pixels_that_fit(1024, 50_000_000) < pixels_that_fit(1024)
    assert pixels_that_fit(64) == pixels_that_fit(1) == 1


def test_scans_are_bounded() -> None:
    """The message names the limit and the setting."""
    master = jpeg(progressive=True)
    with pytest.raises(ImageTooLargeError, match=r"5 scans \(maxScans\)"):
        convert(master, limits=Limits(max_scans=5))
    assert convert(master)


def test_segments_are_bounded() -> None:
    """APPn segments and comments are counted."""
    master = with_segments(jpeg(), *[segment(0xE4, b"x")] * 20)
    with pytest.raises(ImageTooLargeError, match=r"15 .*segments \(maxSegments\), got 16"):
        convert(master, limits=Limits(max_segments=15))
    assert convert(master)


@pytest.mark.parametrize(
    ("master", "width", "size"),
    [
        ((10, 100), 20, (20, 200)),
        ((10, 101), 20, (20, 200)),
        ((20, 400), 20, (10, 200)),
        ((1, 60_000), 1000, (1, 10_000)),
    ],
)
def test_an_output_fits_a_box_ten_times_as_high_as_wide(
    master: tuple[int, int], width: int, size: tuple[int, int]
) -> None:
    """A tall picture gets narrower and keeps its aspect ratio, so a one-pixel column stays within the box."""
    rows = png(master, 8, 0, [bytes(master[0])] * master[1])
    assert opened(resize(rows, {"a": width})["a"]).size == size


def test_outputs_are_bounded_by_the_memory() -> None:
    """Enlarged outputs count towards the memory, and are refused where they do not fit."""
    master = with_segments(jpeg(photo((100, 10))), exif_segment(exif({0x0112: 6})))
    picture = open_picture(master, Limits.for_memory(256))
    (size,) = output_sizes(picture, {"large": 400}, enlarge=True).values()
    assert picture.bytes_needed(size[0] * size[1]) >= 8 * 400 * 4000
    with pytest.raises(ImageTooLargeError, match=r"216 MB.*got 10,000,010 pixels.*change sizes"):
        resize(master, {"large": 1000, "none": 1}, limits=Limits.for_memory(256 - 40))
    with pytest.raises(ImageTooLargeError, match="885 MB of memory"):
        resize(master, {"large": 3000, "medium": 1000}, limits=Limits.for_memory(885))


def test_a_file_counts_twice_towards_the_memory_of_outputs() -> None:
    """Outputs that fit beside a small file may not fit beside a large one."""
    sizes, limits, most_bytes = {"a": (1000, 1000)}, Limits(memory_mb=256), capacity_bytes(256) - 8_000_000
    limits.check_outputs(sizes, 0, most_bytes // 2, 0)
    with pytest.raises(ImageTooLargeError, match="outputs that fit"):
        limits.check_outputs(sizes, 0, most_bytes // 2 + 1, 0)


def test_a_side_longer_than_a_jpeg_allows_is_refused() -> None:
    """The longest side is 65,500 pixels."""
    with pytest.raises(ImageTooLargeError, match=r"65,500 pixels.*65,501"):
        convert(png((65_501, 1), 8, 0, [bytes(65_501)]))
    assert convert(png((65_500, 1), 8, 0, [bytes(65_500)]))


def test_the_pixel_limit_does_not_apply_to_describe() -> None:
    """`describe` reads only the header, so the pixel limit does not apply."""
    assert describe(MASTER, limits=Limits(max_pixels=1)).width == 400


@pytest.mark.parametrize("value", [0, -1, 1.5, "9", None, True])
def test_a_limit_must_be_an_integer_of_at_least_one(value: object) -> None:
    """A limit that is not an integer of at least 1 raises ValueError."""
    with pytest.raises(ValueError, match="max_pixels"):
        Limits(max_pixels=value)  # type: ignore[arg-type]


def test_no_more_of_a_jpegs_metadata_is_kept_than_is_read() -> None:
    """A header may have 33 MB of segments; what is never read must not be in memory a second time."""
    resources = with_segments(jpeg(), segment(0xED, b"Photoshop 3.0\0" + bytes(65_000)) * 10)
    assert len(open_picture(resources, Limits()).header.iptc) < MAX_BLOCK_BYTES + 65_000
