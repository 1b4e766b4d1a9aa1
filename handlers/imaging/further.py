"""WebP and AVIF of the same pixels as a JPEG; the encoders are imported when they are needed."""

import io
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Self

from PIL import Image

from .limits import area, is_whole

Size = tuple[int, int]


class Further(bytes):
    """A file in a further format; `size` is (width, height) in pixels."""

    media_type: ClassVar[str]
    max_side_px: ClassVar[int]
    encoder_bytes_per_pixel: ClassVar[int]
    """The encoder's peak memory without the picture, measured with noise of 0.75 and 12 megapixels."""
    size: Size

    def __new__(cls, data: bytes, size: Size = (0, 0)) -> Self:
        """Make the file of its bytes."""
        file = super().__new__(cls, data)
        file.size = size
        return file

    @classmethod
    def encode(cls, image: Image.Image, exif: bytes, quality: int, subsampling: str) -> Self:
        """Encode a picture of mode L or RGB, with no metadata but `exif`; return no bytes if a side is too long."""
        if max(image.size) > cls.max_side_px:
            return cls(b"", image.size)
        options = cls.options(image.mode, subsampling)
        return cls(encoded(image, cls.load(), quality=quality, exif=exif, **options), image.size)

    @staticmethod
    @abstractmethod
    def load() -> str:
        """Import the encoder; return Pillow's name for the format."""

    @staticmethod
    @abstractmethod
    def options(mode: str, subsampling: str) -> Mapping[str, Any]:
        """Return the encoder's options, including the effort, for a picture of a mode."""

    @abstractmethod
    def with_comment(self, text: str) -> bytes:
        """Return the file with a text that decoders ignore."""


class Webp(Further):
    """WebP, which always has one chroma sample of four. Source: RFC 9649."""

    media_type = "image/webp"
    max_side_px = 16_383
    encoder_bytes_per_pixel = 28

    METHOD = 4
    """libwebp's effort, 0 to 6; see docs/imaging.md for the measurement."""

    @staticmethod
    def load() -> str:
        """Import the encoder."""
        from PIL import WebPImagePlugin  # noqa: PLC0415 - most stacks do not have it

        return WebPImagePlugin.WebPImageFile.format

    @staticmethod
    def options(_mode: str, _subsampling: str) -> Mapping[str, Any]:
        """Return the effort."""
        return {"method": Webp.METHOD}

    def with_comment(self, text: str) -> bytes:
        """Return the file with an unknown chunk at the end, where the format allows them."""
        head, chunks = self[:8], self[12:]
        if not chunks.startswith(b"VP8X"):
            # Only the extended format may have further chunks.
            sides = b"".join((side - 1).to_bytes(3, "little") for side in self.size)
            chunks = b"".join((*riff_chunk(b"VP8X", bytes(4) + sides), chunks))
        body = b"".join((b"WEBP", chunks, *riff_chunk(b"note", text.encode())))
        return b"".join((head[:4], len(body).to_bytes(4, "little"), body))


class Avif(Further):
    """AVIF, encoded by libaom. Source: ISO/IEC 14496-12 for its boxes."""

    media_type = "image/avif"
    max_side_px = 65_500
    encoder_bytes_per_pixel = 40

    SPEED = 8
    """libaom's speed, 0 to 10; see docs/imaging.md for the measurement."""

    @staticmethod
    def load() -> str:
        """Import the encoder."""
        from PIL import AvifImagePlugin  # noqa: PLC0415 - most stacks do not have it

        return AvifImagePlugin.AvifImageFile.format

    @staticmethod
    def options(mode: str, subsampling: str) -> Mapping[str, Any]:
        """Return the speed, and the JPEG's subsampling."""
        return {"speed": Avif.SPEED, **({} if mode == "L" else {"subsampling": subsampling})}

    def with_comment(self, text: str) -> bytes:
        """Return the file with a box of free space at the end that has the text."""
        body = text.encode()
        return b"".join((self, (8 + len(body)).to_bytes(4, "big"), b"free", body))


FORMATS: Mapping[str, type[Further]] = {"webp": Webp, "avif": Avif}


def check_further(further: Any) -> None:
    """Check a mapping of further formats' names to qualities."""
    if not isinstance(further, Mapping):
        raise TypeError(
            f'expected further as formats and qualities, such as {{"webp": 80}}, got {type(further).__name__}'
        )
    for name, quality in further.items():
        if name not in FORMATS:
            raise ValueError(f"expected further formats among {', '.join(FORMATS)}, got {name!r}")
        if not is_whole(quality) or not 1 <= quality <= 100:  # noqa: PLR2004
            raise ValueError(f"expected a quality of {name} as a whole number from 1 to 100, got {quality!r}")


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Return a picture's file in a format, by Pillow's name of it, whose encoder has been imported."""
    # Image.save would import the plug-ins of all other formats first; it passes options in the same way.
    image.encoderinfo = options
    file = io.BytesIO()
    Image.SAVE[kind](image, file, "")
    return file.getvalue()


def encoder_bytes(sizes: Iterable[Size], further: Iterable[str]) -> int:
    """Return the peak memory, in bytes, of encoding pictures of these (width, height) one after the other."""
    largest = max((area([size]) for size in sizes), default=0)
    return largest * max((FORMATS[name].encoder_bytes_per_pixel for name in further), default=0)


def riff_chunk(name: bytes, content: bytes) -> tuple[bytes, ...]:
    """Return the parts of a chunk of a RIFF file, whose length is even."""
    return name, len(content).to_bytes(4, "little"), content, b"\0" * (len(content) % 2)
