"""Write a new HEIF file with only a picture and its opacity, so that a decoder gets nothing else of the original.

Transformations, metadata, thumbnails and gain maps are left out. Source: ISO/IEC 23008-12; ISO/IEC 14496-12, 8.11.
"""

import itertools
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from .heif_coded import ALPHA, ALPHA_TYPES, DECODED_BY, GRID, CodedImage
from .heif_header import PREMULTIPLIED, HeifHeader
from .heif_items import DERIVED_FROM, ImageItem
from .heif_shown import TILE_TRANSFORMATIONS, TRANSFORMATIONS

Property = tuple[bytes, bytes]

_TILES = {coding: DECODED_BY | kinds for coding, kinds in TILE_TRANSFORMATIONS.items()}
_GRIDS = frozenset({b"pixi"})
_ESSENTIAL = frozenset({b"av1C", b"hvcC", b"a1op", b"lsel"}) | TRANSFORMATIONS
_AUXILIARY: Property = (b"auxC", bytes(4) + ALPHA_TYPES[0] + b"\0")


@dataclass(frozen=True)
class _Entry:
    """One item that is written."""

    kind: bytes
    properties: list[Property]
    data: bytes


@dataclass
class _Items:
    """The items that are written, numbered from 1, and their references: (kind, from, to)."""

    data: Callable[[ImageItem], bytes]
    entries: list[_Entry] = field(default_factory=list)
    references: list[tuple[bytes, int, list[int]]] = field(default_factory=list)

    def add(self, kind: bytes, properties: list[Property], data: bytes) -> int:
        """Add an item and return its number."""
        self.entries.append(_Entry(kind, properties, data))
        return len(self.entries)

    def add_image(self, items: Mapping[int, ImageItem], image: CodedImage, *extra: Property) -> int:
        """Add a coded image, with the tiles of a grid; return the number of its item."""
        item = items[image.number]
        if image.grid is None:
            return self.add(item.kind, [*_kept(item, DECODED_BY), *extra], self.data(item))
        columns, rows = image.grid
        sides = struct.pack(">BBBBII", 0, 1, rows - 1, columns - 1, *image.size)
        # The item of an opacity whose tiles belong to the picture's is the first tile.
        extent = b"ispe", struct.pack(">III", 0, *image.size)
        grid = self.add(GRID, [extent, *_kept(item, _GRIDS), *extra], sides)
        parts = [items[tile] for tile in image.tiles]
        tiles = [self.add(part.kind, _kept(part, _TILES[part.kind]), self.data(part)) for part in parts]
        self.references.append((DERIVED_FROM, grid, tiles))
        return grid


def payload(header: HeifHeader, brands: Sequence[bytes], data: Callable[[ImageItem], bytes]) -> bytes:
    """Return the file; `brands` are the format's, the main one first, and `data` returns the data of an item."""
    items = _Items(data)
    picture = items.add_image(header.meta.items, header.image)
    if header.alpha:
        alpha = items.add_image(header.meta.items, header.alpha, _AUXILIARY)
        items.references.append((ALPHA, alpha, [picture]))
        if header.premultiplied:
            items.references.append((PREMULTIPLIED, picture, [alpha]))
    main, *others = brands
    head = _box(b"ftyp", main, bytes(4), main, *others)
    start = len(head) + len(_meta(items, picture, 0)) + 8
    return b"".join((head, _meta(items, picture, start), _box(b"mdat", *(entry.data for entry in items.entries))))


def _kept(item: ImageItem, kinds: frozenset[bytes]) -> list[Property]:
    """Return an item's properties of these kinds, each once, and its code points, which a decoder needs."""
    kept = (one for one in item.properties if one[0] in kinds or (one[0] == b"colr" and one[1][:4] == b"nclx"))
    return list(dict.fromkeys(kept))


def _meta(items: _Items, primary: int, start: int) -> bytes:
    """Return the `meta` box of items whose data follow each other from `start`."""
    numbers = range(1, len(items.entries) + 1)
    starts = itertools.accumulate((len(entry.data) for entry in items.entries), initial=start)
    kinds = [
        _box(b"infe", struct.pack(">IHH4sB", 2 << 24, number, 0, items.entries[number - 1].kind, 0))
        for number in numbers
    ]
    places = [
        struct.pack(">HHHII", number, 0, 1, place, len(entry.data))
        for number, place, entry in zip(numbers, starts, items.entries, strict=False)
    ]
    references = [_box(kind, struct.pack(f">HH{len(to)}H", one, len(to), *to)) for kind, one, to in items.references]
    return _box(
        b"meta",
        bytes(4),
        _box(b"hdlr", bytes(8), b"pict", bytes(13)),
        _box(b"pitm", struct.pack(">IH", 0, primary)),
        _box(b"iloc", struct.pack(">IHH", 0, 0x4400, len(numbers)), *places),
        _box(b"iinf", struct.pack(">IH", 0, len(numbers)), *kinds),
        _box(b"iprp", *_properties(items.entries)),
        *([_box(b"iref", bytes(4), *references)] if references else []),
    )


def _properties(entries: list[_Entry]) -> Iterator[bytes]:
    """Yield the boxes of all properties, each once, and of each item's links to them."""
    places: dict[Property, int] = {}
    for entry in entries:
        for one in entry.properties:
            places.setdefault(one, len(places) + 1)
    yield _box(b"ipco", *(_box(*one) for one in places))
    links = []
    for number, entry in enumerate(entries, start=1):
        links.append(struct.pack(">HB", number, len(entry.properties)))
        links += [struct.pack(">H", places[one] | (one[0] in _ESSENTIAL) << 15) for one in entry.properties]
    yield _box(b"ipma", struct.pack(">II", 1, len(entries)), *links)


def _box(kind: bytes, *parts: bytes) -> bytes:
    return b"".join((struct.pack(">I", 8 + sum(map(len, parts))), kind, *parts))
