"""Turn a master into one JPEG of its own size."""

from collections.abc import Callable
from typing import Literal

from .checks import check_common, check_reencode
from .copying import copied
from .encode import Jpeg, encode
from .exif import rights_only
from .limits import Limits
from .master import open_master
from .normalise import rendered
from .source import BinaryStream, Source


def convert(
    source: bytes | bytearray | memoryview | BinaryStream,
    *,
    quality: int = 100,
    background: tuple[int, int, int] = (255, 255, 255),
    reencode: Literal["when-needed", "always"] = "when-needed",
    limits: Limits = Limits(),  # noqa: B008 - frozen
    salvage: bool = False,
    admit: Callable[[int], object] | None = None,
) -> Jpeg:
    """Return the picture as a JPEG: upright, sRGB, 8 bit, opaque, first frame, no metadata but artist and copyright.

    A JPEG that is all this already is copied, its coded picture bit for bit, unless `reencode` is "always".
    With `salvage`, a picture whose end is damaged is kept as far as it decodes, and marked.
    `admit` is called with the bytes that the pixels may take, before they are: it may wait until there is room.

    Raises:
        RejectedImageError: The image's fault; see `handlers.errors`. What `source.read` raises passes through.
    """
    colour = check_common(quality, background, limits)
    check_reencode(reencode)
    master = open_master(Source(source, limits.max_bytes), limits, admit)
    if reencode == "when-needed":
        copy = copied(master, salvage=salvage)
        if copy is not None:
            return copy
    image, damage = rendered(master, colour, salvage=salvage)
    data = encode(image, quality, rights_only(master.exif))
    return Jpeg(data, salvaged=damage is not None, warnings=tuple(master.warnings))
