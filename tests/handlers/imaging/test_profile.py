"""A PNG's colour spaces, given by code points or by gamma and primaries, are rendered as in browsers."""

import struct
import zlib

import pytest
from PIL import Image

from handlers.imaging import convert
from handlers.imaging.pixels.code_points import CURVES, PRIMARIES, coded_profile
from handlers.imaging.pixels.hdr import HDR_TRANSFERS
from handlers.imaging.pixels.profile import SRGB, build_profile

from .pictures import chunk, opened, p3_profile, saved

LEVELS = (100, 150, 200)
P3_IN_SRGB = (83, 152, 205)
CHRM = struct.pack(">8I", 31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000)


def _shown(*chunks: bytes, levels: tuple[int, ...] = LEVELS) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Return the converted colour of a flat PNG with extra chunks, and the warnings."""
    mode = "RGB" if len(levels) > 1 else "L"
    file = saved(Image.new(mode, (16, 16), levels if mode == "RGB" else levels[0]), "PNG")
    output = convert(file[:33] + b"".join(chunks) + file[33:])
    found = opened(output).getpixel((8, 8))
    return (found if isinstance(found, tuple) else (int(found or 0),)), output.warnings


def _near(one: tuple[int, ...], other: tuple[int, ...], most: int = 3) -> bool:
    return max(abs(a - b) for a, b in zip(one, other, strict=True)) <= most


def test_display_p3_by_code_points_is_converted_to_srgb() -> None:
    """CICP 12 and 13, which phones write, match LittleCMS's figures for Apple's own profile."""
    found, warnings = _shown(chunk(b"cICP", bytes((12, 13, 0, 1))))
    assert _near(found, P3_IN_SRGB)
    assert warnings == ()


def test_srgb_by_code_points_is_left_unchanged() -> None:
    """CICP 1 and 13 means sRGB, whatever the file's other chunks say."""
    found, warnings = _shown(chunk(b"cICP", bytes((1, 13, 0, 1))), chunk(b"gAMA", struct.pack(">I", 100_000)))
    assert _near(found, LEVELS)
    assert warnings == ()


def test_bt2020_is_clipped_to_srgb() -> None:
    """A saturated green is clipped to sRGB's green."""
    green, _ = _shown(chunk(b"cICP", bytes((9, 14, 0, 1))), levels=(0, 255, 0))
    assert max(green[0], green[2]) <= 3
    assert green[1] >= 252


@pytest.mark.parametrize(
    ("primaries", "shown"),
    [
        (4, (37, 155, 204)),
        (5, (97, 150, 200)),
        (6, (105, 150, 200)),
        (7, (105, 150, 200)),
        (8, (72, 151, 204)),
        (9, (0, 154, 205)),
        (11, (88, 151, 205)),
        (12, (83, 152, 205)),
        (22, (98, 151, 200)),
    ],
)
def test_primaries_by_code_points_are_those_of_browsers(primaries: int, shown: tuple[int, ...]) -> None:
    """Each colour is what Chromium 156 shows."""
    found, warnings = _shown(chunk(b"cICP", bytes((primaries, 13, 0, 1))))
    assert _near(found, shown)
    assert warnings == ()


@pytest.mark.parametrize(
    ("transfer", "shown"),
    [
        *((code, (54, 121, 189)) for code in (1, 6, 11, 14, 15)),
        (5, (40, 106, 179)),
        (7, (81, 141, 199)),
        (17, (48, 118, 191)),
    ],
)
def test_curves_by_code_points_are_those_of_browsers(transfer: int, shown: tuple[int, ...]) -> None:
    """Pictures for television are shown by the curve of its displays, as in Chromium 156."""
    found = [_shown(chunk(b"cICP", bytes((1, transfer, 0, 1))), levels=(level,) * 3)[0][0] for level in (64, 128, 192)]
    assert _near(tuple(found), shown, 2)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ((99, 13, 0, 1), "its colours of code 99, 13 are not known"),
        ((9, 10, 0, 1), "its colours of code 9, 10 are not known"),
        ((12, 13, 1, 1), "it says that its samples are not RGB in full range"),
        ((12, 13, 0, 0), "it says that its samples are not RGB in full range"),
    ],
)
def test_unsupported_code_points_leave_a_warning(code: tuple[int, ...], reason: str) -> None:
    """Other matrices, limited range and unknown codes are ignored with a warning that says why."""
    found, warnings = _shown(chunk(b"cICP", bytes(code)))
    assert _near(found, LEVELS)
    assert warnings == (f"the cICP chunk was ignored: {reason}",)


