"""Encoded pictures: SSIM as the paper defines it, and the quality that reaches a given SSIM."""

import io

import pytest
from PIL import Image

from benchmarks.encoded import encoded, matched, ssim
from benchmarks.photos import drawn
from handlers.imaging.further import Webp


def test_a_picture_has_full_similarity_with_itself() -> None:
    """Its SSIM is 1, and a lower JPEG quality lowers it."""
    image = Image.open(io.BytesIO(drawn((160, 120))))
    worse = io.BytesIO()
    image.save(worse, "JPEG", quality=10)
    assert ssim(image, image) == pytest.approx(1)
    assert ssim(image, Image.open(worse)) < 0.95


def test_constant_pictures_differ_only_by_their_levels() -> None:
    """Without variance the formula is (2 a b + c1) / (a² + b² + c1)."""
    one, other, c1 = Image.new("L", (20, 20), 100), Image.new("L", (20, 20), 200), 6.5025
    assert ssim(one, other) == pytest.approx((2 * 100 * 200 + c1) / (100**2 + 200**2 + c1))


def test_efforts_are_compared_at_equal_similarity() -> None:
    """The quality is interpolated between two whose SSIM is below and above the target."""
    image = Image.open(io.BytesIO(drawn((200, 150)))).convert("RGB")
    target = encoded(lambda picture: Webp.encode(picture, b"", 77, "4:2:0"), [image]).ssim
    quality, found = matched(Webp, [image], target)
    assert found.ssim == pytest.approx(target)
    assert 75 < quality < 79
