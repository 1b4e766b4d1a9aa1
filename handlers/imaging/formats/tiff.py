"""TIFF: the first page, decoded by libtiff."""

import io
from typing import Self

from PIL import Image, ImageChops, TiffImagePlugin

from handlers.errors import UnsupportedFormatError
from handlers.imaging.limits import Limits
from handlers.imaging.pixels.depth import eight_bit
from handlers.imaging.pixels.raster import Raster
from handlers.imaging.pixels.transparency import split
from handlers.imaging.source import Source

from .decoding import image_faults, without_decoder
from .picture import Picture
from .tiff_header import BLACK_IS_ZERO, WHITE_IS_ZERO, TiffHeader, directories, read_header
from .tiff_payload import payload

_PREMULTIPLIED = {"La": "LA", "RGBa": "RGBA", "PA": "RGBA"}


class TiffPicture(Picture):
    """A TIFF or BigTIFF, or the first page of several."""

    magics = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
    guarded = True
    bytes_per_pixel = 16
    header: TiffHeader

    @classmethod
    def open(cls, source: Source, limits: Limits) -> Self:
        """Read the first directory, wherever it is in the file; see `Picture.open`."""
        picture = cls(source, limits, read_header(source))
        picture.exif = picture.header.facts
        return picture

    def frames(self) -> int:
        """Count the pages by following the directories; see `Picture.frames`."""
        found, offset, _ = directories(self.source)
        seen = set[int]()
        while offset and offset not in seen:
            seen.add(offset)
            if len(seen) > self.limits.max_frames:
                raise self.too_many_frames()
            offset = found.next(offset)
        return max(1, len(seen))

    def decode(self, *, salvage: bool, widest: tuple[int, int] | None = None) -> Raster:  # noqa: ARG002 - all or nothing
        """Decode the first page; a damaged one is never kept. See `Picture.decode`."""
        self._check_pixels()
        image = self._decoded(payload(self.header, self.source.whole(), self.limits))
        image = image.convert(_PREMULTIPLIED[image.mode]) if image.mode in _PREMULTIPLIED else image
        image, opacity = split(eight_bit(image))
        if self.header.photometric == WHITE_IS_ZERO:
            image = ImageChops.invert(image)
        return Raster(image, opacity)

    def _check_pixels(self) -> None:
        """Refuse pixels whose samples are valid, but not supported by Pillow."""
        header = self.header
        photometric = BLACK_IS_ZERO if header.photometric == WHITE_IS_ZERO else header.photometric
        prefix = b"II" if header.order == "<" else b"MM"
        pixel = (prefix, photometric, (1,), 1, (header.depth,) * header.samples, header.extra)
        if pixel not in TiffImagePlugin.OPEN_INFO:
            raise UnsupportedFormatError(
                "expected a TIFF with at most one opacity beside its colours, beside grey one of 8 bits, got "
                f"{header.samples} samples of {header.depth} bits a pixel: save it again"
            )
        if header.planes > 1 and header.mode in ("LA", "PA"):
            # These modes have no plane for the opacity.
            raise UnsupportedFormatError(
                "expected a TIFF with grey or palette and opacity in one plane, got two planes: save it again"
            )

    def _decoded(self, file: bytes) -> Image.Image:
        """Return the picture of a file that holds nothing else."""
        with image_faults(RuntimeError, TypeError, KeyError):
            image = TiffImagePlugin.TiffImageFile(io.BytesIO(file))
            # Otherwise Pillow would apply the limit for the whole process.
            image.im = Image.new(image.mode, self.header.size, None).im
            image.load()
        return without_decoder(image)
