"""The items of a HEIF file: pictures, tiles and metadata, as its `meta` box lists them.

Source: ISO/IEC 14496-12, 8.11; ISO/IEC 23008-12, 6.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

from handlers.imaging.source import Source

from .isobmff import damaged

IDENTITY, DERIVED_FROM = b"iden", b"dimg"
MAX_IDENTITIES = 8
"""Identity items in a chain; programs write one."""

_IDENTITY_SAYS = frozenset({b"irot", b"imir", b"clap", b"colr"})


GREY, HALVED, HALVED_ACROSS, FULL = range(4)
"""How many samples of colour a picture has: none, 4:2:0, 4:2:2 or 4:4:4. Source: `chroma_format_idc` of ITU-T H.265."""


class Kind(NamedTuple):
    """The kind of a coded picture: its samples of colour, and the bits of its samples."""

    chroma: int
    depth: int

    def __str__(self) -> str:
        names = {GREY: "grey", HALVED: "4:2:0", HALVED_ACROSS: "4:2:2", FULL: "4:4:4"}
        return f"{names.get(self.chroma, 'unknown chroma')} of {self.depth} bits"


@dataclass(frozen=True)
class ImageItem:
    """An item in `meta`: its type, the position of its data, and its properties in their order.

    Extents are (start, size) in the file, or with `inline` in the `idat` box; a size of 0 means up to the end.
    `essential` has the properties that a reader must know.
    """

    kind: bytes = b""
    content_type: bytes = b""
    inline: bool = False
    extents: Sequence[tuple[int, int]] = ()
    properties: Sequence[tuple[bytes, bytes]] = ()
    essential: frozenset[bytes] = frozenset()

    def property(self, kind: bytes) -> bytes | None:
        """Return the content of the first property of a kind, or None if there is none."""
        return next((content for name, content in self.properties if name == kind), None)

    def all(self, kind: bytes) -> list[bytes]:
        """Return the contents of all properties of a kind."""
        return [content for name, content in self.properties if name == kind]


_MISSING = ImageItem()


@dataclass(frozen=True, kw_only=True)
class Meta:
    """The items of a file by number; `references` has the items that an item refers to, by (kind, number)."""

    primary: int
    items: Mapping[int, ImageItem]
    references: Mapping[tuple[bytes, int], Sequence[int]]
    idat: bytes = b""
    end: int = 0

    def item(self, number: int) -> ImageItem:
        """Return an item, or an empty one for a number that the file does not list."""
        return self.items.get(number, _MISSING)

    def describing(self, kind: bytes, content_type: bytes = b"") -> ImageItem:
        """Return the item of this kind that describes the picture, or an empty one if there is none."""
        for number, item in self.items.items():
            about = self.references.get((b"cdsc", number), (self.primary,))
            if (item.kind, item.content_type) == (kind, content_type) and self.primary in about:
                return item
        return _MISSING

    def without_identities(self) -> Self:
        """Return the items with the picture behind identity items (`iden`) as the primary one.

        It gets the identity items' colours, and their transformations after its own.

        Raises:
            BrokenImageError: An identity item does not refer to one other item.
        """
        meta = self
        for _ in range(MAX_IDENTITIES):
            number, item = meta.primary, meta.item(meta.primary)
            if item.kind != IDENTITY:
                return meta
            others = meta.references.get((DERIVED_FROM, number), ())
            if len(others) != 1 or others[0] == number or others[0] not in meta.items:
                raise damaged("an identity item does not show one other item")
            meta = meta._shown_as(others[0], item)
        raise damaged("its identity items show each other")

    def _shown_as(self, number: int, identity: ImageItem) -> Self:
        """Return the items with `number` instead of the primary item, which is an identity item."""
        shown, old = self.items[number], self.primary
        said = [one for one in identity.properties if one[0] in _IDENTITY_SAYS]
        image = replace(
            shown,
            properties=[*shown.properties, *said],
            essential=shown.essential | identity.essential,
        )
        references = {
            (kind, number if one == old else one): [number if other == old else other for other in others]
            for (kind, one), others in self.references.items()
            if (kind, one) != (DERIVED_FROM, old)
        }
        return replace(self, primary=number, items={**self.items, number: image}, references=references)

    def data(self, source: Source, item: ImageItem, most_bytes: int) -> bytes:
        """Return an item's data.

        Raises:
            BrokenImageError: The file ends within the data, or they are longer than `most_bytes`.
        """
        parts, room = list[bytes](), most_bytes
        for start, size in item.extents:
            part = self._part(source, item, start, size, room + 1)
            room -= len(part)
            if room < 0:
                raise damaged(f"the data of an item are longer than {most_bytes:,} bytes")
            parts.append(part)
        return b"".join(parts)

    def _part(self, source: Source, item: ImageItem, start: int, size: int, most: int) -> bytes:
        """Return `size` bytes, or as many as there are, but no more than `most`."""
        wanted = min(size or most, most)
        part = self.idat[start : start + wanted] if item.inline else source.peek(start, wanted)
        if len(part) < wanted and size:
            raise damaged("the file ends within the data of an item")
        return part
