"""PNG data inflated before Pillow reads them: the same pixels, and the same rejections."""

import contextlib
import io
import zlib

import pytest
from PIL import Image, ImageChops

from handlers.errors import BrokenImageError
from handlers.imaging import convert

from .pictures import SIGNATURE, chunk, difference, opened, photo, png, saved

SIZE = (300, 200)


def _ihdr(master: bytes) -> bytes:
    return master[: len(SIGNATURE) + 25]


def _data(master: bytes) -> bytes:
    """Return the zlib stream of a PNG with one IDAT chunk."""
    start = master.index(b"IDAT")
    return master[start + 4 : start + 4 + int.from_bytes(master[start - 4 : start])]


def _with_data(master: bytes, *parts: bytes) -> bytes:
    return _ihdr(master) + b"".join(chunk(b"IDAT", part) for part in parts) + chunk(b"IEND", b"")


@pytest.mark.parametrize("mode", ["L", "RGB", "P", "1"])
def test_every_mode_has_the_pixels_that_pillow_decodes(mode: str) -> None:
    """Each colour type gives the pixels that Pillow alone decodes, after the same encoder."""
    master = saved(photo(SIZE).convert(mode), "PNG")
    with Image.open(io.BytesIO(master)) as image:
        alone = saved(image.convert("L" if mode in ("L", "1") else "RGB"), "JPEG", quality=100, subsampling=2)
    bands = ImageChops.difference(opened(convert(master)), opened(alone)).split()
    assert max(band.getextrema()[1] for band in bands) == 0


def test_an_interlaced_png_has_the_pixels_of_a_plain_one() -> None:
    """Adam7's seven passes in one stream give the same picture as plain rows."""
    rows = [bytes(range(number, number + 8)) for number in range(0, 64, 8)]
    plain, interlaced = png((8, 8), 8, 0, rows), _interlaced(rows)
    assert opened(convert(interlaced)).tobytes() == opened(convert(plain)).tobytes()


def _interlaced(rows: list[bytes]) -> bytes:
    """Return 8 x 8 grey pixels by Adam7. Source: W3C PNG specification, third edition, 8.1."""
    passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
    lines = [b"\0" + row[left::across] for left, top, across, down in passes for row in rows[top::down]]
    ihdr = (8).to_bytes(4, "big") * 2 + bytes((8, 0, 0, 0, 1))
    return SIGNATURE + chunk(b"IHDR", ihdr) + chunk(b"IDAT", zlib.compress(b"".join(lines))) + chunk(b"IEND", b"")


def test_data_may_be_split_into_chunks_anywhere() -> None:
    """Chunks of one byte, or of none, give the same output as a single chunk."""
    master = saved(photo((40, 30)), "PNG")
    data = _data(master)
    pieces = [data[at : at + 1] for at in range(len(data))]
    assert convert(_with_data(master, b"", *pieces[:2000], b"", b"".join(pieces[2000:]))) == convert(master)


def test_highly_compressed_pixels_are_inflated_completely() -> None:
    """Pixels that compress well inflate from few bytes to many blocks."""
    image = Image.linear_gradient("L").resize((2000, 1500))
    master = saved(image, "PNG")
    assert len(_data(master)) < 65_535 < 2000 * 1500
    assert difference(opened(convert(master)), image) < 1


def test_truncated_data_are_refused() -> None:
    """Truncated data are refused even where the chunk's checksum is right."""
    master = saved(photo(SIZE), "PNG")
    with pytest.raises(BrokenImageError, match="end too early"):
        convert(_with_data(master, _data(master)[:-1000]))


def test_damaged_data_are_refused() -> None:
    """Damage in the middle is refused even where the chunk's checksum is right."""
    master = saved(photo(SIZE), "PNG")
    data = _data(master)
    middle = len(data) // 2
    with pytest.raises(BrokenImageError, match=r"damaged|truncated"):
        convert(_with_data(master, data[:middle] + b"\xff" * 64 + data[middle + 64 :]))


def test_a_wrong_checksum_of_the_zlib_stream_is_told() -> None:
    """Browsers show such a picture; the chunk's checksum proves that the file is as it was written."""
    master = saved(photo(SIZE), "PNG")
    data = _data(master)
    output = convert(_with_data(master, data[:-1] + bytes((data[-1] ^ 1,))))
    assert output.warnings == ("the checksum of the PNG's pixels is wrong; those of its chunks are right",)
    assert not output.salvaged
    assert bytes(output) == bytes(convert(master))


@pytest.mark.parametrize("size", [(100, 60), (400, 300)])
def test_salvage_keeps_all_rows_before_the_damage(size: tuple[int, int]) -> None:
    """Salvage keeps as many rows as zlib inflates byte by byte, in small pictures too; the last rows may be lost."""
    image = Image.effect_noise(size, 20)
    master = saved(image, "PNG")
    data = _data(master)
    middle = len(data) * 6 // 10
    for damaged in (data[:middle] + b"\xff" * 64 + data[middle + 64 :], data[:-4] + b"1234"):
        whole = opened(convert(saved(image, "PNG")))
        kept = opened(convert(_with_data(master, damaged), salvage=True))
        rows = _inflated_bytes(damaged) // (size[0] + 1)
        assert rows > 0
        top = (0, 0, size[0], (rows - 1) // 16 * 16)
        assert ImageChops.difference(kept.crop(top), whole.crop(top)).getbbox() is None


def _inflated_bytes(data: bytes) -> int:
    inflater, found = zlib.decompressobj(), 0
    with contextlib.suppress(zlib.error):
        for at in range(len(data)):
            found += len(inflater.decompress(data[at : at + 1]))
    # Bytes that zlib inflates wrongly before it detects the damage do not count.
    return min(found, len(data) * 6 // 10) if data[-4:] != b"1234" else found


def test_rows_beyond_the_height_are_ignored() -> None:
    """Rows beyond the height in the header, here white ones below black ones, change nothing."""
    rows = bytes(9) * 8
    master = png((8, 8), 8, 0, [bytes(8)] * 8)
    output = convert(_with_data(master, zlib.compress(rows + b"\xff" * 10_000_000)))
    assert output == convert(master)


def test_data_long_after_the_last_row_are_not_inflated() -> None:
    """Data that inflate to 100 MB more than the picture are read no further, which leaves a warning."""
    master = png((8, 8), 8, 0, [bytes(8)] * 8)
    more = _with_data(master, zlib.compress(bytes(100_000_000)))
    output = convert(more)
    assert opened(output).tobytes() == opened(convert(master)).tobytes()
    assert any("no end" in warning for warning in output.warnings)