@pytest.mark.parametrize("chrm", [b"", CHRM], ids=["gamma alone", "gamma and primaries"])
def test_a_gamma_changes_the_levels(chrm: bytes) -> None:
    """A gamma of 1.8 gives brighter sRGB levels; missing primaries default to sRGB's."""
    chunks = [chunk(b"gAMA", struct.pack(">I", 55_556)), *([chunk(b"cHRM", chrm)] if chrm else [])]
    found, warnings = _shown(*chunks)
    assert found[0] > LEVELS[0] + 10
    assert warnings == ()
    grey, _ = _shown(*chunks, levels=(128,))
    assert _near(grey, (146,))


def test_code_points_change_greys_by_their_curve_alone() -> None:
    """Primaries do not matter to greys; linear light makes them as bright as the same colours are."""
    linear, _ = _shown(chunk(b"cICP", bytes((9, 8, 0, 1))), levels=(128,))
    assert _near(linear, _shown(chunk(b"cICP", bytes((1, 8, 0, 1))), levels=(128, 128, 128))[0][:1])
    assert _near(linear, (188,))
    assert _near(_shown(chunk(b"cICP", bytes((9, 13, 0, 1))), levels=(128,))[0], (128,), 0)


@pytest.mark.parametrize("gamma", [43_500, 45_000, 45_455, 45_500])
def test_a_gamma_of_2_2_counts_as_srgb(gamma: int) -> None:
    """A gamma of 1 / 2.2 counts as sRGB, which most programs mean by it."""
    assert _near(_shown(chunk(b"gAMA", struct.pack(">I", gamma)))[0], LEVELS)


def test_a_gamma_with_primaries_is_used_as_it_is() -> None:
    """Browsers show dark levels of a gamma of 2.2 darker than sRGB's, if the primaries are given too."""
    chunks = [chunk(b"gAMA", struct.pack(">I", 45_455)), chunk(b"cHRM", CHRM)]
    assert _near(_shown(*chunks, levels=(20,) * 3)[0], (12,) * 3, 1)


def test_primaries_of_a_wrong_length_are_ignored() -> None:
    """The gamma counts, as in browsers, and a warning names the primaries."""
    found, warnings = _shown(chunk(b"gAMA", struct.pack(">I", 100_000)), chunk(b"cHRM", CHRM[:20]), levels=(128,) * 3)
    assert _near(found, (188,) * 3)
    assert any("cHRM" in warning for warning in warnings)


@pytest.mark.parametrize("intent", [b"\7", b""], ids=["unknown", "empty"])
def test_an_invalid_srgb_chunk_is_ignored(intent: bytes) -> None:
    """It does not count, and gAMA does, as in browsers."""
    found, _ = _shown(chunk(b"sRGB", intent), chunk(b"gAMA", struct.pack(">I", 100_000)), levels=(128,))
    assert _near(found, (188,))


@pytest.mark.parametrize(
    "profile",
    [
        b"x\0\0junk",
        b"x\0\1" + zlib.compress(p3_profile()),
        b"x" * 80 + b"\0\0" + zlib.compress(p3_profile()),
        b"x\0\0" + zlib.compress(bytes(500)),
    ],
    ids=["damaged", "unknown compression", "long name", "not a profile"],
)
def test_a_gamma_counts_if_the_profile_is_ignored(profile: bytes) -> None:
    """A profile that cannot be read leaves a warning, and the next chunk that describes the colours counts."""
    found, warnings = _shown(chunk(b"iCCP", profile), chunk(b"gAMA", struct.pack(">I", 100_000)), levels=(128,) * 3)
    assert _near(found, (188,) * 3)
    assert any("ICC profile was ignored" in warning for warning in warnings)


