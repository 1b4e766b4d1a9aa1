"""The conformance command: its verdicts, its exit code, and how it survives a crashing file."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zlib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from benchmarks import conformance as module
from benchmarks import peer
from benchmarks.__main__ import main
from tests.handlers.imaging.heic import has_decoder, needs_decoder
from tests.handlers.imaging.pictures import chunk, exif, gamma_profile, jpeg, photo, saved, segment, with_segments

needs_peer = pytest.mark.skipif(not peer.available(), reason="pyvips is not installed: `make` installs it")
# Without the HEIC decoder the command refuses its default, which is all formats.
FORMATS = () if has_decoder() else ("--formats", "jpeg,png,gif,webp,avif,tiff")


@pytest.fixture(autouse=True)
def no_threads_of_libvips() -> None:
    """Skip if another test used libvips in this process: a forked child would wait for its threads forever."""
    if "pyvips" in sys.modules:
        pytest.skip("expected a process without libvips's threads, got one of another test: run this file first")


def _run(folder: Path, *options: str) -> tuple[int, str, list[dict[str, Any]]]:
    result = CliRunner().invoke(
        main, ["conformance", str(folder), "--json", str(folder / "out.txt"), *FORMATS, *options]
    )
    return result.exit_code, result.output, json.loads((folder / "out.txt").read_text(encoding="utf-8"))


def test_good_and_refused_files_pass(tmp_path: Path) -> None:
    """Each file has a verdict; a rejection with a reason is not a failure."""
    (tmp_path / "good.jpg").write_bytes(jpeg())
    (tmp_path / "cut.png").write_bytes(saved(photo(), "PNG")[:-500])
    (tmp_path / "text.gif").write_bytes(b"no picture")
    code, output, findings = _run(tmp_path)
    assert code == 0
    verdicts = {Path(finding["file"]).name: finding["verdict"] for finding in findings}
    assert verdicts == {"good.jpg": "ok", "cut.png": "rejected", "text.gif": "rejected"}
    assert "NotAnImageError" in next(f["reason"] for f in findings if "text" in f["file"])
    assert all(finding["peak_mb"] > 0 for finding in findings)
    assert "3 files: 1 ok, 2 rejected" in output


def test_names_are_printed_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a file's name, `[red]` and `:cat:` are neither a style nor an emoji, and `[/b]` is no error."""
    (tmp_path / "[red]:cat:[").mkdir()
    (tmp_path / "[red]:cat:[" / "b].jpg").write_bytes(b"[/u]")
    monkeypatch.chdir(tmp_path)
    _, output, _ = _run(Path())
    assert "│ [red]:cat:[/b].jpg │" in output
    assert "'[/u]'" in output


def test_all_formats_are_accepted_by_default(tmp_path: Path) -> None:
    """`--formats` restricts them, as a stack's inputFormats does."""
    for kind in ("WEBP", "AVIF", "TIFF"):
        (tmp_path / f"good.{kind.lower()}").write_bytes(saved(photo(), kind))
        (tmp_path / f"cut.{kind.lower()}").write_bytes(saved(photo(), kind)[:-200])
    code, output, _ = _run(tmp_path)
    assert (code, "6 files: 3 ok, 3 rejected" in output) == (0, True)
    code, output, findings = _run(tmp_path, "--formats", "jpeg,png", "--no-peer")
    assert (code, {finding["verdict"] for finding in findings[1:]}) == (0, {"rejected"})
    assert all("to inputFormats" in finding["reason"] for finding in findings if ".txt" not in finding["file"])


@needs_decoder
@needs_peer
@pytest.mark.skipif(shutil.which("heif-enc") is None, reason="heif-enc is not installed")
def test_a_format_that_libvips_lacks_is_reported(tmp_path: Path) -> None:
    """The row says that nothing was compared; a libvips that has the decoder shows no difference."""
    photo().save(tmp_path / "photo.png")
    command = ["heif-enc", "-q", "95", str(tmp_path / "photo.png"), "-o", str(tmp_path / "photo.heic")]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    code, _, findings = _run(tmp_path)
    assert (code, [finding["verdict"] for finding in findings]) == (0, ["ok", "ok"])
    assert findings[0]["difference"] in ("", f"libvips refuses it: {peer.UNBUILT}")


