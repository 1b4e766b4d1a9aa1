"""WebP: cut out the first picture's data, and decode it on its canvas.

Source: WebP container specification.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Self

from PIL import Image, WebPImagePlugin

from handlers.errors import BrokenImageError
from handlers.imaging.facts.exif import read_exif
from handlers.imaging.facts.rights import MAX_BLOCK_BYTES
from handlers.imaging.further import riff_chunk
from handlers.imaging.limits import Limits
from handlers.imaging.pixels.raster import Raster
from handlers.imaging.pixels.transparency import split
from handlers.imaging.source import Source

from .decoding import decoded
from .picture import MAX_EXIF_BYTES, MAX_PROFILE_BYTES, Picture
from .webp_header import (
    ALPHA,
    EXIF,
    EXTENDED,
    FIRST_CHUNK,
    FRAME,
    LOSSY,
    PROFILE,
    XMP,
    WebpHeader,
    read_header,
    walk,
)

if not WebPImagePlugin.SUPPORTED:
    # Without it, every WebP would be rejected as damaged.
    raise ImportError(
        "expected a Pillow that decodes WebP, got one without PIL._webp: build the layer with inputFormats"
    )

_MOST_BYTES = {EXIF: MAX_EXIF_BYTES, XMP: MAX_BLOCK_BYTES}


class WebpPicture(Picture):
    """A WebP, lossy or lossless, or the first frame of an animated one."""

    guarded = True
    bytes_per_pixel = 18
    header: WebpHeader

    @classmethod
    def matches(cls, prefix: bytes) -> bool:
        """Return whether a file begins as a WebP does; see `Picture.matches`."""
        return prefix[:4] == b"RIFF" and prefix[8:12] == b"WEBP"

    @classmethod
    def open(cls, source: Source, limits: Limits) -> Self:
        """Read the chunks up to the first picture's data; see `Picture.open`."""
        return cls(source, limits, read_header(source, limits))

    def frames(self) -> int:
        """Count the frames of an animation; see `Picture.frames`."""
        if not self.header.animated:
            return 1
        frames = 0
        for number, chunk in enumerate(walk(self.source, self.header.picture_start, self.header.end)):
            frames += chunk.kind == FRAME
            if number - frames > self.limits.max_segments or frames > self.limits.max_frames:
                raise self.too_many_frames()
        return frames

    def _read_on(self) -> None:
        """Read the metadata before or after the picture; if they cannot be read, their facts are left out."""
        with contextlib.suppress(BrokenImageError):
            for kind, data in self._metadata():
                if kind == EXIF:
                    self.exif = read_exif(data)
                elif kind == PROFILE:
                    self.header = replace(self.header, icc=data)
                else:
                    self.xmp = data

    def _metadata(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield the type and data of the first chunk of each kind that is still needed, unless it is too long."""
        most = dict(_MOST_BYTES) if self.header.extended else {}
        if self.header.profiled and self.header.icc is None:
            most[PROFILE] = MAX_PROFILE_BYTES
        for number, chunk in enumerate(walk(self.source, FIRST_CHUNK, self.header.end)):
            if not most or number > self.limits.max_segments + self.limits.max_frames:
                return
            if chunk.kind in most and chunk.size <= most.pop(chunk.kind):
                yield chunk.kind, self.source.take(chunk.start, chunk.size)

    def decode(self, *, salvage: bool, widest: tuple[int, int] | None = None) -> Raster:  # noqa: ARG002 - all or nothing
        """Decode the first picture; a damaged one is never kept. See `Picture.decode`."""
        header = self.header
        image, opacity = split(decoded(WebPImagePlugin.WebPImageFile, _payload(self.source, header)))
        if len(self.source.whole()) < header.end:
            self.warnings.append("the WebP ends before the end that its header gives; its picture is whole")
        canvas = header.size
        if image.size == canvas:
            return Raster(image, opacity)
        picture, shown = Image.new("RGB", canvas), Image.new("L", canvas)
        picture.paste(image, header.box[:2])
        shown.paste(opacity or 255, (*header.box[:2], header.box[0] + image.width, header.box[1] + image.height))
        return Raster(picture, shown)


def _payload(source: Source, header: WebpHeader) -> bytes:
    """Return a WebP with the first picture only, not animated.

    Raises:
        BrokenImageError: The file ends within the picture.
    """
    parts = list[bytes]()
    if header.alpha and header.picture.kind == LOSSY:
        sides = b"".join((side - 1).to_bytes(3, "little") for side in header.box[2:])
        parts += riff_chunk(EXTENDED, b"\x10\0\0\0" + sides)
        parts += riff_chunk(ALPHA, source.take(header.alpha.start, header.alpha.size))
    picture = header.picture
    parts += riff_chunk(picture.kind, source.take(picture.start, picture.size))
    body = b"WEBP" + b"".join(parts)
    return b"RIFF" + len(body).to_bytes(4, "little") + body