def test_code_points_after_the_palette_are_ignored_with_a_warning() -> None:
    """The specification wants them before the palette, and browsers ignore them there."""
    master = saved(Image.new("RGB", (16, 16), LEVELS).quantize(2), "PNG")
    place = master.index(b"IDAT") - 4
    output = convert(master[:place] + chunk(b"cICP", bytes((12, 13, 0, 1))) + master[place:])
    assert _near(opened(output).getpixel((8, 8)), LEVELS)  # type: ignore[arg-type]
    assert output.warnings == ("the cICP chunk was ignored: it comes after the palette",)


def test_a_profile_after_the_palette_is_applied() -> None:
    """The specification wants it before the palette, but Chromium applies it there too."""
    master = saved(Image.new("RGB", (16, 16), LEVELS).quantize(2), "PNG")
    profile = chunk(b"iCCP", b"a\0\0" + zlib.compress(p3_profile()))
    before, after = (
        convert(master[:place] + profile + master[place:])
        for place in (master.index(b"PLTE") - 4, master.index(b"IDAT") - 4)
    )
    assert not after.warnings
    assert opened(before).getpixel((8, 8)) == opened(after).getpixel((8, 8)) != LEVELS


def test_an_srgb_chunk_overrides_a_gamma_chunk() -> None:
    """A file with both chunks is sRGB."""
    found, _ = _shown(chunk(b"sRGB", b"\0"), chunk(b"gAMA", struct.pack(">I", 100_000)))
    assert _near(found, LEVELS)


@pytest.mark.parametrize(
    "chunks",
    [
        [chunk(b"gAMA", bytes(4))],
        [chunk(b"gAMA", struct.pack(">I", 1))],
        [chunk(b"gAMA", struct.pack(">I", 50_000)), chunk(b"cHRM", bytes(32))],
        [chunk(b"gAMA", struct.pack(">I", 50_000)), chunk(b"cHRM", CHRM[:8] * 4)],
        [chunk(b"gAMA", struct.pack(">I", 50_000)), chunk(b"cHRM", CHRM[:8] + b"\xff" * 4 + CHRM[12:])],
    ],
)
@pytest.mark.parametrize("levels", [LEVELS, (128,)], ids=["colours", "greys"])
def test_invalid_gamma_and_primaries_leave_a_warning(chunks: list[bytes], levels: tuple[int, ...]) -> None:
    """The picture is converted as if the chunks were absent, as in browsers."""
    found, warnings = _shown(*chunks, levels=levels)
    assert _near(found, levels)
    assert any("gAMA" in warning for warning in warnings)


def test_a_profile_built_for_srgb_changes_no_colours() -> None:
    """A profile built from sRGB's primaries and curve leaves colours unchanged."""
    profile = build_profile(SRGB, CURVES[13], grey=False)
    file = saved(Image.new("RGB", (16, 16), LEVELS), "PNG", icc_profile=profile)
    assert _near(opened(convert(file)).getpixel((8, 8)), LEVELS, 2)  # type: ignore[arg-type]


def test_every_combination_of_code_points_has_a_profile() -> None:
    """Every combination of primaries and curve has a profile."""
    transfers = (*CURVES, *HDR_TRANSFERS)
    assert all(
        coded_profile(p, t, grey=grey) is not None for p in PRIMARIES for t in transfers for grey in (True, False)
    )


NITS_400, NITS_2000 = (struct.pack(">I", nits * 10_000) + bytes(4) for nits in (400, 2_000))
SCREEN_400, SCREEN_2000 = (chunk(b"mDCV", bytes(16) + light) for light in (NITS_400, NITS_2000))
LIGHT_400, NO_LIGHT = chunk(b"cLLI", NITS_400), chunk(b"cLLI", bytes(8))


