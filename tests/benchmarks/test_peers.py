"""Missing peers and unsuitable pictures: the command reports both before it measures anything."""

import sys
from pathlib import Path

import click
import pytest

from benchmarks import children
from benchmarks.peers import _inputs
from benchmarks.photos import Photo, drawn


def script(folder: Path, name: str, lines: str) -> Path:
    """Write an executable shell script, and return its path."""
    file = folder / name
    file.write_text(f"#!/bin/sh\n{lines}\n")
    file.chmod(0o755)
    return file


def test_copying_a_picture_that_cannot_be_copied_is_refused() -> None:
    """A PNG can never be copied."""
    png = Photo("png", drawn((40, 30), "PNG", quality=None, subsampling=None))
    with pytest.raises(
        click.BadParameter, match=r"expected a picture that can be copied.* or --task sizes.*none of 1 can"
    ):
        _inputs("copy", [png])


def test_a_python_that_runs_is_accepted() -> None:
    """The Python that runs the tests has Pillow."""
    children.other_python(Path(sys.executable)).close()


@pytest.mark.parametrize("lines", ["true", "exit 1", "echo 'ModuleNotFoundError: No module named PIL' >&2; exit 1"])
def test_a_program_that_is_no_python_with_pillow_is_refused(tmp_path: Path, lines: str) -> None:
    """The error includes the program's own message."""
    message = "No module named PIL" if "PIL" in lines else "ended with"
    with pytest.raises(click.BadParameter, match=f"expected a Python.*{message}"):
        children.other_python(script(tmp_path, "python", lines))


def test_a_file_that_does_not_run_is_refused(tmp_path: Path) -> None:
    """The operating system refuses a file that is not executable."""
    (tmp_path / "text").write_text("text")
    with pytest.raises(click.BadParameter, match="Permission denied"):
        children.other_python(tmp_path / "text")


def test_a_folder_without_sharp_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without node is refused too."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(click.BadParameter, match=r"node on the PATH.*node: No such file"):
        children.sharp(tmp_path)
    script(tmp_path, "node", "echo \"Error: Cannot find module 'sharp'\" >&2; exit 1")
    with pytest.raises(click.BadParameter, match=r"npm install sharp.*Cannot find module 'sharp'"):
        children.sharp(tmp_path)
