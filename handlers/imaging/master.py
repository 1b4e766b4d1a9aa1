"""A master opened: its header read and its limits checked, its picture ready to be copied or decoded."""

from collections.abc import Callable
from dataclasses import dataclass, field

from . import gif, gif_body, jpeg, jpeg_body, png, png_body
from .exif import Exif, read_exif
from .header import Header
from .limits import Limits
from .memory import bytes_needed
from .raster import Raster
from .sniff import sniff
from .source import Source


@dataclass(frozen=True)
class Master:
    """One master, checked against the limits; `warnings` grows while it is worked on."""

    source: Source
    header: Header
    exif: Exif
    body: jpeg_body.JpegBody | png_body.PngBody | None
    warnings: list[str] = field(default_factory=list)


def read_header(source: Source, limits: Limits) -> Header:
    """Read the header of a file in one of the formats taken, and check its canvas.

    Raises:
        RejectedImageError: No picture, another format, damaged, or over a limit.
    """
    kind = sniff(source)
    if kind == "JPEG":
        return jpeg.read_header(source, limits)
    if kind == "PNG":
        return png.read_header(source, limits)
    return gif.read_header(source, limits)


def open_master(
    source: Source,
    limits: Limits,
    admit: Callable[[int], object] | None = None,
    output_pixels: Callable[[Header], int] = lambda _: 0,
) -> Master:
    """Read a file whole and check all limits, without decoding a pixel.

    `admit` is called with the bytes that the pixels may take, once they are known and before the file is read on;
    `output_pixels` says how many will be made of the picture.

    Raises:
        RejectedImageError: No picture, another format, damaged, or over a limit.
    """
    header = read_header(source, limits)
    limits.check_canvas(header.width, header.height)
    if admit:
        admit(bytes_needed(header.width * header.height, output_pixels(header)))
    limits.check_canvas(header.width, header.height, len(source.whole()))
    warnings = list(header.warnings)
    exif = header.exif
    body: jpeg_body.JpegBody | png_body.PngBody | None = None
    if isinstance(header, jpeg.JpegHeader):
        body = jpeg_body.read_body(source, header, limits)
    elif isinstance(header, png.PngHeader):
        body = png_body.read_body(source, limits)
        exif = exif or body.exif
    tags = read_exif(exif)
    return Master(source, header, tags, body, warnings)


def decode(master: Master, *, salvage: bool, widest: tuple[int, int] | None = None) -> Raster:
    """Decode the picture; a JPEG reduced where an output of `widest` (width, height) loses nothing by it.

    Raises:
        BrokenImageError: The picture is damaged, and not salvaged.
    """
    header, body = master.header, master.body
    if isinstance(header, jpeg.JpegHeader) and isinstance(body, jpeg_body.JpegBody):
        return jpeg_body.decode(body, header, master.warnings, salvage=salvage, widest=widest)
    if isinstance(header, png.PngHeader) and isinstance(body, png_body.PngBody):
        return png_body.decode(master.source, body, header, salvage=salvage)
    if isinstance(header, gif.GifHeader):
        return gif_body.decode(master.source, header, salvage=salvage)
    raise TypeError(f"no decoder for {type(header).__name__}")
