"""What a file's header says, whatever the format."""

from collections.abc import Mapping
from dataclasses import dataclass, field

MAX_PROFILE_BYTES = 4 * 1024 * 1024
"""The longest ICC profile that is used; those of printers have up to 3 MB."""

GAIN_MAP_IGNORED = "the HDR gain map was ignored"


@dataclass(frozen=True, kw_only=True)
class Header:
    """Facts known before any pixel is decoded.

    `width` and `height` are as stored, before orientation; `mode` is the Pillow mode of the coded picture.
    `exif` is the TIFF structure without a prefix, `icc` the profile as embedded, `iptc` Photoshop's resource blocks,
    `xmp` the packet, `texts` what PNG calls text, by keyword.
    """

    format: str
    width: int
    height: int
    mode: str
    has_alpha: bool = False
    exif: bytes | None = None
    icc: bytes | None = None
    iptc: bytes = b""
    xmp: bytes | None = None
    texts: Mapping[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    @property
    def size(self) -> tuple[int, int]:
        """Return (width, height) in pixels, as stored."""
        return self.width, self.height

    @property
    def coded_size(self) -> tuple[int, int]:
        """Return (width, height) of the pixels that a decoder makes, which may be more than are shown."""
        return self.size
