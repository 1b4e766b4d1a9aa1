"""The texts of a PNG that may have a picture's rights, by keyword.

Source: W3C PNG specification, third edition, 11.3.3.
"""

import zlib

from handlers.imaging.facts.rights import MAX_BLOCK_BYTES

TEXTS = frozenset({b"tEXt", b"zTXt", b"iTXt"})

XMP = "XML:com.adobe.xmp"
RAW_EXIF, RAW_IPTC, RAW_XMP = (f"Raw profile type {kind}" for kind in ("exif", "iptc", "xmp"))
KEYWORDS = frozenset({"Author", "Copyright", XMP, RAW_EXIF, RAW_IPTC, RAW_XMP})

MAX_TEXTS = 32
"""Texts that are read before the picture, and after it; each takes up to 4 ms, and programs write a few."""


class Texts(dict[str, str]):
    """The texts by keyword, as far as they are read; those that are damaged or too long are left out."""

    def __init__(self) -> None:
        super().__init__()
        self._read = 0

    def read(self, kind: bytes, data: bytes) -> None:
        """Read the text of a chunk, unless it has another keyword or is one of too many."""
        keyword, _, rest = data.partition(b"\0")
        name = keyword.decode("latin-1")
        if name not in KEYWORDS or self._read == MAX_TEXTS:
            return
        self._read += 1
        text = _text(kind, rest)
        if text is not None:
            self[name] = text


def raw_profile(text: str) -> bytes:
    """Return the block in a text of ImageMagick: lines of a name, a length, hex digits; empty if it is damaged."""
    try:
        return bytes.fromhex("".join(text.strip().split("\n", 2)[2:]))
    except ValueError:
        return b""


def _text(kind: bytes, data: bytes) -> str | None:
    """Return the text after a chunk's keyword, or None if it is damaged or too long."""
    if kind == b"tEXt":
        return data.decode("latin-1")
    if kind == b"zTXt":
        return _decoded(inflated(data[1:], MAX_BLOCK_BYTES), "latin-1")
    compressed = data[:1] == b"\1"
    _, _, rest = data[2:].partition(b"\0")  # The language.
    _, _, body = rest.partition(b"\0")  # The translated keyword.
    return _decoded(inflated(body, MAX_BLOCK_BYTES) if compressed else body, "utf-8")


def _decoded(body: bytes | None, encoding: str) -> str | None:
    return None if body is None else body.decode(encoding, "replace")


def inflated(deflated: bytes, most_bytes: int) -> bytes | None:
    """Return the inflated bytes, or None if they are damaged or too many."""
    inflater = zlib.decompressobj()
    try:
        found = inflater.decompress(deflated, most_bytes)
    except zlib.error:
        return None
    return found if inflater.eof else None
