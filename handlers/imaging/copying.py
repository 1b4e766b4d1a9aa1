"""Copy a JPEG that already is what an output promises, instead of encoding it again."""

from .colour import is_srgb
from .decode import EOI
from .encode import Jpeg
from .exif import rights_only
from .jpeg import APP1, JpegHeader
from .jpeg_body import JpegBody, decode
from .master import Master
from .restarts import lasts


def copied(master: Master, *, salvage: bool) -> Jpeg | None:
    """Return the master's coded picture without its metadata, or None where it must be decoded and encoded.

    Raises:
        BrokenImageError: The picture is damaged: all its coded data are read, at an eighth of the size, unless restart
            markers tell as much.
    """
    header, body = master.header, master.body
    if not isinstance(header, JpegHeader) or not isinstance(body, JpegBody) or not _fit(master, header, body):
        return None
    if not lasts(body, header) and decode(body, header, master.warnings, salvage=salvage, widest=(1, 1)).damage:
        return None
    soi, coded = body.payload[:2], memoryview(body.payload)[2:]
    rights = rights_only(master.exif)
    segment = bytes((0xFF, APP1)) + (len(rights) + 2).to_bytes(2, "big") + rights if rights else b""
    start = _behind_jfif(body.payload)
    data = b"".join((soi, coded[: start - 2], segment, coded[start - 2 :], EOI))
    return Jpeg(data, copied=True, warnings=tuple(master.warnings))


def _behind_jfif(payload: bytes) -> int:
    """Return where APP1 belongs: behind JFIF, which must come first."""
    if payload[2:4] == b"\xff\xe0":
        return 4 + int.from_bytes(payload[4:6], "big")
    return 2


def _fit(master: Master, header: JpegHeader, body: JpegBody) -> bool:
    """Say whether the coded picture is one that an output may have."""
    if not body.plain or master.exif.orientation != 1:
        return False
    if header.mode != "L" and not header.is_ycbcr:
        return False
    return header.icc is None or is_srgb(header.icc, header.mode)
