"""The coded pictures of an AVIF or HEIC: one item or a grid of them, and those of its opacity; no pixel is decoded.

Source: ISO/IEC 23008-12, 6.6; ISO/IEC 23000-22 for grids and for alpha; AV1 image file format.
"""

from dataclasses import dataclass, replace

from handlers.errors import ImageTooLargeError, UnsupportedFormatError
from handlers.imaging.pixels.orientation import upright_size
from handlers.imaging.source import Source

from .av1 import kind_of as av1_kind
from .heif_items import DERIVED_FROM, ImageItem, Kind, Meta
from .heif_shown import TILE_TRANSFORMATIONS, TRANSFORMATIONS, shown
from .hevc import kind_of as hevc_kind
from .isobmff import MAX_ITEMS, Reader, damaged

GRID, ALPHA = b"grid", b"auxl"
ALPHA_TYPES = (b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha", b"urn:mpeg:hevc:2015:auxid:1")

DECODED_BY = frozenset({b"ispe", b"pixi", b"av1C", b"hvcC", b"a1op", b"a1lx", b"lsel"})
"""Properties that a decoder needs."""

_DESCRIBING = frozenset({b"clli", b"mdcv", b"cclv", b"amve", b"ndwt", b"cmin", b"cmex", b"udes", b"altt"})
"""Properties of the picture, or of the light in which it was made or is seen."""

_KNOWN = DECODED_BY | TRANSFORMATIONS | _DESCRIBING | {b"colr", b"auxC", b"pasp"}
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


def coded_image(source: Source, meta: Meta, number: int, name: str, coding: bytes) -> CodedImage:
    """Return an item as it is coded."""
    item = meta.item(number)
    size = size_of(item)
    for kind in sorted(item.essential - _KNOWN):
        raise UnsupportedFormatError(
            f"expected known properties in the {name}, got one that needs {kind.decode('latin-1')!r}: save it again"
        )
    image = _grid(source, meta, number, size) if item.kind == GRID else CodedImage(number, size, (number,))
    _check_tiles(meta, image, name, coding)
    return image


def _check_tiles(meta: Meta, image: CodedImage, name: str, coding: bytes) -> None:
    """Refuse tiles in another coding, or of several kinds, whose pixels decoders would not convert to one."""
    if any(meta.item(tile).kind != coding for tile in image.tiles):
        raise UnsupportedFormatError(
            f"expected a picture of type {coding.decode()} or a grid of such in the {name}, got "
            f"{meta.item(image.tiles[0]).kind.decode('latin-1')!r}: save it again"
        )
    kind, *others = {kind_of(meta.item(tile)) for tile in image.tiles}
    if others:
        raise damaged(f"its tiles are of several kinds, such as {kind} and {others[0]}")


def _grid(source: Source, meta: Meta, number: int, size: tuple[int, int]) -> CodedImage:
    """Return a grid, checked: its tiles have one size, cover the picture, and extend beyond it by less than a tile."""
    reader = Reader(meta.data(source, meta.item(number), 2 * _GRID_BYTES))
    flags = reader.take(2)[1]
    rows, columns = reader.number(1) + 1, reader.number(1) + 1
    output = reader.number(4 if flags & 1 else 2), reader.number(4 if flags & 1 else 2)
    tiles = tuple(meta.references.get((DERIVED_FROM, number), ()))
    if output != size or len(set(tiles)) != rows * columns:
        raise damaged(f"its grid of {columns} x {rows} does not fit its {len(tiles):,} tiles")
    if len(tiles) > MAX_ITEMS:
        raise ImageTooLargeError(f"expected a grid of at most {MAX_ITEMS:,} tiles, got {len(tiles):,}: save it again")
    sizes = {tile_sizes(meta.item(tile)) for tile in tiles}
    _, (width, height) = sizes.pop()
    if sizes or not _reaches(size[0], columns, width) or not _reaches(size[1], rows, height):
        raise damaged(f"its grid of {columns} x {rows} tiles is not as large as its picture")
    return CodedImage(number, size, tiles, (columns, rows))


def _reaches(side: int, tiles: int, of: int) -> bool:
    return (tiles - 1) * of < side <= tiles * of


def tile_sizes(item: ImageItem) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the (width, height) of a tile as coded, and as shown: encoders cut off what they add to a small one."""
    size = size_of(item)
    if not TILE_TRANSFORMATIONS.get(item.kind):
        return size, size
    (left, top, right, bottom), orientation = shown(item, size, [])
    return size, upright_size((right - left, bottom - top), orientation)


def size_of(item: ImageItem) -> tuple[int, int]:
    """Return the (width, height) that an item declares."""
    declared = item.property(b"ispe")
    if declared is None:
        raise damaged("a picture has no size (ispe)")
    extent = Reader(declared, 4)
    width, height = extent.number(4), extent.number(4)
    if not width or not height:
        raise damaged(f"a picture of {width} x {height} pixels")
    return width, height


def alpha_of(source: Source, meta: Meta, image: CodedImage, name: str, coding: bytes) -> CodedImage | None:
    """Return the image of the primary item's opacity, or of all its tiles' opacities."""
    opacities = _opacities(meta)
    if meta.primary in opacities:
        alpha = coded_image(source, meta, opacities[meta.primary], name, coding)
    elif all(tile in opacities for tile in image.tiles):
        numbers = tuple(opacities[tile] for tile in image.tiles)
        alpha = replace(image, number=numbers[0], tiles=numbers)
        _check_tiles(meta, alpha, name, coding)
        if {tile_sizes(meta.item(tile)) for tile in numbers} != {tile_sizes(meta.item(image.tiles[0]))}:
            raise damaged("the opacity of a tile is not as large as the tile")
    else:
        return None
    if alpha.size != image.size:
        raise damaged("its opacity is not as large as its picture")
    return alpha


def _opacities(meta: Meta) -> dict[int, int]:
    """Return the items of opacity, by the items to which they belong."""
    found = dict[int, int]()
    for (kind, number), others in meta.references.items():
        if kind == ALPHA and auxiliary(meta.item(number)) in ALPHA_TYPES:
            for other in others:
                found.setdefault(other, number)
    return found


def auxiliary(item: ImageItem) -> bytes:
    """Return the type of an auxiliary item, such as opacity; empty for other items."""
    return (item.property(b"auxC") or b"")[4:].partition(b"\0")[0]


def kind_of(item: ImageItem) -> Kind:
    """Return the kind of a coded item by its decoder's configuration."""
    av1, hevc = item.property(b"av1C"), item.property(b"hvcC")
    return av1_kind(av1) if av1 else hevc_kind(hevc or b"")
