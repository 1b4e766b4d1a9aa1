"""Identify a file that is in none of the accepted formats by its first bytes."""

import codecs

from .brands import is_avif, is_heic

_REFUSED = {
    b"\xff\xd8\xff": "a JPEG picture",
    b"\x89PNG\r\n\x1a\n": "a PNG picture",
    b"GIF8": "a GIF picture",
    b"BM": "a BMP picture",
    b"II*\0": "a TIFF picture or camera raw file",
    b"MM\0*": "a TIFF picture or camera raw file",
    b"II+\0": "a BigTIFF picture",
    b"MM\0+": "a BigTIFF picture",
    b"IIRO": "an Olympus raw file",
    b"IIU\0": "a Panasonic raw file",
    b"FUJIFILMCCD-RAW": "a Fujifilm raw file",
    b"8BPS": "a Photoshop document",
    b"%!PS": "an EPS or PostScript document",
    b"\xc5\xd0\xd3\xc6": "an EPS document",
    b"%PDF": "a PDF document",
    b"\0\0\1\0": "a Windows icon",
    b"\0\0\2\0": "a Windows cursor",
    b"\0\0\0\x0cjP  \r\n\x87\n": "a JPEG 2000 picture",
    b"\xff\x4f\xff\x51": "a JPEG 2000 picture",
    b"\xff\x0a": "a JPEG XL picture",
    b"\0\0\0\x0cJXL \r\n\x87\n": "a JPEG XL picture",
    b"qoif": "a QOI picture",
    b"v/1\1": "an OpenEXR picture",
    b"#?RADIANCE": "a Radiance HDR picture",
    b"gimp xcf": "a GIMP document",
    b"icns": "an Apple icon",
    b"\x8aMNG\r\n\x1a\n": "an MNG animation",
    b"\x8bJNG\r\n\x1a\n": "a JNG picture",
    b"DDS ": "a DirectDraw surface",
    b"SIMPLE  =": "a FITS picture",
    b"\x97JB2\r\n\x1a\n": "a JBIG2 picture",
    b"\1\xda": "an SGI picture",
    b"\x59\xa6\x6a\x95": "a Sun raster",
    b"AT&TFORM": "a DjVu document",
    b"/* XPM */": "an XPM picture",
}


def other_format(prefix: bytes) -> str | None:
    """Return the name of another picture or document format, or None."""
    for magic, name in _REFUSED.items():
        if prefix.startswith(magic):
            return name
    if prefix[:4] == b"RIFF" and prefix[8:12] == b"WEBP":
        return "a WebP picture"
    if prefix[4:8] == b"ftyp":
        return _container(prefix)
    if prefix[:1] == b"P" and prefix[1:2] in b"1234567" and prefix[2:3].isspace():
        return "a Netpbm picture"
    text = prefix.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith(b"<svg") or (text.startswith((b"<?xml", b"<!--", b"<!doctype svg")) and b"<svg" in text):
        return "an SVG drawing"
    return None


def _container(prefix: bytes) -> str:
    """Return the name of a file's kind in the ISO base media format."""
    if is_avif(prefix):
        return "an AVIF picture"
    if is_heic(prefix):
        return "a HEIC picture"
    return "a Canon raw file" if prefix[8:12] == b"crx " else "a video"


def unknown_kind(prefix: bytes) -> str:
    """Describe a file that is not a picture, so that its owner can find out what it is."""
    if prefix[1:4].upper() == b"PNG":
        return f"a file like a PNG whose first bytes are damaged, as by a transfer as text ({prefix[:8].hex(' ')})"
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(prefix)  # The prefix may end within a character.
    except UnicodeDecodeError:
        text = "\0"
    if all(letter.isprintable() or letter.isspace() for letter in text):
        return f"text that begins with {' '.join(text.split())[:40]!r}"
    return f"an unknown file that begins with the bytes {prefix[:8].hex(' ')}"
