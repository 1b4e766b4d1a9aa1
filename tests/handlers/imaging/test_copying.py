"""Copying: which masters are copied, what a copy keeps, and that it is as strict as decoding."""

from typing import Any

import pytest
from PIL import Image

from handlers.errors import BrokenImageError
from handlers.imaging import convert, describe
from handlers.imaging.pixels.colour import MAX_DIFFERENCE, departure

from .pictures import (
    GPS,
    camera_profile,
    difference,
    exif,
    exif_segment,
    gamma_profile,
    grey_profile,
    jpeg,
    opened,
    p3_profile,
    photo,
    saved,
    segment,
    with_segments,
)

RICH = with_segments(
    jpeg(),
    exif_segment(exif({0x010F: b"Maker", 0x013B: b"An Artist", 0x8298: b"(c) Somebody"}, gps=GPS)),
    segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>secret</x:xmpmeta>"),
    segment(0xED, b"Photoshop 3.0\0secret"),
    segment(0xFE, b"secret comment"),
)


def test_a_copy_decodes_to_the_masters_pixels() -> None:
    """The coded pixels are copied bit for bit."""
    output = convert(RICH)
    assert output.copied
    assert opened(output).tobytes() == opened(RICH).tobytes()


def test_a_copy_has_no_metadata_but_artist_and_copyright() -> None:
    """Position, camera, XMP, Photoshop blocks and comments are dropped; the two rights tags are kept."""
    output = opened(convert(RICH))
    assert dict(output.getexif()) == {0x013B: "An Artist", 0x8298: "(c) Somebody"}
    assert b"secret" not in bytes(convert(RICH))
    assert describe(convert(RICH), gps=True).gps is None


def test_a_copy_without_rights_has_no_exif() -> None:
    """Without artist or copyright, no EXIF segment is written."""
    output = convert(with_segments(jpeg(), exif_segment(exif({0x010F: b"Maker"}, gps=GPS))))
    assert output.copied
    assert b"Exif" not in bytes(output)


def test_reencoding_keeps_the_same_metadata() -> None:
    """A re-encoded output has the two rights tags and nothing else."""
    output = convert(RICH, reencode="always")
    assert not output.copied
    assert dict(opened(output).getexif()) == {0x013B: "An Artist", 0x8298: "(c) Somebody"}
    assert b"secret" not in bytes(output)


@pytest.mark.parametrize("jfif", [True, False])
def test_rights_and_a_comment_follow_the_jfif_header(jfif: bool) -> None:  # noqa: FBT001
    """They come after the JFIF header or, without one, first; the pixels are unchanged."""
    rights = exif_segment(exif({0x013B: b"An Artist"}))
    master = jpeg()
    output = convert(master[:20] + rights + master[20:] if jfif else master[:2] + rights + master[20:])
    assert output[20 if jfif else 2 :].startswith(b"\xff\xe1")
    commented = output.with_comment("text")
    assert commented[20 if jfif else 2 :].startswith(b"\xff\xfe\0\6text\xff\xe1")
    assert opened(commented).tobytes() == opened(master).tobytes()


def test_the_jfif_thumbnail_is_dropped() -> None:
    """The copy has no JFIF thumbnail, which may show what was cropped away."""
    master = jpeg()
    thumbnail = b"JFIF\0\1\2\1\0\x48\0\x48\2\2" + b"secret pixel"
    start = 4 + int.from_bytes(master[4:6], "big")
    output = convert(master[:2] + segment(0xE0, thumbnail) + master[start:])
    assert output.copied
    assert b"secret" not in bytes(output)
    assert opened(output).info["dpi"] == (72, 72)


@pytest.mark.parametrize(
    "options", [{"progressive": True}, {"subsampling": 0}, {"subsampling": 1}, {"quality": 30}, {"optimize": True}]
)
def test_progressive_and_other_encodings_are_copied(options: dict[str, Any]) -> None:
    """Progressive JPEGs and other subsamplings and qualities are copied rather than re-encoded."""
    assert convert(jpeg(**options)).copied


