"""The report: a page that links to the pictures, and shows each master's outputs, record and rejections."""

import base64
import hashlib
import html
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from PIL import Image

from local import report
from local.pages.units import human_bytes, human_ms
from local.report import ReportedPicture, write_report
from local.samples import write_samples

SUMMARY: Mapping[str, Any] = {
    "masters": 4321,
    "outputs": 17284,
    "records": 4320,
    "rejected": 1,
    "rejections": [],
    "unaccounted": {},
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


def rejected(path: Path, name: str, error: str = "NotAnImageError", message: str = "it is a text") -> ReportedPicture:
    reason = {"key": f"master/{name}", "branch": "resizing", "error": error, "message": message}
    return picture(path, name, outputs={}, record=None, rejections=[reason])


def page(folder: Path, *pictures: ReportedPicture, **changes: Any) -> str:
    return write_report(folder, {**SUMMARY, **changes}, pictures).read_text()


def rows(markup: str) -> list[dict[str, Any]]:
    """Return the masters' data for the page's script."""
    (text,) = re.findall(r'<script id="data" type="application/json">(.*?)</script>', markup, re.DOTALL)
    found: list[dict[str, Any]] = json.loads(text)
    return found


def row(folder: Path, given: ReportedPicture) -> dict[str, Any]:
    (found,) = rows(page(folder, given))
    return found


def text(markup: str) -> str:
    """Return the page's text on one line, as it is before the script runs."""
    without_code = re.sub(r"<(style|script)[ >].*?</\1>", "", markup, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", without_code)).split())


def test_the_page_is_written_to_the_folder(tmp_path: Path, jpeg: Path) -> None:
    """The path of the page is returned."""
    assert write_report(tmp_path, SUMMARY, [picture(jpeg)]) == tmp_path / "report.html"


def test_the_page_loads_only_the_pictures_beside_it(tmp_path: Path, jpeg: Path) -> None:
    """Styles and scripts are inline, and every file has a relative link."""
    markup = page(tmp_path, picture(jpeg))
    assert not re.search(r'<script [^>]*src|rel="stylesheet"|<(iframe|object)|@import|https?:', markup)
    found = rows(markup)[0]
    assert [file["href"] for file in (found["master"], *found["files"])] == ["picture.jpg"] * 5


def test_only_the_pages_own_scripts_may_run(tmp_path: Path) -> None:
    """The policy allows only the hash of the page's script, and no connections."""
    markup = page(tmp_path)
    script = re.findall(r"<script>(.*?)</script>", markup, re.DOTALL)[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = html.unescape(re.findall(r'Content-Security-Policy" content="(.*?)"', markup)[0])
    assert f"script-src 'sha256-{digest}';" in policy
    assert "default-src 'none'" in policy
    assert "connect-src 'none'" in policy


@pytest.mark.parametrize(
    "number", ["masters 4321", "outputs 17284", "records 4320", "rejected 1", "unaccounted for 0", "per second 9.9"]
)
def test_the_summary_is_at_the_top(tmp_path: Path, number: str) -> None:
    """The counts come before the first picture."""
    assert number in text(page(tmp_path)).partition("Search names")[0]


def test_stages_and_functions_have_their_times(tmp_path: Path) -> None:
    """Seconds per stage, and invocations and durations per function."""
    shown = text(page(tmp_path))
    assert "deploy 3.14 s process 12.50 s" in shown
    assert "pixel-resizer 77 12 ms 2.3 s 65.4 s" in shown


def test_a_master_comes_with_its_outputs(tmp_path: Path, jpeg: Path) -> None:
    """Five files come in order, each with its (width, height) in pixels and its size in bytes."""
    found = row(tmp_path, picture(jpeg))
    files = [found["master"], *found["files"]]
    assert [file["label"] for file in files] == ["master", "converted", "thumbnail", "medium", "large"]
    size = human_bytes(jpeg.stat().st_size)
    assert {(file["width"], file["height"], file["bytes"], file["shown"]) for file in files} == {(800, 600, size, True)}


def test_an_output_shows_its_time_since_the_upload(tmp_path: Path, jpeg: Path) -> None:
    """Times are shown for the record and for outputs with a known time."""
    found = row(tmp_path, picture(jpeg, seconds={"converted": 1.25, "record": 0.5}))
    assert [file["after"] for file in found["files"]] == ["1.2 s", "", "", ""]
    assert found["recorded"] == "500 ms"


def test_a_link_leads_to_a_file_of_any_name(tmp_path: Path) -> None:
    """Characters with a meaning in URLs are quoted."""
    path = tmp_path / "master" / "50% of a #1?.png"
    path.parent.mkdir()
    Image.new("L", (8, 8)).save(path)
    href = row(tmp_path, picture(path, outputs={}))["master"]["href"]
    assert not set("%#? ") & set(href.replace("%2", "").replace("%3F", ""))
    assert tmp_path / unquote(href) == path


def test_no_picture_is_embedded(tmp_path: Path, jpeg: Path) -> None:
    """A page of a thousand pictures holds their data, but not the pictures."""
    markup = page(tmp_path, *(picture(jpeg, f"{number}.jpg") for number in range(1000)))
    assert len(markup) < 1_300_000
    assert "data:image" not in markup


def test_every_field_of_a_record_is_shown(tmp_path: Path, jpeg: Path) -> None:
    """The metadata strings come first, then the other fields, with dots for nested ones."""
    facts = [["width", "800"], ["name", "2024/cat"], ["gps.latitude", "1"], ["frames", "1"]]
    assert row(tmp_path, picture(jpeg))["record"] == facts


def test_a_rejected_master_has_its_reasons(tmp_path: Path) -> None:
    """A master has the error and message of each branch, and may have no outputs."""
    master = tmp_path / "no.jpg"
    master.write_text("no picture")
    found = row(tmp_path, rejected(master, "no.jpg"))
    assert (found["state"], found["format"]) == ("rejected", "none")
    assert found["rejections"] == [{"branch": "resizing", "error": "NotAnImageError", "message": "it is a text"}]
    assert (found["master"]["shown"], found["master"]["bytes"]) == (False, "10 bytes")


def test_rejections_are_grouped_by_reason(tmp_path: Path, jpeg: Path) -> None:
    """The most frequent reason comes first, with links to each master and to all of them."""
    given = [rejected(jpeg, "a&b.jpg", "TooLargeError"), rejected(jpeg, "c.jpg"), rejected(jpeg, "d.jpg")]
    markup = page(tmp_path, *given)
    shown = text(markup)
    assert "NotAnImageError 2 c.jpg it is a text d.jpg it is a text Show all of them" in shown
    assert shown.index("NotAnImageError 2") < shown.index("TooLargeError 1")
    assert 'href="#q=a%26b.jpg"' in markup
    assert 'href="#reason=TooLargeError"' in markup


def test_filters_offer_only_existing_values(tmp_path: Path, jpeg: Path) -> None:
    """Each value shows the number of its masters, and a filter without values is left out."""
    shown = text(page(tmp_path, picture(jpeg), picture(jpeg, "b.jpg"), rejected(jpeg, "c.jpg")))
    assert "State all done (2) rejected (1)" in shown
    assert "Format all JPEG (3)" in shown
    assert "Converted picture all copied (2)" in shown
    assert "Rejected for all NotAnImageError (1)" in shown
    assert "Warning" not in shown


def test_warnings_are_shown_and_filtered(tmp_path: Path, jpeg: Path) -> None:
    """A worker's warning is listed with its picture."""
    markup = page(tmp_path, picture(jpeg, warnings=["the ICC profile was ignored"]))
    assert rows(markup)[0]["warnings"] == ["the ICC profile was ignored"]
    assert "Warning all the ICC profile was ignored (1)" in text(markup)


def test_a_missing_output_is_shown_without_a_link(tmp_path: Path, jpeg: Path) -> None:
    """A path without a file is shown without a link."""
    (lost,) = row(tmp_path, picture(jpeg, outputs={"converted": tmp_path / "gone.jpg"}, record=None))["files"]
    assert (lost["href"], lost["bytes"], lost["shown"]) == ("", "not there", False)


def test_lost_pictures_are_listed_at_the_top(tmp_path: Path) -> None:
    """The top of the page names each lost picture."""
    shown = text(page(tmp_path, unaccounted={"master/lost.jpg": ["resizing"]}))
    assert "master/lost.jpg" in shown.partition("Search names")[0]


def test_a_master_without_results_is_missing(tmp_path: Path, jpeg: Path) -> None:
    """A master with neither outputs nor rejections has the state "missing"."""
    assert row(tmp_path, picture(jpeg, outputs={}, record=None))["state"] == "missing"


def test_names_and_reasons_are_escaped(tmp_path: Path, jpeg: Path) -> None:
    """Keys and EXIF text are untrusted; they are escaped in the page and in its data."""
    evil = "</script><script>alert(1)</script><!--"
    reason = {"key": evil, "branch": "resizing", "error": evil, "message": evil}
    given = picture(jpeg, evil, record={"camera": evil}, rejections=[reason], warnings=[evil])
    markup = page(tmp_path, given, unaccounted={evil: ["resizing"]})
    assert "alert(1)<" not in markup
    assert "<!--" not in markup
    assert markup.count("<script") == 2
    assert rows(markup)[0]["name"] == evil


def test_a_master_with_too_many_pixels_is_not_displayed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The browser does not load a decompression bomb that the workers rejected."""
    monkeypatch.setattr(report, "MAX_SHOWN_PIXELS", 99)
    path = tmp_path / "bomb.png"
    Image.new("L", (10, 10)).save(path)
    master = row(tmp_path, picture(path, outputs={}, record=None))["master"]
    assert (master["width"], master["height"], master["shown"]) == (10, 10, False)


def test_every_sample_picture_is_shown(tmp_path: Path) -> None:
    """The samples include CMYK, 16 bit, palette, transparent and animated masters."""
    masters = write_samples(tmp_path / "samples")
    found = rows(page(tmp_path, *(picture(path, path.name, outputs={}, record=None) for path in masters)))
    assert [row["name"] for row in found if not row["master"]["shown"]] == ["no-picture.jpg"]


def test_a_rotated_master_has_its_upright_size(tmp_path: Path) -> None:
    """The size matches what browsers show, which is upright like the outputs."""
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "rotated.jpg"
    Image.new("RGB", (400, 200)).save(path, exif=exif)
    master = row(tmp_path, picture(path, outputs={}))["master"]
    assert (master["width"], master["height"]) == (200, 400)


@pytest.mark.parametrize(
    ("count", "shown"), [(0, "0 bytes"), (999, "999 bytes"), (1234, "1.2 KB"), (45_678, "46 KB"), (1_234_567, "1.2 MB")]
)
def test_bytes_are_formatted_for_people(count: int, shown: str) -> None:
    """Sizes have two significant digits."""
    assert human_bytes(count) == shown


@pytest.mark.parametrize(("milliseconds", "shown"), [(12.3, "12 ms"), (999, "999 ms"), (12_345, "12.3 s")])
def test_durations_are_formatted_for_people(milliseconds: float, shown: str) -> None:
    """Long durations are in seconds instead of milliseconds."""
    assert human_ms(milliseconds) == shown


@pytest.mark.parametrize("name", ["webp", "avif"])
def test_a_size_in_a_further_format_is_shown(tmp_path: Path, name: str) -> None:
    """The size is read from the header, as for a JPEG."""
    path = tmp_path / f"large.{name}"
    Image.new("RGB", (80, 60)).save(path)
    (found,) = row(tmp_path, picture(path, outputs={f"large {name}": path}))["files"]
    assert (found["label"], found["width"], found["height"], found["shown"]) == (f"large {name}", 80, 60, True)


@pytest.mark.parametrize("name", ["webp", "avif", "tiff"])
def test_a_master_in_a_further_format_has_its_format_and_size(tmp_path: Path, name: str) -> None:
    """This does not depend on the stack's input formats."""
    master = tmp_path / f"cat.{name}"
    Image.linear_gradient("L").resize((80, 60)).convert("RGB").save(master)
    found = row(tmp_path, picture(master, f"cat.{name}"))
    assert (found["format"], found["master"]["width"], found["master"]["height"]) == (name.upper(), 80, 60)
    assert found["master"]["shown"] == (name != "tiff")
