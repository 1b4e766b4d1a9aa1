"""Hostile AVIF, HEIC and TIFF files."""

import itertools
import struct
import zlib
from functools import cache

from PIL import ExifTags, Image

from handlers.errors import BrokenImageError, ImageTooLargeError

from .heic import CORNERS, CORNERS_CONFIGURATION, SIZE, heic, parameters
from .heif import box, container, extent, grid, reference, resized
from .hostile import Harmless, Refused
from .pictures import jpeg, photo, saved
from .tiffs import plain, tiff

FLAT = (2_000, 2_000)
BOXES = 1_000_000
TILES = 63, 64
"""Columns and rows of a grid with nearly as many items as are accepted."""


@cache
def _flat(size: tuple[int, int] = FLAT) -> bytes:
    return saved(Image.new("RGB", size), "AVIF", speed=10)


def _head(brand: bytes) -> bytes:
    return box(b"ftyp", brand, bytes(4), brand, b"mif1")


def _meta(kind: bytes, brand: bytes, content: bytes) -> bytes:
    """Return a file whose `meta` contains one long box."""
    return _head(brand) + box(b"meta", bytes(4), box(b"pitm", bytes(6)), box(kind, content))


def _extents(brand: bytes, count: int) -> bytes:
    """Return a file whose single item has many extents, each with the same 100 bytes."""
    coding, setup = (b"av01", box(b"av1C", bytes(4))) if brand == b"avif" else (b"hvc1", box(b"hvcC", bytes(23)))
    one = struct.pack(">HHHHII", 1, 0, 0, 1, 0, 100)
    file = container([(coding, [1, 2], (0, 0, 100), b"")], [extent(8, 8), setup], brand=brand)
    assert one in file
    many = box(b"iloc", struct.pack(">IHH", 1 << 24, 0x4400, 1), one[:6], struct.pack(">H", count), one[8:] * count)
    meta = file[len(_head(brand)) + 8 :].replace(box(b"iloc", struct.pack(">IHH", 1 << 24, 0x4400, 1), one), many)
    return _head(brand) + box(b"meta", meta)


def _shared_tiles(coding: bytes, setup: bytes, brand: bytes, data: bytes) -> bytes:
    """Return a file whose grid has thousands of tiles, all with the same data."""
    columns, rows = TILES
    count, size = columns * rows, (columns * SIZE[0], rows * SIZE[1])
    properties = [extent(*SIZE), setup, extent(*size)]
    links = reference(b"dimg", 1, range(2, 2 + count))

    def head(start: int) -> bytes:
        tile = (coding, [1, 2], (0, start, len(data)), b"")
        items = [(b"grid", [3], (1, 0, 12), b""), *[tile] * count]
        return container(items, properties, links, brand=brand, idat=grid(rows, columns, *size))

    return head(len(head(0))) + data


def _grid(brand: bytes, coding: bytes) -> bytes:
    """Return a file whose grid claims 65,536 tiles, and references one item as often as a reference box can."""
    items = [(b"grid", [2], (1, 0, 12), b""), (coding, [1], (0, 0, 9), b"")]
    links = reference(b"dimg", 1, [2] * 65_535)
    return container(
        items, [extent(64, 64), extent(16_384, 16_384)], links, brand=brand, idat=grid(256, 256, 16_384, 16_384)
    )


def _boxes(brand: bytes, name: str) -> Refused:
    """Return files that attack a reader of boxes."""
    coding = b"av01" if brand == b"avif" else b"hvc1"
    small = [(coding, [1], (0, 0, 9), b"")]
    return {
        f"{name} of a million boxes": (lambda: _head(brand) + box(b"free") * BOXES, ImageTooLargeError),
        f"{name} of a million boxes in meta": (
            lambda: _head(brand) + box(b"meta", bytes(4), box(b"free") * BOXES),
            ImageTooLargeError,
        ),
        f"{name} of a million items": (
            lambda: _meta(b"iinf", brand, struct.pack(">IH", 0, 1) + box(b"infe") * (BOXES - 99)),
            ImageTooLargeError,
        ),
        f"{name} whose meta box claims 2 GB": (
            lambda: _head(brand) + struct.pack(">I4s", 1 << 31, b"meta"),
            ImageTooLargeError,
        ),
        f"{name} of 5,000 items": (
            lambda: container(small * 5_000, [extent(8, 8)], brand=brand),
            ImageTooLargeError,
        ),
        f"{name} whose item claims the file 60,000 times": (lambda: _extents(brand, 60_000), BrokenImageError),
        f"{name} whose grid claims 65,536 tiles": (lambda: _grid(brand, coding), BrokenImageError),
        f"{name} of 50,000 by 50,000": (
            lambda: container(small, [extent(50_000, 50_000)], brand=brand),
            ImageTooLargeError,
        ),
    }


