"""An opened picture: its header is read, its pixels are not decoded. Each format has a subclass of both classes."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar, Self

from handlers.errors import ImageTooLargeError
from handlers.imaging.facts.exif import Exif, read_exif
from handlers.imaging.facts.rights import rights_only
from handlers.imaging.facts.xmp import packet_text
from handlers.imaging.limits import BYTES_PER_PIXEL, Limits, area, bytes_needed
from handlers.imaging.pixels.raster import Raster
from handlers.imaging.source import Source

MAX_PROFILE_BYTES = 4 * 1024 * 1024
"""The longest ICC profile that is used; printers' have up to 3 MB."""

MAX_EXIF_BYTES = 1024 * 1024
"""EXIF with a thumbnail has up to 64 KB; a longer block has something else."""

GAIN_MAP_IGNORED = "the HDR gain map was ignored"


@dataclass(frozen=True, kw_only=True)
class Header:
    """Facts known before any pixel is decoded.

    `width` and `height` are as stored, before orientation; `mode` is the Pillow mode of the coded picture.
    `exif` is the TIFF structure without a prefix, `icc` the embedded profile, `iptc` Photoshop's resource blocks, and
    `xmp` the packet.
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
    warnings: list[str] = field(default_factory=list)

    @property
    def size(self) -> tuple[int, int]:
        """The (width, height) in pixels, as stored."""
        return self.width, self.height

    @property
    def coded_size(self) -> tuple[int, int]:
        """The (width, height) of a decoder's output, of which a part may be shown."""
        return self.size


class Picture(ABC):
    """A file in an accepted format; `warnings` are added while it is processed."""

    magics: ClassVar[tuple[bytes, ...]]
    """The first bytes of files in the format."""
    guarded: ClassVar[bool] = False
    """Whether the pixels are decoded only in a child process, because the decoder may crash."""
    bytes_per_pixel: ClassVar[int] = BYTES_PER_PIXEL
    """Peak of the costliest pictures of the format; see docs/imaging.md for the measurement."""
    header: Header
    exif: Exif
    xmp: bytes | None
    warnings: list[str]
    early: bool = True
    """Whether to decode while the file arrives. It saves time if the processor has nothing else to do; otherwise it
    costs time, because the decoder waits for each block."""

    def __init__(self, source: Source, limits: Limits, header: Header) -> None:
        self.source, self.limits, self.header = source, limits, header
        self.exif = read_exif(header.exif)
        self.xmp = header.xmp
        self.warnings = list(header.warnings)

    @classmethod
    def matches(cls, prefix: bytes) -> bool:
        """Return whether a file that begins with `prefix`, of up to 512 bytes, is in the format."""
        return prefix.startswith(cls.magics)

    @classmethod
    @abstractmethod
    def open(cls, source: Source, limits: Limits) -> Self:
        """Read the header only.

        Raises:
            RejectedImageError: Damaged, unsupported, or over a limit.
        """

    def bytes_needed(self, output_pixels: int = 0, encoder_bytes: int = 0) -> int:
        """Return the peak memory, in bytes without the file, that the picture needs for outputs of `output_pixels`.

        `encoder_bytes` is what encoders of further formats need in addition.

        Raises:
            ImageTooLargeError: The picture is over a limit, or does not fit into the function's memory.
        """
        self._check_canvas()
        return bytes_needed(area([self.header.coded_size]), output_pixels, encoder_bytes, self.bytes_per_pixel)

    def read(self, widest: tuple[int, int] | None = None, *, copying: bool = False) -> None:
        """Read the file to its end and check it against all limits; `decode` and `copy` need it.

        The pixels of a file that is still arriving are decoded meanwhile, if the format supports it: for outputs up to
        `widest`, or for the check of a copy.

        Raises:
            RejectedImageError: Damaged, or over a limit.
        """
        self._check_canvas()
        self.source.reserve()
        if self.early and self.source.streaming:
            self.decode_early(widest, copying=copying)
        self._check_canvas(len(self.source.whole()))
        self._read_on()

    def _check_canvas(self, file_bytes: int = 0) -> None:
        self.limits.check_canvas(*self.header.coded_size, file_bytes, self.bytes_per_pixel)

    def decode_early(self, widest: tuple[int, int] | None, *, copying: bool) -> None:  # noqa: B027 - not all can
        """Decode the pixels while the file arrives, for the `decode` or `copy` that follows."""

    def facts(self) -> None:
        """Read the facts that come after the header; no pixel is decoded."""
        self._read_on()

    def _read_on(self) -> None:  # noqa: B027 - most formats have all facts in their header
        """Read the facts that follow the header."""

    @abstractmethod
    def decode(self, *, salvage: bool, widest: tuple[int, int] | None = None) -> Raster:
        """Decode the pixels, or fewer of them if that is enough for outputs up to `widest` (width, height).

        Raises:
            BrokenImageError: The picture is damaged, and not salvaged.
        """

    def damage(self) -> str | None:
        """Return what is missing at the end of a picture that only `salvage` accepts, or None for a whole picture.

        Raises:
            BrokenImageError: Nothing of the picture can be kept.
        """
        return self.decode(salvage=True).damage

    def copy(self, *, salvage: bool) -> bytes | None:  # noqa: ARG002 - for the formats that can
        """Return the file with its rights as its only metadata, or None if it cannot be an output.

        Raises:
            BrokenImageError: The picture is damaged, and not salvaged.
        """
        return None

    @property
    def rights(self) -> bytes:
        """Artist and copyright as the body of an EXIF segment; empty if the file has neither."""
        return rights_only(self.exif, self.header.iptc, packet_text(self.xmp) if self.xmp else "")

    def too_many_frames(self) -> ImageTooLargeError:
        """Return the error for a file with more frames than the limit."""
        return ImageTooLargeError(f"more than the {self.limits.max_frames:,} frames that are counted")

    def frames(self) -> int:
        """Count the frames.

        Raises:
            BrokenImageError: The file is damaged before its end.
            ImageTooLargeError: There are more frames than the limit.
        """
        return 1
