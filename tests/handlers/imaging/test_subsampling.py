"""Chroma subsampling of outputs."""

from typing import Literal

import pytest
from PIL import Image, ImageDraw

from benchmarks.quality import psnr
from handlers.imaging import convert, resize

from .pictures import jpeg, opened, photo, saved


def _lines() -> Image.Image:
    """Return thin red lines on white."""
    image = Image.new("RGB", (800, 600), "white")
    for left in range(10, 800, 24):
        ImageDraw.Draw(image).line((left, 0, left, 600), "red", 3)
    return image


@pytest.mark.parametrize(("subsampling", "samples"), [("4:2:0", 2), ("4:4:4", 1)])
def test_outputs_have_the_requested_subsampling(subsampling: Literal["4:2:0", "4:4:4"], samples: int) -> None:
    """Converted and resized outputs have the requested subsampling."""
    master = saved(photo((64, 48)), "PNG")
    outputs = [convert(master, subsampling=subsampling), resize(master, {"a": 32}, subsampling=subsampling)["a"]]
    assert {opened(output).layer[0][1:3] for output in outputs} == {(samples, samples)}  # type: ignore[attr-defined]


def test_thin_coloured_lines_survive_only_with_4_4_4() -> None:
    """With 4:4:4 the PSNR against Lanczos is at least 40 dB; with 4:2:0 it is below 30 dB."""
    lines = _lines()
    wanted = lines.resize((100, 75), Image.Resampling.LANCZOS)
    master = saved(lines, "PNG")
    all_samples = opened(resize(master, {"a": 100}, subsampling="4:4:4")["a"]).convert("RGB")
    a_quarter = opened(resize(master, {"a": 100})["a"]).convert("RGB")
    assert psnr(all_samples, wanted) >= 40
    assert psnr(a_quarter, wanted) < 30


def test_another_subsampling_is_refused() -> None:
    """The error names the allowed values."""
    with pytest.raises(ValueError, match='expected subsampling "4:2:0" or "4:4:4", got 14520'):
        convert(jpeg(), subsampling=14520)  # type: ignore[arg-type]
