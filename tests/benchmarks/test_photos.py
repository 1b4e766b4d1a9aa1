"""A folder's pictures: the error names files that cannot be measured before anything runs."""

from pathlib import Path

import click
import pytest

from benchmarks.photos import drawn, load

JPEG = drawn((40, 30))


def test_a_folders_pictures_are_sorted_by_name(tmp_path: Path) -> None:
    """Pictures are sorted by name, and other files are skipped."""
    (tmp_path / "b.JPG").write_bytes(JPEG)
    (tmp_path / "a.png").write_bytes(drawn((40, 30), "PNG", quality=None, subsampling=None))
    (tmp_path / "c.txt").write_text("text")
    assert [photo.name for photo in load(tmp_path)] == ["a.png", "b.JPG"]
    assert [photo.name for photo in load(tmp_path, jpeg_only=True)] == ["b.JPG"]


def test_a_folder_without_matching_pictures_is_refused(tmp_path: Path) -> None:
    """The error lists the file extensions that the command reads, which may be those of JPEGs only."""
    (tmp_path / "a.png").write_bytes(b"a PNG")
    with pytest.raises(click.BadParameter, match=r"end in \.jpeg, \.jpg, got"):
        load(tmp_path, jpeg_only=True)
    (tmp_path / "a.png").unlink()
    with pytest.raises(click.BadParameter, match=r"end in \.gif, \.jpeg, \.jpg, \.png, got"):
        load(tmp_path)


SEGMENTS = JPEG[:2] + b"\xff\xe5\x00\x04ab" * 600 + JPEG[2:]


@pytest.mark.parametrize("data", [b"", b"text", JPEG[: len(JPEG) // 2], SEGMENTS])
def test_a_broken_picture_is_refused(tmp_path: Path, data: bytes) -> None:
    """This holds among good files too, and for one that only PixelCascade refuses, for its 600 segments."""
    (tmp_path / "a.jpg").write_bytes(JPEG)
    (tmp_path / "x.jpg").write_bytes(data)
    with pytest.raises(click.BadParameter, match=r"expected whole pictures, as JPEG, got .*x\.jpg \(.+\)"):
        load(tmp_path, jpeg_only=True)


def test_a_folder_named_like_a_picture_is_refused(tmp_path: Path) -> None:
    """A folder is not a picture."""
    (tmp_path / "x.jpg").mkdir()
    with pytest.raises(click.BadParameter, match=r"x\.jpg \(Is a directory\)"):
        load(tmp_path)


def test_an_unreadable_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error is simulated, because root can read every file."""

    def refuse(_file: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "x.jpg").write_bytes(JPEG)
    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(click.BadParameter, match=r"x\.jpg \(Permission denied\)"):
        load(tmp_path)
