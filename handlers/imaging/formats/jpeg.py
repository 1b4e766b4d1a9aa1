"""JPEG: the coded picture cut out of its file, checked, copied or decoded."""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from PIL import Image

from handlers.errors import BrokenImageError, ImageTooLargeError
from handlers.imaging.facts.exif import read_exif
from handlers.imaging.limits import Limits
from handlers.imaging.pixels.colour import is_srgb
from handlers.imaging.pixels.raster import Raster
from handlers.imaging.pixels.reduction import most_roughness, reduction
from handlers.imaging.source import Source

from .decoding import attempt, load
from .jpeg_decoder import EOI as END
from .jpeg_decoder import ArrivingScan, WatchedJpeg, open_jpeg, reduce
from .jpeg_header import JpegHeader, read_header
from .jpeg_markers import (
    APP0,
    APP1,
    APP14,
    DHT,
    DQT,
    DRI,
    EOI,
    LOSSLESS,
    SEQUENTIAL,
    SOI,
    SOS,
    Segment,
    count_segment,
    is_metadata,
    walk,
)
from .jpeg_scans import PADDING, Scan, check_work, missing, read_scan
from .picture import Picture

_HUFFMAN = frozenset({0xC0, 0xC1, 0xC2})
_CODED = frozenset({DHT, DQT, DRI, SOS, 0xC0, 0xC1, 0xC2})
_SHORT = "the JPEG is truncated: its coded data ends before its last row"
_ENDLESS = "the JPEG's end-of-image marker is missing; its picture is whole"
_NO_END = "the JPEG is truncated: it has no end-of-image marker"
_ZEROS = bytes(64)
"""At the end of a picture without EOI, zeros stand for data never written, though a decoder makes pixels of them."""
_CHECK_FACTOR = 8
"""By how much a picture is reduced that is decoded only to find damage."""

_STRIP_PX, _BLOCK_BYTES = 256, 64 * 1024
_NUMBER_OF_IMAGES = 0xB001  # Source: CIPA DC-007, the MP index IFD.


@dataclass(frozen=True)
class CodedPicture:
    """The coded picture: `parts` of the file from SOI up to EOI, without EOI and without any metadata.

    The parts are joined only to be decoded, so that the file is not in memory twice for longer. `plain` tells that
    every browser decodes its segments; `ended` that EOI was there; `compared` that the picture has to be decoded twice
    to find what its several scans lack.
    """

    parts: Sequence[bytes | memoryview]
    scans: Sequence[Scan]
    ended: bool
    plain: bool
    compared: bool

    @property
    def size(self) -> int:
        """Bytes of all parts."""
        return sum(map(len, self.parts))

    @property
    def tail(self) -> bytes:
        """The last bytes, as many as `_ZEROS`."""
        return b"".join(part[-len(_ZEROS) :] for part in self.parts[-2:])[-len(_ZEROS) :]

    def joined(self) -> bytes:
        """Return the coded picture for a decoder."""
        return b"".join(self.parts)

    def padded(self) -> bytes:
        """Return the same with bytes after each scan that no decoder of a complete scan reads."""
        return b"".join(piece for part in self.parts for piece in (part, PADDING if part[1] == SOS else b""))