def test_a_grey_jpeg_is_copied() -> None:
    """An 8-bit grey JPEG needs no re-encoding."""
    assert convert(jpeg(photo(mode="L"))).copied


def _without_huffman_tables(master: bytes) -> bytes:
    """Return the JPEG as motion JPEG has its frames: decoders take the standard's tables."""
    start, end = master.index(b"\xff\xc4"), master.index(b"\xff\xda")
    return master[:start] + master[end:]


MOTION_JPEG = _without_huffman_tables(jpeg())


@pytest.mark.parametrize(
    "master",
    [
        with_segments(jpeg(), exif_segment(exif({0x0112: 6}))),
        jpeg(photo(mode="L"), icc_profile=grey_profile()),
        jpeg(photo(mode="CMYK")),
        jpeg(keep_rgb=True),
        MOTION_JPEG,
        saved(photo(), "PNG"),
    ],
    ids=["turned", "grey profile", "CMYK", "RGB JPEG", "motion JPEG", "PNG"],
)
def test_a_master_that_has_to_change_is_re_encoded(master: bytes) -> None:
    """A master that is turned, in another colour space or format, or without Huffman tables is re-encoded."""
    assert not convert(master).copied


def test_reencode_always_copies_nothing() -> None:
    """`reencode="always"` copies nothing."""
    assert not convert(jpeg(), reencode="always").copied


def test_a_copy_stops_at_the_end_marker() -> None:
    """Data after the end-of-image marker are not copied."""
    output = convert(jpeg() + b"PK\3\4<script>payload</script>")
    assert output.copied
    assert b"payload" not in bytes(output)
    assert output.endswith(b"\xff\xd9")


def test_junk_between_segments_is_not_copied() -> None:
    """Decoders skip bytes between segments; the copy leaves them out."""
    master = jpeg()
    output = convert(master[:2] + segment(0xFE, b"x") + b"<html>payload" + master[2:])
    assert b"payload" not in bytes(output)
    assert opened(output).tobytes() == opened(master).tobytes()


def test_a_truncated_jpeg_is_refused_rather_than_copied() -> None:
    """Truncated coded data are refused whether they would be copied or re-encoded, even with an end marker."""
    short = jpeg()[:-400] + b"\xff\xd9"
    for reencode in ("when-needed", "always"):
        with pytest.raises(BrokenImageError, match="truncated"):
            convert(short, reencode=reencode)


def test_a_missing_end_marker_is_added_with_a_warning() -> None:
    """The copy gets the end-of-image marker that the master lacks, and a warning."""
    master = jpeg()
    output = convert(master[:-2])
    assert output.copied
    assert output == convert(master)
    assert any("end-of-image" in warning for warning in output.warnings)


@pytest.mark.parametrize("colour", [0, 77, 255])
def test_a_flat_grey_picture_is_not_taken_for_a_truncated_one(colour: int) -> None:
    """A flat picture is copied, whatever its grey level and size."""
    for size in ((1, 1), (8, 8), (17, 3), (500, 500)):
        assert convert(jpeg(Image.new("L", size, colour))).copied


def test_a_picture_with_a_cameras_srgb_profile_is_copied() -> None:
    """A profile one level off sRGB, as those in cameras' files, counts as sRGB: the copy leaves it out."""
    found = departure(camera_profile(), "RGB")
    assert found
    assert 0 < found.largest <= MAX_DIFFERENCE
    output = convert(jpeg(icc_profile=camera_profile()))
    assert output.copied
    assert output == convert(jpeg())


@pytest.mark.parametrize("profile", [p3_profile(), gamma_profile()], ids=["Display P3", "gamma of 2.2"])
def test_a_picture_with_another_colour_profile_is_re_encoded(profile: bytes) -> None:
    """A profile that is more than two levels off sRGB is applied to the pixels."""
    output = convert(jpeg(icc_profile=profile))
    assert not output.copied
    assert difference(opened(output), photo()) > 1