def _detailed() -> bytes:
    return saved(photo(SIZE), "AVIF", quality=100, speed=10)


def _setup(data: bytes) -> bytes:
    """Return an AVIF's decoder configuration."""
    at = data.index(b"av1C") - 4
    return data[at : at + int.from_bytes(data[at : at + 4])]


def _coded(data: bytes) -> bytes:
    """Return the coded data of an AVIF."""
    return data[data.index(b"mdat") + 4 :]


def _frames() -> bytes:
    """Return an AVIF whose item contains the same picture a thousand times."""
    coded = _coded(_flat((64, 64))) * 1_000

    def head(start: int) -> bytes:
        item = b"av01", [1, 2], (0, start, len(coded)), b""
        return container([item], [extent(64, 64), _setup(_flat((64, 64)))])

    return head(len(head(0))) + coded


AVIF: Refused = {
    **_boxes(b"avif", "AVIF"),
    "AVIF of 16 x 16 whose coded picture has 4 MP": (lambda: resized(_flat(), FLAT, (16, 16)), BrokenImageError),
    "AVIF of 64 MP whose coded picture has 64 x 64": (
        lambda: resized(_flat((64, 64)), (64, 64), (8_000, 8_000)),
        BrokenImageError,
    ),
    "AVIF of a thousand frames": (_frames, ImageTooLargeError),
    "AVIF whose 4,032 tiles share their data": (
        lambda: _shared_tiles(b"av01", _setup(_detailed()), b"avif", _coded(_detailed())),
        BrokenImageError,
    ),
}

HEIC: Refused = {
    **_boxes(b"heic", "HEIC"),
    "HEIC of 96 x 64 whose coded picture has 268 MP": (
        lambda: heic(configuration=parameters(16_384, 16_384)),
        BrokenImageError,
    ),
    "HEIC of 64 MP whose coded picture has 96 x 64": (lambda: heic(size=(8_000, 8_000)), BrokenImageError),
    "HEIC of 5,000 pictures": (lambda: heic(data=CORNERS * 5_000), ImageTooLargeError),
    "HEIC whose 4,032 tiles share their data": (
        lambda: _shared_tiles(b"hvc1", box(b"hvcC", CORNERS_CONFIGURATION), b"heic", CORNERS),
        BrokenImageError,
    ),
    "HEIC of 20,000 units": (
        lambda: heic(data=struct.pack(">IH", 2, 35 << 9) * 20_000),
        ImageTooLargeError,
    ),
}


def _jpeg_strip() -> bytes:
    """Return a TIFF of 64 x 64 whose strip is a JPEG that claims 60,000 x 60,000."""
    strip = jpeg(photo((64, 64)), subsampling=0)
    at = strip.index(b"\xff\xc0") + 5
    strip = strip[:at] + struct.pack(">HH", 60_000, 60_000) + strip[at + 4 :]
    return tiff(plain(64, 64, t259=(3, [7]), t262=(3, [6]), t530=(3, [1, 1])), [strip])


def _claiming(tag: int, count: int) -> bytes:
    """Return a TIFF whose tag claims `count` values."""
    data = tiff(plain(64, 64, t278=(4, [32])), [bytes(64 * 32 * 3)] * 2)
    entry = struct.pack("<HHI", tag, 4, 2)
    assert entry in data
    return data.replace(entry, struct.pack("<HHI", tag, 4, count))


def _strips(count: int, size: int) -> bytes:
    """Return a TIFF of one-row strips that all share the same bytes."""
    return tiff(plain(100, count, t278=(4, [1]), t273=(4, [8] * count), t279=(4, [size] * count)), [])


def _chain(count: int, *, circular: bool = False) -> bytes:
    """Return a TIFF of one small page, followed by `count` empty directories."""
    start = len(tiff(plain(8, 8), [bytes(8 * 8 * 3)], after=1))
    starts = itertools.chain(range(start + 6, start + 6 * count, 6), [start if circular else 0])
    page = tiff(plain(8, 8), [bytes(8 * 8 * 3)], after=start)
    return page + b"".join(struct.pack("<HI", 0, following) for following in starts)


