"""Colour: embedded profiles are applied, CMYK is converted, broken profiles leave a warning."""

import struct

import pytest
from PIL import Image, ImageChops, ImageCms

from handlers.imaging import convert, describe, resize
from handlers.imaging.pixels.colour import KEPT_BYTES, _departure, is_srgb

from .pictures import (
    chunk,
    cmyk_profile,
    difference,
    gamma_profile,
    grey_profile,
    jpeg,
    opened,
    p3_profile,
    photo,
    png,
    saved,
    segment,
    with_segments,
)

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def _flat(mode: str, colour: object) -> Image.Image:
    return Image.new(mode, (32, 32), colour)  # type: ignore[arg-type]


def _middle(data: bytes) -> tuple[int, ...]:
    pixel = opened(data).getpixel((16, 16))
    return pixel if isinstance(pixel, tuple) else (int(pixel or 0),)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_wide_gamut_profile_is_applied(kind: str) -> None:
    """A Display P3 red gets the numbers in sRGB that show the same colour, which are more saturated."""
    master = saved(_flat("RGB", (200, 50, 50)), kind, icc_profile=p3_profile())
    red, green, blue = _middle(convert(master))
    assert (red, green, blue) == pytest.approx((219, 14, 35), abs=3)


def test_a_grey_profile_is_applied_and_grey_stays_grey() -> None:
    """Middle grey in linear light becomes bright grey in sRGB, still in one channel."""
    output = convert(saved(_flat("L", 128), "PNG", icc_profile=grey_profile(1.0)))
    assert opened(output).mode == "L"
    assert _middle(output)[0] == pytest.approx(188, abs=2)


@pytest.mark.parametrize("profile", [grey_profile(1.0), gamma_profile(1.0)], ids=["grey", "RGB"])
def test_dark_greys_are_converted_exactly(profile: bytes) -> None:
    """The darkest levels of linear light are far apart in sRGB, and none is interpolated."""
    levels = [_middle(convert(saved(_flat("L", level), "PNG", icc_profile=profile)))[0] for level in (1, 2, 4)]
    assert levels == pytest.approx([13, 22, 34], abs=1)


def test_an_rgb_profile_is_applied_to_a_grey_picture() -> None:
    """Browsers do so too; the picture stays grey."""
    output = convert(saved(_flat("L", 128), "JPEG", icc_profile=gamma_profile(1.0)))
    assert opened(output).mode == "L"
    assert _middle(output)[0] == pytest.approx(188, abs=2)
    assert output.warnings == ()


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_an_rgb_profile_of_unequal_curves_tints_a_grey_picture(kind: str) -> None:
    """A scanner's or monitor's curves differ; browsers show its greys in colour, and so does every size."""
    linear = b"curv\0\0\0\0" + struct.pack(">IH", 1, 256)
    grey = saved(_flat("L", 128), kind, icc_profile=p3_profile({b"rTRC": linear}))
    colour = saved(_flat("RGB", (128, 128, 128)), kind, icc_profile=p3_profile({b"rTRC": linear}))
    assert max(_middle(convert(colour))) - min(_middle(convert(colour))) > 40
    assert _middle(convert(grey)) == pytest.approx(_middle(convert(colour)), abs=2)
    assert _middle(resize(grey, {"small": 40})["small"]) == pytest.approx(_middle(convert(colour)), abs=2)


def test_a_grey_jpeg_with_an_srgb_profile_is_copied() -> None:
    """Cameras write one, and it changes no level."""
    output = convert(saved(photo(mode="L"), "JPEG", icc_profile=SRGB))
    assert output.copied
    assert output.warnings == ()


def test_a_cmyk_profile_is_applied() -> None:
    """No ink is white, and full cyan comes from the profile's table, not from a formula."""
    paper = convert(saved(_flat("CMYK", (0, 0, 0, 0)), "JPEG", quality=100, icc_profile=cmyk_profile()))
    ink = convert(saved(_flat("CMYK", (255, 0, 0, 0)), "JPEG", quality=100, icc_profile=cmyk_profile()))
    assert _middle(paper) == pytest.approx((255, 255, 255), abs=2)
    assert _middle(ink) == pytest.approx((74, 58, 0), abs=4)


