"""The first frame of a GIF, as shown: on its canvas, transparent where nothing is drawn."""

from PIL import Image, ImageChops

from handlers.errors import BrokenImageError

from .decode import load, open_gif
from .gif import GifHeader, skip_blocks
from .raster import Raster
from .source import Source
from .transparency import matches

_MAX_PALETTE_BYTES = 768


def decode(source: Source, header: GifHeader, *, salvage: bool) -> Raster:
    """Decode the first frame.

    Raises:
        BrokenImageError: The frame is damaged, and not salvaged.
    """
    left, top, width, height = header.box
    canvas = (header.width, header.height)
    if not width or not height:
        raise BrokenImageError(f"the GIF is damaged: its first frame has {width} x {height} pixels")
    image = open_gif(_payload(source, header, salvage=salvage))
    damage = load(image, salvage=salvage)
    shown = Image.new("L", (width, height), 255)
    if header.transparent is not None:
        indices = Image.frombytes("L", image.size, image.tobytes())
        shown = ImageChops.invert(matches(indices, [header.transparent]))
    picture, opacity = Image.new("RGB", canvas), Image.new("L", canvas)
    picture.paste(image.convert("RGB"), (left, top))
    opacity.paste(shown, (left, top))
    return Raster(picture, opacity, damage)


def _payload(source: Source, header: GifHeader, *, salvage: bool) -> bytes:
    """Return a GIF with nothing but the first frame, as large as its canvas."""
    _, _, width, height = header.box
    size = width.to_bytes(2, "little") + height.to_bytes(2, "little")
    palette = header.palette or bytes(level for level in range(256) for _ in "RGB")
    screen = b"GIF89a" + size + b"\xf7\0\0" + palette.ljust(_MAX_PALETTE_BYTES, b"\0")
    descriptor = b"," + bytes(4) + size + bytes((header.interlaced << 6,))
    try:
        end = skip_blocks(source, header.data_start)
        data = source.take(header.data_start - 1, end - header.data_start + 1)
    except BrokenImageError:
        if not salvage:
            raise
        data = source.whole()[header.data_start - 1 :]
    return screen + descriptor + data + b";"
