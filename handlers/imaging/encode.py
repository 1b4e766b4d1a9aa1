"""Encode JPEGs, and record how each was made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Self

from PIL import Image, JpegImagePlugin

from .formats.jpeg_markers import APP0, COM, segment_bytes
from .further import Further, encoded
from .limits import is_whole

if TYPE_CHECKING:
    from .placeholder import Placeholder

SUBSAMPLINGS = {"4:4:4": 0, "4:2:0": 2}
"""Pillow's numbers for keeping all chroma samples, or one of four."""


class Jpeg(bytes):
    """A JPEG file and how it was made.

    `size` is (width, height) in pixels. `copied`: it has the master's coded picture, bit for bit. `salvaged`: the
    master was damaged, and its end is missing. `further` has the same picture in further formats, by name, and
    `placeholder` the whole picture's, if one was requested.
    """

    media_type: ClassVar[str] = "image/jpeg"
    size: tuple[int, int]
    salvaged: bool
    copied: bool
    warnings: tuple[str, ...]
    further: Mapping[str, Further]
    placeholder: "Placeholder | None"

    def __new__(
        cls,
        data: bytes,
        size: tuple[int, int] = (0, 0),
        *,
        salvaged: bool = False,
        copied: bool = False,
        warnings: tuple[str, ...] = (),
        further: Mapping[str, Further] | None = None,
        placeholder: "Placeholder | None" = None,
    ) -> Self:
        """Make the file of its bytes."""
        jpeg = super().__new__(cls, data)
        jpeg.size, jpeg.salvaged, jpeg.copied, jpeg.warnings = size, salvaged, copied, warnings
        jpeg.further, jpeg.placeholder = further or {}, placeholder
        return jpeg

    def with_comment(self, text: str) -> bytes:
        """Return the file with a comment after the JFIF header, which must come first."""
        start = 2 + (2 + int.from_bytes(self[4:6], "big") if self[3:4] == bytes((APP0,)) else 0)
        return b"".join((self[:start], segment_bytes(COM, text.encode()), self[start:]))


@dataclass(frozen=True, kw_only=True)
class OutputOptions:
    """How outputs are encoded, and the background (red, green, blue) under transparent pictures.

    `further` has the qualities of the formats other than JPEG, by name; `placeholder` requests one.
    """

    quality: int
    subsampling: str
    background: tuple[int, int, int]
    further: Mapping[str, int] = field(default_factory=dict)
    placeholder: bool = False


def check_options(quality: Any, background: Any, subsampling: Any, **switches: Any) -> None:
    """Check the options that all outputs share, and switches by name."""
    if not is_whole(quality):
        raise TypeError(f"expected quality as a whole number from 1 to 100, got {quality!r}")
    if not 1 <= quality <= 100:  # noqa: PLR2004
        raise ValueError(f"expected a quality from 1 to 100, got {quality}")
    if not isinstance(subsampling, str) or subsampling not in SUBSAMPLINGS:
        raise ValueError(f'expected subsampling "4:2:0" or "4:4:4", got {subsampling!r}')
    levels = background if isinstance(background, Sequence) else ()
    if len(levels) != 3 or not all(is_whole(level) and 0 <= level <= 255 for level in levels):  # noqa: PLR2004
        raise ValueError(
            f"expected background as red, green and blue from 0 to 255, such as (255, 255, 255), got {background!r}"
        )
    for name, value in switches.items():
        if not isinstance(value, bool):
            raise TypeError(f"expected {name} as True or False, got {value!r}")


def encode(image: Image.Image, exif: bytes, quality: int, subsampling: str) -> bytes:
    """Return a picture of mode L or RGB as a baseline JPEG with no metadata but `exif`."""
    kind, sampling = JpegImagePlugin.JpegImageFile.format, SUBSAMPLINGS[subsampling]
    return encoded(image, kind, quality=quality, subsampling=sampling, exif=exif)