@dataclass(frozen=True)
class EarlyPicture:
    """Pixels that were decoded while the file arrived: reduced by `factor`, from so many bytes of a coded picture."""

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
        value = read_exif(self.header.multi_picture).image.get(_NUMBER_OF_IMAGES)
        if not isinstance(value, tuple) or not value or not isinstance(value[0], int) or value[0] < 1:
            raise BrokenImageError("the multi-picture index cannot be read")
        if value[0] > self.limits.max_frames:
            raise ImageTooLargeError(
                f"{value[0]:,} pictures are claimed, more than the {self.limits.max_frames:,} that are counted"
            )
        return value[0]

    def read(self, widest: tuple[int, int] | None = None, *, copying: bool = False) -> None:
        """Walk over the whole file and cut out the coded picture; see `Picture.read`."""
        super().read(widest, copying=copying)
        file = memoryview(self.source.whole())
        counts: dict[str, int] = {}
        parts: list[bytes | memoryview] = [b"\xff\xd8", *_colour_segments(self.header)]
        scans, ended, plain = list[Scan](), False, True
        for segment, end in _with_data(self.source, len(file)):
            if segment.marker in (SOI, EOI):
                ended = segment.marker == EOI
                break
            count_segment(counts, segment, self.limits)
            if is_metadata(segment.marker):
                continue
            plain = plain and segment.marker in _CODED
            part = file[segment.start : end]
            if segment.marker == SOS:
                scans.append(read_scan(bytes(file[segment.start + 4 : segment.end])))
                part = _without_fill(part)
            parts.append(part)
        check_work(self.header, scans)
        compared = len(scans) > 1 and self.header.frame in _HUFFMAN
        self.coded = CodedPicture(parts, scans, ended, plain, compared)

    def decode(self, *, salvage: bool, widest: tuple[int, int] | None = None) -> Raster:
        """Decode the picture, reduced by 2, 4 or 8 where there are pixels enough; see `Picture.decode`."""
        factor = self._factor(widest)
        raster = self._decode_by(factor, salvage=salvage)
        if factor > 1 and widest and raster.roughness > most_roughness(raster.image.size, widest):
            raster = self._decode_by(1, salvage=salvage)
        if not raster.damage and not self.coded.ended:
            self.warnings.append(_ENDLESS)
        return raster

    def damage(self) -> str | None:
        """Read all coded data, of a single scan at an eighth of the size; see `Picture.damage`."""
        return self._checked(salvage=True).damage

    def copy(self, rights: bytes, *, salvage: bool) -> bytes | None:
        """Copy the coded picture bit for bit if browsers show it as an output promises; see `Picture.copy`.

        All coded data are read first to find a picture that is truncated; see `damage`.
        """
        if not self._is_fit(plain=self.coded.plain) or self._checked(salvage=salvage).damage:
            return None
        if not self.coded.ended:
            self.warnings.append(_ENDLESS)
        parts = self.coded.parts
        # Behind SOI and JFIF, which must come first.
        start = 1 if self.header.jfif is None else 2
        return b"".join((*parts[:start], _segment(APP1, rights) if rights else b"", *parts[start:], END))

    def decode_early(self, widest: tuple[int, int] | None, *, copying: bool) -> None:
        """Decode the one scan of a baseline JPEG; see `Picture.decode_early`."""
        parts = [b"\xff\xd8", *_colour_segments(self.header)]
        plain, start = True, 0
        for segment in walk(self.source):
            if not is_metadata(segment.marker):
                parts.append(self.source.take(segment.start, segment.end - segment.start))
                plain = plain and segment.marker in _CODED
            if segment.marker == SOS:
                start = segment.end
                break
        whole = self.header.mode == "L" or len(read_scan(parts[-1][4:]).components) > 1
        if self.header.frame not in SEQUENTIAL or not whole:
            return
        factor = _CHECK_FACTOR if copying and self._is_fit(plain=plain) else self._factor(widest)
        scan = ArrivingScan(b"".join(parts), self.source, start)
        with attempt(self.source):
            image = open_jpeg(scan, watch=True)
            box = reduce(image, factor)
            load(image, salvage=False)
            self._early = EarlyPicture(image, box, factor, scan.size)

    def _factor(self, widest: tuple[int, int] | None) -> int:
        """Return by which factor to reduce the picture first."""
        return 1 if self.header.frame == LOSSLESS or not widest else reduction(self.header.size, widest)

    def _decode_by(self, factor: int, *, salvage: bool) -> Raster:
        """Decode the picture, reduced by a factor of 1, 2, 4 or 8."""
        coded, header = self.coded, self.header
        watch = header.frame in SEQUENTIAL and len(coded.scans) == 1
        # Decoded before the picture itself, so that the two are never in memory together.
        padded = _checksum(_decoded(coded.padded())) if coded.compared else None
        early, self._early = self._early, None
        if early and watch and (early.factor, early.coded_bytes) == (factor, coded.size):
            image, box, damage = early.image, early.box, None
        else:
            image = open_jpeg(coded.joined() if watch else coded.joined() + END, watch=watch)
            box = reduce(image, factor)
            damage = load(image, salvage=salvage)
        if damage is None:
            damage = _SHORT if image.short else self._lost()
        if damage is None and padded is not None:
            full = image if factor == 1 else _decoded(coded.joined())
            damage = None if _checksum(full) == padded else _SHORT
        if damage and not salvage:
            raise BrokenImageError(damage)
        return Raster(image, damage=damage, box=box)

    def _checked(self, *, salvage: bool) -> Raster:
        """Decode only to find damage; what several scans hold shows at full size alone."""
        return self._decode_by(1 if self.coded.compared else _CHECK_FACTOR, salvage=salvage)

    def _lost(self) -> str | None:
        """Say what is missing from a picture that decodes, by its headers and its end."""
        coded = self.coded
        if not coded.ended and coded.tail == _ZEROS:
            return _NO_END
        if lost := missing(self.header, coded.scans, ended=coded.ended):
            return lost
        return None if coded.ended or len(coded.scans) == 1 or coded.compared else _NO_END

    def _is_fit(self, *, plain: bool) -> bool:
        """Tell whether the coded picture, if all its segments are `plain`, may be an output as it is."""
        header = self.header
        if not plain or self.exif.orientation != 1:
            return False
        if header.mode != "L" and not header.is_ycbcr:
            return False
        return header.icc is None or is_srgb(header.icc, header.mode)


def _decoded(payload: bytes) -> Image.Image:
    """Decode coded data without its EOI at full size, whatever it lacks."""
    image = open_jpeg(payload + END)
    load(image, salvage=True)
    return image


def _checksum(image: Image.Image) -> int:
    """Return a checksum of all pixels, taken strip by strip."""
    found, (width, height) = 0, image.size
    for top in range(0, height, _STRIP_PX):
        found = zlib.crc32(image.crop((0, top, width, min(top + _STRIP_PX, height))).tobytes(), found)
    return found


def _without_fill(scan: memoryview) -> memoryview:
    """Return a scan without the bytes FF at its end, which may fill the room before the next marker (T.81, B.1.1.2)."""
    end = len(scan)
    while end:
        start = max(0, end - _BLOCK_BYTES)
        if kept := len(bytes(scan[start:end]).rstrip(b"\xff")):
            return scan[: start + kept]
        end = start
    return scan[:0]


def _with_data(source: Source, size: int) -> Iterator[tuple[Segment, int]]:
    """Yield each segment and where it ends, a scan's coded data included."""
    previous: Segment | None = None
    for segment in walk(source):
        if previous:
            yield previous, segment.start if previous.marker == SOS else previous.end
        previous = segment
    if previous:
        yield previous, size if previous.marker == SOS else previous.end


def _colour_segments(header: JpegHeader) -> list[bytes]:
    """Return the segments that tell decoders the colours: JFIF without its thumbnail, Adobe in its 12 bytes."""
    segments = []
    if header.jfif is not None:
        body = b"JFIF\0\1\1" + header.jfif[7:12].ljust(5, b"\0") + b"\0\0"
        segments.append(_segment(APP0, body))
    if header.adobe is not None:
        segments.append(_segment(APP14, header.adobe))
    return segments


def _segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(body) + 2).to_bytes(2, "big") + body
