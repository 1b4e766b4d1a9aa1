"""Read artist and copyright from the places where a file may have them; outputs get nothing else from these.

Source: Exif 2.32, tags 0x013B and 0x8298; IIM 4.2, datasets 2:80 and 2:116; Photoshop's file format, image resources.
"""

from collections.abc import Mapping
from types import MappingProxyType

from .exif import ARTIST, COPYRIGHT, Exif, decoded_text, directory_bytes
from .xmp import CREATOR, RIGHTS, read_xmp

MAX_TEXT_BYTES = 4_096
MAX_BLOCK_BYTES = 256 * 1024
"""How many bytes of an XMP packet, of Photoshop's resources or of a PNG's text are read, in every format."""

_ASCII = 2
_SIGNATURES = (b"8BIM", b"MeSa", b"AgHg", b"PHUT", b"DCSR")
"""The signatures that begin a resource: Photoshop's, and those of programs that add their own resources."""

_IPTC_RESOURCE, _BY_LINE, _COPYRIGHT_NOTICE = 0x0404, 80, 116
_EXTENDED = 0x8000
_XMP_FIELDS = {ARTIST: CREATOR, COPYRIGHT: RIGHTS}
_PNG_KEYWORDS = {ARTIST: "Author", COPYRIGHT: "Copyright"}


def rights_only(exif: Exif, iptc: bytes = b"", xmp: str = "", texts: Mapping[str, str] = MappingProxyType({})) -> bytes:
    """Return the body of an EXIF segment with artist and copyright only; empty if there is neither.

    Each comes from the first source that has it: EXIF, IPTC, XMP, PNG text.
    """
    by_line = _iptc(iptc[:MAX_BLOCK_BYTES])
    packet = xmp[:MAX_BLOCK_BYTES]
    described = read_xmp(packet) if CREATOR in packet or RIGHTS in packet else {}
    kept = []
    for tag in (ARTIST, COPYRIGHT):
        found = (
            _parts(exif.image.get(tag))
            or _clean(by_line.get(tag, b""))
            or _clean(described.get(_XMP_FIELDS[tag], "").encode("utf-8", "replace"))
            or _clean(texts.get(_PNG_KEYWORDS[tag], "").encode())
        )
        if found:
            kept.append((tag, _ASCII, len(found) + 1, found + b"\0"))
    return b"Exif\0\0" + directory_bytes(kept, ">") if kept else b""


def _parts(value: object) -> bytes:
    """Return EXIF text; in a copyright, photographer (may be blank) and editor stay separate."""
    if not isinstance(value, bytes):
        return b""
    first, _, second = (part.strip(b" \t\r\n") for part in value[:MAX_TEXT_BYTES].partition(b"\0"))
    second = second.strip(b"\0 \t\r\n")
    return (first or b" ") + b"\0" + second if second else first


def _clean(text: bytes) -> bytes:
    return text.replace(b"\0", b" ")[:MAX_TEXT_BYTES].strip()


def _iptc(resources: bytes) -> dict[int, bytes]:
    """Return the by-line and the copyright notice in Photoshop's image resources, as UTF-8."""
    position, found = 0, dict[int, list[bytes]]()
    while resources[position : position + 4] in _SIGNATURES:
        kind = int.from_bytes(resources[position + 4 : position + 6])
        name = resources[position + 6] if position + 6 < len(resources) else 0
        start = position + 6 + name + 1 + (name + 1) % 2 + 4
        size = int.from_bytes(resources[start - 4 : start])
        if kind == _IPTC_RESOURCE:
            _read_datasets(resources[start : start + size], found)
        position = start + size + size % 2
    return {tag: b"; ".join(values) for tag, values in found.items()}


def _read_datasets(block: bytes, found: dict[int, list[bytes]]) -> None:
    tags = {_BY_LINE: ARTIST, _COPYRIGHT_NOTICE: COPYRIGHT}
    position = 0
    while block[position : position + 1] == b"\x1c" and position + 5 <= len(block):
        record, dataset = block[position + 1], block[position + 2]
        size, position = int.from_bytes(block[position + 3 : position + 5]), position + 5
        if size & _EXTENDED:
            # The length of the length, which follows.
            start = position + (size & ~_EXTENDED)
            size, position = int.from_bytes(block[position:start]), start
        value = block[position : position + size]
        if record == 2 and dataset in tags and value:  # noqa: PLR2004 - the application record
            found.setdefault(tags[dataset], []).append(decoded_text(value).encode())
        position += size
