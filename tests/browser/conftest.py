"""A headless Chromium, a report to open in it, and pages that fail a test if they log an error."""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from handlers import imaging
from handlers.errors import RejectedImageError
from local.report import ReportedPicture, write_report
from local.samples import write_samples

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SIZES = {"thumbnail": 100, "medium": 500, "large": 1000}
EVIL = '"><img src=x onerror="window.hacked=1"><script>window.hacked=1</script>.jpg'
WARNING = "the ICC profile was ignored: it is damaged or too long"
COPIES, LONG = 7, 5_000
OpenPage = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start this machine's browser, or skip the tests."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"expected one of {', '.join(BROWSERS)} on the PATH, got none: run `make test-browser`")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found)
        yield started
        started.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """Return a function that opens an address in a new page; fail if any page logs an error or a warning."""
    contexts, messages = [], []

    def listen(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            messages.append(message.text)

    def open_address(address: str, *, width: int = 1440, scheme: Any = "light") -> Page:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.on("console", listen)
        page.on("pageerror", lambda error: messages.append(str(error)))
        page.goto(address)
        return page

    yield open_address
    for context in contexts:
        context.close()
    assert messages == []


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder for screenshots: `SCREENSHOTS` from the environment, or a temporary one."""
    folder = Path(os.environ.get("SCREENSHOTS") or tmp_path_factory.mktemp("screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the address of a report with the samples, most of them several times."""
    out = tmp_path_factory.mktemp("out")
    masters = write_samples(out / "master")
    first = [_picture(out, path, path.relative_to(out / "master").as_posix()) for path in masters]
    again = [
        _changed(picture, f"again {number}/{picture.name}")
        for number in range(1, COPIES)
        for picture in first
        if picture.outputs
    ]
    evil = _changed(first[0], EVIL, warnings=[WARNING])
    return write_report(out, _summary(out, len(first) + len(again) + 1), [*first, evil, *again]).as_uri()


@pytest.fixture(scope="module")
def long_report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the address of a report with five thousand pictures."""
    out = tmp_path_factory.mktemp("long")
    master = write_samples(out / "master")[0]
    first = ReportedPicture(name=master.name, master=master, outputs={}, record=None, rejections=[])
    many = [_changed(first, f"{number:04d}.png") for number in range(LONG)]
    return write_report(out, _summary(out, LONG), many).as_uri()


def _picture(out: Path, master: Path, name: str) -> ReportedPicture:
    """Make the outputs that the workers would make of a master."""
    try:
        jpegs = {"converted": imaging.convert(master.read_bytes())}
        jpegs |= imaging.resize(master.read_bytes(), SIZES)
        record = imaging.describe(master.read_bytes())
    except RejectedImageError as error:
        reason = {"branch": "resizing", "error": type(error).__name__, "message": str(error)}
        return ReportedPicture(name=name, master=master, outputs={}, record=None, rejections=[reason])
    outputs = {}
    for label, jpeg in jpegs.items():
        outputs[label] = out / "outputs" / name / f"{label}.jpg"
        outputs[label].parent.mkdir(parents=True, exist_ok=True)
        outputs[label].write_bytes(jpeg)
    facts = {"metadata": {"width": str(record.width), "height": str(record.height), "format": record.format}}
    seconds = dict.fromkeys((*outputs, "record"), 1.25)
    return ReportedPicture(name=name, master=master, outputs=outputs, record=facts, rejections=[], seconds=seconds)


def _changed(picture: ReportedPicture, name: str, **changes: Any) -> ReportedPicture:
    return ReportedPicture(**{**vars(picture), "name": name, **changes})


def _summary(out: Path, masters: int) -> Mapping[str, Any]:
    function = {"invocations": 77, "total_ms": 65432, "median_ms": 12.3, "max_ms": 2345}
    return {
        "masters": masters,
        "outputs": 4 * (masters - 1),
        "records": masters - 1,
        "rejected": 1,
        "unaccounted": {},
        "seconds": {"start": 0.2, "deploy": 3.14, "upload": 1.5, "process": 12.5, "download": 0.4},
        "images_per_second": 9.87,
        "functions": dict.fromkeys(("format-converter", "metadata-extractor", "pixel-resizer"), function),
        "stack": "local",
        "machine": f"x86_64, Linux, {out.name}",
    }
