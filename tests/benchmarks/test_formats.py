"""`benchmarks formats`: likeness as the paper defines it, and a row for each format and effort."""

import io

import pytest
from click.testing import CliRunner
from PIL import Image

from benchmarks import formats as formats_module
from benchmarks.formats import formats, ssim
from benchmarks.photos import Photo, drawn


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


def test_every_format_and_effort_has_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """The efforts that the handlers use are among them."""
    monkeypatch.setattr(formats_module, "load", lambda _: [Photo("photo", drawn((200, 150)))])
    monkeypatch.setattr(formats_module, "pin", lambda: None)
    monkeypatch.setattr(formats_module, "WIDTHS", {"small": 60})
    done = CliRunner().invoke(formats, catch_exceptions=False)
    assert done.exit_code == 0
    for row in ("JPEG 100", "JPEG 82", "Webp 80, method 4", "Avif 60, speed 8"):
        assert row in done.output
