"""Hostile JPEG, PNG and GIF files, and files in formats that are not accepted by default."""

import struct
import zlib
from collections.abc import Callable

from handlers.errors import (
    BrokenImageError,
    ImageTooLargeError,
    NotAnImageError,
    PixelCascadeError,
    UnsupportedFormatError,
)

from .pictures import (
    BLACK,
    RED,
    SIGNATURE,
    chunk,
    exif,
    exif_segment,
    gif,
    gif_frame,
    jpeg,
    p3_profile,
    photo,
    png,
    saved,
    segment,
    with_segments,
)

Refused = dict[str, tuple[Callable[[], bytes], type[PixelCascadeError]]]
Harmless = dict[str, Callable[[], bytes]]

IDAT = chunk(b"IDAT", zlib.compress(b"\0\0"))


def _header(width: int, height: int, depth: int = 8, colour: int = 0, interlace: int = 0) -> bytes:
    return SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace))


def _bomb(size: int) -> bytes:
    packer = zlib.compressobj(9)
    return packer.compress(bytes(size)) + packer.flush()


def _scan_bomb() -> bytes:
    master = jpeg(photo((64, 64)), progressive=True)
    last = master.rindex(b"\xff\xda")
    return master[:-2] + master[last:-2] * 5000 + b"\xff\xd9"


def frame_header(marker: int, bits: int = 8, components: int = 3, size: tuple[int, int] = (64, 64)) -> bytes:
    body = struct.pack(">BHHB", bits, size[1], size[0], components)
    body += b"".join(bytes((number + 1, 0x11, 0)) for number in range(components))
    return b"\xff\xd8" + segment(marker, body) + b"\xff\xda\0\x08\1\1\0\0\x3f\0" + bytes(64) + b"\xff\xd9"


