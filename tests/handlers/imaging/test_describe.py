"""Describing: facts from the header, typed for DynamoDB, without a position unless requested."""

import struct
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from handlers.errors import RejectedImageError
from handlers.imaging import Metadata, convert, describe

from .pictures import (
    GPS,
    chunk,
    difference,
    exif,
    exif_segment,
    jpeg,
    opened,
    photo,
    png,
    saved,
    segment,
    with_segments,
)

IMAGES = Path(__file__).parents[4] / "shared" / "images"

CAMERA = exif(
    {0x010F: b"Canon", 0x0110: b"EOS R5", 0x0112: 8, 0x0132: b"2024:05:01 10:00:00", 0x8298: b"(c) Me"},
    {
        0x829A: (1, 250),
        0x829D: (28, 10),
        0x8827: 400,
        0x920A: (50, 1),
        0x9003: b"2024:05:01 12:30:00",
        0xA434: b"RF50mm F1.2",
    },
    GPS,
)
MASTER = with_segments(jpeg(), exif_segment(CAMERA))
START_OF_IMAGE = b"\xff\xd8\xff"


def test_the_exposure_is_described() -> None:
    """Camera, lens, exposure and time are text, int and Decimal."""
    metadata = describe(MASTER)
    assert (metadata.camera_make, metadata.camera_model, metadata.lens_model) == ("Canon", "EOS R5", "RF50mm F1.2")
    assert metadata.exposure_time_s == Decimal("0.004")
    assert metadata.f_number == Decimal("2.8")
    assert (metadata.iso, metadata.focal_length_mm, metadata.orientation) == (400, Decimal(50), 8)
    assert metadata.taken_at == "2024-05-01T12:30:00"
    assert metadata.tags["Copyright"] == "(c) Me"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (jpeg(), ("JPEG", "RGB", False)),
        (jpeg(photo(mode="L")), ("JPEG", "L", False)),
        (jpeg(photo(mode="CMYK")), ("JPEG", "CMYK", False)),
        (saved(photo(), "PNG"), ("PNG", "RGB", False)),
        (saved(photo(mode="RGBA"), "PNG"), ("PNG", "RGBA", True)),
        (saved(photo(mode="LA"), "PNG"), ("PNG", "LA", True)),
        (saved(photo(mode="1"), "PNG"), ("PNG", "1", False)),
        (saved(photo().quantize(16), "PNG", transparency=3), ("PNG", "P", True)),
        (png((4, 4), 16, 0, [bytes(8)] * 4), ("PNG", "I;16", False)),
        (saved(photo(), "GIF"), ("GIF", "P", False)),
    ],
)
def test_format_mode_and_alpha_are_described(data: bytes, expected: tuple[str, str, bool]) -> None:
    """Each kind of file has Pillow's names for its format and mode."""
    metadata = describe(data)
    assert (metadata.format, metadata.mode, metadata.has_alpha) == expected
    assert metadata.frames == 1


def test_frames_are_counted() -> None:
    """The frames of an animated GIF, an APNG and a multi-picture JPEG are counted."""
    more = [photo().rotate(90), photo().rotate(180)]
    for kind in ("GIF", "PNG", "MPO"):
        data = saved(photo(), kind, save_all=True, append_images=more)
        assert describe(data).frames == 3
        assert describe(data).format == ("JPEG" if kind == "MPO" else kind)


@pytest.mark.parametrize("kind", ["Android", "Apple", "ISO"])
def test_a_gain_map_is_ignored_with_a_warning(kind: str) -> None:
    """A gain map, declared by XMP or by its own segment, leaves a warning if the file has a second picture."""
    names = {"Android": b'hdrgm:Version="1.0"', "Apple": b"<HDRGainMap:HDRGainMapVersion>"}
    xmp = segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + names.get(kind, b""))
    iso = segment(0xE2, b"urn:iso:std:iso:ts:21496:-1\0\0\0")
    data = with_segments(
        saved(photo(), "MPO", save_all=True, append_images=[photo((80, 60))]), iso if kind == "ISO" else xmp
    )
    assert describe(data).warnings == ("the HDR gain map was ignored",)
    assert describe(with_segments(jpeg(), iso, xmp)).warnings == ()


def test_a_multi_picture_file_gives_its_first_picture() -> None:
    """The output has the pixels of the MPO's first picture, and a single start-of-image marker."""
    data = saved(photo(), "MPO", save_all=True, append_images=[photo().rotate(180)], quality=95)
    output = convert(data)
    assert difference(opened(output), photo()) < 3
    assert (data.count(START_OF_IMAGE), bytes(output).count(START_OF_IMAGE)) == (2, 1)


