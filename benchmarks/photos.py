"""Pictures to measure with: a folder's, or generated photo-like ones that are the same on every machine."""

import io
import shutil
import subprocess
import tempfile
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

import click
from PIL import Image, ImageChops, ImageFilter, UnidentifiedImageError

from handlers.errors import RejectedImageError
from handlers.imaging import Limits, open_picture
from handlers.imaging.formats.brands import is_heic
from handlers.imaging.render import rendered

JPEG_SUFFIXES = {".jpg", ".jpeg"}
SUFFIXES = JPEG_SUFFIXES | {".png", ".gif"}
FURTHER_SUFFIXES = {"webp": {".webp"}, "avif": {".avif"}, "heic": {".heic", ".heif"}, "tiff": {".tif", ".tiff"}}
"""File suffixes of the formats that `inputFormats` can allow."""

MEGAPIXELS = {"2 MP": (1600, 1200), "6 MP": (2816, 2112), "12 MP": (4000, 3000), "24 MP": (6000, 4000)}

LIMITS = Limits(max_pixels=10**9, max_bytes=10**9)
WHITE = (255, 255, 255)
PREFIX_BYTES = 512
HEIC_ENCODER = "heif-enc"
"""Pillow writes no HEIC; Debian's package libheif-examples has this program."""


@dataclass(frozen=True)
class Photo:
    """One master in memory."""

    name: str
    data: bytes

    @property
    def pixels(self) -> int:
        """Return width times height; Pillow reads no HEIC."""
        if is_heic(self.data[:PREFIX_BYTES]):
            header = open_picture(self.data, Limits(), formats=["heic"]).header
            return header.width * header.height
        with Image.open(io.BytesIO(self.data)) as image:
            return image.width * image.height

    def rendered(self) -> Image.Image:
        """Return all pixels as PixelCascade shows them, over white."""
        return rendered(open_picture(self.data, LIMITS), WHITE)


def load(folder: Path | None, *, jpeg_only: bool = False) -> list[Photo]:
    """Return a folder's pictures by name, or one generated picture per class.

    Raises: click.BadParameter.
    """
    if folder is None:
        return [Photo(name, drawn(size)) for name, size in MEGAPIXELS.items()]
    suffixes, formats = (JPEG_SUFFIXES, ("JPEG",)) if jpeg_only else (SUFFIXES, ("JPEG", "PNG", "GIF"))
    return [_read(file, formats) for file in picture_files(folder, "*", suffixes)]


def picture_files(folder: Path, pattern: str, suffixes: Collection[str]) -> list[Path]:
    """Return a folder's files of a pattern that end like pictures, by name.

    Raises: click.BadParameter, if there is none.
    """
    files = sorted(file for file in folder.glob(pattern) if file.suffix.lower() in suffixes)
    if not files:
        expected = f"expected files that end in {', '.join(sorted(suffixes))}"
        raise click.BadParameter(f"{expected}, got {folder} without pictures", param_hint="--images")
    return files


def _read(file: Path, formats: tuple[str, ...]) -> Photo:
    """Return a file's picture, after checking that Pillow and PixelCascade decode it, so that it cannot stop a run.

    Raises: click.BadParameter.
    """
    try:
        photo = Photo(file.name, file.read_bytes())
        with Image.open(io.BytesIO(photo.data), formats=formats) as image:
            image.load()
        photo.rendered()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError, RejectedImageError) as error:
        unknown = isinstance(error, UnidentifiedImageError)
        reason = "no such picture" if unknown else getattr(error, "strerror", None) or str(error)
        expected = f"expected whole pictures, as {', '.join(formats)}"
        raise click.BadParameter(
            f"{expected}, got {file} ({reason}): repair or remove it", param_hint="--images"
        ) from error
    return photo


def drawn(size: tuple[int, int], kind: str = "JPEG", **options: object) -> bytes:
    """Return a file of gradients, soft shapes and grain: about as many bytes a pixel as a camera's."""
    width, height = size
    shapes = Image.effect_noise((max(8, width // 40), max(8, height // 40)), 90).resize(size, Image.Resampling.BICUBIC)
    across = Image.linear_gradient("L").rotate(90).resize(size)
    down = Image.linear_gradient("L").resize(size)
    grain = Image.effect_noise(size, 14).filter(ImageFilter.GaussianBlur(0.8))
    bands = [ImageChops.add(ImageChops.blend(base, shapes, 0.5), grain, 1, -128) for base in (across, down, shapes)]
    return _saved(Image.merge("RGB", bands), kind, **{"quality": 92, "subsampling": 1, **options})


def as_format(photo: Photo, name: str) -> Photo:
    """Return a photo's pixels as a file in another format, such as `png`, with its encoder's defaults."""
    with Image.open(io.BytesIO(photo.data)) as image:
        pixels = image.convert("RGB")
    return Photo(f"{photo.name}.{name}", _heic(pixels) if name == "heic" else _saved(pixels, name))


def can_be(name: str) -> bool:
    """Return whether this machine can write a format."""
    if name == "heic":
        return shutil.which(HEIC_ENCODER) is not None
    Image.init()
    return name.upper() in Image.SAVE


def _saved(image: Image.Image, name: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, name, **options)
    return file.getvalue()


def _heic(image: Image.Image) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "picture.png"), Path(folder, "picture.heic")
        image.save(source, compress_level=0)
        command = [HEIC_ENCODER, "-p", "preset=ultrafast", str(source), "-o", str(target)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return target.read_bytes()


def suffixes_of(formats: Iterable[str]) -> set[str]:
    """Return how the files of a stack's input formats end."""
    return SUFFIXES.union(*(FURTHER_SUFFIXES.get(name, set()) for name in formats))