def _fractions() -> bytes:
    """Return a TIFF whose profile and whose places of tiles are stored as a million fractions."""
    sizes = {34675: 4_160_000, 324: 2_000_000, 325: 2_000_000}
    file = tiff(plain(64, 64) | {tag: (7, bytes(size)) for tag, size in sizes.items()}, [bytes(64)])
    for tag, size in sizes.items():
        file = file.replace(struct.pack("<HHI", tag, 7, size), struct.pack("<HHI", tag, 5, size // 8))
    return file


TIFF: Refused = {
    "TIFF of 30,000 by 30,000": (lambda: tiff(plain(30_000, 30_000), [b"abc"]), ImageTooLargeError),
    "TIFF of 64 MP in 11 bytes of Deflate": (
        lambda: tiff(plain(8_000, 8_000, t259=(3, [8])), [zlib.compress(b"abc")]),
        BrokenImageError,
    ),
    "TIFF whose strip claims 4 GB": (
        lambda: tiff(plain(64, 64, t273=(4, [8]), t279=(4, [(1 << 32) - 1]))),
        BrokenImageError,
    ),
    "BigTIFF whose strip claims 2^64 bytes": (
        lambda: tiff(plain(64, 64, t273=(16, [8]), t279=(16, [(1 << 64) - 1])), big=True),
        BrokenImageError,
    ),
    "TIFF that claims four billion strips": (lambda: _claiming(273, (1 << 32) - 1), BrokenImageError),
    "TIFF of 180,000 strips": (
        lambda: tiff(plain(60_000, 60_000, t278=(4, [1]), t284=(3, [2]), t273=(4, [8]), t279=(4, [1]))),
        ImageTooLargeError,
    ),
    "TIFF of 60,000 strips that overlap": (lambda: _strips(60_000, 300), BrokenImageError),
    "TIFF of tiles of a billion pixels a side": (
        lambda: tiff(plain(8, 8, t322=(4, [1 << 30]), t323=(4, [1 << 30]), t324=(4, [8]), t325=(4, [8]))),
        BrokenImageError,
    ),
    "TIFF of 60,000 samples a pixel": (lambda: tiff(plain(8, 8, t277=(3, [60_000])), [bytes(64)]), BrokenImageError),
    "TIFF whose JPEG claims 3,600 MP": (_jpeg_strip, BrokenImageError),
    "TIFF of 8,000 small JPEGs": (
        lambda: tiff(
            plain(64, 64_000, t278=(4, [8]), t259=(3, [7]), t262=(3, [6]), t530=(3, [1, 1])),
            [jpeg(photo((64, 8)), subsampling=0)] * 8_000,
        ),
        ImageTooLargeError,
    ),
    "TIFF of a million fractions": (_fractions, BrokenImageError),
    "TIFF of 65,535 entries without a picture": (
        lambda: b"II*\0\x08\0\0\0\xff\xff" + struct.pack("<HHII", 65_000, 4, 1, 1) * 65_535 + bytes(4),
        BrokenImageError,
    ),
}


def _numbers() -> bytes:
    """Return a TIFF with four million numbers in tags that nothing needs."""
    private = dict.fromkeys(range(40_000, 40_130), (7, b"\x33\x7f" * 32_000))
    file = tiff(plain(8, 8) | private, [bytes(8 * 8 * 3)])
    return file.replace(struct.pack("<HI", 7, 64_000), struct.pack("<HI", 3, 32_000))


def _blank_texts() -> bytes:
    """Return a TIFF with 8 MB of texts of nothing but control characters, in tags that have a name."""
    tags = sorted(tag for tag in ExifTags.TAGS if tag > 0x8830)[:120]
    return tiff(plain(8, 8) | dict.fromkeys(tags, (2, b"\x1b" * 65000)), [bytes(8 * 8 * 3)])


HARMLESS: Harmless = {
    "TIFF of 8 MB of blank texts": _blank_texts,
    "TIFF of four million numbers": _numbers,
    "TIFF of 200,000 directories": lambda: _chain(200_000),
    "TIFF whose directories are circular": lambda: _chain(5_000, circular=True),
    "TIFF whose strip inflates to 100 MB": lambda: tiff(
        plain(8, 8, t259=(3, [8])), [zlib.compress(bytes(100_000_000))]
    ),
    "TIFF whose profile claims 4 GB": lambda: tiff(plain(8, 8, t34675=(4, [1])), [bytes(8 * 8 * 3)]).replace(
        struct.pack("<HHI", 34675, 4, 1), struct.pack("<HHI", 34675, 4, (1 << 32) - 1)
    ),
}

REFUSED = AVIF | HEIC | TIFF
