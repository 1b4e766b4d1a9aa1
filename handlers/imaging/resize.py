"""Turn a master into several JPEGs of given widths, from one decode."""

from collections.abc import Mapping

from PIL import Image

from .checks import check_common, check_widths
from .encode import Jpeg, encode
from .exif import rights_only
from .limits import Limits
from .master import decode, open_master
from .normalise import normalise
from .orientation import upright, upright_size
from .resample import resample
from .source import BinaryStream, Source

MARGIN = 2
"""How many times the largest output's width a reduced decode keeps; see docs/imaging.md for the loss by factor."""


def resize(
    source: bytes | bytearray | memoryview | BinaryStream,
    widths: Mapping[str, int],
    *,
    quality: int = 100,
    enlarge: bool = True,
    background: tuple[int, int, int] = (255, 255, 255),
    limits: Limits = Limits(),  # noqa: B008 - frozen
    salvage: bool = False,
) -> dict[str, Jpeg]:
    """Return the picture by name, each as wide in pixels as `widths` says, else as `convert` does.

    Without `enlarge`, a picture less wide than asked keeps its own size.

    Raises:
        RejectedImageError: The image's fault; see `handlers.errors`. What `source.read` raises passes through.
    """
    colour = check_common(quality, background, limits)
    check_widths(widths)
    master = open_master(Source(source, limits.max_bytes), limits)
    turned = master.exif.orientation
    size = upright_size((master.header.width, master.header.height), turned)
    sizes = output_sizes(size, widths, enlarge=enlarge)
    limits.check_outputs(sizes)
    widest = max(sizes.values())
    raster = decode(master, salvage=salvage, at_least=upright_size((MARGIN * widest[0], MARGIN * widest[1]), turned))
    image = normalise(raster, master.header.icc, colour, master.warnings)
    rights = rights_only(master.exif)
    outputs = {}
    for name, output in sizes.items():
        scaled = upright(_scaled(image, upright_size(output, turned)), turned)
        outputs[name] = Jpeg(
            encode(scaled, quality, rights),
            salvaged=raster.damage is not None,
            warnings=tuple(master.warnings),
        )
    return outputs


def output_sizes(size: tuple[int, int], widths: Mapping[str, int], *, enlarge: bool) -> dict[str, tuple[int, int]]:
    """Return (width, height) by name for an upright picture of `size`, its aspect ratio kept, at least 1 pixel high."""
    width, height = size
    sizes = {}
    for name, wanted in widths.items():
        new_width = wanted if enlarge else min(wanted, width)
        # Half up, as people round; the built-in rounds half to even.
        sizes[name] = (new_width, max(1, (2 * height * new_width + width) // (2 * width)))
    return sizes


def _scaled(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    return resample(image, size)
