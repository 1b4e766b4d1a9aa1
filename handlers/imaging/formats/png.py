"""PNG: cut out, check and decode the picture's data."""

import contextlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from PIL import Image, ImageChops

from handlers.errors import BrokenImageError, ImageTooLargeError
from handlers.imaging.facts.exif import read_exif
from handlers.imaging.facts.rights import rights_only
from handlers.imaging.facts.xmp import packet_text
from handlers.imaging.limits import Limits
from handlers.imaging.pixels.depth import HIGH_BYTES, LOW_BYTES, eight_bit
from handlers.imaging.pixels.raster import Raster
from handlers.imaging.pixels.transparency import matches, split
from handlers.imaging.source import Source

from .decoding import attempt, image_faults, load
from .picture import Picture
from .png_data import MISSING, PictureData, arriving, read_data, without_data
from .png_header import (
    GREY,
    GREY_ALPHA,
    MAX_DATA_CHUNKS,
    RGB,
    SIGNATURE,
    PngHeader,
    read_header,
    walk,
)
from .png_text import RAW_EXIF, RAW_IPTC, RAW_XMP, XMP, raw_profile

if TYPE_CHECKING:
    from .png_inflate import InflatedPng

WIDE = 16
"""Bits of a sample that Pillow does not reduce to 8 by itself."""


@dataclass(frozen=True)
class EarlyPng:
    """Pixels that were decoded while the file arrived, from chunks at these (start, size)."""

    image: "InflatedPng"
    chunks: list[tuple[int, int]]


