"""The report: one file, nothing from outside, every master with its outputs, record and reasons."""

import base64
import html
import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from local import report
from local.report import ReportedPicture, human_bytes, human_ms, write_report
from local.samples import write_samples

SUMMARY: Mapping[str, Any] = {
    "masters": 4321,
    "outputs": 17284,
    "records": 4320,
    "rejected": 1,
    "rejections": [],
    "unaccounted": [],
    "seconds": {"deploy": 3.14, "process": 12.5},
    "images_per_second": 9.87,
    "functions": {"pixel-resizer": {"invocations": 77, "total_ms": 65432, "median_ms": 12.3, "max_ms": 2345}},
    "stack": "local",
    "machine": "x86_64, Linux",
}


@pytest.fixture
def jpeg(tmp_path: Path) -> Path:
    """Return a picture of 800 x 600 pixels."""
    path = tmp_path / "picture.jpg"
    Image.linear_gradient("L").resize((800, 600)).save(path)
    return path


def picture(path: Path, name: str = "2024/cat.png", **changes: Any) -> ReportedPicture:
    given: dict[str, Any] = {
        "name": name,
        "master": path,
        "outputs": {"large": path, "converted": path, "thumbnail": path, "medium": path},
        "record": {"name": "2024/cat", "metadata": {"width": "800"}, "gps": {"latitude": 1}, "frames": 1},
        "rejections": [],
    }
    return ReportedPicture(**{**given, **changes})


def page(folder: Path, *pictures: ReportedPicture, **changes: Any) -> str:
    return write_report(folder, {**SUMMARY, **changes}, pictures).read_text()


def text(markup: str) -> str:
    """Return what a reader sees, on one line."""
    without_style = re.sub(r"<style>.*?</style>", "", markup, flags=re.DOTALL)
    words = " ".join(html.unescape(re.sub(r"<[^>]*>", " ", without_style)).split())
    return words.replace("\N{MULTIPLICATION SIGN}", "x")


def images(markup: str) -> list[str]:
    return re.findall(r'<img [^>]*src="([^"]*)"', markup)


def test_the_page_is_written_into_the_folder(tmp_path: Path, jpeg: Path) -> None:
    """The path of the page is returned."""
    assert write_report(tmp_path, SUMMARY, [picture(jpeg)]) == tmp_path / "report.html"


def test_the_page_needs_nothing_else(tmp_path: Path, jpeg: Path) -> None:
    """No link, script, style or picture comes from outside the file."""
    markup = page(tmp_path, picture(jpeg))
    assert all(uri.startswith("data:image/") for uri in images(markup))
    assert not re.search(r"<(script|link|iframe|object)|url\(|@import|https?:", markup)


@pytest.mark.parametrize(
    "number", ["4321 masters", "17284 outputs", "4320 records", "1 rejected", "0 unaccounted", "9.9 images"]
)
def test_the_summary_is_at_the_top(tmp_path: Path, number: str) -> None:
    """The counts are told before the first picture."""
    assert number in text(page(tmp_path)).partition("Pictures")[0]


def test_stages_and_functions_have_their_times(tmp_path: Path) -> None:
    """Seconds per stage, and invocations and durations per function."""
    told = text(page(tmp_path))
    assert "deploy 3.14 s process 12.50 s" in told
    assert "pixel-resizer 77 12 ms 2.3 s 65.4 s" in told


def test_a_master_stands_beside_its_outputs(tmp_path: Path, jpeg: Path) -> None:
    """Five pictures in order, each with (width, height) in pixels and its size."""
    told = text(page(tmp_path, picture(jpeg)))
    size = human_bytes(jpeg.stat().st_size)
    labels = ("master", "converted", "thumbnail", "medium", "large")
    assert " ".join(f"{label} 800 x 600 · {size}" for label in labels) in told


def test_pictures_are_scaled_down_and_loaded_when_seen(tmp_path: Path, jpeg: Path) -> None:
    """A page of hundreds of pictures opens at once."""
    markup = page(tmp_path, picture(jpeg))
    (uri, *_) = images(markup)
    assert Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))).size == (200, 150)
    assert markup.count("<img ") == markup.count('loading="lazy"') == 5


def test_a_record_is_shown_whole(tmp_path: Path, jpeg: Path) -> None:
    """The six strings come first, then what lies beside them, nested values with dots."""
    assert "Record width 800 name 2024/cat gps.latitude 1 frames 1" in text(page(tmp_path, picture(jpeg)))


def test_a_rejected_master_has_its_reasons(tmp_path: Path) -> None:
    """Each branch's error and message stand at the master, which needs no outputs."""
    master = tmp_path / "no.jpg"
    master.write_text("no picture")
    reason = {"key": "master/no.jpg", "branch": "resizing", "error": "NotAnImageError", "message": "it is a text"}
    rejected = picture(master, "no.jpg", outputs={}, record=None, rejections=[reason])
    told = text(page(tmp_path, rejected))
    assert "no.jpg rejected resizing: NotAnImageError it is a text no picture master 10 bytes" in told


