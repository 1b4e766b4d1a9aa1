"""The texts of a PNG that may have a picture's rights, by keyword.

Source: W3C PNG specification, third edition, 11.3.3.
"""

import zlib

from handlers.imaging.facts.rights import MAX_BLOCK_BYTES

TEXTS = frozenset({b"tEXt", b"zTXt", b"iTXt"})

XMP = "XML:com.adobe.xmp"
RAW_EXIF, RAW_IPTC, RAW_XMP = (f"Raw profile type {kind}" for kind in ("exif", "iptc", "xmp"))
KEYWORDS = frozenset({"Author", "Copyright", XMP, RAW_EXIF, RAW_IPTC, RAW_XMP})


def read_text(kind: bytes, data: bytes) -> dict[str, str]:
    """Return the text of a chunk by its keyword; empty if it is damaged, too long or has another keyword."""
    keyword, _, rest = data.partition(b"\0")
    name = keyword.decode("latin-1")
    if name not in KEYWORDS:
        return {}
    if kind == b"tEXt":
        return {name: rest.decode("latin-1")}
    if kind == b"zTXt":
        return _named(name, _inflated(rest[1:]), "latin-1")
    compressed, _, rest = rest[:1] == b"\1", rest[1:2], rest[2:]
    _, _, rest = rest.partition(b"\0")  # The language.
    _, _, body = rest.partition(b"\0")  # The translated keyword.
    return _named(name, _inflated(body) if compressed else body, "utf-8")


def raw_profile(text: str) -> bytes:
    """Return the block in a text of ImageMagick: a name, a length, hexadecimal digits; empty if it is damaged."""
    try:
        return bytes.fromhex("".join(text.split(None, 2)[2:]))
    except ValueError:
        return b""


def _named(name: str, body: bytes | None, encoding: str) -> dict[str, str]:
    return {} if body is None else {name: body.decode(encoding, "replace")}


def _inflated(deflated: bytes) -> bytes | None:
    """Return the inflated bytes, or None if they are damaged or too many."""
    inflater = zlib.decompressobj()
    try:
        found = inflater.decompress(deflated, MAX_BLOCK_BYTES)
    except zlib.error:
        return None
    return found if inflater.eof else None
