"""What the items of an AVIF or HEIC say of its picture; no pixel is decoded.

Source: ISO/IEC 23008-12, 6.5 and 6.6; ISO/IEC 23000-22 for the order of transformations and for alpha; AV1 image file
format.
"""

from dataclasses import dataclass
from fractions import Fraction

from handlers.errors import ImageTooLargeError, UnsupportedFormatError
from handlers.imaging.limits import Limits
from handlers.imaging.pixels.profile import coded_profile
from handlers.imaging.source import Source

from .header import GAIN_MAP_IGNORED, MAX_PROFILE_BYTES, Header
from .isobmff import MAX_ITEMS, ImageItem, Meta, Reader, damaged, read_meta

GRID, ALPHA, PREMULTIPLIED, TILES = b"grid", b"auxl", b"prem", b"dimg"
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
_UNSPECIFIED, _SRGB = 2, (1, 13)
_GRID_BYTES = 8

Quarters = tuple[int, bool]
"""How a picture is turned: clockwise by quarters, once it was mirrored left to right or not."""

# Source: Exif 2.32, tag 0x0112.
_ORIENTATIONS: dict[Quarters, int] = {
    **{(quarters, False): number for quarters, number in enumerate((1, 6, 3, 8))},
    **{(quarters, True): number for quarters, number in enumerate((2, 7, 4, 5))},
}


