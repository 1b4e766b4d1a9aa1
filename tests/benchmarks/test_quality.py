"""`benchmarks quality`: which resampler it measures, and how it reports too little quality."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from PIL import Image

from benchmarks import contestants
from benchmarks import quality as module
from benchmarks.quality import quality


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with one smooth picture, twice as wide as the largest size."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    Image.linear_gradient("L").resize((2000, 1500)).convert("RGB").save(folder / "ramp.jpg", quality=95)
    return folder


def measured(folder: Path, tmp_path: Path, *options: str) -> list[dict[str, Any]]:
    """Run the command, and return its rows."""
    file = tmp_path / "quality.json"
    done = CliRunner().invoke(quality, ["--images", str(folder), "--json", str(file), *options])
    assert done.exit_code == 0, done.output
    rows: list[dict[str, Any]] = json.loads(file.read_text())["rows"]
    return rows


def test_each_row_names_the_worst_picture(folder: Path, tmp_path: Path) -> None:
    """Each row names the size and the picture with the worst result."""
    rows = measured(folder, tmp_path)
    assert [(row["name"], row["picture"]) for row in rows] == [
        ("thumbnail", "ramp.jpg"),
        ("medium", "ramp.jpg"),
        ("large", "ramp.jpg"),
    ]


def test_the_arm64_resampler_can_be_measured(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--libvips` replaces this machine's resampler, for that run only."""
    pytest.importorskip("pyvips")
    sizes, by_libvips = list[tuple[int, int]](), contestants._resample.by_libvips

    def watched(library: Any, image: Image.Image, size: tuple[int, int], *rest: Any, **options: Any) -> Image.Image:
        sizes.append(size)
        made: Image.Image = by_libvips(library, image, size, *rest, **options)
        return made

    monkeypatch.setattr(contestants._resample, "by_libvips", watched)
    measured(folder, tmp_path, "--libvips")
    assert [size[0] for size in sizes] == [1000, 500, 100]
    measured(folder, tmp_path)
    assert len(sizes) == 3


def test_missing_pyvips_is_reported_with_what_to_install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command does not fall back to another library."""
    monkeypatch.setattr(module, "vips", lambda: None)
    done = CliRunner().invoke(quality, ["--images", str(folder), "--libvips"])
    assert (done.exit_code, "install pyvips" in done.output) == (2, True)


def test_too_low_quality_exits_1(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command exits 1."""
    monkeypatch.setattr(module, "PROMISED_DB", 100.0)
    assert CliRunner().invoke(quality, ["--images", str(folder)]).exit_code == 1
