"""WebP as an input format: detected, bounded, upright, in sRGB, on the background, and whole or refused."""

import io
import struct
from typing import Any

import pytest
from PIL import Image

from handlers.errors import BrokenImageError, ImageTooLargeError, NotAnImageError, UnsupportedFormatError
from handlers.imaging import Limits, Picture, convert, describe, open_picture, resize
from tests.handlers.imaging.pictures import (
    GREEN,
    RED,
    WHITE,
    corners,
    difference,
    exif,
    gamma_profile,
    opened,
    p3_profile,
    photo,
    saved,
)

FORMATS = ("jpeg", "png", "gif", "webp")
LIMITS = Limits()


def webp(data: bytes, **limits: int) -> Picture:
    return open_picture(data, Limits(**limits), formats=FORMATS)


def chunk(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def riff(*chunks: bytes) -> bytes:
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def extended(flags: int, width: int, height: int) -> bytes:
    sides = b"".join((side - 1).to_bytes(3, "little") for side in (width, height))
    return chunk(b"VP8X", bytes((flags, 0, 0, 0)) + sides)


def lossless(image: Image.Image, **options: Any) -> bytes:
    return saved(image, "WEBP", lossless=True, exact=True, **options)


@pytest.mark.parametrize("options", [{"quality": 95}, {"lossless": True}], ids=["lossy", "lossless"])
def test_a_webp_is_converted(options: dict[str, Any]) -> None:
    """The JPEG has the WebP's pixels and size."""
    jpeg = convert(webp(saved(photo(), "WEBP", **options)))
    assert difference(opened(jpeg), photo()) < 3
    assert jpeg.size == (160, 120)


def test_a_webp_is_resized() -> None:
    """Each size has its width and the master's aspect ratio."""
    sizes = resize(webp(lossless(photo())), {"small": 40, "large": 320})
    assert {name: opened(jpeg).size for name, jpeg in sizes.items()} == {"small": (40, 30), "large": (320, 240)}


def test_a_webp_is_described_by_its_chunks() -> None:
    """The facts come from the chunks, including EXIF after the pixels."""
    data = lossless(photo(), exif=exif({0x010F: b"Maker", 0x0112: 6}))
    facts = describe(webp(data))
    assert (facts.format, facts.width, facts.height, facts.mode, facts.has_alpha) == ("WEBP", 160, 120, "RGB", False)
    assert (facts.camera_make, facts.orientation, facts.frames) == ("Maker", 6, 1)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_webp_is_turned_upright(orientation: int) -> None:
    """Its EXIF orientation is applied, as for a JPEG."""
    data = lossless(corners(), exif=exif({0x0112: orientation}))
    expected = opened(convert(saved(corners(), "PNG", exif=exif({0x0112: orientation}))))
    assert difference(opened(convert(webp(data))), expected) == 0


def test_transparent_pixels_show_the_background() -> None:
    """A lossy picture has its alpha in a separate chunk, a lossless one in its pixels; both are applied."""
    image = Image.new("RGBA", (64, 48), (0, 0, 255, 0))
    image.paste((255, 0, 0, 255), (0, 0, 32, 48))
    for data in (lossless(image), saved(image, "WEBP", quality=100)):
        picture = webp(data)
        assert picture.header.has_alpha
        shown = opened(convert(picture, background=GREEN, subsampling="4:4:4"))
        assert difference(shown.crop((0, 0, 30, 48)), Image.new("RGB", (30, 48), RED)) < 3
        assert difference(shown.crop((34, 0, 64, 48)), Image.new("RGB", (30, 48), GREEN)) < 3


def test_a_profile_is_applied() -> None:
    """Colours are converted to sRGB as for a PNG."""
    expected = opened(convert(saved(photo(), "PNG", icc_profile=p3_profile())))
    assert difference(opened(convert(webp(lossless(photo(), icc_profile=p3_profile())))), expected) == 0


PROFILED, TRANSPARENT = 0x20, 0x10
PROFILE, OTHER_PROFILE = chunk(b"ICCP", p3_profile()), chunk(b"ICCP", gamma_profile(1.0))


@pytest.mark.parametrize(
    "chunks",
    [(PROFILE, OTHER_PROFILE, lossless(photo())[12:]), (lossless(photo())[12:], PROFILE)],
    ids=["the first of two", "after the picture"],
)
def test_a_profile_may_be_anywhere(chunks: tuple[bytes, ...]) -> None:
    """The first profile counts, even after the picture, as in libwebp."""
    expected = convert(webp(lossless(photo(), icc_profile=p3_profile())))
    output = convert(webp(riff(extended(PROFILED, *photo().size), *chunks)))
    assert bytes(output) == bytes(expected)
    assert output.warnings == ()


def test_a_profile_that_the_header_denies_leaves_a_warning() -> None:
    """Browsers ignore a profile without its flag."""
    output = convert(webp(riff(extended(0, *photo().size), PROFILE, lossless(photo())[12:])))
    assert bytes(output) == bytes(convert(webp(lossless(photo()))))
    assert any("the ICC profile was ignored" in warning for warning in output.warnings)


def test_opacity_that_the_header_denies_is_ignored() -> None:
    """Browsers show a lossy picture without the flag as opaque."""
    image = photo()
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    chunks = saved(image, "WEBP", exact=True)[12 + 18 :]
    assert describe(webp(riff(extended(TRANSPARENT, *image.size), chunks))).has_alpha
    denied = riff(extended(0, *image.size), chunks)
    assert not describe(webp(denied)).has_alpha
    assert difference(opened(convert(webp(denied))), photo()) < 4


def test_artist_and_copyright_are_kept_and_the_rest_is_dropped() -> None:
    """Artist and copyright are kept, from EXIF or XMP; the GPS position is not."""
    packet = b"<x><dc:creator><rdf:Seq><rdf:li>Ada</rdf:li></rdf:Seq></dc:creator></x>"
    jpeg = opened(convert(webp(lossless(photo(), exif=exif({0x8298: b"ACME"}, gps={1: b"N"}), xmp=packet))))
    assert dict(jpeg.getexif()) == {0x8298: "ACME", 0x013B: "Ada"}


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_metadata_may_come_before_or_after_the_picture(before: bool) -> None:  # noqa: FBT001
    """EXIF and XMP are read on both sides of the picture; the first of several counts."""
    packet = b"<x><dc:creator><rdf:Seq><rdf:li>Ada</rdf:li></rdf:Seq></dc:creator></x>"
    metadata = (
        chunk(b"EXIF", exif({0x0112: 6}))
        + chunk(b"EXIF", exif({0x0112: 3}))
        + chunk(b"XMP ", packet)
        + chunk(b"XMP ", b"")
    )
    plain = lossless(corners())[12:]
    data = riff(extended(12, 64, 48), *((metadata, plain) if before else (plain, metadata)))
    jpeg = opened(convert(webp(data)))
    assert (describe(webp(data)).orientation, jpeg.size, dict(jpeg.getexif())) == (6, (48, 64), {0x013B: "Ada"})


def test_an_animation_shows_its_first_frame_on_the_canvas() -> None:
    """The area outside the frame is background; all frames are counted."""
    plain = lossless(Image.new("RGB", (16, 8), RED))[12:]
    frame = struct.pack("<HBHB", 4, 0, 2, 0) + b"\x0f\0\0\x07\0\0" + bytes(4) + plain
    picture = webp(riff(extended(2, 40, 30), chunk(b"ANIM", bytes(6)), *[chunk(b"ANMF", frame)] * 3))
    assert describe(picture).frames == 3
    shown = opened(convert(picture, background=GREEN, subsampling="4:4:4"))
    assert shown.size == (40, 30)
    assert difference(shown.crop((9, 5, 23, 11)), Image.new("RGB", (14, 6), RED)) < 3
    assert difference(shown.crop((26, 14, 40, 30)), Image.new("RGB", (14, 16), GREEN)) < 3


def test_frames_are_counted_up_to_the_limit() -> None:
    """Above the limit, the picture counts as one frame, with a warning."""
    frames = [Image.new("RGB", (8, 8), (level, 0, 0)) for level in (0, 80, 160, 240)]
    data = lossless(frames[0], save_all=True, append_images=frames[1:])
    assert describe(webp(data)).frames == 4
    facts = describe(webp(data, max_frames=3))
    assert facts.frames == 1
    assert "more than the 3 frames" in facts.warnings[0]


@pytest.mark.parametrize("options", [{"quality": 90}, {"lossless": True}], ids=["lossy", "lossless"])
def test_a_truncated_webp_is_refused(options: dict[str, Any]) -> None:
    """A truncated file is refused wherever it ends, even if its chunk declares the shorter length."""
    data = saved(photo(), "WEBP", **options)
    kind, body = data[12:16], data[20:]
    for share in (0.05, 0.3, 0.6, 0.9):
        with pytest.raises(BrokenImageError):
            convert(webp(data[: int(share * len(data))]))
        with pytest.raises(BrokenImageError):
            convert(webp(riff(chunk(kind, body[: int(share * len(body))]))))


def test_a_bomb_is_refused_by_its_header() -> None:
    """A picture of 16,384 x 16,384 pixels is refused, and so is a canvas that its picture does not fill."""
    bits = 16_383 | 16_383 << 14
    bomb = riff(chunk(b"VP8L", b"\x2f" + struct.pack("<I", bits) + bytes(20)))
    with pytest.raises(ImageTooLargeError, match="maxPixels"):
        convert(webp(bomb))
    plain = lossless(photo())[12:]
    with pytest.raises(BrokenImageError, match="its canvas has 9000 x 9000 pixels, its picture 160 x 120"):
        webp(riff(extended(0, 9000, 9000), plain))
    frame = bytes(6) + b"\x9f\0\0\x77\0\0" + bytes(4) + plain
    picture = webp(riff(extended(2, 60_000, 60_000), chunk(b"ANMF", frame)))
    with pytest.raises(ImageTooLargeError, match="maxPixels"):
        convert(picture)


def test_a_frame_outside_the_canvas_is_refused() -> None:
    """A frame outside the canvas is refused before the canvas is allocated; the decoder would allocate it first."""
    plain = lossless(Image.new("RGB", (16, 8), RED))[12:]
    frame = b"\x0a\0\0" + bytes(3) + b"\x0f\0\0\x07\0\0" + bytes(4) + plain
    with pytest.raises(BrokenImageError, match="is not where its header says"):
        webp(riff(extended(2, 20, 20), chunk(b"ANMF", frame)))


def test_many_chunks_are_refused() -> None:
    """A file of nothing but chunks is read no further than `maxSegments`."""
    with pytest.raises(ImageTooLargeError, match="maxSegments"):
        webp(riff(extended(0, 8, 8), *[chunk(b"junk", b"")] * 1000))


@pytest.mark.parametrize("data", [riff(), riff(extended(0, 8, 8)), riff(chunk(b"VP8 ", bytes(10)))])
def test_a_webp_without_a_picture_is_refused(data: bytes) -> None:
    """A file without image data is refused."""
    with pytest.raises(BrokenImageError):
        webp(data)


def test_a_picture_longer_than_its_file_or_frame_is_refused() -> None:
    """Decoders read no further than the length of the file's or the frame's header."""
    plain = lossless(photo())
    size = len(plain) - 8 - 10
    with pytest.raises(BrokenImageError, match="its picture is longer than the file says"):
        webp(plain[:4] + size.to_bytes(4, "little") + plain[8:])
    frame = chunk(b"ANMF", bytes(6) + b"\x9f\0\0\x77\0\0" + bytes(4) + plain[12:-10])
    with pytest.raises(BrokenImageError, match="its picture is longer than the file says"):
        webp(riff(extended(2, 160, 120), frame, bytes(10)))


def test_a_webp_is_refused_unless_it_is_listed() -> None:
    """The message names the setting that allows it."""
    with pytest.raises(
        UnsupportedFormatError,
        match=r"^expected a JPEG, PNG or GIF, got a WebP picture: upload one of those, or add webp to inputFormats$",
    ):
        open_picture(lossless(photo()), LIMITS)


def test_a_default_format_can_be_left_out() -> None:
    """Only the listed formats are accepted."""
    with pytest.raises(
        UnsupportedFormatError, match=r"^expected a WebP, got a PNG picture: .* add png to inputFormats"
    ):
        open_picture(saved(photo(), "PNG"), LIMITS, formats=["webp"])
    with pytest.raises(NotAnImageError, match=r"^expected a JPEG, PNG, GIF or WebP, got text"):
        open_picture(b"Dear reader", LIMITS, formats=FORMATS)


def test_an_unknown_format_raises_value_error() -> None:
    """An unknown format name raises ValueError instead of rejecting the picture."""
    with pytest.raises(ValueError, match="expected formats among jpeg, png, gif, webp"):
        open_picture(io.BytesIO(b""), LIMITS, formats=["bmp"])


def test_a_webp_is_guarded() -> None:
    """A WebP is decoded in a child process only."""
    assert webp(lossless(Image.new("RGB", (8, 8), WHITE))).guarded


@pytest.mark.parametrize("lost", [1, 50, 105, 108])
def test_a_webp_cut_after_its_picture_leaves_a_warning(lost: int) -> None:
    """What the header counts is missing, but no pixel: all or a part of the last chunk, or its head."""
    whole = riff(extended(4, 160, 120), saved(photo(), "WEBP")[12:], chunk(b"XMP ", bytes(99)))
    output = convert(webp(whole[:-lost]))
    assert output.warnings == ("the WebP ends before the end that its header gives; its picture is whole",)
    assert bytes(output) == bytes(convert(webp(whole)))
