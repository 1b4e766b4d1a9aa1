"""HEIC: the picture's items, decoded by libheif and libde265, which are in `pi_heif`, without an encoder."""

from typing import Self

from PIL import Image

try:
    import pi_heif
except ImportError as error:
    raise ImportError(
        "expected the package pi_heif for HEIC, got none: build the layers with inputFormats, or install "
        "handlers/requirements-heic.txt"
    ) from error

from handlers.errors import UnsupportedFormatError
from handlers.imaging.limits import Limits
from handlers.imaging.pixels.depth import eight_bit
from handlers.imaging.source import Source

from .brands import is_heic
from .decoding import image_faults
from .heif import HeifPicture
from .heif_coded import kind_of, size_of, tile_sizes
from .heif_items import HALVED, HALVED_ACROSS, ImageItem
from .hevc import check_hevc


class HeicPicture(HeifPicture):
    """A HEIC, or the still picture of a sequence."""

    name = "HEIC"
    coding = b"hvc1"
    brands = (b"heic", b"mif1", b"miaf")
    bytes_per_pixel = 23

    @classmethod
    def open(cls, source: Source, limits: Limits) -> Self:
        """Refuse tiles between which libheif leaves samples of colour unset; see `HeifPicture.open`."""
        picture = super().open(source, limits)
        image = picture.header.image
        item = picture.header.meta.item(image.tiles[0])
        (_, size), chroma = tile_sizes(item), kind_of(item).chroma
        halved = chroma in (HALVED, HALVED_ACROSS), chroma == HALVED
        if any(odd and side % 2 and tiles > 1 for odd, side, tiles in zip(halved, size, image.canvas, strict=True)):
            raise UnsupportedFormatError(
                f"expected tiles of even sides in a HEIC of subsampled colours, got {size[0]} x {size[1]} pixels: save "
                "it again"
            )
        return picture

    @classmethod
    def matches(cls, prefix: bytes) -> bool:
        """Return whether a file begins as a HEIC does; see `Picture.matches`."""
        return is_heic(prefix)

    def check(self, item: ImageItem, data: bytes) -> None:
        """Compare the sizes in the coded data with the item's; see `HeifPicture.check`."""
        check_hevc(item.property(b"hvcC") or b"", data, size_of(item))

    def decoded(self, payload: bytes) -> Image.Image:
        """Decode the file; see `HeifPicture.decoded`."""
        with image_faults(RuntimeError):
            image: Image.Image = pi_heif.open_heif(payload).to_pillow()
        # The decoder reduces colours to 8 bits, but not grey.
        return image.convert("RGBA") if image.mode == "RGBa" else eight_bit(image)