@dataclass(frozen=True)
class CodedImage:
    """An item as it is coded: by itself or as a grid of others, row by row; `size` is that of the whole, in pixels."""

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
    """Facts from `meta`: the coded image, its opacity where it has one, and what is shown of it.

    `box` is what a clean aperture shows of the coded image (left, top, right, bottom), before it is turned by
    `orientation`, which is EXIF's number for what `irot` and `imir` say.
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
        """Return the (width, height) that a decoder makes: all tiles, wherever they reach."""
        columns, rows = self.image.canvas
        width, height = size_of(self.meta.items[self.image.tiles[0]])
        return max(self.image.size[0], columns * width), max(self.image.size[1], rows * height)


def read_header(source: Source, limits: Limits, name: str, coding: bytes) -> HeifHeader:
    """Read the items of a file whose pictures are items of type `coding`.

    Raises:
        BrokenImageError: There is no picture, or its items contradict each other.
        UnsupportedFormatError: It is made in a way that is not decoded.
        ImageTooLargeError: It lists too much.
    """
    meta, warnings = read_meta(source, limits), list[str]()
    image = _coded_image(source, meta, meta.primary, name, coding)
    alpha = _alpha(source, meta, image, name, coding)
    item = meta.items[meta.primary]
    box, turned = _shown(item, image.size, warnings)
    if _has_gain_map(meta):
        warnings.append(GAIN_MAP_IGNORED)
    grey = _is_grey(meta.items[image.tiles[0]])
    return HeifHeader(
        format=name,
        width=box[2] - box[0],
        height=box[3] - box[1],
        mode=("L" if grey else "RGB") if alpha is None else ("LA" if grey else "RGBA"),
        has_alpha=alpha is not None,
        icc=_profile(meta, image, warnings, grey=grey),
        warnings=warnings,
        meta=meta,
        image=image,
        alpha=alpha,
        premultiplied=bool(alpha and meta.references.get((PREMULTIPLIED, meta.primary))),
        box=box,
        orientation=_ORIENTATIONS[turned],
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
    """Return a grid whose tiles are all of one size and reach as far as its picture, and no farther than by one."""
    reader = Reader(meta.data(source, meta.items[number], 2 * _GRID_BYTES))
    flags = reader.take(2)[1]
    rows, columns = reader.number(1) + 1, reader.number(1) + 1
    output = reader.number(4 if flags & 1 else 2), reader.number(4 if flags & 1 else 2)
    tiles = tuple(meta.references.get((TILES, number), ()))
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
    """Tell whether a coded item has one channel, by what its decoder is configured with."""
    av1, hevc = item.property(b"av1C"), item.property(b"hvcC")
    if av1:
        return bool(av1[2:3] and av1[2] & 0x10)
    return bool(hevc and len(hevc) > 16 and not hevc[16] & 3)  # noqa: PLR2004 - chroma_format_idc


def _shown(item: ImageItem, size: tuple[int, int], warnings: list[str]) -> tuple[tuple[int, int, int, int], Quarters]:
    """Return what is shown of a picture, and how it is turned: its transformations apply in their order."""
    box, quarters, mirrored = (0, 0, *size), 0, False
    for kind, content in item.properties:
        if kind == b"irot":
            # Anticlockwise.
            quarters = (quarters - (content[:1] or b"\0")[0] % 4) % 4
        elif kind == b"imir":
            # A picture that is turned by a quarter is mirrored about what was its other axis.
            upside_down = not (content[:1] or b"\0")[0] & 1
            quarters = (-quarters + 2 * upside_down) % 4
            mirrored = not mirrored
        elif kind == b"clap":
            box = _aperture(content, size, warnings, turned=(quarters, mirrored) != (0, False))
    return box, (quarters, mirrored)


def _aperture(content: bytes, size: tuple[int, int], warnings: list[str], *, turned: bool) -> tuple[int, int, int, int]:
    """Return the (left, top, right, bottom) of a clean aperture, to whole pixels; all of it where it does not fit."""
    numbers = [int.from_bytes(content[i : i + 4], signed=True) for i in range(0, len(content), 4)]
    if len(numbers) == 2 * len("whxy") and all(numbers[1::2]) and not turned:
        width, height, across, down = (Fraction(*pair) for pair in zip(numbers[::2], numbers[1::2], strict=True))
        left, top = (size[0] - width) / 2 + across, (size[1] - height) / 2 + down
        box = round(left), round(top), round(left + width), round(top + height)
        if 0 <= box[0] < box[2] <= size[0] and 0 <= box[1] < box[3] <= size[1]:
            return box
    warnings.append("the clean aperture was ignored: it does not lie within the picture")
    return 0, 0, *size


def _profile(meta: Meta, image: CodedImage, warnings: list[str], *, grey: bool) -> bytes | None:
    """Return the profile of a picture's colours, None for sRGB: an ICC profile counts before code points."""
    colours = [colour for item in (meta.primary, image.tiles[0]) for colour in meta.items[item].all(b"colr")]
    icc = next((colour[4:] for colour in colours if colour[:4] in (b"prof", b"rICC")), None)
    if icc is not None and len(icc) <= MAX_PROFILE_BYTES:
        return icc
    if icc is not None:
        warnings.append(f"the ICC profile was ignored: {len(icc):,} bytes are more than {MAX_PROFILE_BYTES:,}")
    codes = next((colour[4:8] for colour in colours if colour[:4] == b"nclx"), b"")
    return _coded(codes, warnings, grey=grey)


def _coded(codes: bytes, warnings: list[str], *, grey: bool) -> bytes | None:
    """Return the profile of H.273's code points; those that are unspecified are those of sRGB."""
    if len(codes) < 4:  # noqa: PLR2004 - primaries and transfer, two bytes each
        return None
    found = int.from_bytes(codes[:2]), int.from_bytes(codes[2:])
    primaries, transfer = (default if one == _UNSPECIFIED else one for one, default in zip(found, _SRGB, strict=True))
    profile = coded_profile(primaries, transfer)
    if profile is None:
        warnings.append(f"the colr box was ignored: colours of code {primaries}, {transfer} do not fit sRGB")
    return None if grey else profile or None


def _described(meta: Meta, kind: bytes, content_type: bytes = b"") -> ImageItem | None:
    """Return the item of a kind that describes the picture."""
    for number, item in meta.items.items():
        about = meta.references.get((b"cdsc", number), (meta.primary,))
        if (item.kind, item.content_type) == (kind, content_type) and meta.primary in about:
            return item
    return None
