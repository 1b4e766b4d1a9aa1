"""`benchmarks formats`: likeness as the paper defines it, and a row for each format and effort."""

import io

import pytest
from click.testing import CliRunner
from PIL import Image

from benchmarks import formats as formats_module
from benchmarks.formats import encoded, formats, matched, resampled, ssim
from benchmarks.photos import Photo, drawn
from handlers.imaging.further import Webp

from .conftest import words


def test_a_picture_is_like_itself() -> None:
    """Its SSIM is 1, and falls with what an encoder leaves out."""
    image = Image.open(io.BytesIO(drawn((160, 120))))
    worse = io.BytesIO()
    image.save(worse, "JPEG", quality=10)
    assert ssim(image, image) == pytest.approx(1)
    assert ssim(image, Image.open(worse)) < 0.95


def test_constant_pictures_differ_by_their_levels_alone() -> None:
    """Without variance the formula is (2 a b + c1) / (a² + b² + c1)."""
    one, other, c1 = Image.new("L", (20, 20), 100), Image.new("L", (20, 20), 200), 6.5025
    assert ssim(one, other) == pytest.approx((2 * 100 * 200 + c1) / (100**2 + 200**2 + c1))


def test_a_picture_too_wide_for_the_window_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named before anything is measured; one of just the window's height is not."""
    monkeypatch.setattr(formats_module, "load", lambda _: [Photo("strip.jpg", drawn((200, 21)))])
    monkeypatch.setattr(formats_module, "pin", lambda: None)
    done = CliRunner().invoke(formats)
    assert done.exit_code == 2
    said = "expected pictures at most 9.1 times as wide as high, got strip.jpg: leave it out"
    assert said in words(done.output)
    assert [image.height for image in resampled(Photo("", drawn((200, 22))))] == [11, 55, 110]


def test_every_format_and_effort_has_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """The efforts that the handlers use are among them."""
    monkeypatch.setattr(formats_module, "load", lambda _: [Photo("photo", drawn((200, 150)))])
    monkeypatch.setattr(formats_module, "pin", lambda: None)
    monkeypatch.setattr(formats_module, "WIDTHS", {"small": 60})
    done = CliRunner().invoke(formats, catch_exceptions=False)
    assert done.exit_code == 0
    output = words(done.output)
    for row in ("jpeg 100", "jpeg 82", "webp 80", "avif 60", "webp method", "avif speed"):
        assert row in output


def test_efforts_are_compared_at_the_quality_that_looks_the_same() -> None:
    """Between two qualities whose SSIM are below and above."""
    image = Image.open(io.BytesIO(drawn((200, 150)))).convert("RGB")
    target = encoded(lambda picture: Webp.encode(picture, b"", 77, "4:2:0"), [image]).ssim
    found = matched(Webp, [image], target)
    assert found.ssim == pytest.approx(target)
    assert 75 < found.quality < 79
