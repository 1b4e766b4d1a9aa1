"""Files with all their pixels are accepted, with a warning where they are damaged; files that lack some are refused."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from components.stack_file import ROOT
from handlers.errors import BrokenImageError, ImageTooLargeError
from handlers.imaging import convert, describe, resize
from handlers.imaging.formats.jpeg_markers import without_zeros

from .pictures import chunk, difference, gif, gif_frame, jpeg, lossless_jpeg, opened, photo, saved, segment

EOI = b"\xff\xd9"
SIZES = {"thumbnail": 100, "medium": 500, "large": 1000}
PNG = saved(photo((200, 150)), "PNG")
LEVEL_PNG, IEND = saved(Image.new("I;16", (60, 40), 3000), "PNG"), PNG[-12:]
WRONG_ADLER = PNG[: PNG.index(b"IDAT") - 4] + chunk(b"IDAT", PNG[PNG.index(b"IDAT") + 4 : -20] + b"junk") + IEND
GIF = saved(photo((64, 48)).quantize(64), "GIF")
BASELINE, PROGRESSIVE = jpeg(photo((320, 240))), jpeg(photo((320, 240)), progressive=True)
LOSSLESS = lossless_jpeg(photo((60, 40), "L"))
RESTARTS = jpeg(photo((320, 240)), restart_marker_rows=1)
PROGRESSIVE_RESTARTS = jpeg(photo((310, 240)), progressive=True, restart_marker_rows=1)
TABLES = segment(0xDB, b"\0" + bytes(range(1, 65)))
RESTART, NO_PARAMETERS = b"\xff\xd3", b"\xff\x01"


def _scan_starts(file: bytes) -> list[int]:
    return [at for at in range(len(file) - 1) if file[at : at + 2] == b"\xff\xda"]


def _coarse() -> bytes:
    """Return a progressive JPEG with a single scan, which has all bits of the mean values and nothing else."""
    file = jpeg(photo((300, 240)), progressive=True)
    start = _scan_starts(file)[0]
    return file[: start + 13] + b"\0" + file[start + 14 : file.index(b"\xff\xc4", start)] + EOI


def _arithmetic() -> bytes:
    """Return a JPEG with arithmetic coding, in which any data are pixels."""
    frame = segment(0xC9, b"\x08\0\x40\0\x40\1\1\x11\0")
    return BASELINE[:2] + TABLES + frame + segment(0xDA, b"\1\1\0\0\x3f\0") + bytes(range(1, 200)) + EOI


COARSE, ARITHMETIC = _coarse(), _arithmetic()
WHOLES = (ARITHMETIC, LOSSLESS, COARSE, RESTARTS, BASELINE, PROGRESSIVE, PNG, GIF)
# Name, file, and whether it leaves a warning.
WHOLE: list[tuple[str, bytes, bool]] = [
    ("fill byte before EOI", BASELINE[:-2] + b"\xff" + EOI, False),
    ("a thousand fill bytes before EOI", BASELINE[:-2] + b"\xff" * 1000 + EOI, False),
    ("progressive, fill byte before EOI", PROGRESSIVE[:-2] + b"\xff" + EOI, False),
    ("last byte of EOI lost", BASELINE[:-1], True),
    ("EOI lost", BASELINE[:-2], True),
    ("progressive, last byte of EOI lost", PROGRESSIVE[:-1], True),
    ("progressive, EOI lost", PROGRESSIVE[:-2], True),
    ("progressive, junk after EOI", PROGRESSIVE + b"junk", False),
    ("last byte of EOI changed", BASELINE[:-1] + b";", True),
    ("EOI lost, zeros appended", BASELINE[:-2] + bytes(4096), True),
    ("progressive, EOI lost, zeros appended", PROGRESSIVE[:-2] + bytes(4096), True),
    ("arithmetic", ARITHMETIC, False),
    ("progressive of a single scan", COARSE, False),
    ("lossless", LOSSLESS, False),
    ("lossless, EOI lost", LOSSLESS[:-2], True),
    ("tables before EOI", BASELINE[:-2] + TABLES + EOI, False),
    ("another scan before EOI", BASELINE[:-2] + segment(0xDA, b"\1\1\0\0\x3f\0") + b"junk" * 99 + EOI, False),
    ("restart marker before EOI", BASELINE[:-2] + RESTART + EOI, False),
    ("progressive, restart marker before EOI", PROGRESSIVE[:-2] + RESTART + EOI, False),
    ("restarts", RESTARTS, False),
    ("restarts, EOI lost", RESTARTS[:-2], True),
    ("restarts, one more before EOI", RESTARTS[:-2] + RESTART + EOI, False),
    ("PNG without IEND", PNG[:-12], True),
    ("PNG without its last CRC, IEND appended", PNG[:-16] + IEND, True),
    ("PNG without half of its Adler-32, IEND appended", PNG[:-18] + IEND, True),
    ("PNG without its last CRC, zeros appended", PNG[:-16] + bytes(4096), True),
    ("PNG without IEND and its last CRC", PNG[:-16], True),
    ("PNG without half of its Adler-32", PNG[:-18], True),
    ("PNG with a wrong CRC", PNG[:-16] + b"\0\0\0\0" + PNG[-12:], True),
    ("PNG with a wrong Adler-32", WRONG_ADLER, True),
    ("GIF without its trailer", GIF[:-1], True),
    ("GIF without trailer and terminator", GIF[:-2], True),
]
BROKEN: list[tuple[str, bytes]] = [
    ("progressive cut in its first scan, EOI appended", PROGRESSIVE[: _scan_starts(PROGRESSIVE)[0] + 200] + EOI),
    ("progressive cut in a middle scan, EOI appended", PROGRESSIVE[: _scan_starts(PROGRESSIVE)[4] - 100] + EOI),
    ("progressive cut in its last scan, EOI appended", PROGRESSIVE[:-102] + EOI),
    ("progressive cut in its last scan", PROGRESSIVE[:-102]),
    ("progressive that ends before its last scan", PROGRESSIVE[: _scan_starts(PROGRESSIVE)[-1]]),
    ("baseline cut, EOI appended", BASELINE[:-102] + EOI),
    ("baseline cut, zeros appended", BASELINE[:-102] + bytes(4096)),
    ("progressive cut in its last scan, zeros appended", PROGRESSIVE[:-102] + bytes(4096)),
    ("arithmetic, EOI lost", ARITHMETIC[:-2]),
    ("progressive of a single scan, EOI lost", COARSE[:-2]),
    ("progressive of a single scan, cut, EOI appended", COARSE[:-102] + EOI),
    ("lossless cut", LOSSLESS[:-100]),
    ("lossless cut, EOI appended", LOSSLESS[:-100] + EOI),
    ("baseline cut, tables and EOI appended", BASELINE[:-102] + TABLES + EOI),
    ("baseline cut, restart marker and EOI appended", BASELINE[:-102] + RESTART + EOI),
    ("baseline cut, marker without parameters and EOI appended", BASELINE[:-102] + NO_PARAMETERS + EOI),
    ("progressive cut in its last scan, restart marker and EOI appended", PROGRESSIVE[:-102] + RESTART + EOI),
    ("progressive cut before its last restart", PROGRESSIVE_RESTARTS[: PROGRESSIVE_RESTARTS.rindex(RESTART)] + EOI),
    ("restarts, an interval lost", RESTARTS[: RESTARTS.index(b"\xff\xd2")] + RESTARTS[RESTARTS.index(b"\xff\xd3") :]),
    ("baseline, a marker beyond its end inserted", BASELINE[:-102] + b"\xff\xe5\xff\0" + BASELINE[-102:]),
    ("PNG cut in its pixels", PNG[:-200]),
    ("PNG cut in its last row, IEND appended", LEVEL_PNG[:-30] + IEND),
    ("PNG cut in its last row, zeros appended", LEVEL_PNG[:-30] + bytes(9)),
    ("PNG that lacks a byte of its pixels", LEVEL_PNG[:66] + LEVEL_PNG[67:]),
    ("PNG with half of a wrong Adler-32", PNG[:-20] + b"\1\2"),
    ("PNG with a wrong CRC and a wrong Adler-32", PNG[:-20] + b"junk" + PNG[-16:]),
    ("PNG with a wrong CRC and no Adler-32", PNG[:-20] + b"\0\0\0\0" + PNG[-12:]),
    ("GIF cut in its pixels", GIF[: len(GIF) // 2]),
]


@pytest.mark.parametrize(("file", "warned"), [row[1:] for row in WHOLE], ids=[row[0] for row in WHOLE])
@pytest.mark.parametrize("reencode", ["when-needed", "always"])
def test_a_whole_picture_is_accepted(file: bytes, warned: bool, reencode: Any) -> None:  # noqa: FBT001
    """The pixels are those of the undamaged file, with a warning where one is expected."""
    output = convert(file, reencode=reencode)
    assert bool(output.warnings) is warned
    assert not output.salvaged
    whole = next(one for one in WHOLES if one[:200] == file[:200])
    assert difference(opened(output), opened(convert(whole, reencode=reencode))) == 0
    assert resize(file, {"a": 40})["a"].warnings or not warned


@pytest.mark.parametrize("place", [2, BASELINE.index(b"\xff\xda"), len(BASELINE) - 2], ids=["SOI", "tables", "scan"])
@pytest.mark.parametrize("marker", [0xE1, 0xED, 0xFE], ids=["APP1", "APP13", "comment"])
def test_metadata_without_a_length_are_skipped(marker: int, place: int) -> None:
    """Browsers skip a segment of metadata whose length is 0, and what follows, up to the next marker."""
    lost = bytes((0xFF, marker, 0, 0)) + b"Exif" * 9
    output = convert(BASELINE[:place] + lost + BASELINE[place:])
    assert bytes(output) == bytes(convert(BASELINE))
    assert output.warnings == ()


def test_a_png_whose_data_are_interrupted_leaves_a_warning() -> None:
    """Another chunk between those of the picture is not allowed; some decoders stop there, others go on."""
    start = PNG.index(b"IDAT") + 4
    data = PNG[start : start + int.from_bytes(PNG[start - 8 : start - 4])]
    parts = chunk(b"IDAT", data[:99]), chunk(b"tEXt", b"a\0b"), chunk(b"IDAT", data[99:])
    output = convert(b"".join((PNG[: start - 8], *parts, IEND)))
    assert bytes(output) == bytes(convert(PNG))
    assert output.warnings == ("the PNG's data are interrupted by another chunk; its pixels are whole",)


@pytest.mark.parametrize("file", [row[1] for row in BROKEN], ids=[row[0] for row in BROKEN])
@pytest.mark.parametrize("call", [convert, lambda file: convert(file, reencode="always"), lambda f: resize(f, SIZES)])
def test_a_picture_that_lacks_pixels_is_refused(file: bytes, call: Callable[[bytes], object]) -> None:
    """Missing pixels are refused, whether the file is copied, re-encoded or resized."""
    with pytest.raises(BrokenImageError):
        call(file)


def test_a_missing_component_is_refused() -> None:
    """A progressive JPEG without any scan for its colours is refused: it would be grey."""
    starts = _scan_starts(PROGRESSIVE)
    only_luminance = bytearray(PROGRESSIVE[: starts[0]])
    header = PROGRESSIVE[starts[0] : starts[0] + 14]
    scan = bytes((0xFF, 0xDA, 0, 8, 1, header[5], header[6], *header[11:14]))
    body = PROGRESSIVE[starts[0] + 14 : starts[1]]
    with pytest.raises(BrokenImageError, match=r"incomplete|last row"):
        convert(bytes(only_luminance) + scan + body + EOI)


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("size", [(60, 40), (5, 90)])
def test_a_lossless_jpeg_has_its_own_pixels(size: tuple[int, int], restarts: bool) -> None:  # noqa: FBT001
    """A lossless JPEG, whose scan header has other parameters, is decoded; it may have a restart for each row."""
    image = photo(size, "L")
    assert difference(opened(convert(lossless_jpeg(image, restarts=restarts))), image) < 1


def test_a_baseline_scan_with_wrong_parameters_is_accepted() -> None:
    """Decoders ignore the parameters in a baseline scan that only progressive scans need."""
    start = _scan_starts(BASELINE)[0] + 11
    assert not convert(BASELINE[:start] + b"\1\x3f\1" + BASELINE[start + 3 :]).warnings


def test_a_picture_of_fifty_megapixels_is_accepted() -> None:
    """Cameras of that class produce 50.3 million pixels."""
    assert convert(saved(Image.new("L", (8192, 6144)), "PNG", compress_level=1))


def test_a_duplicate_profile_leaves_no_warning() -> None:
    """A duplicate profile, which some editors write, leaves no warning."""
    once = jpeg(photo((64, 48)), icc_profile=bytes(200_000))
    start = once.index(b"\xff\xe2")
    end = once.index(b"\xff\xdb")
    twice = once[:end] + once[start:end] + once[end:]
    warnings = [warning for warning in convert(twice).warnings if "parts of it" in warning]
    assert warnings == []


def _markers(count: int) -> bytes:
    return BASELINE[:2] + b"\xff\x01" * count + BASELINE[2:]


HOSTILE: dict[str, Callable[[], bytes]] = {
    "markers without parameters": lambda: _markers(1_000_000),
    "markers after the pixels": lambda: BASELINE[:-2] + b"\xff\x01" * 1_000_000 + EOI,
    "chunks of frames": lambda: PNG[:-12] + chunk(b"fdAT", b"") * 500_000 + PNG[-12:],
    "scans of a large picture": lambda: _many_scans(90),
}


def _many_scans(count: int) -> bytes:
    large = jpeg(Image.new("L", (6000, 6000)), progressive=True)
    last = _scan_starts(large)[-1]
    return large[:-2] + large[last:-2] * count + EOI


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_a_file_that_would_stall_the_decoder_is_refused(make: Callable[[], bytes]) -> None:
    """Markers, chunks and scans are limited before a pixel is decoded."""
    with pytest.raises(ImageTooLargeError, match="expected at most"):
        convert(make())


def test_millions_of_fill_bytes_are_skipped() -> None:
    """Ten million fill bytes before the end-of-image marker are skipped."""
    assert convert(BASELINE[:-2] + b"\xff" * 10_000_000 + EOI)


def test_describe_and_convert_read_the_same_orientation() -> None:
    """`describe` reads the orientation that `convert` applies, even from a chunk after the pixels."""
    exif = Image.Exif()
    exif[0x0112] = 6
    master = PNG[:-12] + chunk(b"eXIf", exif.tobytes()[6:]) + PNG[-12:]
    assert describe(master).orientation == 6
    assert opened(convert(master)).size == (150, 200)


@pytest.mark.parametrize("position", [33, -12], ids=["before", "after"])
def test_exif_of_too_many_bytes_is_ignored_with_a_warning(position: int) -> None:
    """EXIF of more than a megabyte is ignored, before and after the pixels of a PNG."""
    master = PNG[:position] + chunk(b"eXIf", bytes(1_048_577)) + PNG[position:]
    expected = ("the eXIf chunk was ignored: 1,048,577 bytes are too many",)
    assert (convert(master).warnings, describe(master).warnings) == (expected, expected)


LATITUDE, LONGITUDE = {1: "N", 2: (52.0, 30.0, 0.0)}, {3: "E", 4: (13.0, 24.0, 0.0)}


@pytest.mark.parametrize("tags", [LATITUDE, LONGITUDE, {**LATITUDE, 4: LONGITUDE[4]}, {**LONGITUDE, **LATITUDE, 1: ""}])
def test_half_of_a_position_is_left_out(tags: dict[int, Any]) -> None:
    """A latitude without a longitude, the reverse, or one of them without its hemisphere gives no position."""
    exif = Image.Exif()
    exif.get_ifd(0x8825).update({**tags, 29: "2024:05:01"})
    found = describe(jpeg(photo((32, 32)), exif=exif), gps=True).gps
    assert found == {"date": "2024:05:01"}


@pytest.mark.parametrize("blank", ["    :  :     :  :  ", "0000:00:00 00:00:00", ""])
def test_a_blank_time_is_skipped(blank: str) -> None:
    """A blank time is skipped, and the next time tag is used."""
    exif = Image.Exif()
    exif.get_ifd(0x8769).update({0x9003: blank, 0x9004: "2024:05:01 12:30:00"})
    assert describe(jpeg(photo((32, 32)), exif=exif)).taken_at == "2024-05-01T12:30:00"


@pytest.mark.parametrize(
    "time",
    [
        "2024-05-01 12:30:00",
        "2024/05/01 12:30:00",
        "2024.05.01 12:30:00",
        "2024:05:01T12:30:00.25",
        "2024: 5: 1 12:30: 0",
        "2024:5:1 12:30:0",
    ],
)
def test_a_time_in_another_form_is_read(time: str) -> None:
    """Some programs write a time as ISO 8601 does, with slashes or dots, or fill with blanks instead of zeros."""
    exif = Image.Exif()
    exif.get_ifd(0x8769).update({0x9003: time, 0x9004: "2020:01:01 00:00:00"})
    assert describe(jpeg(photo((32, 32)), exif=exif)).taken_at == "2024-05-01T12:30:00"


def test_the_frames_of_a_gif_without_a_trailer_are_counted() -> None:
    """Frames are counted up to the end of the file, with a warning."""
    frames = gif((4, 4), [(0, 0, 0), (255, 255, 255)], *[gif_frame((0, 0, 4, 4), bytes(16))] * 3)
    found = describe(frames[:-1])
    assert found.frames == 3
    assert any("trailer" in warning for warning in found.warnings)


CASES = ROOT.parent / "shared" / "cases"
ROWS = list(csv.DictReader((CASES / "cases.csv").open())) if (CASES / "cases.csv").is_file() else []


@pytest.mark.skipif(not ROWS, reason="the folder of small cases is not beside the project")
@pytest.mark.parametrize("row", ROWS, ids=[row["file"] for row in ROWS])
def test_a_small_case_gives_the_result_in_the_table(row: dict[str, str]) -> None:
    """Files that once failed are accepted or refused, with colours and rights, as the table says."""
    data = (CASES / Path(row["file"]).name).read_bytes()
    EXPECTED[row["expect"]](data)


def _refused(data: bytes) -> None:
    with pytest.raises(BrokenImageError):
        convert(data)


def _cheap(data: bytes) -> None:
    with pytest.raises(ImageTooLargeError):
        convert(data)


def _coloured(data: bytes) -> None:
    plain = Image.open(io.BytesIO(data)).convert("RGB")
    output = convert(data)
    assert output.warnings or difference(opened(output).convert("RGB"), plain) > 5


def _fits(data: bytes) -> None:
    for name, output in resize(data, SIZES).items():
        width, height = opened(output).size
        assert width <= SIZES[name]
        assert height <= 10 * SIZES[name]


def _fine_colours(data: bytes) -> None:
    output = opened(resize(data, SIZES, subsampling="4:4:4")["thumbnail"]).convert("RGB")
    wanted = Image.open(io.BytesIO(data)).convert("RGB").resize(output.size, Image.Resampling.LANCZOS)
    assert difference(output, wanted) < 2


def _warned(data: bytes) -> None:
    assert convert(data).warnings


def _credited(data: bytes) -> None:
    assert opened(convert(data)).getexif()[0x8298]


def _re_encoded(data: bytes) -> None:
    assert not convert(data).copied


def _turned(data: bytes) -> None:
    assert describe(data).orientation != 1


def _dated(data: bytes) -> None:
    assert describe(data).taken_at


EXPECTED: dict[str, Callable[[bytes], object]] = {
    "accept": convert,
    "accept+warning": _warned,
    "refuse": _refused,
    "cheap": _cheap,
    "rights": _credited,
    "profile": _re_encoded,
    "colour": _coloured,
    "orientation": _turned,
    "taken": _dated,
    "fits": _fits,
    "444": _fine_colours,
}


@pytest.mark.parametrize(("scan", "kept"), [(b"ab\0\0", b"ab"), (b"a\xff\0\0\0", b"a\xff\0"), (b"a\0b", b"a\0b")])
def test_zeros_after_a_scan_are_cut(scan: bytes, kept: bytes) -> None:
    """The zeros at its end do not count as data, except the one that belongs to an FF."""
    assert without_zeros(scan) == kept
