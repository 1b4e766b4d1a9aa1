"""Artist and copyright are kept from any block that has them; the rest of those blocks is dropped."""

import re
import struct
import zlib

import pytest

from handlers.imaging import convert
from handlers.imaging.facts import rights
from handlers.imaging.facts.exif import ARTIST, COPYRIGHT
from handlers.imaging.facts.xmp import packet_text, read_xmp

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


def _raw(kind: str, block: bytes, name: str = "") -> bytes:
    """Return the chunk of a block as ImageMagick writes it, or ExifTool by another `name`."""
    digits = "\n".join(re.findall(".{1,72}", block.hex()))
    text = f"\n{name or kind}\n{len(block):8}\n{digits}\n"
    return chunk(b"zTXt", f"Raw profile type {kind}\0\0".encode() + zlib.compress(text.encode()))


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
    "IPTC as text": _with_chunks(_raw("iptc", _iptc((80, NAME.encode()), (116, NOTICE.encode()))[18:])),
    "IPTC as text of ExifTool": _with_chunks(
        _raw("iptc", _iptc((80, NAME.encode()), (116, NOTICE.encode()))[18:], "IPTC profile")
    ),
    "EXIF as text": _with_chunks(_raw("exif", b"Exif\0\0" + exif({ARTIST: NAME.encode(), COPYRIGHT: NOTICE.encode()}))),
    "XMP as text": _with_chunks(_raw("xmp", f"{POSITION}{CREATOR}{RIGHTS}".encode())),
    "XMP of 100 KB": _with_chunks(
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + f"{CREATOR}{RIGHTS}".encode().rjust(100_000))
    ),
    "XMP that inflates to 100 KB": _with_chunks(
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(f"{CREATOR}{RIGHTS}".encode().rjust(100_000)))
    ),
}


NAMESPACES = (
    'xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:p="http://purl.org/dc/elements/1.1/" xmlns:m="urn:m"'
)
ONE, TWO = "<r:li>Jane Doe</r:li>", "<r:li>John Roe</r:li>"
THUMBNAIL = f"<m:Pantry><r:Bag><r:li><r:Description><p:creator><r:Seq>{TWO}</r:Seq></p:creator></r:Description>"
THUMBNAIL += "</r:li></r:Bag></m:Pantry>"
CREATORS = {
    "other prefixes": (f"<p:creator><r:Seq>{ONE}</r:Seq></p:creator>", "Jane Doe"),
    "several": (f"<p:creator><r:Seq>{ONE}{TWO}</r:Seq></p:creator>", "Jane Doe; John Roe"),
    "repeated": (f"<p:creator><r:Bag>{ONE}{ONE}</r:Bag></p:creator>", "Jane Doe"),
    "plain text": ("<p:creator>Jane Doe</p:creator>", "Jane Doe"),
    "default namespace": ('<creator xmlns="http://purl.org/dc/elements/1.1/">Jane Doe</creator>', "Jane Doe"),
    "CDATA, comment, entities": ("<p:creator>Jane<!-- x --><![CDATA[ <D&]]>&#111;&amp;e</p:creator>", "Jane <D&o&e"),
    "bare ampersand": ("<p:creator>Doe & Roe</p:creator>", "Doe & Roe"),
    "a value with qualifiers": (
        "<p:creator><r:Seq><r:li><r:value>Jane Doe</r:value><m:role>editor</m:role></r:li></r:Seq></p:creator>",
        "Jane Doe",
    ),
    "languages": (
        "<p:creator><r:Alt><r:li xml:lang='de'>Hanna</r:li><r:li xml:lang='x-default'>Jane</r:li></r:Alt></p:creator>",
        "Jane",
    ),
    "languages without a default": (
        "<p:creator><r:Alt><r:li xml:lang='de'>Hanna</r:li><r:li xml:lang='en'>Jane</r:li></r:Alt></p:creator>",
        "Hanna",
    ),
    "an ingredient's before": (f"{THUMBNAIL}<p:creator>Jane Doe</p:creator>", "Jane Doe"),
    "an ingredient's only": (THUMBNAIL, None),
    "another vocabulary's": ("<m:creator>Jane Doe</m:creator>", None),
    "blank": ("<p:creator><r:Seq><r:li> </r:li></r:Seq></p:creator>", None),
    "damage after it": ("<p:creator>Jane Doe</p:creator><m:x></m:y>", "Jane Doe"),
}