def test_a_missing_output_is_told(tmp_path: Path, jpeg: Path) -> None:
    """A path without a file is shown as such, and breaks nothing."""
    lost = picture(jpeg, outputs={"converted": tmp_path / "gone.jpg"}, record=None)
    assert "not there converted 0 bytes" in text(page(tmp_path, lost))


def test_what_is_unaccounted_for_is_named(tmp_path: Path) -> None:
    """A run that lost a picture says which, at the top."""
    told = text(page(tmp_path, unaccounted=["master/lost.jpg"]))
    assert "master/lost.jpg" in told.partition("Where the time went")[0]


def test_a_master_without_results_is_missing(tmp_path: Path, jpeg: Path) -> None:
    """Neither outputs nor reasons: the badge says so."""
    assert "2024/cat.png missing" in text(page(tmp_path, picture(jpeg, outputs={}, record=None)))


def test_names_and_reasons_are_escaped(tmp_path: Path, jpeg: Path) -> None:
    """Keys and EXIF texts come from strangers, and are no markup."""
    evil = "<script>alert(1)</script>"
    reason = {"key": evil, "branch": "resizing", "error": evil, "message": evil}
    markup = page(tmp_path, picture(jpeg, evil, record={"camera": evil}, rejections=[reason]), unaccounted=[evil])
    assert "<script" not in markup
    assert "&lt;script&gt;" in markup


def test_a_large_run_has_a_page_of_reasonable_size(tmp_path: Path, jpeg: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit the page shows so many, and says how many it leaves out."""
    monkeypatch.setattr(report, "MAX_PICTURES", 3)
    told = text(page(tmp_path, *(picture(jpeg, f"{number}.jpg") for number in range(5))))
    assert "2 more are not shown" in told
    assert re.findall(r"\d\.jpg", told) == ["0.jpg", "1.jpg", "2.jpg"]


def test_a_large_run_shows_what_went_wrong(tmp_path: Path, jpeg: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where not all are shown, rejected and missing masters are, in their order among the rest."""
    monkeypatch.setattr(report, "MAX_PICTURES", 3)
    good = [picture(jpeg, f"{number}.jpg") for number in range(4)]
    told = text(page(tmp_path, *good, picture(jpeg, "bad.jpg", outputs={}, record=None)))
    assert re.findall(r"\w+\.jpg", told) == ["0.jpg", "1.jpg", "bad.jpg"]


def test_a_master_too_large_to_decode_is_not_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bomb that the workers refused does not go off in the report."""
    monkeypatch.setattr(report, "MAX_PIXELS", 99)
    path = tmp_path / "bomb.png"
    Image.new("L", (10, 10)).save(path)
    markup = page(tmp_path, picture(path, outputs={}, record=None))
    assert images(markup) == []
    assert "no picture master 10 x 10" in text(markup)


def test_every_sample_is_shown_but_the_one_that_is_none(tmp_path: Path) -> None:
    """Masters of every mode have a thumbnail: CMYK, 16 bit, palette, transparent, animated."""
    masters = write_samples(tmp_path / "samples")
    markup = page(tmp_path, *(picture(path, path.name, outputs={}, record=None) for path in masters))
    assert len(images(markup)) == len(masters) - 1
    assert len(markup) < 400_000


def test_a_transparent_master_stays_transparent(tmp_path: Path) -> None:
    """What the outputs have white for is to be seen in the master."""
    path = tmp_path / "clear.png"
    Image.new("RGBA", (8, 8)).save(path)
    assert images(page(tmp_path, picture(path, outputs={})))[0].startswith("data:image/png;")


def test_a_16_bit_master_is_not_clipped(tmp_path: Path) -> None:
    """A grey of half the range is shown as a middle grey."""
    path = tmp_path / "grey.png"
    Image.frombytes("I;16", (8, 8), (0x8080).to_bytes(2, "little") * 64).save(path)
    (uri,) = images(page(tmp_path, picture(path, outputs={})))
    level = Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))).convert("L").tobytes()[0]
    assert abs(level - 128) <= 2


def test_a_rotated_master_is_shown_upright(tmp_path: Path) -> None:
    """The thumbnail looks as the outputs do; the dimensions are the file's own."""
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "rotated.jpg"
    Image.new("RGB", (400, 200)).save(path, exif=exif)
    markup = page(tmp_path, picture(path, outputs={}))
    (uri,) = images(markup)
    assert Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))).size == (100, 200)
    assert "master 400 x 200" in text(markup)


@pytest.mark.parametrize(
    ("count", "told"), [(0, "0 bytes"), (999, "999 bytes"), (1234, "1.2 KB"), (45_678, "46 KB"), (1_234_567, "1.2 MB")]
)
def test_bytes_are_told_for_people(count: int, told: str) -> None:
    """Two digits are enough."""
    assert human_bytes(count) == told


@pytest.mark.parametrize(("milliseconds", "told"), [(12.3, "12 ms"), (999, "999 ms"), (12_345, "12.3 s")])
def test_durations_are_told_for_people(milliseconds: float, told: str) -> None:
    """Milliseconds become seconds where they are many."""
    assert human_ms(milliseconds) == told
