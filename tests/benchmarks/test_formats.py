"""`benchmarks formats`: a row for each format and effort."""

import pytest
from click.testing import CliRunner

from benchmarks import formats as formats_module
from benchmarks.formats import formats, resampled
from benchmarks.photos import Photo, drawn

from .conftest import one_line


def test_a_picture_too_wide_for_the_window_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names it before anything is measured; a picture exactly as high as the window is accepted."""
    monkeypatch.setattr(formats_module, "load", lambda _: [Photo("strip.jpg", drawn((200, 21)))])
    monkeypatch.setattr(formats_module, "pin", lambda: None)
    done = CliRunner().invoke(formats)
    assert done.exit_code == 2
    message = "expected pictures at most 9.1 times as wide as high, got strip.jpg: leave it out"
    assert message in one_line(done.output)
    assert [image.height for image in resampled(Photo("", drawn((200, 22))))] == [11, 55, 110]


def test_every_format_and_effort_has_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows include the efforts that the handlers use."""
    monkeypatch.setattr(formats_module, "load", lambda _: [Photo("photo", drawn((200, 150)))])
    monkeypatch.setattr(formats_module, "pin", lambda: None)
    monkeypatch.setattr(formats_module, "WIDTHS", {"small": 60})
    done = CliRunner().invoke(formats, catch_exceptions=False)
    assert done.exit_code == 0
    output = one_line(done.output)
    for row in ("jpeg 100", "jpeg 82", "webp 80", "avif 60", "webp method", "avif speed"):
        assert row in output
