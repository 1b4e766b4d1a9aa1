"""Artist and copyright are kept from any block that has them; the rest of those blocks is dropped."""

import struct
import zlib

import pytest

from handlers.imaging import convert
from handlers.imaging.facts.exif import ARTIST, COPYRIGHT

from .pictures import chunk, exif, exif_segment, gif, gif_frame, jpeg, opened, photo, png, saved, segment, with_segments

NAME, NOTICE = "Jane Doe", "(c) 2024 Käse GmbH"


def _iptc(*datasets: tuple[int, bytes]) -> bytes:
    """Return an APP13 segment with IPTC datasets of the application record."""
    block = b"".join(struct.pack(">BBBH", 0x1C, 2, number, len(value)) + value for number, value in datasets)
    resource = b"8BIM" + struct.pack(">HBBI", 0x0404, 0, 0, len(block)) + block + b"\0" * (len(block) % 2)
    return segment(0xED, b"Photoshop 3.0\0" + b"8BIM\x04\x25\0\0\0\0\0\2ab" + resource)


def _xmp(inner: str) -> bytes:
    return segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + inner.encode())


CREATOR = "<dc:creator><rdf:Seq><rdf:li>Jane Doe</rdf:li></rdf:Seq></dc:creator>"
RIGHTS = '<dc:rights><rdf:Alt><rdf:li xml:lang="x-default">(c) 2024 K&#228;se GmbH</rdf:li></rdf:Alt></dc:rights>'
POSITION = "<exif:GPSLatitude>52,30N</exif:GPSLatitude>"
SOURCES = {
    "IPTC": with_segments(jpeg(), _iptc((80, NAME.encode()), (116, NOTICE.encode()), (120, b"caption"))),
    "IPTC in Latin-1": with_segments(jpeg(), _iptc((80, NAME.encode()), (116, NOTICE.encode("latin-1")))),
    "XMP": with_segments(jpeg(), _xmp(f"<rdf:Description>{POSITION}{CREATOR}{RIGHTS}</rdf:Description>")),
    "XMP attributes": with_segments(jpeg(), _xmp(f"<rdf:Description dc:creator='{NAME}' dc:rights=\"{NOTICE}\"/>")),
}


def _with_chunks(*chunks: bytes, at_end: bool = False) -> bytes:
    file = saved(photo(), "PNG")
    place = len(file) - 12 if at_end else 33
    return file[:place] + b"".join(chunks) + file[place:]


PNG_SOURCES = {
    "tEXt": _with_chunks(
        chunk(b"tEXt", b"Author\0Jane Doe"), chunk(b"tEXt", b"Copyright\0" + NOTICE.encode("latin-1"))
    ),
    "zTXt": _with_chunks(
        chunk(b"zTXt", b"Author\0\0" + zlib.compress(b"Jane Doe")),
        chunk(b"zTXt", b"Copyright\0\0" + zlib.compress(NOTICE.encode("latin-1"))),
    ),
    "iTXt after the pixels": _with_chunks(
        chunk(b"iTXt", b"Author\0\0\0\0\0" + NAME.encode()),
        chunk(b"iTXt", b"Copyright\0\1\0de\0Urheber\0" + zlib.compress(NOTICE.encode())),
        at_end=True,
    ),
    "XMP": _with_chunks(chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + f"{POSITION}{CREATOR}{RIGHTS}".encode())),
    "XMP of 100 KB": _with_chunks(
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + f"{CREATOR}{RIGHTS}".encode().rjust(100_000))
    ),
    "XMP that inflates to 100 KB": _with_chunks(
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(f"{CREATOR}{RIGHTS}".encode().rjust(100_000)))
    ),
}


@pytest.mark.parametrize("reencode", ["when-needed", "always"])
@pytest.mark.parametrize("master", SOURCES.values(), ids=SOURCES)
def test_a_jpegs_rights_are_kept(master: bytes, reencode: str) -> None:
    """Copied or re-encoded, the output has artist and copyright in EXIF, and nothing else."""
    output = convert(master, reencode=reencode)  # type: ignore[arg-type]
    found = opened(output).getexif()
    assert set(found) == {ARTIST, COPYRIGHT}
    assert found[ARTIST] == NAME
    assert NOTICE.encode() in bytes(output)
    assert b"52,30N" not in bytes(output)
    assert b"caption" not in bytes(output)


