"""`benchmarks latency`: a row for each picture class and call, including a stack's further formats."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from benchmarks.contestants import opened
from benchmarks.latency import latency
from benchmarks.photos import HEIC_ENCODER, Photo, as_format, drawn
from components.stack_file import ROOT

from .conftest import one_line

needs_heif_enc = pytest.mark.skipif(shutil.which(HEIC_ENCODER) is None, reason=f"{HEIC_ENCODER} is not installed")
FURTHER = '  pixelcascade:outputFormats: ["jpeg", "webp=80"]\n  pixelcascade:inputFormats: ["jpeg", "webp", "heic"]\n'
Run = Callable[..., tuple[list[str], str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs the command once on one small picture, and returns row names and output."""
    monkeypatch.setattr("benchmarks.latency.pin", lambda: None)
    images, found = tmp_path / "in", tmp_path / "found.json"
    images.mkdir()
    (images / "photo.jpg").write_bytes(drawn((80, 60)))

    def run(*options: str) -> tuple[list[str], str]:
        options = ("--images", str(images), "--runs", "1", "--json", str(found), *options)
        done = CliRunner().invoke(latency, options, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        rows: list[dict[str, Any]] = json.loads(found.read_text())["rows"]
        assert all(row["pictures"] == 1 and row["median"] > 0 for row in rows)
        return [row["name"] for row in rows], one_line(done.output)

    return run


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Return a function that writes a stack file beside the project file, and returns the stack's name."""
    shutil.copy(ROOT / "Pulumi.yaml", tmp_path)
    monkeypatch.setattr("components.stack_file.ROOT", tmp_path)

    def write(settings: str) -> str:
        (tmp_path / "Pulumi.web.yaml").write_text(f"config:\n{settings}")
        return "web"

    return write


def test_each_call_has_a_row(run: Run) -> None:
    """Without a stack there are no further formats, and the table gives the number of pictures."""
    names, output = run()
    assert names == [f"{call}, under 3 MP" for call in ("resize", "convert", "convert, copying", "metadata")]
    assert "1 runs of each of 1 pictures" in output
    assert "peak MB" in output


def test_a_stacks_further_formats_are_timed(
    run: Run, stack: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Outputs are timed in the resizer, inputs in each call but the JPEG copy; the output names untimed formats."""
    monkeypatch.setattr("benchmarks.photos.HEIC_ENCODER", "no-such-program")
    names, output = run("--stack", stack(FURTHER))
    assert names[4:] == [
        f"{call}, under 3 MP"
        for call in ("resize, webp=80 too", "resize of webp", "convert of webp", "metadata of webp")
    ]
    assert f"Not timed: heic, which no encoder here writes; {HEIC_ENCODER} writes HEIC." in output


@needs_heif_enc
def test_heic_is_timed_where_its_encoder_is_installed(run: Run, stack: Callable[[str], str]) -> None:
    """An external program writes the HEIC files, because Pillow cannot."""
    names, output = run("--stack", stack('  pixelcascade:inputFormats: ["jpeg", "heic"]\n'))
    assert names[4:] == [f"{call} of heic, under 3 MP" for call in ("resize", "convert", "metadata")]
    assert "Not timed" not in output


@pytest.mark.parametrize("form", ["png", "webp", "avif", "tiff", pytest.param("heic", marks=needs_heif_enc)])
def test_a_converted_picture_keeps_its_format_and_size(form: str) -> None:
    """The result is read as a picture of that format."""
    photo = as_format(Photo("photo.jpg", drawn((80, 60))), form)
    assert photo.pixels == 80 * 60
    assert opened(photo.data, [form]).header.width == 80


def test_png_converts_the_pictures_to_png(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each call gets a PNG."""
    seen: list[bytes] = []
    monkeypatch.setattr("benchmarks.latency.task", lambda _: seen.append)
    run("--png")
    assert {data[:8] for data in seen} == {b"\x89PNG\r\n\x1a\n"}


def test_a_stream_with_further_formats_is_refused(stack: Callable[[str], str]) -> None:
    """Further formats are decoded from whole files, so the command would ignore the stack."""
    done = CliRunner().invoke(latency, ["--stream", "--stack", stack(FURTHER)])
    assert done.exit_code == 2
    assert "expected --stream, or --stack with further formats, got both: leave one out" in one_line(done.output)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ('  pixelcascade:outputFormats: ["jpeg", "webp=101"]\n', "outputFormats"),
        ("  a: [\n", "expected YAML"),
    ],
)
def test_a_stack_with_wrong_settings_is_refused(stack: Callable[[str], str], settings: str, message: str) -> None:
    """The error names the setting before any picture is read."""
    done = CliRunner().invoke(latency, ["--stack", stack(settings), "--images", "/"])
    assert done.exit_code == 2
    assert message in one_line(done.output)


def test_a_stack_without_a_file_is_refused(stack: Callable[[str], str]) -> None:
    """The error lists the stacks that have a file."""
    stack("")
    done = CliRunner().invoke(latency, ["--stack", "none"])
    assert done.exit_code == 2
    assert "expected one of the stacks web, got 'none', which has no Pulumi.none.yaml" in one_line(done.output)