def test_cmyk_without_a_profile_is_not_inverted() -> None:
    """Adobe's inverted CMYK without a profile is converted by Pillow's formula: cyan stays cyan."""
    assert _middle(convert(saved(_flat("CMYK", (255, 0, 0, 0)), "JPEG", quality=100))) == pytest.approx(
        (0, 255, 255), abs=3
    )


def test_cmyk_without_the_adobe_marker_counts_as_inverted_too() -> None:
    """Pillow, libvips and browsers treat every CMYK JPEG as inverted, as Adobe stores it."""
    master = saved(_flat("CMYK", (255, 0, 0, 0)), "JPEG", quality=100)
    marker = master.index(b"\xff\xee")
    assert _middle(convert(master[:marker] + master[marker + 16 :])) == pytest.approx((0, 255, 255), abs=3)


def test_ycck_has_the_colours_that_it_encodes() -> None:
    """An Adobe transform of 2 means YCCK: Y, Cb and Cr of the inverted picture, beside black."""
    coded = [ImageChops.invert(band) for band in ImageChops.invert(photo()).convert("YCbCr").split()]
    master = saved(Image.merge("CMYK", [*coded, Image.new("L", photo().size)]), "JPEG", quality=100, subsampling=0)
    marker = master.index(b"\xff\xee")
    assert master[marker + 15] == 0
    data = master[: marker + 15] + b"\2" + master[marker + 16 :]
    assert difference(opened(convert(data)), photo()) < 3


@pytest.mark.parametrize(
    "profile", [b"", b"junk", bytes(400), p3_profile()[:200], p3_profile()[:-40], cmyk_profile(), grey_profile()]
)
def test_a_broken_or_mismatched_profile_is_dropped_with_a_warning(profile: bytes) -> None:
    """A profile that cannot be applied is dropped with a warning; the pixels stay as they are."""
    body = b"ICC_PROFILE\0\1\1" + profile
    master = jpeg(quality=100)
    output = convert(master[:2] + segment(0xE2, body) + master[2:])
    assert difference(opened(output), photo()) < 3
    assert not profile or any("ICC" in warning for warning in output.warnings)


def test_a_profile_with_a_missing_part_leaves_a_warning() -> None:
    """A profile in two parts, one of them missing, is not applied."""
    master = jpeg()
    output = convert(master[:2] + segment(0xE2, b"ICC_PROFILE\0\1\2" + p3_profile()) + master[2:])
    assert any("missing" in warning for warning in output.warnings)


def test_parts_of_a_profile_are_joined_by_number() -> None:
    """Parts are joined by number, not by position."""
    profile, master = p3_profile(), jpeg(_flat("RGB", (200, 50, 50)), quality=100)
    first, second = profile[:200], profile[200:]
    parts = segment(0xE2, b"ICC_PROFILE\0\2\2" + second) + segment(0xE2, b"ICC_PROFILE\0\1\2" + first)
    assert _middle(convert(master[:2] + parts + master[2:])) == pytest.approx((219, 14, 35), abs=3)


def test_the_first_of_two_profiles_counts() -> None:
    """Another profile after it has the same numbers, and browsers ignore it."""
    first, second = (b"ICC_PROFILE\0\1\1" + profile for profile in (p3_profile(), gamma_profile(1.0)))
    output = convert(with_segments(jpeg(), segment(0xE2, first), segment(0xE2, second)))
    assert bytes(output) == bytes(convert(with_segments(jpeg(), segment(0xE2, first))))
    assert output.warnings == ()


@pytest.mark.parametrize("part", [b"", b"\1", b"\1\1", b"\1\0p"])
def test_a_profile_without_bytes_or_parts_leaves_a_warning(part: bytes) -> None:
    """It counts as missing."""
    output = convert(with_segments(jpeg(), segment(0xE2, b"ICC_PROFILE\0" + part)))
    assert any("parts of it are missing" in warning for warning in output.warnings)