@pytest.mark.parametrize("master", PNG_SOURCES.values(), ids=PNG_SOURCES)
def test_a_pngs_rights_are_kept(master: bytes) -> None:
    """Text chunks before and after the pixels count, compressed or not."""
    output = convert(master)
    assert opened(output).getexif()[ARTIST] == NAME
    assert NOTICE.encode() in bytes(output)


def test_exif_takes_precedence() -> None:
    """Where sources differ, the first one with a value wins, and EXIF is the first."""
    master = with_segments(SOURCES["IPTC"], exif_segment(exif({ARTIST: b"John Roe"})))
    found = opened(convert(master)).getexif()
    assert found[ARTIST] == "John Roe"
    assert NOTICE.encode() in bytes(convert(master))


@pytest.mark.parametrize(
    ("stored", "kept"),
    [
        (b"photographer\0editor\0", b"photographer\0editor\0"),
        (b" \0editor\0", b" \0editor\0"),
        (b"photographer \0", b"photographer\0"),
        (b" \0 \0", None),
    ],
)
def test_the_copyrights_of_photographer_and_editor_stay_separate(stored: bytes, kept: bytes | None) -> None:
    """EXIF stores two copyrights in one value; a blank photographer keeps its place before the editor."""
    output = bytes(convert(with_segments(jpeg(), exif_segment(exif({COPYRIGHT: stored})))))
    assert (b"editor" in output) is (b"editor" in stored)
    if kept is None:
        assert b"Exif" not in output
    else:
        assert kept in output


@pytest.mark.parametrize(
    "packet",
    [
        "<dc:creator" * 20_000,
        "dc:creator='" * 20_000,
        "<dc:creator>" + "<rdf:li" * 30_000 + "</dc:creator>",
        CREATOR[:-3],
    ],
    ids=["starts", "attributes", "items", "cut"],
)
def test_a_hostile_xmp_packet_does_not_stall_the_search(packet: str) -> None:
    """A picture is converted despite an XMP packet that would make a backtracking search take hours."""
    assert convert(_with_chunks(chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + packet.encode()[:60_000])))


def test_a_text_chunk_that_inflates_to_10_mb_is_ignored() -> None:
    """A text chunk that inflates to 10 MB is ignored."""
    bomb = chunk(b"zTXt", b"Author\0\0" + zlib.compress(bytes(10_000_000)))
    assert not opened(convert(_with_chunks(bomb))).getexif()


def test_a_gifs_rights_are_kept() -> None:
    """XMP before the first frame counts; its bytes are no sub-blocks, so a trailer makes readers skip it."""
    packet = f"<rdf:Description>{POSITION}{CREATOR}{RIGHTS}</rdf:Description>".encode()
    extension = b"!\xff\x0bXMP DataXMP" + packet + b"\1" + bytes(range(255, -1, -1)) + b"\0"
    master = gif((8, 8), [(0, 0, 0), (255, 0, 0)], extension + gif_frame((0, 0, 8, 8), bytes(64)))
    output = convert(master)
    assert opened(output).getexif()[ARTIST] == NAME
    assert NOTICE.encode() in bytes(output)
    assert b"52,30N" not in bytes(output)


@pytest.mark.parametrize("at_end", [False, True])
def test_a_text_chunk_with_a_wrong_checksum_is_ignored(at_end: bool) -> None:  # noqa: FBT001
    """A damaged text is ignored, before and after the pixels."""
    damaged = chunk(b"tEXt", b"Author\0Jane Doe")[:-4] + bytes(4)
    assert not opened(convert(_with_chunks(damaged, at_end=at_end))).getexif()


def test_a_picture_without_rights_has_no_exif() -> None:
    """No empty EXIF block is written."""
    assert b"Exif" not in bytes(convert(png((4, 4), 8, 0, [bytes(4)] * 4)))