class PngPicture(Picture):
    """A PNG, or the first picture of an animated one."""

    magics = (SIGNATURE,)
    header: PngHeader
    data: PictureData
    _early: "EarlyPng | None" = None

    @classmethod
    def open(cls, source: Source, limits: Limits) -> Self:
        """Read the chunks up to the first IDAT; see `Picture.open`."""
        return cls(source, limits, read_header(source, limits))

    def frames(self) -> int:
        """Count the frames of an animation by its fcTL chunks, because acTL can be wrong; see `Picture.frames`."""
        if not self.header.animated:
            return 1
        frames = 0
        for number, chunk in enumerate(walk(self.source)):
            frames += chunk.kind == b"fcTL"
            if frames > self.limits.max_frames or number > MAX_DATA_CHUNKS:
                raise self.too_many_frames()
        return max(1, frames)

    def facts(self) -> None:
        """Read the eXIf chunk that may follow the picture; see `Picture.facts`."""
        if self.header.exif is None:
            with contextlib.suppress(BrokenImageError, ImageTooLargeError):
                self._read_on()

    def _read_on(self) -> None:
        """Read the chunks from the picture to the end, and check the checksum of each IDAT."""
        self.data = read_data(self.source, self.limits)
        self.warnings += self.data.warnings
        if self.header.exif is None and self.data.exif:
            self.exif = read_exif(self.data.exif)

    @property
    def rights(self) -> bytes:
        """Artist and copyright, also from the blocks that ImageMagick writes as text; see `Picture.rights`."""
        texts = {**self.data.texts, **self.header.texts}
        exif, iptc, xmp = (raw_profile(texts.get(keyword, "")) for keyword in (RAW_EXIF, RAW_IPTC, RAW_XMP))
        packet = texts.get(XMP) or packet_text(xmp)
        return rights_only(self.exif if self.exif.image else read_exif(exif), iptc, packet, texts)

    def decode(self, *, salvage: bool, widest: tuple[int, int] | None = None) -> Raster:  # noqa: ARG002 - never reduced
        """Decode all pixels; see `Picture.decode`."""
        header = self.header
        raw = self._raw_mode()
        key = self._transparent_colour()
        # Only one byte a pixel of this decode is kept, so that two decodes are never in memory together.
        low = self._low_matches(key, salvage=salvage) if key and header.depth == WIDE else None
        decoded, damage = self._load(raw, salvage=salvage)
        if not damage:
            self.warnings += self._oddities(decoded.checksum)
        image, opacity = split(eight_bit(decoded))
        if header.colour_type == GREY_ALPHA and image.mode == "RGB":
            # Pillow reads 16-bit grey with alpha as RGBA.
            image = image.getchannel("G")
        if key:
            hits = matches(image, [high for high, _ in key])
            opacity = ImageChops.invert(ImageChops.darker(hits, low) if low else hits)
        return Raster(image, opacity, damage)

    def _load(self, raw: tuple[str, str] | None, *, salvage: bool) -> tuple["InflatedPng", str | None]:
        """Decode the data, with another mode and raw mode if given; return the image and its damage."""
        early, self._early = self._early, None
        if early and raw == self._raw_mode() and early.chunks == [(one.start, one.size) for one in self.data.chunks]:
            image, damage = early.image, None
        else:
            file = memoryview(self.source.whole())
            parts = [file[chunk.start : chunk.start + chunk.size] for chunk in self.data.chunks]
            image = self._opened(raw, lambda: iter(parts))
            damage = load(image, salvage=salvage)
        damage = damage or self._unproved(image.checksum)
        if damage and not salvage:
            raise BrokenImageError(damage)
        return image, damage

    def _raw_mode(self) -> tuple[str, str] | None:
        """Return the mode and raw mode to decode the pixels with, or None for Pillow's."""
        return HIGH_BYTES.get(self.header.mode) if self.header.depth == WIDE else None

    def _opened(
        self, raw: tuple[str, str] | None, deflated: Callable[[], Iterator[bytes | memoryview]]
    ) -> "InflatedPng":
        # Only PNGs pay for loading ISA-L.
        from .png_inflate import InflatedPng  # noqa: PLC0415

        with image_faults():
            image = InflatedPng(io.BytesIO(without_data(self.header)))
        image.deflated = deflated
        if raw:
            # Pillow cannot reduce its mode for 16-bit grey to 8 bits; this raw mode does so while decoding.
            image._mode = raw[0]  # noqa: SLF001
            image.tile = [tile._replace(args=raw[1]) for tile in image.tile]
        return image

    def decode_early(self, widest: tuple[int, int] | None, *, copying: bool) -> None:  # noqa: ARG002 - never reduced
        """Decode the picture's chunks as they arrive; see `Picture.decode_early`."""
        key = self._transparent_colour()
        if key and self.header.depth == WIDE:
            return  # It takes two decodes, which must not be in memory together.
        chunks: list[tuple[int, int]] = []
        with attempt(self.source):
            image = self._opened(self._raw_mode(), lambda: arriving(self.source, chunks))
            load(image, salvage=False)
            self._early = EarlyPng(image, chunks)

    def _unproved(self, checksum: str) -> str | None:
        """Return why decoded pixels may be wrong; one right checksum, theirs or their chunks', proves them."""
        if checksum == "wrong" and self.data.doubt:
            return "the PNG is damaged: the checksum of its pixels is wrong"
        whole = checksum == "right" or (checksum == "missing" and self.data.doubt == MISSING)
        return None if whole else self.data.doubt

    def _oddities(self, checksum: str) -> list[str]:
        """Return what is wrong with a PNG whose pixels are complete."""
        found = [
            (self.data.doubt and f"{self.data.doubt}; its pixels are whole"),
            (checksum == "wrong" and "the checksum of the PNG's pixels is wrong; those of its chunks are right"),
            (checksum in ("missing", "unread") and "the PNG's compressed data have no end; its pixels are whole"),
            (self.data.interrupted and "the PNG's data are interrupted by another chunk; its pixels are whole"),
            (not self.data.ended and "the PNG's IEND chunk is missing; its picture is whole"),
        ]
        return [text for text in found if text]

    def _transparent_colour(self) -> list[tuple[int, int]]:
        """Return the high and low bytes of the transparent colour's samples; empty if there is none."""
        header = self.header
        if not header.trns or header.colour_type not in (GREY, RGB):
            return []
        samples = [int.from_bytes(header.trns[i : i + 2], "big") for i in range(0, len(header.trns), 2)]
        if header.depth == WIDE:
            return [divmod(sample, 256) for sample in samples]
        top = (1 << header.depth) - 1
        return [((sample & top) * 255 // top, 0) for sample in samples]

    def _low_matches(self, key: list[tuple[int, int]], *, salvage: bool) -> Image.Image:
        """Return 255 for pixels of a 16-bit picture whose low bytes are the key's, else 0."""
        image, _ = self._load(LOW_BYTES[self.header.mode], salvage=salvage)
        return matches(image, [low for _, low in key])
