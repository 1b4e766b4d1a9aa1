"""GIF: the first frame, as viewers show it."""

import struct

import pytest
from PIL import Image

from handlers.errors import BrokenImageError
from handlers.imaging import convert, describe, resize
from handlers.imaging.formats.gif_codes import closed

from .pictures import BLACK, BLUE, GREEN, RED, WHITE, difference, gif, gif_frame, opened, saved, sub_blocks

PALETTE = [BLACK, RED, GREEN, BLUE]
LIME = (10, 240, 10)


def _pixel(data: bytes, place: tuple[int, int]) -> tuple[int, ...]:
    pixel = opened(data).convert("RGB").getpixel(place)
    assert isinstance(pixel, tuple)
    return pixel


def test_an_animation_gives_its_first_frame() -> None:
    """A red frame followed by other colours gives a red picture."""
    frames = [Image.new("RGB", (32, 32), colour) for colour in (RED, BLUE, GREEN)]
    master = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert _pixel(convert(master), (16, 16)) == pytest.approx(RED, abs=3)
    assert describe(master).frames == 3


def test_a_transparent_first_frame_shows_the_background() -> None:
    """Transparent pixels show the background; opaque pixels of the same frame do not."""
    frame = gif_frame((0, 0, 32, 32), (b"\0" * 16 + b"\1" * 16) * 32, transparent=0)
    output = convert(gif((32, 32), PALETTE, frame, gif_frame((0, 0, 32, 32), b"\3" * 1024)), background=LIME)
    assert _pixel(output, (4, 16)) == pytest.approx(LIME, abs=3)
    assert _pixel(output, (28, 16)) == pytest.approx(RED, abs=3)


def test_the_canvas_outside_a_small_frame_shows_the_background() -> None:
    """Pixels outside the frame are transparent, not in the palette's first colour."""
    output = convert(gif((48, 32), PALETTE, gif_frame((16, 0, 16, 16), b"\1" * 256)))
    assert opened(output).size == (48, 32)
    assert _pixel(output, (4, 4)) == pytest.approx(WHITE, abs=3)
    assert _pixel(output, (24, 8)) == pytest.approx(RED, abs=3)
    assert _pixel(output, (24, 28)) == pytest.approx(WHITE, abs=3)


def test_a_local_palette_is_used() -> None:
    """A frame's own palette overrides the file's."""
    local = bytes((*GREEN, *GREEN))
    assert _pixel(convert(gif((16, 16), PALETTE, gif_frame((0, 0, 16, 16), b"\1" * 256, palette=local))), (8, 8)) == (
        pytest.approx(GREEN, abs=3)
    )


def test_a_grey_palette_keeps_its_transparency() -> None:
    """A grey ramp as palette, which Pillow reads as mode L, keeps its transparency."""
    ramp = [(level, level, level) for level in range(256)]
    frame = gif_frame((0, 0, 16, 16), b"\5" * 128 + b"\x64" * 128, transparent=5)
    output = convert(gif((16, 16), ramp, frame))
    assert _pixel(output, (8, 3)) == pytest.approx(WHITE, abs=3)
    assert _pixel(output, (8, 12)) == pytest.approx((100, 100, 100), abs=3)


def test_a_first_frame_without_pixels_is_refused() -> None:
    """A frame without pixels is refused, and the error names its size."""
    with pytest.raises(BrokenImageError, match="0 x 16"):
        convert(gif((16, 16), PALETTE, gif_frame((0, 0, 0, 16), b"")))


def test_an_interlaced_gif_has_the_pixels_of_a_plain_one() -> None:
    """Interlaced rows are put in the right order."""
    image = Image.linear_gradient("L").resize((64, 64))
    interlaced, plain = (saved(image, "GIF", interlace=interlace) for interlace in (1, 0))
    assert interlaced != plain
    assert opened(convert(interlaced)).tobytes() == opened(convert(plain)).tobytes()


def test_a_gif_is_resized() -> None:
    """Sizes are resampled from colours, never from palette indices."""
    master = gif((32, 32), PALETTE, gif_frame((0, 0, 32, 32), b"\1\3" * 512))
    red, green, blue = _pixel(resize(master, {"small": 8})["small"], (4, 4))
    assert red > 100
    assert blue > 100
    assert green < 30


def test_a_frame_beyond_the_canvas_enlarges_it() -> None:
    """The canvas grows to hold the frame, as in Pillow, libvips and browsers; the record has the same size."""
    master = gif((10, 10), PALETTE, gif_frame((4, 8, 12, 16), b"\1" * 192))
    assert opened(convert(master)).size == (16, 24)
    assert (describe(master).width, describe(master).height) == (16, 24)


def _small_codes(*parts: bytes) -> bytes:
    """Return a frame's coded data of two colours in codes that begin with 2 bits, with their size.

    The table of codes is cleared before each part of the pixels.
    """
    width, codes = 2, []
    for part in parts:
        codes.append((2, width))
        table, width, text = {b"\0": 0, b"\1": 1}, 2, b""
        for pixel in (part[i : i + 1] for i in range(len(part))):
            if text + pixel in table:
                text += pixel
                continue
            codes.append((table[text], width))
            if len(table) + 2 < 4096:
                table[text + pixel] = len(table) + 2
            width = min(12, (len(table) + 1).bit_length())
            text = pixel
        codes.append((table[text], width))
        width = min(12, (len(table) + 2).bit_length())
    codes.append((3, width))
    bits = "".join(f"{code:0{size}b}" for code, size in reversed(codes))
    return b"\1" + sub_blocks(int(bits, 2).to_bytes(-(-len(bits) // 8), "little")) + b"\0"


NOISE = Image.effect_noise((300, 1), 99).point(lambda level: level >> 7).tobytes()


@pytest.mark.parametrize("row", [b"\0" * 300, b"\0\1" * 150, NOISE], ids=["flat", "stripes", "noise"])
def test_codes_that_begin_with_two_bits_are_decoded(row: bytes) -> None:
    """Browsers show such a frame, but Pillow does not."""
    pixels = row * 200
    frame = b"," + struct.pack("<4HB", 0, 0, 300, 200, 0)
    shown = Image.frombytes("L", (300, 200), bytes(255 * pixel for pixel in pixels))
    for parts in ((pixels,), (pixels[:777], pixels[777:])):
        output = opened(convert(gif((300, 200), [BLACK, WHITE], frame + _small_codes(*parts)), subsampling="4:4:4"))
        assert difference(output, shown) < 3
    with pytest.raises(BrokenImageError):
        convert(gif((300, 200), [BLACK, WHITE], frame + _small_codes(pixels[:-1])))


@pytest.mark.parametrize("data", [b"\2\5abc", b"\2\3abc", b"\2\3abc\5", b"\2\3abc\0more"])
def test_cut_data_end_with_their_last_whole_byte(data: bytes) -> None:
    """The last sub-block gets the length that it has, and a terminator follows."""
    assert closed(data) == b"\2\3abc\0"
