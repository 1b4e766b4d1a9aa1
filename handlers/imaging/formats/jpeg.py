"""JPEG: decode a picture, reduced if possible, or copy it as it is."""

import zlib
from dataclasses import dataclass
from typing import Self

from PIL import Image

from handlers.errors import BrokenImageError, ImageTooLargeError
from handlers.imaging.facts.directories import whole_number
from handlers.imaging.facts.exif import read_exif
from handlers.imaging.limits import Limits
from handlers.imaging.pixels.colour import departure, is_srgb
from handlers.imaging.pixels.raster import Raster
from handlers.imaging.pixels.reduction import FAR_LEVELS, loses_detail, reduction
from handlers.imaging.source import Source

from .decoding import attempt, load
from .jpeg_coded import CodedPicture, coded_picture, first_scan
from .jpeg_decoder import END_OF_IMAGE, ArrivingScan, WatchedJpeg, has_too_few_bits, missing, open_jpeg, reduce
from .jpeg_header import JpegHeader, read_header
from .jpeg_markers import APP1, LOSSLESS, SEQUENTIAL, segment_bytes
from .picture import Picture

_SHORT = "the JPEG is truncated: its coded data ends before its last row"
_ENDLESS = "the JPEG's end-of-image marker is missing; its picture is whole"
_CHECK_FACTOR = 8
"""The reduction of a picture that is decoded only to find damage."""

_STRIP_PX = 256
_NUMBER_OF_IMAGES = 0xB001  # Source: CIPA DC-007, the MP index IFD.


@dataclass(frozen=True)
class EarlyPicture:
    """Pixels that were decoded while the file arrived: reduced by `factor`, from `coded_bytes` of a coded picture."""

    image: WatchedJpeg
    box: tuple[float, float, float, float] | None
    factor: int
    coded_bytes: int


