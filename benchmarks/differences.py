"""How a picture differs from libvips's result, and why, if the file shows the reason."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageChops

from benchmarks import peer
from benchmarks.photos import WHITE
from handlers.errors import BrokenImageError, RejectedImageError
from handlers.imaging import Limits, Picture, open_picture
from handlers.imaging.formats.gif import GifHeader
from handlers.imaging.formats.heif_header import HeifHeader
from handlers.imaging.formats.png_header import PngHeader
from handlers.imaging.formats.tiff_header import FAX, JPEG, YCBCR, TiffHeader
from handlers.imaging.render import rendered

AV1_SUBSAMPLED = 0b1000
"""chroma_subsampling_x in the third byte of av1C. Source: AV1 codec ISO media file format binding, 2.3."""

PILLOW_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "TIFF")
MAX_DIFFERENCE = 2.0
"""Mean levels; decoders and colour engines that round differently stay below."""


def difference_of(file: Path, limits: Limits, formats: Sequence[str]) -> tuple[str, bool]:
    """Return the difference from libvips, if any, and whether its reason is known."""
    data = file.read_bytes()
    try:
        picture = open_picture(data, limits, formats=formats)
        ours = rendered(picture, WHITE)
    except RejectedImageError as error:
        return _refused(error, peer.picture(data), data)
    # libvips does not read a PNG's gAMA, cHRM and cICP, nor an AVIF's or HEIC's code points.
    theirs = peer.picture(data, picture.header.icc)
    if theirs.image is None:
        return f"libvips refuses it: {theirs.refusal}", True
    if ours.size != theirs.image.size:
        late = isinstance(picture.header, PngHeader) and picture.header.exif is None and picture.exif.orientation != 1
        why = ": an orientation after the picture, which libvips does not read" if late else ""
        return f"size {ours.size[0]} x {ours.size[1]}, libvips {theirs.image.width} x {theirs.image.height}{why}", late
    mean = peer.mean_difference(ours, theirs.image)
    if mean <= MAX_DIFFERENCE:
        return "", True
    reason = _reason(theirs, picture, mean)
    return f"mean difference {mean:.1f}" + (f": {reason}" if reason else ""), bool(reason)


def _refused(error: RejectedImageError, theirs: peer.PeerPicture, data: bytes) -> tuple[str, bool]:
    """Explain why PixelCascade refuses what libvips shows, by other decoders that refuse it too."""
    if theirs.image is None:
        return "", True
    if not isinstance(error, BrokenImageError):
        return "libvips shows it; a limit, or a format that is not taken", True
    if theirs.strict:
        return f"libvips shows it, but when strict says: {theirs.strict}", True
    try:
        if _ends_early(data):
            return "libvips shows it, though bytes put before its end marker change it: its data ends early", True
        with Image.open(BytesIO(data), formats=PILLOW_FORMATS) as image:
            image.load()
    except Exception as alone:  # noqa: BLE001 - any complaint of Pillow's own
        return f"libvips shows it; Pillow alone refuses it too: {alone}", True
    return "libvips shows it", False


def _ends_early(data: bytes) -> bool:
    """Return whether decoders of this JPEG invent pixels, which then depend on what follows the coded data."""
    end = data.rfind(b"\xff\xd9")
    if not data.startswith(b"\xff\xd8") or end < 0:
        return False
    pictures = []
    for padding in (b"", b"\x55" * 4096):
        with Image.open(BytesIO(data[:end] + padding + data[end:]), formats=["JPEG"]) as image:
            pictures.append(image.convert("RGB"))
    return ImageChops.difference(*pictures).getbbox() is not None


def _reason(theirs: peer.PeerPicture, ours: Picture, mean: float) -> str:
    """Return why libvips may differ by a mean of so many levels, if the file shows it."""
    if theirs.cmyk and (not theirs.profiled or any("ICC profile" in warning for warning in ours.warnings)):
        return "CMYK without a usable profile, for which libvips takes a press profile of its own"
    return _profile_reason(theirs, ours, mean) or _format_reason(theirs, ours, mean)


def _profile_reason(theirs: peer.PeerPicture, ours: Picture, mean: float) -> str:
    header = ours.header
    if header.icc and header.mode.startswith(("RGB", "P", "CMYK")):
        return ""
    if header.icc and header.icc[16:20] == b"RGB ":
        return "a grey picture with an RGB profile, which libvips ignores and browsers do not"
    if header.icc:
        return "dark greys, which libvips interpolates" if mean <= 3 * MAX_DIFFERENCE else ""
    if theirs.profiled and any("ICC profile was ignored" in warning for warning in ours.warnings):
        return "a profile that is ignored with a warning"
    if theirs.profiled and isinstance(header, PngHeader) and b"cICP" in ours.source.whole():
        return "code points, which come before the profile"
    return ""


def _format_reason(theirs: peer.PeerPicture, ours: Picture, mean: float) -> str:
    header = ours.header
    if isinstance(header, HeifHeader):
        return _heif_reason(header, mean)
    if isinstance(header, TiffHeader):
        return _tiff_reason(theirs, header)
    if isinstance(header, GifHeader):
        if not header.palette:
            return "a GIF without any palette, for which there is no rule"
        if header.transparent is None and header.box != (0, 0, header.width, header.height):
            return "the first frame does not cover the canvas: libvips shows black there, browsers the background"
    return ""


def _tiff_reason(theirs: peer.PeerPicture, header: TiffHeader) -> str:
    if header.photometric == YCBCR and header.compression != JPEG:
        return "YCbCr without JPEG, which libvips takes for RGB"
    if header.compression in FAX and theirs.strict:
        return f"damaged fax data, which have no checksum; when strict, libvips says: {theirs.strict}"
    return ""


def _heif_reason(header: HeifHeader, mean: float) -> str:
    if header.premultiplied:
        return "colours multiplied by opacity, which libvips multiplies again"
    configuration = header.meta.items[header.image.tiles[0]].property(b"av1C") or bytes(4)
    if configuration[2] & AV1_SUBSAMPLED and mean <= 2 * MAX_DIFFERENCE:
        return "subsampled colours, which decoders interpolate in different ways"
    return ""