def test_the_position_is_given_only_on_request() -> None:
    """Without `gps`, no part of the position is in the record."""
    assert describe(MASTER).gps is None
    assert "gps" not in describe(MASTER).extras()
    assert "52" not in str(describe(MASTER).extras())
    position = describe(MASTER, gps=True).gps
    assert position == {
        "latitude": Decimal("52.5200944"),
        "longitude": Decimal("-13.4"),
        "altitude_m": Decimal("-30.5"),
        "date": "2024:05:01",
        "time_utc": "12:30:15",
    }


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [
        ([(48, 1), (5_332_358, 100_000), (0, 0)], [(2, 1), (17_576, 1_000), (0, 0)]),
        ([(488_887_263, 10_000_000), (0, 0), (0, 0)], [(22_929_333, 10_000_000), (0, 0), (0, 0)]),
    ],
    ids=["minutes", "degrees"],
)
def test_parts_of_zero_over_zero_count_as_absent(latitude: Any, longitude: Any) -> None:
    """Seconds, or minutes and seconds, of 0/0 count as absent: programs write decimals before them instead."""
    gps = {1: b"N", 2: latitude, 3: b"E", 4: longitude}
    position = describe(with_segments(jpeg(), exif_segment(exif(gps=gps))), gps=True).gps
    assert position == {"latitude": Decimal("48.8887263"), "longitude": Decimal("2.2929333")}


@pytest.mark.parametrize(
    "gps",
    [
        {1: b"N", 2: [(52, 0), (1, 1), (1, 1)], 3: b"E", 4: [(13, 1)]},
        {1: b"N", 2: [(0, 0), (0, 0), (0, 0)], 3: b"E", 4: [(13, 1)]},
        {1: b"N", 2: [(52, 1), (0, 0), (1, 1)], 3: b"E", 4: [(13, 1)]},
        {1: b"N", 2: [(91, 1)]},
        {2: (7, 4, b"\0\0\0\0"), 4: b"text"},
        {7: [(99, 1), (1, 1), (1, 1)]},
        {1: b"E", 2: [(52, 1)], 3: b"E", 4: [(13, 1)]},
        {1: b"N", 2: [(52, 1)], 3: b"13", 4: [(13, 1)]},
    ],
)
def test_an_impossible_position_is_left_out(gps: dict[int, Any]) -> None:
    """Zero denominators, latitudes beyond the pole, wrong types and unknown hemispheres give no position."""
    assert describe(with_segments(jpeg(), exif_segment(exif(gps=gps))), gps=True).gps is None


@pytest.mark.parametrize(
    "gps",
    [{7: [(25, 1), (0, 1), (0, 1)]}, {7: [(12, 1), (60, 1), (0, 1)]}, {29: b"0000:00:00"}, {29: b"2024:02:30"}],
)
def test_an_impossible_time_of_the_satellites_is_left_out(gps: dict[int, Any]) -> None:
    """Hours, minutes and days that no clock shows are not recorded."""
    assert describe(with_segments(jpeg(), exif_segment(exif(gps=gps))), gps=True).gps is None


@pytest.mark.parametrize("value", [(0, 1), (0, 0), (1, 0), (10, 1, struct.pack(">ii", -1, 3))])
def test_an_unknown_exposure_is_left_out(value: Any) -> None:
    """Cameras write 0 or a fraction without a value for what they do not know, as with old lenses."""
    tags = dict.fromkeys((0x829A, 0x829D, 0x920A), value) | {0x8827: 0}
    found = describe(with_segments(jpeg(), exif_segment(exif(photo=tags))))
    assert (found.exposure_time_s, found.f_number, found.focal_length_mm, found.iso) == (None, None, None, None)


def test_opaque_blocks_are_left_out() -> None:
    """MakerNote, XMP, user comment and similar blocks are left out: they may contain a position."""
    secret = b"secret 52.5200 N"
    image = {0x02BC: (1, len(secret), secret), 0xC4A5: (7, len(secret), secret), 0x83BB: (1, len(secret), secret)}
    hidden = {0x927C: (7, len(secret), secret), 0x9286: (7, len(secret), secret), 0xABCD: secret}
    master = with_segments(jpeg(), exif_segment(exif(image, hidden)))
    extras = str(describe(master).extras())
    assert "secret" not in extras
    assert str(list(secret[:2]))[1:-1] not in extras


AWKWARD: dict[int, Any] = {
    0x010E: b"a\x01b\x07c\0after",
    0x010F: "Käse €".encode(),
    0x0110: b"latin \xe9\xff",
    0x0131: b"x" * 5000,
    0x011A: (72, 0),
    0x011B: (5, 2, b"\0\0\0\1\0\0\0\3\0\0\0\1\0\0\0\0"),
    0x0100: (11, 1, b"\x7f\xc0\0\0"),
    0x0101: (12, 1, b"\x7f\xf0" + bytes(6)),
    0x0102: (12, 1, b"\0\x10" + bytes(6)),
    0x0103: (12, 1, b"\x3f\xb9\x99\x99\x99\x99\x99\x9a"),
    0x0111: (4, 5000, bytes(20_000)),
    0x9C9B: (1, 8, "Tä\0\0".encode("utf-16-le")),
    0x013C: (99, 1, b"what"),
}