class JpegPicture(Picture):
    """A JPEG, or the first picture of a multi-picture file (MPO)."""

    magics = (b"\xff\xd8\xff",)
    header: JpegHeader
    coded: CodedPicture
    _early: EarlyPicture | None = None

    @classmethod
    def open(cls, source: Source, limits: Limits) -> Self:
        """Read the markers up to the first scan; see `Picture.open`."""
        return cls(source, limits, read_header(source, limits))

    def frames(self) -> int:
        """Return the number of pictures that the multi-picture index claims; see `Picture.frames`."""
        if self.header.multi_picture is None:
            return 1
        count = whole_number(read_exif(self.header.multi_picture).image.get(_NUMBER_OF_IMAGES))
        if count is None or count < 1:
            raise BrokenImageError("the multi-picture index cannot be read")
        if count > self.limits.max_frames:
            raise ImageTooLargeError(
                f"{count:,} pictures are claimed, more than the {self.limits.max_frames:,} that are counted"
            )
        return count

    def read(self, widest: tuple[int, int] | None = None, *, copying: bool = False) -> None:
        """Walk over the whole file and cut out the coded picture; see `Picture.read`."""
        super().read(widest, copying=copying)
        self.coded = coded_picture(self.source, self.header, self.limits)

    def decode(self, *, salvage: bool, widest: tuple[int, int] | None = None) -> Raster:
        """Decode the picture, reduced by 2, 4 or 8 if enough pixels remain; see `Picture.decode`."""
        factor = self._factor(widest)
        raster = self._decode_by(factor, salvage=salvage)
        if factor > 1 and widest and loses_detail(raster.image, raster.roughness, widest):
            raster = self._decode_by(1, salvage=salvage)
        if not raster.damage and not self.coded.ended:
            self.warnings.append(_ENDLESS)
        return raster

    def damage(self) -> str | None:
        """Read all coded data, at an eighth of the size if there is a single scan; see `Picture.damage`."""
        return self._checked(salvage=True).damage

    def copy(self, *, salvage: bool) -> bytes | None:
        """Copy the coded picture bit for bit if browsers show it as an output must look; see `Picture.copy`.

        All coded data are read first, to find a truncated picture; see `damage`.
        """
        if not self._is_fit(plain=self.coded.plain) or self._checked(salvage=salvage).damage:
            return None
        if not self.coded.ended:
            self.warnings.append(_ENDLESS)
        parts, rights = self.coded.parts, self.rights
        # After SOI and JFIF, which must come first.
        start = 1 if self.header.jfif is None else 2
        return b"".join((*parts[:start], segment_bytes(APP1, rights) if rights else b"", *parts[start:], END_OF_IMAGE))

    def decode_early(self, widest: tuple[int, int] | None, *, copying: bool) -> None:
        """Decode the one scan of a baseline JPEG; see `Picture.decode_early`."""
        first = first_scan(self.source, self.header)
        if self.header.frame not in SEQUENTIAL or not first.alone:
            return
        factor = _CHECK_FACTOR if copying and self._is_fit(plain=first.plain) else self._factor(widest)
        scan = ArrivingScan(first.head, self.source, first.start)
        with attempt(self.source):
            image = open_jpeg(scan, watch=True)
            box = reduce(image, factor)
            load(image, salvage=False)
            self._early = EarlyPicture(image, box, factor, scan.size)

    def _factor(self, widest: tuple[int, int] | None) -> int:
        """Return the factor by which to try to reduce the picture."""
        header = self.header
        factor = 1 if header.frame == LOSSLESS or not widest else reduction(header.size, widest)
        if factor == 1:
            return 1
        colours = departure(header.icc, header.mode)
        return 1 if colours and colours.mean > FAR_LEVELS else factor

    def _decode_by(self, factor: int, *, salvage: bool) -> Raster:
        """Decode the picture, reduced by a factor of 1, 2, 4 or 8."""
        coded, header = self.coded, self.header
        if has_too_few_bits(header, coded) and not salvage:
            raise BrokenImageError(_SHORT)
        # Decoded before the picture itself, so that the two are never in memory together.
        padded = _checksum(_decoded(coded.padded())) if coded.compared else None
        early, self._early = self._early, None
        if early and coded.watched and (early.factor, early.coded_bytes) == (factor, coded.size):
            image, box, damage = early.image, early.box, None
        else:
            image = open_jpeg(coded.joined() + (b"" if coded.watched else END_OF_IMAGE), watch=coded.watched)
            box = reduce(image, factor)
            damage = load(image, salvage=salvage, unmark=image.unmark)
        if damage is None:
            damage = _SHORT if image.short else missing(header, coded)
        if damage is None and padded is not None:
            full = image if factor == 1 else _decoded(coded.joined())
            damage = None if _checksum(full) == padded else _SHORT
        if damage and not salvage:
            raise BrokenImageError(damage)
        return Raster(image, damage=damage, box=box)

    def _checked(self, *, salvage: bool) -> Raster:
        """Decode only to find damage, at full size if there are several scans, because only that needs all of them."""
        return self._decode_by(1 if self.coded.compared else _CHECK_FACTOR, salvage=salvage)

    def _is_fit(self, *, plain: bool) -> bool:
        """Return whether the coded picture can be an output as it is, if all its segments are `plain`."""
        header = self.header
        if not plain or self.exif.orientation != 1:
            return False
        if header.mode != "L" and not header.is_ycbcr:
            return False
        return header.icc is None or is_srgb(header.icc, header.mode)


def _decoded(payload: bytes) -> Image.Image:
    """Decode coded data without its EOI at full size, even if it is incomplete."""
    image = open_jpeg(payload + END_OF_IMAGE)
    load(image, salvage=True)
    return image


def _checksum(image: Image.Image) -> int:
    """Return a checksum of all pixels, taken strip by strip."""
    found, (width, height) = 0, image.size
    for top in range(0, height, _STRIP_PX):
        found = zlib.crc32(image.crop((0, top, width, min(top + _STRIP_PX, height))).tobytes(), found)
    return found
