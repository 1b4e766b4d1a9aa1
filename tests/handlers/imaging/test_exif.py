"""EXIF directories: each is read once, reading is bounded, and the two rights tags are written."""

import struct

import pytest

from handlers.imaging.facts.exif import COPYRIGHT, read_exif
from handlers.imaging.facts.rights import rights_only
from handlers.imaging.facts.tags import further_tags

from .pictures import exif


def test_a_directory_that_points_at_itself_is_read_once() -> None:
    """A directory is not read a second time, and a warning says so."""
    found = read_exif(b"MM\0*\0\0\0\x08\0\1\x87\x69\0\4\0\0\0\1\0\0\0\x08")
    assert len(found.image) == 1
    assert found.photo == {}
    assert any("met before" in warning for warning in found.warnings)


def test_both_byte_orders_are_read() -> None:
    """Big-endian and little-endian EXIF give the same values."""
    tags = {0x0112: 6, 0x010F: b"Maker"}
    assert read_exif(exif(tags)).image[0x010F] == read_exif(exif(tags, order="<")).image[0x010F]
    assert read_exif(exif(tags, order="<")).orientation == 6


def test_rights_survive_the_round_trip_and_are_bounded() -> None:
    """The text survives the round trip; an overlong copyright is cut."""
    written = rights_only(read_exif(exif({COPYRIGHT: "© Käthe".encode(), 0x010F: b"Maker"})))
    assert read_exif(written).image == {COPYRIGHT: "© Käthe".encode() + b"\0"}
    assert len(rights_only(read_exif(exif({COPYRIGHT: b"x" * 60_000})))) < 5000
    assert rights_only(read_exif(exif({0x010F: b"Maker"}))) == b""


def test_texts_of_type_utf_8_are_read() -> None:
    """Exif 3.0 has a type for UTF-8, in which programs write artist and copyright."""
    found = read_exif(exif({COPYRIGHT: (129, 7, "© ACM".encode() + b"\0"), 0x010F: (129, 6, b"Maker\0")}))
    assert rights_only(found) == rights_only(read_exif(exif({COPYRIGHT: "© ACM".encode()})))
    assert further_tags(found)["Make"] == "Maker"
    assert found.warnings == ()


def test_values_that_share_their_bytes_are_left_out() -> None:
    """Values are read until their total exceeds the structure's size; the rest are left out with a warning."""
    text = (2, 4000, b"x" * 4000)
    blob = exif({0x010F: text, 0x0110: text})
    shared = exif({0x010F: text} | {0x5000 + tag: b"0000" for tag in range(20)})
    place = struct.pack(">HHI", 0x010F, 2, 4000)
    assert read_exif(blob).warnings == ()
    at = shared.index(place)
    for tag in range(20):
        entry = shared.index(struct.pack(">HH", 0x5000 + tag, 2))
        shared = shared[: entry + 4] + shared[at + 4 : at + 12] + shared[entry + 12 :]
    found = read_exif(shared)
    assert len(found.image[0x010F]) == 4000
    assert len(found.image) < 5
    assert any("do not fit" in warning for warning in found.warnings)


def test_a_value_that_does_not_fit_is_skipped() -> None:
    """A value that is too long is skipped; those after it are read."""
    found = read_exif(exif({0x010E: (2, 2**31, b"\xff\xff\xff\xff"), 0x010F: b"Maker", 0x0112: 6}))
    assert (found.image[0x010F], found.orientation) == (b"Maker\0", 6)
    assert 0x010E not in found.image


@pytest.mark.parametrize(
    "value", [(3, 2, b"\4\x16\0\x41"), (6, 4, b"\xff\0\x41\0"), (5, 1, b"\0\0\0\1\0\0\0\1"), b"text"]
)
def test_windows_texts_of_another_type_are_left_out(value: object) -> None:
    """Windows text tags must be single bytes; one of another type is left out, and the other tags are kept."""
    assert further_tags(read_exif(exif({0x9C9B: value, 0x010F: b"Maker"}))) == {"Make": "Maker"}
