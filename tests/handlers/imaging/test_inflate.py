"""PNG data, inflated before Pillow sees them: the same pixels, and the same refusals."""

import contextlib
import io
import zlib

import pytest
from PIL import Image, ImageChops

from handlers.errors import BrokenImageError
from handlers.imaging import convert

from .pictures import SIGNATURE, chunk, opened, photo, png, saved

SIZE = (300, 200)


def _ihdr(master: bytes) -> bytes:
    return master[: len(SIGNATURE) + 25]


def _data(master: bytes) -> bytes:
    """Return the zlib stream of a PNG of one IDAT chunk."""
    start = master.index(b"IDAT")
    return master[start + 4 : start + 4 + int.from_bytes(master[start - 4 : start])]


def _with_data(master: bytes, *parts: bytes) -> bytes:
    return _ihdr(master) + b"".join(chunk(b"IDAT", part) for part in parts) + chunk(b"IEND", b"")


@pytest.mark.parametrize("mode", ["L", "RGB", "P", "1"])
def test_every_mode_has_the_pixels_that_pillow_reads(mode: str) -> None:
    """Each colour type is what Pillow alone makes of the file, once the same encoder has been over both."""
    master = saved(photo(SIZE).convert(mode), "PNG")
    with Image.open(io.BytesIO(master)) as image:
        alone = saved(image.convert("L" if mode in ("L", "1") else "RGB"), "JPEG", quality=100, subsampling=2)
    bands = ImageChops.difference(opened(convert(master)), opened(alone)).split()
    assert max(band.getextrema()[1] for band in bands) == 0


def test_an_interlaced_picture_is_put_together() -> None:
    """Adam7's seven passes come out of one stream."""
    rows = [bytes(range(number, number + 8)) for number in range(0, 64, 8)]
    plain, interlaced = png((8, 8), 8, 0, rows), _interlaced(rows)
    assert opened(convert(interlaced)).tobytes() == opened(convert(plain)).tobytes()


def _interlaced(rows: list[bytes]) -> bytes:
    """Return 8 x 8 grey pixels by Adam7. Source: W3C PNG specification, third edition, 8.1."""
    passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
    lines = [b"\0" + row[left::across] for left, top, across, down in passes for row in rows[top::down]]
    ihdr = (8).to_bytes(4, "big") * 2 + bytes((8, 0, 0, 0, 1))
    return SIGNATURE + chunk(b"IHDR", ihdr) + chunk(b"IDAT", zlib.compress(b"".join(lines))) + chunk(b"IEND", b"")


def test_data_may_be_cut_into_chunks_anywhere() -> None:
    """One byte a chunk, or none, is as good as one chunk."""
    master = saved(photo((40, 30)), "PNG")
    data = _data(master)
    pieces = [data[at : at + 1] for at in range(len(data))]
    assert convert(_with_data(master, b"", *pieces[:2000], b"", b"".join(pieces[2000:]))) == convert(master)


def test_data_of_more_than_one_stored_block_come_through() -> None:
    """Pixels that compress well inflate to many blocks out of few bytes."""
    master = saved(Image.linear_gradient("L").resize((2000, 1500)), "PNG")
    assert len(_data(master)) < 65_535 < 2000 * 1500
    assert opened(convert(master)).size == (2000, 1500)


def test_data_that_end_too_early_are_refused() -> None:
    """With right checksums of the chunk, as a program writes that ran out of disk."""
    master = saved(photo(SIZE), "PNG")
    with pytest.raises(BrokenImageError, match="end too early"):
        convert(_with_data(master, _data(master)[:-1000]))


def test_data_that_do_not_inflate_are_refused() -> None:
    """Noise in the middle, under a right checksum of the chunk."""
    master = saved(photo(SIZE), "PNG")
    data = _data(master)
    middle = len(data) // 2
    with pytest.raises(BrokenImageError, match=r"damaged|truncated"):
        convert(_with_data(master, data[:middle] + b"\xff" * 64 + data[middle + 64 :]))


def test_a_wrong_checksum_of_the_pixels_is_refused() -> None:
    """The zlib stream's own checksum counts, beside the chunk's."""
    master = saved(photo(SIZE), "PNG")
    data = _data(master)
    with pytest.raises(BrokenImageError):
        convert(_with_data(master, data[:-1] + bytes((data[-1] ^ 1,))))


@pytest.mark.parametrize("size", [(100, 60), (400, 300)])
def test_salvage_keeps_all_rows_before_the_damage(size: tuple[int, int]) -> None:
    """As many as zlib gives byte by byte, small pictures too; of a wrong checksum alone, all but the last."""
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
    # A byte that is decoded wrongly before zlib notices is none of the picture.
    return min(found, len(data) * 6 // 10) if data[-4:] != b"1234" else found


def test_data_behind_the_picture_are_not_inflated_for_ever() -> None:
    """Rows that the header does not know of are passed over."""
    rows = bytes(9) * 8
    master = png((8, 8), 8, 0, [bytes(8)] * 8)
    assert opened(convert(_with_data(master, zlib.compress(rows + bytes(10_000_000))))).size == (8, 8)