@needs_peer
def test_known_differences_from_libvips_are_explained(tmp_path: Path) -> None:
    """The header explains each difference."""
    png = saved(photo(), "PNG")
    profile = chunk(b"iCCP", b"x\0\0" + zlib.compress(gamma_profile(1.0)))
    (tmp_path / "coded.png").write_bytes(png[:33] + chunk(b"cICP", b"\1\x0d\0\1") + profile + png[33:])
    steep = chunk(b"gAMA", (250_000).to_bytes(4))
    dark = saved(photo(mode="L").point([level // 8 for level in range(256)]), "PNG")
    (tmp_path / "dark.png").write_bytes(dark[:33] + steep + dark[33:])
    (tmp_path / "grey.jpg").write_bytes(jpeg(photo(mode="L"), icc_profile=gamma_profile(1.0)))
    unnumbered = segment(0xE2, b"ICC_PROFILE\0\1\0" + gamma_profile(1.0))
    (tmp_path / "parts.jpg").write_bytes(with_segments(jpeg(), unnumbered))
    (tmp_path / "turned.png").write_bytes(png[:-12] + chunk(b"eXIf", exif({0x0112: 6})) + png[-12:])
    (tmp_path / "ycbcr.tiff").write_bytes(saved(photo(mode="YCbCr"), "TIFF"))
    code, _, findings = _run(tmp_path)
    assert code == 0
    assert [finding["difference"].partition(": ")[2] for finding in findings] == [
        "code points, which come before the profile",
        "dark greys, which libvips interpolates",
        "a grey picture with an RGB profile, which libvips ignores and browsers do not",
        "a profile that is ignored with a warning",
        "an orientation after the picture, which libvips does not read",
        "YCbCr without JPEG, which libvips takes for RGB",
    ]


@needs_peer
def test_colours_that_libvips_does_not_read_are_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison includes a PNG of linear light and an AVIF of Display P3."""
    fine = saved(photo(), "AVIF", quality=100, subsampling="4:4:4", speed=9)
    (tmp_path / "named.avif").write_bytes(fine.replace(b"nclx\0\1\0\x0d", b"nclx\0\x0c\0\x0d"))
    png = saved(photo(), "PNG")
    (tmp_path / "linear.png").write_bytes(png[:33] + chunk(b"gAMA", (100_000).to_bytes(4)) + png[33:])
    assert [finding["difference"] for finding in _run(tmp_path)[2]] == ["", ""]
    monkeypatch.setattr(peer, "PROFILE", "exif-data")
    found = [finding["difference"] for finding in _run(tmp_path)[2] if finding["verdict"] == "ok"]
    assert [text.split()[:2] for text in found] == [["mean", "difference"]] * 2


@pytest.mark.parametrize("names", ["jpeg,bmp", ""])
def test_unknown_formats_are_refused(tmp_path: Path, names: str) -> None:
    """The error lists the known formats."""
    (tmp_path / "a.jpg").write_bytes(jpeg())
    result = CliRunner().invoke(main, ["conformance", str(tmp_path), "--formats", names])
    assert result.exit_code == 2
    assert "expected formats among jpeg, png, gif, webp, avif, heic, tiff" in " ".join(result.output.split())


@pytest.mark.parametrize(
    ("harm", "verdict"),
    [
        (lambda *_: os.kill(os.getpid(), signal.SIGKILL), "crash"),
        (lambda *_: [bytes(10**9) for _ in range(9)], "crash"),
        (lambda *_: 1 / 0, "crash"),
        (lambda *_: time.sleep(30), "time-out"),
    ],
    ids=["signal", "memory", "exception", "stall"],
)
def test_a_crashing_file_fails_the_run_without_ending_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: Any, verdict: str
) -> None:
    """A crash, a memory hog, an exception and a stall each fail the run, and the run continues."""
    monkeypatch.setattr(module, "_three_calls", harm)
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(jpeg())
    code, _, findings = _run(tmp_path, "--timeout", "2", "--memory", "512", "--no-peer")
    assert code == 1
    assert [finding["verdict"] for finding in findings] == [verdict, verdict]


def test_an_output_with_metadata_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Metadata in an output is the verdict "wrong"."""
    monkeypatch.setattr(module, "convert", lambda *_, **__: jpeg(icc_profile=b"left in"))
    (tmp_path / "a.jpg").write_bytes(jpeg())
    code, _, findings = _run(tmp_path, "--no-peer")
    assert code == 1
    assert findings[0]["verdict"] == "wrong"
