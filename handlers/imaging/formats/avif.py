"""AVIF: the picture's items, decoded by Pillow's library."""

from PIL import AvifImagePlugin, Image

from .av1 import check_av1
from .brands import is_avif
from .decoding import decoded
from .heif import HeifPicture
from .heif_coded import size_of
from .heif_items import ImageItem

if not AvifImagePlugin.SUPPORTED:
    # Without it, every AVIF would be rejected as damaged.
    raise ImportError(
        "expected a Pillow that decodes AVIF, got one without PIL._avif: build the layer with inputFormats"
    )


class AvifPicture(HeifPicture):
    """An AVIF, or the still picture of a sequence."""

    name = "AVIF"
    coding = b"av01"
    brands = (b"avif", b"mif1", b"miaf")
    bytes_per_pixel = 18

    @classmethod
    def matches(cls, prefix: bytes) -> bool:
        """Return whether a file begins as an AVIF does; see `Picture.matches`."""
        return is_avif(prefix)

    def check(self, item: ImageItem, data: bytes) -> None:
        """Compare the sizes in the coded data with the item's; see `HeifPicture.check`."""
        check_av1(data, size_of(item))

    def decoded(self, payload: bytes) -> Image.Image:
        """Decode the file; see `HeifPicture.decoded`."""
        return decoded(AvifImagePlugin.AvifImageFile, payload, RuntimeError)
