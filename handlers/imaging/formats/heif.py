"""Pictures in the High Efficiency Image File Format: what AVIF and HEIC share.

Source: ISO/IEC 23008-12, annex A for EXIF and XMP; ISO/IEC 14496-12, 8.7.3 for the samples of a sequence.
"""

import contextlib
from abc import abstractmethod
from dataclasses import replace
from typing import ClassVar, Self

from PIL import Image

from handlers.errors import BrokenImageError
from handlers.imaging.facts.exif import ORIENTATION, Exif, read_exif
from handlers.imaging.facts.rights import MAX_BLOCK_BYTES
from handlers.imaging.limits import Limits
from handlers.imaging.pixels.raster import Raster
from handlers.imaging.pixels.transparency import split
from handlers.imaging.source import Source

from .brands import SEQUENCE, brands
from .heif_header import HeifHeader, read_header
from .heif_items import ImageItem
from .heif_meta import MAX_META_BYTES
from .heif_payload import payload
from .isobmff import Reader, boxes, damaged, walk
from .picture import MAX_EXIF_BYTES, Picture

SHARED_BYTES = 64 * 1024
"""By how much all items together may exceed the file, because programs store equal data of flat tiles once."""


class HeifPicture(Picture):
    """The picture of an AVIF or HEIC, whose items have type `coding`; `brands` are those that the decoder expects."""

    guarded = True
    name: ClassVar[str]
    coding: ClassVar[bytes]
    brands: ClassVar[tuple[bytes, ...]]
    header: HeifHeader
    _room: int
    """How many more bytes of items are read."""

    @classmethod
    def open(cls, source: Source, limits: Limits) -> Self:
        """Read the boxes up to the list of items; see `Picture.open`."""
        picture = cls(source, limits, read_header(source, limits, cls.name, cls.coding))
        picture.exif = picture.turned(picture.exif)
        return picture

    def turned(self, exif: Exif) -> Exif:
        """Return EXIF with the orientation of the items: readers have to ignore EXIF's own."""
        if exif.orientation == self.header.orientation:
            return exif
        return replace(exif, image={**exif.image, ORIENTATION: (self.header.orientation,)})

    def frames(self) -> int:
        """Return the number of samples of a sequence's track; see `Picture.frames`."""
        if SEQUENCE.isdisjoint(brands(self.source.peek(0, 512))):
            return 1
        for box in walk(self.source, self.header.meta.end, self.limits):
            if box.kind == b"moov" and box.end - box.start <= MAX_META_BYTES:
                frames = _samples(self.source.take(box.start, box.end - box.start))
                if frames > self.limits.max_frames:
                    raise self.too_many_frames()
                return max(1, frames)
        return 1

    def _read_on(self) -> None:
        """Read EXIF and XMP; if they cannot be read, their facts are left out."""
        meta = self.header.meta
        with contextlib.suppress(BrokenImageError):
            block = meta.data(self.source, meta.describing(b"Exif"), MAX_EXIF_BYTES)
            self.exif = self.turned(read_exif(_tiff(block)))
        with contextlib.suppress(BrokenImageError):
            self.xmp = meta.data(self.source, meta.describing(b"mime", b"application/rdf+xml"), MAX_BLOCK_BYTES)

    def decode(self, *, salvage: bool, widest: tuple[int, int] | None = None) -> Raster:  # noqa: ARG002 - all or nothing
        """Decode the picture; a damaged one is never kept. See `Picture.decode`."""
        header = self.header
        self._room = len(self.source.whole()) + SHARED_BYTES
        image, opacity = split(self.decoded(payload(header, self.brands, self._data)))
        if image.size != header.image.size:
            raise damaged(f"its decoder made {image.width} x {image.height} pixels of it")
        if header.mode in ("L", "LA") and image.mode == "RGB":
            image = image.getchannel("G")
        if header.size == image.size:
            return Raster(image, opacity)
        return Raster(image.crop(header.box), opacity and opacity.crop(header.box))

    def _data(self, item: ImageItem) -> bytes:
        """Read and check an item's data; see `SHARED_BYTES`."""
        found = self.header.meta.data(self.source, item, self._room)
        self._room -= len(found)
        self.check(item, found)
        return found

    @abstractmethod
    def decoded(self, payload: bytes) -> Image.Image:
        """Return the picture of a file that holds nothing else."""

    @abstractmethod
    def check(self, item: ImageItem, data: bytes) -> None:
        """Refuse coded data that are damaged, or need more of a decoder than an item of this size."""


def _tiff(block: bytes) -> bytes:
    """Return the TIFF structure in the data of an EXIF item: programs get its position, which comes first, wrong."""
    starts = [block.find(order) for order in (b"II*\0", b"MM\0*")]
    return block[min((start for start in starts if start >= 0), default=0) :]


def _samples(content: bytes) -> int:
    """Return the number of samples in the first track of pictures."""
    for kind, track in boxes(content):
        media = _inner(track, b"mdia") if kind == b"trak" else b""
        if media and _inner(media, b"hdlr")[8:12] == b"pict":
            table = _inner(_inner(media, b"minf"), b"stbl")
            sizes = Reader(_inner(table, b"stsz") or _inner(table, b"stz2"), 8)
            return sizes.number(4)
    return 1


def _inner(content: bytes, wanted: bytes) -> bytes:
    return next((body for kind, body in boxes(content) if kind == wanted), b"")