def test_an_srgb_profile_changes_nothing_and_is_dropped() -> None:
    """A JPEG with an sRGB profile is copied without the profile."""
    output = convert(jpeg(quality=100, icc_profile=SRGB))
    assert output.copied
    assert "icc_profile" not in opened(output).info


def test_profiles_are_applied_to_sizes_too() -> None:
    """A resized P3 picture is in sRGB too."""
    master = saved(_flat("RGB", (200, 50, 50)), "PNG", icc_profile=p3_profile())
    assert _middle(resize(master, {"small": 40})["small"]) == pytest.approx((219, 14, 35), abs=3)


def test_the_profile_is_described_by_its_name() -> None:
    """The name comes from the profile's description, without loading LittleCMS."""
    assert describe(jpeg(icc_profile=p3_profile())).icc_profile == "PixelCascade test"
    assert describe(jpeg(icc_profile=SRGB)).icc_profile == "sRGB built-in"
    assert describe(jpeg()).icc_profile is None


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ({"skSK": "Všeobecný profil", "enUS": "Generic Profile", "deDE": "Profil"}, "Generic Profile"),
        ({"skSK": "Všeobecný profil", "enGB": "Generic Profile"}, "Generic Profile"),
        ({"skSK": "Všeobecný profil", "deDE": "Profil"}, "Všeobecný profil"),
        ({}, None),
    ],
)
def test_a_profile_with_names_in_several_languages_has_its_english_one(
    names: dict[str, str], expected: str | None
) -> None:
    """Apple's profiles have names in some thirty languages, English not first."""
    texts = [name.encode("utf-16-be") for name in names.values()]
    starts = [16 + 12 * len(texts) + sum(map(len, texts[:number])) for number in range(len(texts))]
    records = b"".join(
        language.encode() + struct.pack(">II", len(text), start)
        for language, text, start in zip(names, texts, starts, strict=True)
    )
    description = b"mluc" + struct.pack(">III", 0, len(texts), 12) + records + b"".join(texts)
    assert describe(jpeg(icc_profile=p3_profile({b"desc": description}))).icc_profile == expected


@pytest.mark.parametrize(
    "colours", [chunk(b"gAMA", struct.pack(">I", 100_000)), chunk(b"cICP", bytes((12, 13, 0, 1)))], ids=["gAMA", "cICP"]
)
def test_colours_without_a_profile_have_no_profiles_name(colours: bytes) -> None:
    """A profile that PixelCascade itself makes of a PNG's colours is not recorded as the picture's."""
    master = saved(photo(), "PNG")
    assert describe(master[:33] + colours + master[33:]).icc_profile is None


def test_a_grey_png_gives_a_grey_jpeg() -> None:
    """A grey PNG gives a grey JPEG."""
    assert opened(convert(png((8, 8), 8, 0, [bytes(8)] * 8))).mode == "L"


def test_an_overlong_profile_leaves_a_warning() -> None:
    """A profile of 6 MB, although its parts could hold 16 MB, is ignored with a warning."""
    part = b"ICC_PROFILE\0%c\x64" + p3_profile().ljust(60_000, b"\0")
    parts = b"".join(segment(0xE2, part % number) for number in range(1, 101))
    assert any("6,000,000 bytes" in warning for warning in convert(with_segments(jpeg(), parts)).warnings)


def test_large_profiles_are_not_cached() -> None:
    """Results are cached for small profiles only."""
    _departure.cache_clear()
    for size in (KEPT_BYTES, KEPT_BYTES + 1):
        is_srgb(p3_profile().ljust(size, b"\0"), "RGB")
    assert _departure.cache_info().currsize == 1


def test_a_jfif_header_that_is_too_short_does_not_count() -> None:
    """Decoders take the colours of a JPEG with a cut JFIF header from its other segments."""
    master = jpeg(keep_rgb=True)
    for reencode in ("when-needed", "always"):
        output = convert(with_segments(master, segment(0xE0, b"JFIF\0\1\1")), reencode=reencode)
        assert difference(opened(output), opened(master)) < 3