def test_a_text_that_begins_after_a_kilobyte_of_control_characters_is_left_out() -> None:
    """Only so much of a text is read, letter by letter: a TIFF may have megabytes of them."""
    texts = {0x010F: b" " * 5_000 + b"spaces", 0x0110: b"\x1b" * 5_000 + b"hidden"}
    facts = describe(with_segments(jpeg(), exif_segment(exif(texts))))
    assert (facts.camera_make, facts.camera_model) == ("spaces", None)


def test_awkward_values_are_cleaned_or_left_out() -> None:
    """Control characters, NUL, NaN, infinity, zero denominators and oversized values are cleaned, cut or left out."""
    tags = describe(with_segments(jpeg(), exif_segment(exif(AWKWARD)))).tags
    assert tags["ImageDescription"] == "a b c"
    assert tags["Make"] == "Käse €"
    assert tags["Model"] == "latin éÿ"
    assert len(str(tags["Software"])) == 1024
    assert tags["Compression"] == Decimal("0.1")
    assert tags["XPTitle"] == "Tä"
    assert not {"XResolution", "YResolution", "ImageWidth", "ImageLength", "BitsPerSample", "StripOffsets"} & set(tags)


@pytest.mark.parametrize(
    ("blob", "warnings"),
    [
        (b"", ()),
        (b"II", ("the EXIF data was ignored: it has no TIFF header",)),
        (b"XX*\0" + bytes(20), ("the EXIF data was ignored: it has no TIFF header",)),
        (b"II*\0\xff\xff\xff\xff", ("an EXIF directory was ignored: it lies outside or was met before",)),
        (b"MM\0*\0\0\0\x08\0\x05", ("an EXIF directory was cut short: 5 entries",)),
    ],
    ids=["empty", "no header", "wrong header", "directory outside", "directory cut short"],
)
def test_a_picture_with_broken_exif_keeps_its_other_facts(blob: bytes, warnings: tuple[str, ...]) -> None:
    """The facts and the output are those of the picture without EXIF; the record has a warning."""
    master = with_segments(jpeg(), exif_segment(blob))
    assert describe(master) == replace(describe(jpeg()), warnings=warnings)
    assert convert(master) == convert(jpeg())


def test_the_record_is_bounded() -> None:
    """The record never exceeds 200 tags or 60,000 bytes, however much EXIF there is."""
    from PIL import ExifTags  # noqa: PLC0415

    plenty = {tag: b"x" * 2000 for tag in list(ExifTags.TAGS)[:400] if tag not in (0x8769, 0x8825)}
    data = saved(photo(), "PNG")
    metadata = describe(data[:33] + chunk(b"eXIf", exif(plenty)) + data[33:])
    assert 0 < len(metadata.tags) <= 200
    assert 30_000 < len(str(metadata.extras()).encode()) < 60_000


def _check(value: Any) -> None:
    """Fail on a value that DynamoDB does not accept, or that is too long or unprintable."""
    if isinstance(value, dict):
        assert len(value) <= 200
        for key, one in value.items():
            assert isinstance(key, str)
            _check(one)
    elif isinstance(value, list):
        for one in value:
            _check(one)
    elif isinstance(value, str):
        assert len(value.encode()) <= 1024
        assert value.isprintable()
    else:
        assert type(value) in (int, bool, Decimal)


def _all_metadata() -> dict[str, Metadata]:
    found = {}
    for file in sorted(file for file in IMAGES.rglob("*") if file.is_file()):
        try:
            found[file.name] = describe(file.read_bytes(), gps=True)
        except RejectedImageError:
            continue
    return found


def test_records_survive_the_round_trip_through_dynamodb(monkeypatch: pytest.MonkeyPatch) -> None:
    """The records of the sample pictures and of the awkward one are stored and read back unchanged."""
    records = {"awkward": describe(with_segments(jpeg(), exif_segment(exif(AWKWARD, AWKWARD, GPS))), gps=True)}
    records |= _all_metadata()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        table = boto3.resource("dynamodb", region_name="eu-west-1").create_table(
            TableName="metadata",
            KeySchema=[{"AttributeName": "name", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "name", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        for name, metadata in records.items():
            extras = metadata.extras()
            _check(extras)
            table.put_item(Item={"name": name, **extras})
            assert table.get_item(Key={"name": name})["Item"] == {"name": name, **extras}
    if not IMAGES.is_dir():
        pytest.skip(f"only the awkward record was checked: no sample pictures in {IMAGES}")


def test_malformed_xmp_changes_no_fact() -> None:
    """The facts and the output are those of the picture without XMP, and no warning is added."""
    master = with_segments(jpeg(), segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta <<<&&&"))
    assert describe(master) == describe(jpeg())
    assert convert(master) == convert(jpeg())
