"""Read the items of an AVIF or HEIC; no pixel is decoded.

Source: ISO/IEC 23008-12, 6.5 and 6.6; ISO/IEC 23000-22 for the order of transformations and for alpha; AV1 image file
format.
"""

from dataclasses import dataclass

from handlers.imaging.limits import Limits
from handlers.imaging.source import Source

from .heif_coded import CodedImage, alpha_of, auxiliary, coded_image, kind_of, size_of
from .heif_items import GREY, Meta
from .heif_meta import read_meta
from .heif_shown import profile_of, shown
from .picture import GAIN_MAP_IGNORED, Header

PREMULTIPLIED = b"prem"
GAIN_MAP_TYPE = b"urn:com:apple:photo:2020:aux:hdrgainmap"
TONE_MAP = b"tmap"


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

    @property
    def coded_size(self) -> tuple[int, int]:
        """The (width, height) of a decoder's output: all tiles, even beyond the picture."""
        columns, rows = self.image.canvas
        width, height = size_of(self.meta.item(self.image.tiles[0]))
        return max(self.image.size[0], columns * width), max(self.image.size[1], rows * height)


def read_header(source: Source, limits: Limits, name: str, coding: bytes) -> HeifHeader:
    """Read the items of a file whose pictures are items of type `coding`.

    Raises:
        BrokenImageError: There is no picture, or its items contradict each other.
        UnsupportedFormatError: The picture is of a kind that is not decoded.
        ImageTooLargeError: The file lists too many items.
    """
    meta, warnings = read_meta(source, limits).without_identities(), list[str]()
    number = meta.primary
    image = coded_image(source, meta, number, name, coding)
    alpha = alpha_of(source, meta, image, name, coding)
    item = meta.item(number)
    box, orientation = shown(item, image.size, warnings)
    if any(one.kind == TONE_MAP or auxiliary(one) == GAIN_MAP_TYPE for one in meta.items.values()):
        warnings.append(GAIN_MAP_IGNORED)
    grey = kind_of(meta.item(image.tiles[0])).chroma == GREY
    return HeifHeader(
        format=name,
        width=box[2] - box[0],
        height=box[3] - box[1],
        mode=("L" if grey else "RGB") if alpha is None else ("LA" if grey else "RGBA"),
        has_alpha=alpha is not None,
        icc=profile_of([item, meta.item(image.tiles[0])], warnings, grey=grey),
        warnings=warnings,
        meta=meta,
        image=image,
        alpha=alpha,
        premultiplied=bool(alpha) and any(meta.references.get((PREMULTIPLIED, one)) for one in (number, *image.tiles)),
        box=box,
        orientation=orientation,
    )
