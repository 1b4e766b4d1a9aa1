"""Transparency: every kind is composited onto the background before resampling."""

import pytest
from PIL import Image

from handlers.imaging import convert, describe, resize

from .pictures import BLACK, RED, WHITE, chunk, opened, png, saved, wide

SIZE = (16, 16)
GREEN = (0, 200, 0)
PALETTE = chunk(b"PLTE", bytes((0, 0, 0, 255, 0, 0)))


def _half(clear: bytes, opaque: bytes) -> list[bytes]:
    """Return rows whose left half is transparent."""
    return [clear * 8 + opaque * 8] * 16


KEYED = {
    "grey 1": png(SIZE, 1, 0, [b"\x00\xff"] * 16, chunk(b"tRNS", wide(0))),
    "grey 2": png(SIZE, 2, 0, [b"\x55\x55\xff\xff"] * 16, chunk(b"tRNS", wide(1))),
    "grey 4": png(SIZE, 4, 0, [b"\x33" * 4 + b"\xff" * 4] * 16, chunk(b"tRNS", wide(3))),
    "grey 8": png(SIZE, 8, 0, _half(b"\x05", b"\xff"), chunk(b"tRNS", wide(5))),
    "grey 16": png(SIZE, 16, 0, _half(wide(0x1234), wide(0xFFFF)), chunk(b"tRNS", wide(0x1234))),
    "RGB 8": png(SIZE, 8, 2, _half(bytes((1, 2, 3)), bytes(WHITE)), chunk(b"tRNS", wide(1, 2, 3))),
    "RGB 16": png(SIZE, 16, 2, _half(wide(1, 2, 3), wide(65535, 65535, 65535)), chunk(b"tRNS", wide(1, 2, 3))),
    "palette": png(SIZE, 8, 3, _half(b"\0", b"\1"), PALETTE, chunk(b"tRNS", b"\0")),
    "palette of partly clear colours": png(SIZE, 8, 3, _half(b"\0", b"\1"), PALETTE, chunk(b"tRNS", b"\0\xfe")),
    "LA": png(SIZE, 8, 4, _half(b"\0\0", b"\xff\xff")),
    "LA 16": png(SIZE, 16, 4, _half(wide(0, 0), wide(65535, 65535))),
    "RGBA": png(SIZE, 8, 6, _half(bytes(4), b"\xff" * 4)),
    "RGBA 16": png(SIZE, 16, 6, _half(wide(0, 0, 0, 0), wide(*[65535] * 4))),
}


@pytest.mark.parametrize("kind", KEYED)
def test_transparent_pixels_show_the_background(kind: str) -> None:
    """The tRNS chunk of each colour type, palette alpha, LA and RGBA show the background, not black."""
    image = opened(convert(KEYED[kind], background=GREEN)).convert("RGB")
    assert image.getpixel((2, 8)) == pytest.approx(GREEN, abs=6)
    assert image.getpixel((13, 8)) != pytest.approx(GREEN, abs=60)
    assert describe(KEYED[kind]).has_alpha


def test_transparency_before_the_palette_is_ignored() -> None:
    """The specification forbids it there, and browsers ignore it; a warning says so."""
    output = convert(png(SIZE, 8, 3, _half(b"\0", b"\1"), chunk(b"tRNS", b"\0"), PALETTE), background=GREEN)
    assert opened(output).getpixel((2, 8)) != pytest.approx(GREEN, abs=60)
    assert output.warnings == ("the tRNS chunk was ignored: it comes before the palette",)


def test_the_default_background_is_white() -> None:
    """The default background is white."""
    assert opened(convert(KEYED["RGBA"])).getpixel((2, 8)) == pytest.approx(WHITE, abs=2)


def test_all_bits_of_a_sixteen_bit_key_are_compared() -> None:
    """A value that equals the transparent one in its high byte only stays opaque."""
    rows = _half(wide(0x1234), wide(0x1235))
    image = opened(convert(png(SIZE, 16, 0, rows, chunk(b"tRNS", wide(0x1234))), background=(255, 255, 255)))
    assert image.getpixel((2, 8)) == pytest.approx(255, abs=3)
    assert image.getpixel((13, 8)) == pytest.approx(0x12, abs=3)


def test_transparent_colours_do_not_bleed_into_a_smaller_size() -> None:
    """Transparent red beside opaque white leaves no pink edge, because compositing comes before resampling."""
    image = Image.new("RGBA", (100, 100), (*RED, 0))
    image.paste((*WHITE, 255), (33, 0, 100, 100))
    output = opened(resize(saved(image, "PNG"), {"small": 10})["small"])
    assert min(output.getchannel("G").tobytes()) > 245


def test_half_transparent_pixels_are_blended() -> None:
    """Black at half opacity over white is middle grey."""
    output = opened(convert(saved(Image.new("RGBA", SIZE, (*BLACK, 128)), "PNG")))
    assert output.getpixel((8, 8)) == pytest.approx((127, 127, 127), abs=2)


def test_a_grey_picture_stays_grey_only_on_a_grey_background() -> None:
    """A transparent grey master becomes RGB only on a coloured background."""
    assert opened(convert(KEYED["LA"])).mode == "L"
    assert opened(convert(KEYED["LA"], background=GREEN)).mode == "RGB"


def test_a_transparency_chunk_that_does_not_fit_is_ignored() -> None:
    """More alpha values than colours leave a warning, as in libpng."""
    output = convert(png(SIZE, 8, 3, _half(b"\0", b"\1"), PALETTE, chunk(b"tRNS", bytes(3))), background=GREEN)
    assert opened(output).getpixel((2, 8)) == pytest.approx(BLACK, abs=6)
    assert any("tRNS" in warning for warning in output.warnings)


def test_an_index_beyond_the_palette_is_black() -> None:
    """An index beyond the palette shows black."""
    assert opened(convert(png(SIZE, 8, 3, [b"\x80" * 16] * 16, PALETTE))).getpixel((8, 8)) == pytest.approx(
        BLACK, abs=2
    )
