"""How a converted picture was made, found by comparing it with its master."""

from pathlib import Path
from typing import Any, Literal

import pytest
from PIL import Image

from handlers import imaging
from local.conversion import made


@pytest.fixture
def master(tmp_path: Path) -> Path:
    """Return a JPEG with EXIF, a comment and trailing bytes."""
    path, exif = tmp_path / "master.jpg", Image.Exif()
    exif[0x013B] = "an artist"
    image = Image.effect_noise((64, 48), 60).convert("RGB")
    image.save(path, quality=90, exif=exif, comment=b"no output has it")
    path.write_bytes(path.read_bytes() + b"after the end")
    return path


def convert(master: Path, **options: Any) -> Path:
    path = master.with_name("converted.jpg")
    path.write_bytes(imaging.convert(master.read_bytes(), **options))
    return path


def test_a_copy_is_recognised_by_its_coded_data(master: Path) -> None:
    """The picture is a copy if its coded data match the master's, whatever the metadata."""
    converted = convert(master)
    assert converted.read_bytes() != master.read_bytes()
    assert made(master, converted, {}) == "copied"


@pytest.mark.parametrize("quality", [90, 91])
def test_a_reencoded_picture_is_no_copy(master: Path, quality: int) -> None:
    """It is re-encoded even at the master's quality."""
    reencode: Literal["always"] = "always"
    assert made(master, convert(master, reencode=reencode, quality=quality), {}) == "re-encoded"


def test_a_flat_picture_with_other_tables_is_no_copy(tmp_path: Path) -> None:
    """A grey picture has the same coded data at many qualities, but different quantization tables."""
    paths = tmp_path / "master.jpg", tmp_path / "converted.jpg"
    for path, quality in zip(paths, (80, 95), strict=True):
        Image.new("L", (64, 64), 128).save(path, quality=quality)
    assert made(*paths, {}) == "re-encoded"


def test_a_master_in_another_format_is_reencoded(tmp_path: Path, master: Path) -> None:
    """A PNG has no coded data that a JPEG could copy."""
    path = tmp_path / "master.png"
    Image.new("L", (8, 8)).save(path)
    assert made(path, convert(master), {}) == "re-encoded"


def test_a_salvaged_picture_is_marked_by_its_record(master: Path) -> None:
    """The record marks it as salvaged."""
    assert made(master, convert(master), {"salvaged": True}) == "salvaged"


def test_a_master_without_a_converted_picture_has_no_conversion(master: Path) -> None:
    """A branch that rejected the master has no converted picture."""
    assert made(master, None, {}) is None
    assert made(master, master.with_name("gone.jpg"), {}) is None
