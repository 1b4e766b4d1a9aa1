"""Which files become masters, and under which keys."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from local.masters import NoMastersError, find_masters, keep, opened


def test_keys_keep_the_structure_of_a_folder(tmp_path: Path) -> None:
    """A file's key is its path relative to the folder."""
    (tmp_path / "2024").mkdir()
    (tmp_path / "2024" / "a b.jpg").write_bytes(b"")
    (tmp_path / "c.png").write_bytes(b"")
    assert set(find_masters([tmp_path], "master/")) == {"master/2024/a b.jpg", "master/c.png"}


def test_a_single_files_key_is_its_name(tmp_path: Path) -> None:
    """A single file's key is its name."""
    file = tmp_path / "c.png"
    file.write_bytes(b"")
    assert find_masters([file], "master/") == {"master/c.png": file}


def test_a_missing_path_is_refused(tmp_path: Path) -> None:
    """A path that does not exist is an error that names it."""
    with pytest.raises(NoMastersError, match="gone, which does not exist"):
        find_masters([tmp_path / "gone"], "master/")


def test_a_folder_without_files_is_refused(tmp_path: Path) -> None:
    """A folder with nothing to upload is an error that names it."""
    with pytest.raises(NoMastersError, match=f"got {tmp_path} without any file"):
        find_masters([tmp_path], "master/")


def test_two_files_with_one_key_are_refused(tmp_path: Path) -> None:
    """Two files with the same key are an error, so that neither is silently left out."""
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "c.png").write_bytes(b"")
    with pytest.raises(NoMastersError, match=r"one/c\.png and .*two/c\.png, which would both be master/c\.png"):
        find_masters([tmp_path / "one", tmp_path / "two"], "master/")


def test_a_file_given_twice_is_one_master(tmp_path: Path) -> None:
    """A file given directly and by its folder is one master."""
    file = tmp_path / "c.png"
    file.write_bytes(b"")
    assert find_masters([file, tmp_path], "master/").keys() == {"master/c.png"}


def test_an_unreadable_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error comes before anything is started; opening is patched to fail, because root can read every file."""
    file = tmp_path / "c.png"
    file.write_bytes(b"")

    def denied(path: Path, *_: str) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", denied)
    with pytest.raises(NoMastersError, match=r"c\.png \(Permission denied\)"):
        find_masters([tmp_path], "master/")


def test_an_unreadable_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error prevents its files from being silently left out."""
    (tmp_path / "closed").mkdir()
    (tmp_path / "c.png").write_bytes(b"")
    scandir = os.scandir

    def denied(path: str | Path) -> Any:
        if Path(path).name == "closed":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", denied)
    with pytest.raises(NoMastersError, match=r"closed \(Permission denied"):
        find_masters([tmp_path], "master/")


def test_anything_but_a_plain_file_is_skipped_and_counted(tmp_path: Path) -> None:
    """Hidden files, pipes, dangling links and names that are not UTF-8 are skipped; other files are not affected.

    macOS puts a narrow no-break space into the names of screenshots.
    """
    (tmp_path / "9.41\u202fAM.jpg").write_bytes(b"")
    (tmp_path / ".DS_Store").write_bytes(b"")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "b.jpg").write_bytes(b"")
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "link.jpg").symlink_to("nowhere")
    Path(os.fsdecode(bytes(tmp_path) + b"/\xff.jpg")).write_bytes(b"")
    skipped: list[Path] = []
    assert set(find_masters([tmp_path], "master/", skipped)) == {"master/9.41\u202fAM.jpg"}
    assert len(skipped) == 5


@pytest.mark.parametrize("name", [b"\xff.jpg", b"line\nbreak.jpg"])
def test_a_file_whose_name_cannot_be_uploaded_is_refused(tmp_path: Path, name: bytes) -> None:
    """A file that is named on the command line is not skipped."""
    file = Path(os.fsdecode(bytes(tmp_path) + b"/" + name))
    file.write_bytes(b"")
    with pytest.raises(NoMastersError, match="expected names in UTF-8 without control characters"):
        find_masters([file], "master/")


def test_a_master_is_kept_as_a_hard_link(tmp_path: Path) -> None:
    """The result is a hard link to the target of a symbolic link, so it outlives the original folder."""
    file, link = tmp_path / "a.jpg", tmp_path / "link.jpg"
    file.write_bytes(b"picture")
    link.symlink_to(file)
    kept = keep(link, tmp_path / "out" / "2024" / "a.jpg")
    assert kept.samefile(file)
    assert not kept.is_symlink()


def test_a_master_on_another_disk_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that cannot be linked is copied."""

    def refuse(*_: object) -> None:
        raise OSError(errno.EXDEV, "another disk")

    monkeypatch.setattr(os, "link", refuse)
    (tmp_path / "a.jpg").write_bytes(b"picture")
    kept = keep(tmp_path / "a.jpg", tmp_path / "out" / "a.jpg")
    assert kept.read_bytes() == b"picture"
    assert not kept.samefile(tmp_path / "a.jpg")


def test_a_master_is_not_overwritten_through_anothers_link(tmp_path: Path) -> None:
    """On a disk that ignores case, `a.jpg` and `A.jpg` have one place in the results; one of them is not shown."""
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(name.encode())
    place = tmp_path / "out" / "a.jpg"
    keep(tmp_path / "a.jpg", place)
    keep(tmp_path / "b.jpg", place)
    assert [(tmp_path / name).read_bytes() for name in ("a.jpg", "b.jpg")] == [b"a.jpg", b"b.jpg"]
    assert place.read_bytes() == b"b.jpg"


def test_a_master_that_is_removed_during_the_run_is_named(tmp_path: Path) -> None:
    """It was found and then removed: before its upload, or before its copy to the results."""
    for use in (opened, lambda file: keep(file, tmp_path / "out" / "a.jpg")):
        with pytest.raises(
            NoMastersError, match=r"expected readable files, got .*/a\.jpg \(No such file or directory\)"
        ):
            use(tmp_path / "a.jpg")


def test_a_path_that_is_too_long_for_a_key_is_skipped(tmp_path: Path) -> None:
    """S3 takes 1,024 bytes; the emulator takes more, and the picture would stay unaccounted for."""
    fits, longer = (tmp_path.joinpath(*("d" * 200 for _ in range(5)), name) for name in ("é" * 6, "é" * 6 + "x"))
    fits.parent.mkdir(parents=True)
    for file in (fits, longer):
        file.write_bytes(b"")
    skipped: list[Path] = []
    assert list(find_masters([tmp_path], "master/", skipped).values()) == [fits]
    assert skipped == [longer]
