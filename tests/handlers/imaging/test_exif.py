"""EXIF directories: read once, bounded, and the two rights tags written."""

from handlers.imaging.exif import COPYRIGHT, read_exif, rights_only

from .pictures import exif


def test_a_directory_that_points_at_itself_is_read_once() -> None:
    """The second visit gives nothing and is noted."""
    found = read_exif(b"MM\0*\0\0\0\x08\0\1\x87\x69\0\4\0\0\0\1\0\0\0\x08")
    assert len(found.image) == 1
    assert found.photo == {}
    assert any("met before" in warning for warning in found.warnings)


def test_both_byte_orders_are_read() -> None:
    """Motorola and Intel come to the same."""
    tags = {0x0112: 6, 0x010F: b"Maker"}
    assert read_exif(exif(tags)).image[0x010F] == read_exif(exif(tags, order="<")).image[0x010F]
    assert read_exif(exif(tags, order="<")).orientation == 6


def test_rights_are_written_as_they_were_and_bounded() -> None:
    """The text survives the round trip; a book in the copyright tag is cut."""
    written = rights_only(read_exif(exif({COPYRIGHT: "© Käthe".encode(), 0x010F: b"Maker"})))
    assert read_exif(written).image == {COPYRIGHT: "© Käthe".encode() + b"\0"}
    assert len(rights_only(read_exif(exif({COPYRIGHT: b"x" * 60_000})))) < 5000
    assert rights_only(read_exif(exif({0x010F: b"Maker"}))) == b""