@pytest.mark.parametrize(
    ("transfer", "levels", "shown"),
    [
        (16, (96, 96, 96), (70, 70, 70)),
        (16, (148, 148, 148), (187, 187, 187)),
        (16, (170, 170, 170), (229, 229, 229)),
        (16, (160, 160, 160), (213, 213, 213)),
        (16, (220, 220, 220), (255, 255, 255)),
        (16, (150, 100, 60), (237, 34, 0)),
        (16, (60, 90, 150), (0, 61, 202)),
        (16, (180, 170, 120), (255, 201, 44)),
        (16, (96,), (70,)),
        (18, (96, 96, 96), (71, 71, 71)),
        (18, (170, 170, 170), (150, 150, 150)),
        (18, (224, 224, 224), (228, 228, 228)),
        (18, (150, 100, 60), (136, 70, 38)),
        (18, (60, 90, 150), (0, 67, 115)),
        (18, (180, 170, 120), (175, 149, 92)),
        (18, (170,), (150,)),
    ],
)
def test_hdr_is_shown_as_by_browsers(transfer: int, levels: tuple[int, ...], shown: tuple[int, ...]) -> None:
    """Each colour, in BT.2020 with PQ or HLG, is what Chromium 156 shows on a screen of standard range."""
    found, warnings = _shown(chunk(b"cICP", bytes((9, transfer, 0, 1))), levels=levels)
    assert _near(found, shown, 1 if len(set(levels)) == 1 else 5)
    assert warnings == ()


@pytest.mark.parametrize(
    ("codes", "shown"),
    [
        ((9, 16, 0, 1), (237, 34, 0)),
        ((9, 18, 0, 1), (136, 70, 38)),
        ((9, 16, 9, 1), (160, 97, 48)),
        ((9, 16, 0, 0), (160, 97, 48)),
    ],
    ids=["PQ", "HLG", "another matrix", "limited range"],
)
def test_hdr_by_a_profiles_code_points_is_shown_as_by_browsers(codes: tuple[int, ...], shown: tuple[int, ...]) -> None:
    """PQ and HLG in a profile's cicp tag count before its curves, if for RGB in full range, as in Chromium 156."""
    profile = p3_profile({b"cicp": b"cicp\0\0\0\0" + bytes(codes)})
    found, warnings = _shown(chunk(b"iCCP", b"a\0\0" + zlib.compress(profile)), levels=(150, 100, 60))
    assert _near(found, shown, 5)
    assert warnings == ()


@pytest.mark.parametrize(
    ("lights", "shown"),
    [
        ([LIGHT_400], (88, 228)),
        ([SCREEN_400], (88, 228)),
        ([NO_LIGHT, SCREEN_400], (88, 228)),
        ([LIGHT_400, SCREEN_2000], (88, 228)),
        ([SCREEN_2000], (70, 186)),
        ([chunk(b"cLLI", NITS_400[:4])], (70, 187)),
    ],
    ids=["light", "screen", "screen, light unknown", "light and screen", "bright screen", "a chunk of 4 bytes"],
)
def test_the_brightest_light_decides_how_hdr_is_dimmed(lights: list[bytes], shown: tuple[int, int]) -> None:
    """Each grey is what Chromium 156 shows; the picture's light counts before its author's screen."""
    found = [_shown(chunk(b"cICP", bytes((9, 16, 0, 1))), *lights, levels=(level,))[0][0] for level in (96, 148)]
    assert _near(tuple(found), shown, 2)


@pytest.mark.parametrize(
    ("transfer", "lights", "levels", "shown"),
    [
        (16, [], (231, 190, 150), (255, 102, 36)),
        (16, [], (207, 217, 211), (189, 255, 230)),
        (16, [], (200, 220, 180), (124, 255, 110)),
        (16, [LIGHT_400], (170, 190, 180), (114, 255, 214)),
        (18, [LIGHT_400], (250, 220, 200), (255, 183, 154)),
    ],
)
def test_light_above_the_peak_keeps_its_hue(
    transfer: int, lights: list[bytes], levels: tuple[int, ...], shown: tuple[int, ...]
) -> None:
    """Each colour, brighter than the picture says or than the usual peak, is what Chromium 156 shows, not white."""
    found, _ = _shown(chunk(b"cICP", bytes((9, transfer, 0, 1))), *lights, levels=levels)
    assert _near(found, shown, 5)


def test_a_dark_hdr_picture_is_not_dimmed() -> None:
    """A picture whose brightest light is below white has full contrast up to white."""
    light = chunk(b"cLLI", struct.pack(">II", 1_000_000, 0))
    greys = [_shown(chunk(b"cICP", bytes((9, 16, 0, 1))), light, levels=(level,))[0][0] for level in (96, 160, 255)]
    assert _near(tuple(greys), (98, 255, 255), 2)
