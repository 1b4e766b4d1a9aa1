"""Salvage: off by default; decodable parts are kept and marked, and files without any are refused."""

import pytest

from handlers.errors import BrokenImageError, ImageTooLargeError
from handlers.imaging import Limits, convert, resize

from .pictures import BLUE, RED, difference, gif, gif_frame, jpeg, opened, photo, saved

SIZE = (400, 300)


def _cut(data: bytes, share: float = 0.7) -> bytes:
    return data[: int(len(data) * share)]


MASTERS = {
    "baseline": jpeg(photo(SIZE)),
    "progressive": jpeg(photo(SIZE), progressive=True),
    "grey": jpeg(photo(SIZE, "L")),
    "restarts": jpeg(photo(SIZE), restart_marker_blocks=4),
    "PNG": saved(photo(SIZE), "PNG"),
    "RGBA PNG": saved(photo(SIZE, "RGBA"), "PNG"),
    "GIF": saved(photo(SIZE), "GIF"),
}


@pytest.mark.parametrize("kind", MASTERS)
def test_a_truncated_file_is_refused(kind: str) -> None:
    """Without `salvage`, truncated files of every format are refused by `convert` and `resize`."""
    for share in (0.5, 0.9, 0.99):
        with pytest.raises(BrokenImageError):
            convert(_cut(MASTERS[kind], share))
        with pytest.raises(BrokenImageError):
            resize(_cut(MASTERS[kind], share), {"small": 100})


@pytest.mark.parametrize("kind", MASTERS)
def test_salvage_keeps_decodable_rows_and_marks_the_output(kind: str) -> None:
    """The output has the master's size and top rows, and is marked as salvaged."""
    output = convert(_cut(MASTERS[kind]), salvage=True)
    assert output.salvaged
    assert not output.copied
    image, whole = opened(output), opened(convert(MASTERS[kind]))
    assert image.size == SIZE
    top = (0, 0, 400, 30)
    assert difference(image.crop(top), whole.crop(top)) < 12
    assert resize(_cut(MASTERS[kind]), {"small": 100}, salvage=True)["small"].salvaged


@pytest.mark.parametrize("kind", MASTERS)
def test_salvage_leaves_whole_files_unmarked(kind: str) -> None:
    """A whole file gives the same output with and without the option."""
    output = convert(MASTERS[kind], salvage=True)
    assert not output.salvaged
    assert output == convert(MASTERS[kind])


def test_salvage_refuses_a_file_without_a_decodable_row() -> None:
    """A file without a decodable row is refused, even with `salvage`."""
    master = saved(photo(SIZE), "PNG")
    start = master.index(b"IDAT") + 4
    with pytest.raises(BrokenImageError):
        convert(master[:start] + bytes(2000), salvage=True)


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_salvage_refuses_a_jpeg_without_tables(mode: str) -> None:
    """The decoder fails before the first row, and the row that was marked to see that does not count as decoded."""
    master = saved(photo(SIZE, mode), "JPEG")
    with pytest.raises(BrokenImageError, match="cannot be decoded"):
        convert(master[:2] + master[master.index(b"\xff\xc0") :], salvage=True)


def test_salvage_does_not_lift_the_limits() -> None:
    """A picture over the limit is refused, even with `salvage`."""
    with pytest.raises(ImageTooLargeError):
        convert(_cut(MASTERS["PNG"]), salvage=True, limits=Limits(max_pixels=10))


def test_damage_after_the_first_frame_of_a_gif_is_harmless() -> None:
    """Only the first frame is used, so only that frame must be whole."""
    whole = gif((8, 8), [RED, BLUE], gif_frame((0, 0, 8, 8), bytes(64)), gif_frame((0, 0, 8, 8), b"\1" * 64))
    assert not convert(whole[:-20]).salvaged


def test_a_wrong_checksum_of_the_pixels_is_damage() -> None:
    """A wrong Adler-32 is detected even where the data inflate."""
    master = bytearray(saved(photo(SIZE), "PNG"))
    master[-17] ^= 1  # The last byte of the checksum over the pixels.
    with pytest.raises(BrokenImageError, match="checksum"):
        convert(bytes(master))
    assert convert(bytes(master), salvage=True).salvaged


def test_a_wrong_checksum_of_a_chunk_only_leaves_a_warning() -> None:
    """A wrong chunk checksum leaves a warning; the picture is not marked as salvaged."""
    master = bytearray(saved(photo(SIZE), "PNG"))
    master[-16] ^= 1  # The first byte of the last chunk's checksum.
    output = convert(bytes(master))
    assert not output.salvaged
    assert any("checksum" in warning for warning in output.warnings)
