"""Files made by other programs, where installed: right colours, upright, and on the background."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from handlers.imaging import Limits, Picture, convert, describe, open_picture
from handlers.imaging.formats import DEFAULT_FORMATS

from .heic import has_decoder
from .pictures import BLUE, GREEN, RED, corners, difference, exif, opened, photo, saved

SIZE = (192, 128)


@dataclass(frozen=True)
class Program:
    """A program and its arguments: `source` is its input format, `made` its output format."""

    name: str
    made: str
    options: tuple[str, ...]
    source: str = "PNG"
    before_output: tuple[str, ...] = ("-o",)


PROGRAMS = {
    "heif-enc HEIC": Program("heif-enc", "heic", ("-q", "95", "-p", "chroma=444")),
    "heif-enc AVIF": Program("heif-enc", "avif", ("-A", "-q", "95", "-p", "chroma=444")),
    "avifenc": Program("avifenc", "avif", ("-s", "9", "--min", "2", "--max", "6", "-y", "444")),
    "avifenc, lossless": Program("avifenc", "avif", ("-s", "9", "-l")),
    "avifenc, 10 bits": Program("avifenc", "avif", ("-s", "9", "--min", "2", "--max", "6", "-d", "10", "-y", "444")),
    "avifenc, multiplied": Program("avifenc", "avif", ("-s", "9", "--min", "2", "--max", "6", "-p", "-y", "444")),
    "avifenc, grid": Program("avifenc", "avif", ("-s", "9", "--min", "2", "--max", "6", "-g", "2x2", "-y", "444")),
    "cwebp": Program("cwebp", "webp", ("-quiet", "-q", "95", "-sharp_yuv", "-metadata", "all")),
    "cwebp, lossless": Program("cwebp", "webp", ("-quiet", "-lossless", "-metadata", "all")),
    **{
        f"tiffcp {' '.join(options)}": Program("tiffcp", "tiff", options, "TIFF", ())
        for options in (
            ("-c", "none"),
            ("-c", "lzw:2", "-t", "-w", "64", "-l", "64"),
            ("-c", "zip", "-p", "separate"),
            ("-c", "packbits", "-f", "lsb2msb"),
            ("-B", "-r", "7"),
            ("-8", "-c", "zip"),
        )
    },
    **{
        f"convert {' '.join(options)}": Program("convert", "tiff", options, "PNG", ())
        for options in (
            ("-compress", "zip", "-define", "tiff:predictor=2"),
            ("-compress", "lzw", "-endian", "MSB"),
            ("-compress", "none", "-interlace", "plane"),
            ("-compress", "rle", "-define", "tiff:rows-per-strip=7"),
            ("-compress", "zip", "-define", "tiff:tile-geometry=64x64"),
            ("-depth", "16"),
            ("-define", "tiff:alpha=associated"),
        )
    },
    "convert WebP": Program("convert", "webp", ("-quality", "95"), "PNG", ()),
    "tiffcp -c jpeg": Program("tiffcp", "tiff", ("-c", "jpeg:95", "-r", "16"), "TIFF", ()),
}
WITHOUT_ALPHA = ("tiffcp -c jpeg",)
"""Programs that refuse pictures with alpha."""


def made(program: Program, source: Path) -> Picture:
    """Return the picture that a program makes from a file; skip the test where it cannot be made."""
    needs(program.name)
    if program.made == "heic" and not has_decoder():
        pytest.skip("pi_heif is not installed: `make` installs it")
    target = source.with_name(f"made.{program.made}")
    run(program.name, *program.options, str(source), *program.before_output, str(target))
    return open_picture(target.read_bytes(), Limits(), formats=(*DEFAULT_FORMATS, program.made))


def needs(name: str) -> None:
    """Skip the test where a program is absent."""
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    # Other programs have this name, too.
    if name == "convert" and subprocess.run((name, "-version"), check=False, capture_output=True).returncode:
        pytest.skip("convert is not ImageMagick's")


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=60)


def turned(orientation: int) -> Image.Image:
    """Return the four corners as converted from a PNG with an orientation."""
    return opened(convert(saved(corners(SIZE), "PNG", exif=exif({0x0112: orientation})), subsampling="4:4:4"))


def shown(picture: Picture) -> Image.Image:
    return opened(convert(picture, background=GREEN, subsampling="4:4:4", quality=95))


def written(folder: Path, data: bytes, kind: str) -> Path:
    file = folder / f"source.{kind.lower()}"
    file.write_bytes(data)
    return file


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_colours_are_right(tmp_path: Path, name: str, mode: str) -> None:
    """The converted picture has the colours of the program's input."""
    program, image = PROGRAMS[name], photo(SIZE, mode)
    picture = made(program, written(tmp_path, saved(image, program.source), program.source))
    assert (picture.header.format.lower(), picture.header.size) == (program.made, SIZE)
    assert difference(shown(picture), image) < 2.5


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", [name for name in PROGRAMS if "tiffcp" not in name])
def test_a_picture_is_turned_upright(tmp_path: Path, name: str, orientation: int) -> None:
    """The orientation of the program's input is applied once."""
    block = b"Exif\0\0" + exif({0x0112: orientation})
    master = saved(corners(SIZE), "JPEG", quality=100, subsampling=0, exif=block)
    picture = made(PROGRAMS[name], written(tmp_path, master, "JPEG"))
    turn = orientation if stores_its_rotation(PROGRAMS[name], picture) else 1
    assert difference(shown(picture), turned(turn)) < 3
    assert describe(picture).orientation == turn


def stores_its_rotation(program: Program, picture: Picture) -> bool:
    """Return whether a file stores its rotation itself: old versions of heif-enc store it in EXIF only."""
    file = bytes(picture.source.whole())
    return program.name != "heif-enc" or b"irot" in file or b"imir" in file


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_that_tiffset_writes_is_applied(tmp_path: Path, orientation: int) -> None:
    """The orientation that tiffset writes is applied."""
    needs("tiffset")
    file = written(tmp_path, saved(corners(SIZE), "TIFF"), "TIFF")
    run("tiffset", "-s", "274", str(orientation), str(file))
    picture = open_picture(file.read_bytes(), Limits(), formats=["tiff"])
    assert difference(shown(picture), turned(orientation)) < 2


@pytest.mark.parametrize("name", [name for name in PROGRAMS if name not in WITHOUT_ALPHA])
def test_transparent_pixels_show_the_background(tmp_path: Path, name: str) -> None:
    """Transparent pixels show the background, and half-transparent ones show half of it."""
    image = Image.new("RGBA", SIZE, (*BLUE, 0))
    image.paste((*RED, 255), (0, 0, 64, 128))
    image.paste((*RED, 128), (64, 0, 128, 128))
    program = PROGRAMS[name]
    picture = made(program, written(tmp_path, saved(image, program.source), program.source))
    assert picture.header.has_alpha
    result = shown(picture)
    for left, colour in ((0, RED), (64, (128, 127, 0)), (128, GREEN)):
        area = result.crop((left + 8, 8, left + 56, 120))
        assert difference(area, Image.new("RGB", area.size, colour)) < 4
