"""Read the `meta` box of a HEIF file: its lists of items, of the positions of their data, and of their properties.

Source: ISO/IEC 14496-12, 8.11; ISO/IEC 23008-12 for `iprp`.
"""

from handlers.errors import BrokenImageError, ImageTooLargeError
from handlers.imaging.limits import Limits
from handlers.imaging.source import Source

from .heif_items import ImageItem, Meta
from .isobmff import FARTHEST, MAX_ITEMS, Reader, boxes, check_count, damaged, walk

MAX_META_BYTES = 8 * 1024 * 1024
"""The box has a profile of up to 4 MB, and lists of tiles; cameras write a few kilobytes."""

MAX_LINKS = 16 * MAX_ITEMS
"""Properties and references of all items together."""

_FULL_BOX = 4


def read_meta(source: Source, limits: Limits) -> Meta:
    """Read the boxes up to `meta`, and the items that it lists.

    Raises:
        BrokenImageError: There is no `meta` box with a primary item, or it is damaged.
        ImageTooLargeError: The box is too long, or lists too much.
    """
    for box in walk(source, 0, limits):
        if box.kind == b"meta":
            if box.end - box.start > MAX_META_BYTES:
                raise ImageTooLargeError(
                    f"expected a picture whose meta box has at most {MAX_META_BYTES:,} bytes, got "
                    f"{box.end - box.start:,}: save it again without metadata"
                )
            return _meta(source.take(box.start, box.end - box.start), box.end)
    raise BrokenImageError("the file holds no picture: it has no meta box")


def _meta(content: bytes, end: int) -> Meta:
    found = dict[bytes, bytes]()
    for kind, body in boxes(content, _FULL_BOX):
        found.setdefault(kind, body)
    if b"pitm" not in found or b"iinf" not in found:
        raise damaged("it names no picture")
    kinds, places = _kinds(found[b"iinf"]), _places(found.get(b"iloc", b""))
    references, properties = _references(found.get(b"iref", b"")), _properties(found.get(b"iprp", b""))
    primary = Reader(found[b"pitm"])
    return Meta(
        primary=primary.number(_id_bytes(primary)),
        items={
            number: ImageItem(
                *kinds[number],
                *places.get(number, (False, [])),
                properties=[one for one, _ in properties.get(number, ())],
                essential=frozenset(kind for (kind, _), essential in properties.get(number, ()) if essential),
            )
            for number in kinds
        },
        references=references,
        idat=found.get(b"idat", b""),
        end=end,
    )


def _id_bytes(reader: Reader, wide_from: int = 1) -> int:
    """Read a full box's version and flags; return the bytes of an item's number in it."""
    return 4 if reader.take(_FULL_BOX)[0] >= wide_from else 2


def _kinds(content: bytes) -> dict[int, tuple[bytes, bytes]]:
    """Return each item's type and content type."""
    kinds = dict[int, tuple[bytes, bytes]]()
    reader = Reader(content)
    reader.number(_id_bytes(reader))
    for kind, entry in boxes(content, reader.position):
        if kind != b"infe" or entry[:1] not in (b"\2", b"\3"):
            continue
        info = Reader(entry)
        number = info.number(_id_bytes(info, wide_from=3))
        info.take(2)
        item = info.take(4)
        info.text()
        kinds[number] = item, info.text() if item == b"mime" else b""
    return kinds


def _places(content: bytes) -> dict[int, tuple[bool, list[tuple[int, int]]]]:
    """Return whether each item's data are in `idat`, and their extents."""
    found = dict[int, tuple[bool, list[tuple[int, int]]]]()
    if not content:
        return found
    reader = Reader(content)
    version = content[0]
    reader.take(_FULL_BOX)
    sizes = reader.take(2)
    offset_bytes, length_bytes, base_bytes = sizes[0] >> 4, sizes[0] & 15, sizes[1] >> 4
    index_bytes = sizes[1] & 15 if version else 0
    id_bytes = 2 if version < 2 else 4  # noqa: PLR2004
    count = reader.number(id_bytes)
    check_count(count, "items")
    extents = 0
    for _ in range(count):
        number = reader.number(id_bytes)
        method = reader.number(2) & 15 if version else 0
        reader.take(2)
        base = reader.number(base_bytes)
        places = []
        extents_here = reader.number(2)
        extents += extents_here
        check_count(extents, "parts of items", MAX_LINKS)
        for _ in range(extents_here):
            reader.take(index_bytes)
            start, size = base + reader.number(offset_bytes), reader.number(length_bytes)
            if start + size > FARTHEST:
                raise damaged("the data of an item lie outside")
            places.append((start, size))
        # Data made from other items (method 2) is not read, because no program writes it.
        found[number] = method == 1, places if method in (0, 1) else []
    return found


def _references(content: bytes) -> dict[tuple[bytes, int], list[int]]:
    """Return the items that an item refers to, by (kind, number)."""
    found = dict[tuple[bytes, int], list[int]]()
    if not content:
        return found
    reader = Reader(content)
    id_bytes, links = _id_bytes(reader), 0
    for kind, entry in boxes(content, reader.position):
        reference = Reader(entry)
        key = kind, reference.number(id_bytes)
        count = reference.number(2)
        links += count
        check_count(links, "references", MAX_LINKS)
        found.setdefault(key, []).extend(reference.number(id_bytes) for _ in range(count))
    return found


def _properties(content: bytes) -> dict[int, list[tuple[tuple[bytes, bytes], bool]]]:
    """Return each item's properties, and whether a reader must know them."""
    listed = [one for kind, body in boxes(content) if kind == b"ipco" for one in boxes(body)]
    found = dict[int, list[tuple[tuple[bytes, bytes], bool]]]()
    links = 0
    for kind, body in boxes(content):
        if kind != b"ipma":
            continue
        reader = Reader(body)
        wide = bool(body[3:4] and body[3] & 1)
        id_bytes = _id_bytes(reader)
        count = reader.number(4)
        check_count(count, "items")
        for _ in range(count):
            number, here = reader.number(id_bytes), reader.number(1)
            links += here
            check_count(links, "properties of items", MAX_LINKS)
            item = found.setdefault(number, [])
            for _ in range(here):
                value = reader.number(2 if wide else 1)
                index = value & (0x7FFF if wide else 0x7F)
                if 0 < index <= len(listed):
                    item.append((listed[index - 1], index != value))
    return found