def _packet(inner: str) -> str:
    """Return a packet as programs write it."""
    return (
        f'<?xml version="1.0"?><?xpacket begin="\ufeff" id="W5M0"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        f"<r:RDF {NAMESPACES}><r:Description r:about=''>{inner}</r:Description></r:RDF></x:xmpmeta><?xpacket end='w'?>"
    )


@pytest.mark.parametrize(("inner", "creator"), CREATORS.values(), ids=CREATORS)
def test_the_creator_in_xmp_is_read_as_rdf(inner: str, creator: str | None) -> None:
    """Namespaces count, not prefixes; so do lists, languages and what a property belongs to."""
    master = with_segments(jpeg(), segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + _packet(inner).encode()))
    assert opened(convert(master)).getexif().get(ARTIST) == creator


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_xmp_is_read_in_every_encoding(encoding: str) -> None:
    """A packet may be in UTF-16 or UTF-32, with a byte order mark or without."""
    assert read_xmp(packet_text(_packet(f"<p:rights>{NOTICE}</p:rights>").encode(encoding))) == {"rights": NOTICE}


def test_a_document_type_ends_a_packet() -> None:
    """Entities are not expanded, because a document type could define ones that grow without end."""
    packet = f'<!DOCTYPE x [<!ENTITY a "aaaa">]>{_packet("<p:creator>&a;</p:creator>")}'
    assert read_xmp(packet) == {}


def test_several_by_lines_are_joined() -> None:
    """IPTC repeats the dataset for each person."""
    master = with_segments(jpeg(), _iptc((80, b"Jane"), (80, b"John")))
    assert opened(convert(master)).getexif()[ARTIST] == "Jane; John"


def test_iptc_is_read_after_other_resources_and_long_datasets() -> None:
    """Resources of other programs, and datasets whose length has its own length, are skipped."""
    preview = struct.pack(">BBBHI", 0x1C, 2, 202, 0x8004, 40_000) + bytes(40_000)
    by_line = struct.pack(">BBBH", 0x1C, 2, 80, len(NAME)) + NAME.encode()
    resource = b"8BIM\4\4\0\0" + struct.pack(">I", len(preview + by_line)) + preview + by_line
    master = with_segments(jpeg(), segment(0xED, b"Photoshop 3.0\0MeSa\x04\x25\0\0\0\0\0\2ab" + resource))
    assert opened(convert(master)).getexif()[ARTIST] == NAME


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
        "<rdf:Description>" * 3_500 + CREATOR,
        CREATOR[:-3],
    ],
    ids=["starts", "attributes", "items", "depth", "cut"],
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


@pytest.mark.parametrize("text", ["", "iptc", "iptc\n9", "iptc\n9\nxyz", "iptc\n9\n123"])
def test_a_damaged_block_as_text_is_ignored(text: str) -> None:
    """Neither a missing nor an unreadable block costs the picture."""
    damaged = chunk(b"tEXt", b"Raw profile type iptc\0" + text.encode())
    assert not opened(convert(_with_chunks(damaged))).getexif()


def test_a_picture_without_rights_has_no_exif() -> None:
    """No empty EXIF block is written."""
    assert b"Exif" not in bytes(convert(png((4, 4), 8, 0, [bytes(4)] * 4)))


def test_an_xmp_packet_is_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A packet of 256 KB takes up to 0.2 s: a picture that is not copied read its own twice."""
    parsed: list[str] = []

    def parse(packet: str) -> dict[str, str]:
        parsed.append(packet)
        return {}

    monkeypatch.setattr(rights, "read_xmp", parse)
    convert(_with_chunks(chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + CREATOR.encode())))
    assert len(parsed) == 1
