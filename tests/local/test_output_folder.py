"""Which folders a run empties: only its own, and only one that no other run uses."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from local import output_folder
from local.output_folder import MARKER, REPORT, RESULTS, SUMMARY, OutputFolderError, cleared, writing


def clear(folder: Path, masters: list[Path]) -> None:
    """Empty a folder as a run does that ends at once."""
    with cleared(folder, masters):
        pass


def leave_results(folder: Path) -> None:
    """Write the files that a run writes."""
    for name in (output_folder.LOGS, output_folder.MASTERS, *output_folder.FOLDERS):
        (folder / name).mkdir()
        (folder / name / "a.jpg").write_bytes(b"earlier")
    for name in (SUMMARY, REPORT, output_folder.RECORDS, output_folder.TIMES):
        (folder / name).write_text("{}")


@pytest.mark.parametrize("other", [SUMMARY, "converted/mine.jpg", "notes.txt"])
def test_a_folder_without_the_marker_is_left_alone(tmp_path: Path, other: str) -> None:
    """A folder is not a run's just because it contains names that a run uses."""
    (tmp_path / "converted").mkdir()
    (tmp_path / "converted" / "precious.jpg").write_bytes(b"mine")
    (tmp_path / other).write_bytes(b"mine")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(OutputFolderError, match=r"expected a new or empty folder .* name another"):
        clear(tmp_path, [])
    assert sorted(tmp_path.rglob("*")) == before


def test_an_earlier_run_is_replaced_as_a_whole(tmp_path: Path) -> None:
    """All results of an earlier run are deleted; other files stay."""
    clear(tmp_path, [])
    leave_results(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    clear(tmp_path, [])
    assert not [name for name in RESULTS if (tmp_path / name).exists()]
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_an_interrupted_run_can_be_run_again(tmp_path: Path) -> None:
    """The marker is written before any result."""
    clear(tmp_path / "out", [])
    assert [path.name for path in (tmp_path / "out").iterdir()] == [MARKER]
    (tmp_path / "out" / "converted").mkdir()
    clear(tmp_path / "out", [])
    assert not (tmp_path / "out" / "converted").exists()


def test_a_folder_that_another_run_uses_is_refused(tmp_path: Path) -> None:
    """Two runs would mix their results; the second changes nothing."""
    with cleared(tmp_path, []):
        leave_results(tmp_path)
        before = sorted(tmp_path.rglob("*"))
        with pytest.raises(OutputFolderError, match=r"--out: expected a folder that no other run uses, .* wait for"):
            clear(tmp_path, [])
        assert sorted(tmp_path.rglob("*")) == before
    clear(tmp_path, [])


def test_a_killed_run_does_not_block_its_folder(tmp_path: Path) -> None:
    """Its lock ends with its process."""
    code = "import os, pathlib, sys; from local.output_folder import cleared; "
    killed = f"{code}run = cleared(pathlib.Path(sys.argv[1]), []); run.__enter__(); os.kill(os.getpid(), 9)"
    done = subprocess.run([sys.executable, "-c", killed, str(tmp_path)], check=False, timeout=60)
    assert (done.returncode, (tmp_path / MARKER).is_file()) == (-signal.SIGKILL, True)
    clear(tmp_path, [])


def test_a_link_is_removed_but_not_followed(tmp_path: Path) -> None:
    """The target of a link is not the run's to delete."""
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious.jpg").write_bytes(b"mine")
    clear(out, [])
    (out / "converted").symlink_to(elsewhere)
    clear(out, [])
    assert not (out / "converted").is_symlink()
    assert (elsewhere / "precious.jpg").read_bytes() == b"mine"


@pytest.mark.parametrize(
    "way", ["out/resized/a.jpg", "way/resized/a.jpg", "link.jpg", "out/link.jpg", "out/way/other.jpg"]
)
def test_a_master_inside_the_folder_is_refused(tmp_path: Path, way: str) -> None:
    """Otherwise the master would be deleted before it is read, even when reached through a link."""
    out = tmp_path / "out"
    clear(out, [])
    leave_results(out)
    (out / "a.jpg").write_bytes(b"mine")
    (tmp_path / "way").symlink_to(out)
    (tmp_path / "link.jpg").symlink_to(out / "resized" / "a.jpg")
    (tmp_path / "other.jpg").write_bytes(b"mine")
    (out / "link.jpg").symlink_to(tmp_path / "other.jpg")
    (out / "way").symlink_to(tmp_path)
    with pytest.raises(OutputFolderError, match=r"--out: expected a folder without masters, .* name another"):
        clear(out, [tmp_path / "other.jpg", tmp_path / way])
    assert all((out / name).exists() for name in RESULTS)


def test_a_master_beside_the_folder_is_accepted(tmp_path: Path) -> None:
    """A folder whose name starts with the output folder's name is not inside it."""
    (tmp_path / "outer").mkdir()
    (tmp_path / "outer" / "a.jpg").write_bytes(b"mine")
    clear(tmp_path / "out", [tmp_path / "outer" / "a.jpg"])
    assert (tmp_path / "outer" / "a.jpg").exists()


def test_an_earlier_folder_on_a_full_disk_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The marker is written again before any result is removed."""
    clear(tmp_path, [])
    leave_results(tmp_path)

    def refuse(path: Path, _text: str) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(Path, "write_text", refuse)
    with pytest.raises(OutputFolderError, match=r"--out: expected a folder that can be written, .*No space left"):
        clear(tmp_path, [])
    assert all((tmp_path / name).exists() for name in RESULTS)


def test_results_that_do_not_fit_are_an_error_with_advice(tmp_path: Path) -> None:
    """A disk that fills up in the course of a run has no file's name in its error."""
    with pytest.raises(OutputFolderError, match=r"got .* \(No space left on device\): name another"):  # noqa: SIM117
        with writing(tmp_path), Path("/dev/full").open("w") as full:
            full.write("a result")
