"""Read the items of an AVIF or HEIC; no pixel is decoded.

Source: ISO/IEC 23008-12, 6.5 and 6.6; ISO/IEC 23000-22 for the order of transformations and for alpha; AV1 image file
format.
"""

from dataclasses import dataclass

from handlers.errors import ImageTooLargeError, UnsupportedFormatError
from handlers.imaging.limits import Limits
from handlers.imaging.source import Source

from .heif_items import DERIVED_FROM, ImageItem, Meta
from .heif_meta import read_meta
from .heif_shown import profile_of, shown
from .isobmff import MAX_ITEMS, Reader, damaged
from .picture import GAIN_MAP_IGNORED, Header

GRID, ALPHA, PREMULTIPLIED = b"grid", b"auxl", b"prem"
ALPHA_TYPES = (b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha", b"urn:mpeg:hevc:2015:auxid:1")
GAIN_MAP_TYPE = b"urn:com:photo:aperture:2020:aux:hdrgainmap"
TONE_MAP = b"tmap"

_KNOWN = frozenset(
    {
        b"ispe",
        b"pixi",
        b"colr",
        b"auxC",
        b"irot",
        b"imir",
        b"clap",
        b"pasp",
        b"av1C",
        b"hvcC",
        b"a1op",
        b"a1lx",
        b"lsel",
    }
)
_GRID_BYTES = 8


@dataclass(frozen=True)
class CodedImage:
    """A coded item, or a grid of them, row by row; `size` is the whole's, in pixels."""

    number: int
    size: tuple[int, int]
    tiles: tuple[int, ...]
    grid: tuple[int, int] | None = None

    @property
    def canvas(self) -> tuple[int, int]:
        """Return the (columns, rows) of tiles."""
        return self.grid or (1, 1)


@dataclass(frozen=True, kw_only=True)
class HeifHeader(Header):
    """Facts from `meta`: the coded image, its opacity if it has one, and what is shown of it.

    `box` is the clean aperture (left, top, right, bottom) of the coded image before it is turned. `orientation` is
    EXIF's number for the transformations `irot` and `imir`.
    """

    meta: Meta
    image: CodedImage
    alpha: CodedImage | None
    premultiplied: bool
    box: tuple[int, int, int, int]
    orientation: int
    exif_item: ImageItem | None
    xmp_item: ImageItem | None

    @property
    def coded_size(self) -> tuple[int, int]:
        """The (width, height) of a decoder's output: all tiles, even beyond the picture."""
        columns, rows = self.image.canvas
        width, height = size_of(self.meta.items[self.image.tiles[0]])
        return max(self.image.size[0], columns * width), max(self.image.size[1], rows * height)


def read_header(source: Source, limits: Limits, name: str, coding: bytes) -> HeifHeader:
    """Read the items of a file whose pictures are items of type `coding`.

    Raises:
        BrokenImageError: There is no picture, or its items contradict each other.
        UnsupportedFormatError: The picture is of a kind that is not decoded.
        ImageTooLargeError: The file lists too many items.
    """
    meta, warnings = read_meta(source, limits).without_identities(), list[str]()
    image = _coded_image(source, meta, meta.primary, name, coding)
    alpha = _alpha(source, meta, image, name, coding)
    item = meta.items[meta.primary]
    box, orientation = shown(item, image.size, warnings)
    if _has_gain_map(meta):
        warnings.append(GAIN_MAP_IGNORED)
    grey = _is_grey(meta.items[image.tiles[0]])
    return HeifHeader(
        format=name,
        width=box[2] - box[0],
        height=box[3] - box[1],
        mode=("L" if grey else "RGB") if alpha is None else ("LA" if grey else "RGBA"),
        has_alpha=alpha is not None,
        icc=profile_of([item, meta.items[image.tiles[0]]], warnings, grey=grey),
        warnings=warnings,
        meta=meta,
        image=image,
        alpha=alpha,
        premultiplied=bool(alpha and meta.references.get((PREMULTIPLIED, meta.primary))),
        box=box,
        orientation=orientation,
        exif_item=_described(meta, b"Exif"),
        xmp_item=_described(meta, b"mime", b"application/rdf+xml"),
    )


def _coded_image(source: Source, meta: Meta, number: int, name: str, coding: bytes) -> CodedImage:
    """Return an item as it is coded."""
    item = meta.items.get(number, ImageItem())
    size = size_of(item)
    for kind in sorted(item.essential - _KNOWN):
        raise UnsupportedFormatError(
            f"expected known properties in the {name}, got one that needs {kind.decode('latin-1')!r}: save it again"
        )
    image = _grid(source, meta, number, size) if item.kind == GRID else CodedImage(number, size, (number,))
    if any(meta.items.get(tile, ImageItem()).kind != coding for tile in image.tiles):
        raise UnsupportedFormatError(
            f"expected a picture of type {coding.decode()} or a grid of such in the {name}, got "
            f"{meta.items.get(image.tiles[0], item).kind.decode('latin-1')!r}: save it again"
        )
    return image


def _grid(source: Source, meta: Meta, number: int, size: tuple[int, int]) -> CodedImage:
    """Return a grid, checked: its tiles have one size, cover the picture, and extend beyond it by less than a tile."""
    reader = Reader(meta.data(source, meta.items[number], 2 * _GRID_BYTES))
    flags = reader.take(2)[1]
    rows, columns = reader.number(1) + 1, reader.number(1) + 1
    output = reader.number(4 if flags & 1 else 2), reader.number(4 if flags & 1 else 2)
    tiles = tuple(meta.references.get((DERIVED_FROM, number), ()))
    if output != size or len(set(tiles)) != rows * columns:
        raise damaged(f"its grid of {columns} x {rows} does not fit its {len(tiles):,} tiles")
    if len(tiles) > MAX_ITEMS:
        raise ImageTooLargeError(f"expected a grid of at most {MAX_ITEMS:,} tiles, got {len(tiles):,}: save it again")
    sizes = {size_of(meta.items.get(tile, ImageItem())) for tile in tiles}
    width, height = sizes.pop()
    if sizes or not _reaches(size[0], columns, width) or not _reaches(size[1], rows, height):
        raise damaged(f"its grid of {columns} x {rows} tiles is not as large as its picture")
    return CodedImage(number, size, tiles, (columns, rows))


def _reaches(side: int, tiles: int, of: int) -> bool:
    return (tiles - 1) * of < side <= tiles * of


def size_of(item: ImageItem) -> tuple[int, int]:
    """Return the (width, height) that an item declares."""
    extent = Reader(item.property(b"ispe") or b"", 4)
    width, height = extent.number(4), extent.number(4)
    if not width or not height:
        raise damaged(f"a picture of {width} x {height} pixels")
    return width, height


def _alpha(source: Source, meta: Meta, image: CodedImage, name: str, coding: bytes) -> CodedImage | None:
    """Return the image of the primary item's opacity."""
    for number in meta.referring(ALPHA, meta.primary):
        if _auxiliary(meta.items.get(number, ImageItem())) in ALPHA_TYPES:
            alpha = _coded_image(source, meta, number, name, coding)
            if alpha.size != image.size:
                raise damaged("its opacity is not as large as its picture")
            return alpha
    return None


def _auxiliary(item: ImageItem) -> bytes:
    return (item.property(b"auxC") or b"")[4:].partition(b"\0")[0]


def _has_gain_map(meta: Meta) -> bool:
    return any(item.kind == TONE_MAP or _auxiliary(item) == GAIN_MAP_TYPE for item in meta.items.values())


def _is_grey(item: ImageItem) -> bool:
    """Return whether a coded item has one channel, by its decoder's configuration."""
    av1, hevc = item.property(b"av1C"), item.property(b"hvcC")
    if av1:
        return bool(av1[2:3] and av1[2] & 0x10)
    return bool(hevc and len(hevc) > 16 and not hevc[16] & 3)  # noqa: PLR2004 - chroma_format_idc


def _described(meta: Meta, kind: bytes, content_type: bytes = b"") -> ImageItem | None:
    """Return the item of this kind that describes the picture."""
    for number, item in meta.items.items():
        about = meta.references.get((b"cdsc", number), (meta.primary,))
        if (item.kind, item.content_type) == (kind, content_type) and meta.primary in about:
            return item
    return None
