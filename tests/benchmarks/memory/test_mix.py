"""The masters of a run: drawn from each class by its weight, and the same for every size."""

from collections import Counter
from pathlib import Path

import click
import pytest

from benchmarks.memory.command import memory
from benchmarks.memory.mix import DRAWN, plan
from benchmarks.memory.request import parse_mix
from benchmarks.photos import drawn
from tests.handlers.imaging.heic import heic, needs_decoder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with three classes, one of them in a nested folder, and a file that is not a picture."""
    for name, size in {"camera/a.jpg": (300, 200), "camera/b.JPG": (400, 300), "png/deep/c.png": (40, 30)}.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(drawn(size, "PNG" if "png" in name else "JPEG"))
    (tmp_path / "gif").mkdir()
    (tmp_path / "gif/broken.gif").write_bytes(b"none")
    (tmp_path / "README.md").write_text("pictures")
    return tmp_path


def test_each_file_is_used_once_without_weights(folder: Path) -> None:
    """Files repeat to fill the last batch, and a broken file counts as a master too."""
    dealt = plan(folder, {}, 4)
    assert [len(batch) for batch in dealt.batches] == [4]
    assert Counter(master.kind for master in dealt.masters.values()) == {"camera": 2, "png": 1, "gif": 1}
    assert [len(batch) for batch in plan(folder, {}, 3).batches] == [3, 3]


def test_masters_are_drawn_by_weight(folder: Path) -> None:
    """Weights of 3 and 1 split 120 masters into 90 and 30."""
    dealt = plan(folder, {"camera": 3, "png": 1}, 10)
    kinds = Counter(dealt.masters[key].kind for batch in dealt.batches for key in batch)
    assert kinds == {"camera": 90, "png": 30}
    assert plan(folder, {"camera": 3, "png": 1}, 10) == dealt


def test_batches_are_ranked_by_pixels(folder: Path) -> None:
    """A file without readable pixels counts as the lightest."""
    dealt = plan(folder, {}, 2)
    assert [dealt.masters[key].pixels for key in dealt.heaviest] == [120_000, 60_000]
    assert [dealt.masters[key].pixels for key in dealt.lightest] == [0, 1_200]
    assert dealt.bytes_per_pixel().keys() == {"camera"}


def test_weights_are_parsed() -> None:
    """Names map to weights, and an empty text is no weights."""
    weights, nothing = (parse_mix(click.Context(memory), memory.params[0], text) for text in ("camera=0.8, png=.2", ""))
    assert (weights, nothing) == ({"camera": 0.8, "png": 0.2}, {})


@needs_decoder
def test_the_pixels_of_a_heic_are_counted(tmp_path: Path) -> None:
    """The stack must accept HEIC; a broken HEIC file counts as zero pixels."""
    for name, data in {"whole.heic": heic(), "broken.heic": heic()[:40]}.items():
        (tmp_path / name).write_bytes(data)
    dealt = plan(tmp_path, {}, 2, ["jpeg", "heic"])
    assert sorted(master.pixels for master in dealt.masters.values()) == [0, 96 * 64]


def test_an_unknown_class_is_refused_with_the_known_ones(folder: Path) -> None:
    """The error lists the classes of the folder and the class that was asked for."""
    with pytest.raises(click.BadParameter, match=r"\(camera, gif, png\), got tiff"):
        plan(folder, {"tiff": 1}, 10)


def test_pictures_are_generated_without_a_folder() -> None:
    """Four pictures are drawn, all of one class."""
    dealt = plan(None, {}, 10)
    assert {master.kind for master in dealt.masters.values()} == {DRAWN}
    assert len(dealt.masters) == 4
