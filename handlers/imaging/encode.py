"""Write JPEGs, and mark how they came about."""

import io
from typing import Self

from PIL import Image, JpegImagePlugin

CHROMA_420 = 2


class Jpeg(bytes):
    """A JPEG file, with how it came about.

    `copied`: the master's coded picture, bit for bit; `salvaged`: the master's end was damaged and is missing.
    """

    salvaged: bool
    copied: bool
    warnings: tuple[str, ...]

    def __new__(
        cls,
        data: bytes,
        *,
        salvaged: bool = False,
        copied: bool = False,
        warnings: tuple[str, ...] = (),
    ) -> Self:
        """Make the file of its bytes."""
        jpeg = super().__new__(cls, data)
        jpeg.salvaged, jpeg.copied, jpeg.warnings = salvaged, copied, warnings
        return jpeg


def encode(image: Image.Image, quality: int, exif: bytes) -> bytes:
    """Return a picture of mode L or RGB as a baseline JPEG, 4:2:0, with no metadata but `exif`."""
    # Image.save would first import the other formats' plug-ins; its options travel as it sends them.
    image.encoderinfo = {"quality": quality, "subsampling": CHROMA_420, "exif": exif}
    file = io.BytesIO()
    Image.SAVE[JpegImagePlugin.JpegImageFile.format](image, file, "")
    return file.getvalue()