def _overlapping_exif(size: int) -> bytes:
    """Return a TIFF structure with three directories whose entries all claim the same bytes."""
    starts = [8 + number * (2 + 12 * 512 + 4) for number in range(4)]
    pointers = [struct.pack(">HHII", 0x8769, 4, 1, starts[1]), struct.pack(">HHII", 0x8825, 4, 1, starts[2])]
    claims = [struct.pack(">HHII", 0x5000 + tag, 3, (size - starts[3]) // 2, starts[3]) for tag in range(512)]
    tables = [pointers + claims[2:], claims, claims]
    blob = b"".join(b"\2\0" + b"".join(entries) + bytes(4) for entries in tables)
    return (b"MM\0*\0\0\0\x08" + blob).ljust(size, b"\1")


def _restarts(scans: int) -> bytes:
    """Return a progressive JPEG of 4,000 x 4,000 whose scans of detail are nothing but restarts, one for each block."""
    blocks = 500 * 500
    table = segment(0xC4, b"\x10\1" + bytes(15) + b"\0")
    restarts = b"".join(bytes((0xFF, 0xD0 + number)) for number in range(8)) * (blocks // 8)
    scan = segment(0xDA, b"\1\1\0\1\x3f\0") + restarts
    frame = segment(0xC2, struct.pack(">BHHB", 8, 4000, 4000, 1) + b"\1\x11\0")
    return b"\xff\xd8" + frame + segment(0xDD, b"\0\1") + table + scan * scans + b"\xff\xd9"


def _short_sub_blocks(count: int) -> bytes:
    """Return blocks of comments with 100,000 sub-blocks of one byte each."""
    return (b"!\xfe" + b"\1x" * 100_000 + b"\0") * (count // 100_000)


def _in_blocks_of_fill(count: int) -> bytes:
    """Return a JPEG whose coded data are single bytes after fill bytes, as many as a decoder gets at a time."""
    master = jpeg(photo((64, 64)))
    start = master.index(b"\xff\xda") + 14
    return master[:start] + (b"\xff" * 250_000 + b"\0") * count + b"\xff\xd9"


def _claimed_table(kind: bytes) -> bytes:
    """Return a profile whose table claims 249 million values: 255 for each of three inputs, of fifteen outputs."""
    if kind == b"mft2":
        return p3_profile({b"A2B0": b"mft2\0\0\0\0" + bytes((3, 15, 255, 0)) + bytes(36) + b"\0\2\0\2" + bytes(1000)})
    places = struct.pack(">5I", 0, 0, 0, 32, 0)
    return p3_profile(
        {b"A2B0": b"mAB \0\0\0\0" + bytes((3, 15, 0, 0)) + places + b"\xff" * 3 + bytes(13) + b"\2\0\0\0"}
    )


def _pipeline(elements: int) -> bytes:
    """Return a profile whose rendering by relative colorimetry is a pipeline of matrices, all with the same bytes."""
    matrix = b"matf\0\0\0\0" + struct.pack(">HH12f", 3, 3, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0)
    places = struct.pack(">II", 16 + 8 * elements, len(matrix)) * elements
    return p3_profile({b"D2B1": b"mpet\0\0\0\0" + struct.pack(">HHI", 3, 3, elements) + places + matrix})


def _numbers(values: int, per_entry: int) -> bytes:
    """Return a TIFF structure of whole numbers of 16 bits."""
    entries, size = values // per_entry, 2 * per_entry
    start = 8 + 2 + 12 * entries + 4
    claims = [struct.pack(">HHII", 0x5000 + tag, 3, per_entry, start + tag * size) for tag in range(entries)]
    return b"MM\0*\0\0\0\x08" + struct.pack(">H", entries) + b"".join(claims) + bytes(4) + b"\x7f\x33" * values


REFUSED: Refused = {
    "empty": (lambda: b"", NotAnImageError),
    "two bytes": (lambda: b"\xff\xd8", NotAnImageError),
    "three bytes": (lambda: b"\xff\xd8\xff", BrokenImageError),
    "text": (lambda: b"hello, world", NotAnImageError),
    "zeros": (lambda: bytes(100_000), NotAnImageError),
    "only a signature": (lambda: SIGNATURE, BrokenImageError),
    "only GIF89a": (lambda: b"GIF89a", BrokenImageError),
    "EPS named .jpg": (lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", UnsupportedFormatError),
    "PDF": (lambda: b"%PDF-1.7\n", UnsupportedFormatError),
    "TIFF": (lambda: exif({0x0100: 8, 0x0101: 8}), UnsupportedFormatError),
    "WebP": (lambda: saved(photo(), "WEBP"), UnsupportedFormatError),
    "BMP": (lambda: saved(photo(), "BMP"), UnsupportedFormatError),
    "SVG": (lambda: b"<?xml version='1.0'?>\n<svg xmlns='http://www.w3.org/2000/svg'/>", UnsupportedFormatError),
    "HEIC": (lambda: b"\0\0\0\x18ftypheic" + bytes(16), UnsupportedFormatError),
    "177 MP in 21 KB of PNG": (
        lambda: _header(13_300, 13_300) + chunk(b"IDAT", _bomb(13_301 * 1600)),
        ImageTooLargeError,
    ),
    "PNG of 2 billion pixels a side": (lambda: _header(2**31 - 1, 2**31 - 1) + IDAT, ImageTooLargeError),
    "PNG of an unknown critical chunk": (lambda: _header(1, 1) + chunk(b"ABCD") + IDAT, UnsupportedFormatError),
    "PNG for Apple's devices only": (
        lambda: SIGNATURE + chunk(b"CgBI", bytes(4)) + _header(1, 1)[8:] + IDAT,
        UnsupportedFormatError,
    ),
    "PNG 0 wide": (lambda: _header(0, 5) + IDAT, BrokenImageError),
    "interlaced PNG of 400 MP": (lambda: _header(20_000, 20_000, 16, 6, 1) + IDAT, ImageTooLargeError),
    "PNG of a million empty data chunks": (
        lambda: _header(64, 64) + chunk(b"IDAT") * 1_000_000,
        ImageTooLargeError,
    ),
    "PNG of 10,000 text chunks": (
        lambda: _header(64, 64) + chunk(b"tEXt", b"a\0b") * 10_000 + IDAT,
        ImageTooLargeError,
    ),
    "PNG of 10,000 chunks after the picture": (
        lambda: _header(1, 1) + IDAT + chunk(b"tEXt", b"a\0b") * 10_000 + chunk(b"IEND"),
        ImageTooLargeError,
    ),
    "PNG whose chunk claims 2 GB": (lambda: _header(64, 64) + b"\x7f\xff\xff\xffIDATx", BrokenImageError),
    "GIF with a 13,000-square canvas": (
        lambda: gif((13_000, 13_000), [BLACK, RED], gif_frame((0, 0, 1, 1), b"\1")),
        ImageTooLargeError,
    ),
    "GIF with a frame larger than its canvas": (
        lambda: gif((10, 10), [BLACK, RED], gif_frame((0, 0, 60_000, 60_000), b"\1")),
        ImageTooLargeError,
    ),
    "GIF of a million comments": (
        lambda: b"GIF89a\1\0\1\0\0\0\0" + b"!\xfe\1x\0" * 1_000_000,
        ImageTooLargeError,
    ),
    "GIF comment of a million sub-blocks": (
        lambda: b"GIF89a\1\0\1\0\0\0\0!\xfe" + b"\1x" * 1_000_000 + b"\0;",
        ImageTooLargeError,
    ),
    "GIF of 10 million sub-blocks before its frame": (
        lambda: b"GIF89a\1\0\1\0\0\0\0" + _short_sub_blocks(10_000_000),
        ImageTooLargeError,
    ),
    "JPEG of 5,000 scans": (_scan_bomb, ImageTooLargeError),
    "JPEG of 50,000 by 50,000": (lambda: frame_header(0xC0, size=(50_000, 50_000)), ImageTooLargeError),
    "JPEG of 64 MP in 100 bytes": (lambda: frame_header(0xC0, size=(8_000, 8_000)), BrokenImageError),
    "progressive JPEG of 64 MP in 100 bytes": (lambda: frame_header(0xC2, size=(8_000, 8_000)), BrokenImageError),
    "lossless JPEG of 64 MP in 100 bytes": (lambda: frame_header(0xC3, size=(8_000, 8_000)), BrokenImageError),
    "JPEG of 600 APP1 segments": (
        lambda: with_segments(jpeg(), segment(0xE1, b"Exif\0\0" + bytes(60_000)) * 600),
        ImageTooLargeError,
    ),
    "JPEG of 100,000 tables": (lambda: with_segments(jpeg(), segment(0xDD, b"\0\0") * 100_000), ImageTooLargeError),
    "JPEG of 500 long quantisation tables": (
        lambda: with_segments(jpeg(), segment(0xDB, bytes(65_000)) * 500),
        ImageTooLargeError,
    ),
    "JPEG of fill bytes": (lambda: b"\xff\xd8" + b"\xff" * 10_000_000, BrokenImageError),
    "JPEG of restart markers": (lambda: b"\xff\xd8\xff\xd0" + b"\xff\xd0" * 5_000_000, BrokenImageError),
    "JPEG of 5 million restarts in 20 scans": (lambda: _restarts(20), ImageTooLargeError),
    "JPEG of coded data in 5 MB of fill bytes": (lambda: _in_blocks_of_fill(20), BrokenImageError),
    "JPEG without a picture": (lambda: b"\xff\xd8\xff\xd9", BrokenImageError),
    "JPEG 0 wide": (lambda: frame_header(0xC0, size=(0, 8)), BrokenImageError),
    "JPEG 0 high (DNL)": (lambda: frame_header(0xC0, size=(8, 0)), UnsupportedFormatError),
    "JPEG of 12 bits": (lambda: frame_header(0xC1, bits=12), UnsupportedFormatError),
    "JPEG of 2 components": (lambda: frame_header(0xC0, components=2), UnsupportedFormatError),
    "hierarchical JPEG": (lambda: frame_header(0xC5), UnsupportedFormatError),
    "lossless arithmetic JPEG": (lambda: frame_header(0xCB), UnsupportedFormatError),
    "JPEG sampled 0 x 1": (
        lambda: jpeg(restart_marker_rows=1).replace(b"\3\1\x22\0", b"\3\1\1\0", 1),
        BrokenImageError,
    ),
    "JPEG with two frames": (lambda: with_segments(jpeg(), jpeg()[jpeg().index(b"\xff\xc0") :][:19]), BrokenImageError),
    "JPEG with a frame header of no components": (lambda: frame_header(0xC0, components=0), BrokenImageError),
}

HARMLESS: Harmless = {
    "zTXt bomb": lambda: png((8, 8), 8, 0, [bytes(8)] * 8, chunk(b"zTXt", b"a\0\0" + _bomb(100_000_000))),
    "PNG of a damaged unknown chunk": lambda: png((8, 8), 8, 0, [bytes(8)] * 8, chunk(b"ABCD")[:-1] + b"?"),
    "iTXt bomb": lambda: png((8, 8), 8, 0, [bytes(8)] * 8, chunk(b"iTXt", b"a\0\1\0\0\0" + _bomb(100_000_000))),
    "PNG of 500 texts that are not UTF-8": lambda: png(
        (8, 8), 8, 0, [bytes(8)] * 8, chunk(b"iTXt", b"Author\0\1\0\0\0" + zlib.compress(b"\xff" * 262_144)) * 500
    ),
    "eXIf of 33 MB after the picture": lambda: (
        _header(8, 8)
        + chunk(b"IDAT", zlib.compress(bytes(9) * 8))
        + chunk(b"eXIf", _numbers(16_000_000, 32_000))
        + chunk(b"IEND")
    ),
    "iCCP bomb": lambda: png((8, 8), 8, 0, [bytes(8)] * 8, chunk(b"iCCP", b"a\0\0" + _bomb(100_000_000))),
    "data bomb": lambda: _header(8, 8) + chunk(b"IDAT", _bomb(100_000_000)) + chunk(b"IEND"),
    "XMP of 87,000 elements that is read twice": lambda: png(
        (8, 8), 8, 0, [bytes(8)] * 8, chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0creator" + b"<a>" * 87_000 + b"&")
    ),
    "XMP entity bomb": lambda: with_segments(
        jpeg(),
        segment(
            0xE1,
            b'http://ns.adobe.com/xap/1.0/\0<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
            + b"".join(b'<!ENTITY %c "&%c;&%c;&%c;&%c;">' % (n + 1, n, n, n, n) for n in range(97, 120))
            + b"]><x:xmpmeta>&x;</x:xmpmeta>",
        ),
    ),
    "APNG that claims two billion frames": lambda: png(
        (8, 8), 8, 0, [bytes(8)] * 8, chunk(b"acTL", struct.pack(">II", 2_147_483_647, 0))
    ),
    "GIF of 20,000 frames": lambda: gif((8, 8), [BLACK, RED], gif_frame((0, 0, 1, 1), b"\1") * 20_000),
    "MPO that claims two billion pictures": lambda: with_segments(
        jpeg(), segment(0xE2, b"MPF\0" + exif({0xB001: (4, 1, b"\x7f\xff\xff\xff")}))
    ),
    "EXIF whose directories point at themselves": lambda: with_segments(
        jpeg(), exif_segment(b"MM\0*\0\0\0\x08\0\2\x87\x69\0\4\0\0\0\1\0\0\0\x08\x88\x25\0\4\0\0\0\1\0\0\0\x08")
    ),
    "EXIF of 65,535 entries": lambda: with_segments(jpeg(), exif_segment(b"MM\0*\0\0\0\x08\xff\xff" + bytes(60_000))),
    "EXIF whose entries share their bytes": lambda: with_segments(jpeg(), exif_segment(_overlapping_exif(65_000))),
    "eXIf whose entries share their bytes": lambda: png(
        (8, 8), 8, 0, [bytes(8)] * 8, chunk(b"eXIf", _overlapping_exif(1_000_000))
    ),
    "EXIF value of 4 GB": lambda: with_segments(
        jpeg(), exif_segment(exif({0x010F: (2, 2**32 - 1, b"\xff\xff\xff\xff")}))
    ),
    "JPEG of 40 MB of fill bytes before its end": lambda: jpeg()[:-2] + b"\xff" * 40_000_000 + b"\xff\xd9",
    "profile of a table that claims 500 MB": lambda: jpeg(icc_profile=_claimed_table(b"mft2")),
    "profile of a version 4 table that claims 500 MB": lambda: jpeg(icc_profile=_claimed_table(b"mAB ")),
    "profile of 400,000 matrices": lambda: png(
        (8, 8), 8, 2, [bytes(24)] * 8, chunk(b"iCCP", b"a\0\0" + zlib.compress(_pipeline(400_000)))
    ),
    "polyglot": lambda: jpeg() + b"PK\3\4" + bytes(50_000),
    "GIF of 10 million sub-blocks after its frame": lambda: gif(
        (8, 8), [BLACK, RED], gif_frame((0, 0, 8, 8), b"\1" * 64), _short_sub_blocks(10_000_000)
    ),
    "GIF followed by junk": lambda: gif((8, 8), [BLACK, RED], gif_frame((0, 0, 8, 8), b"\1" * 64)) + bytes(9999),
}
