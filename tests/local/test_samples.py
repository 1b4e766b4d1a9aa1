"""The sample pictures: one of every kind, small, and reproducible."""

import io
from pathlib import Path

import pytest
from PIL import Image

from handlers import imaging
from handlers.errors import NotAnImageError
from local.samples import NO_PICTURE, write_samples


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Return the samples' bytes by name."""
    folder = tmp_path_factory.mktemp("samples")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in write_samples(folder)}


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def test_there_are_enough_samples(samples: dict[str, bytes]) -> None:
    """There are at least 14 pictures, and one file that is not a picture."""
    assert len(samples) >= 15
    assert [name for name, data in samples.items() if data == NO_PICTURE] == ["no-picture.jpg"]


def test_every_path_is_returned(tmp_path: Path) -> None:
    """The paths of all written files are returned, sorted."""
    paths = write_samples(tmp_path)
    assert paths == sorted(path for path in tmp_path.rglob("*") if path.is_file())


def test_samples_are_the_same_each_time(samples: dict[str, bytes], tmp_path: Path) -> None:
    """A second run writes the same bytes."""
    again = {path.relative_to(tmp_path).as_posix(): path.read_bytes() for path in write_samples(tmp_path)}
    assert again == samples


def test_samples_are_small(tmp_path: Path) -> None:
    """Every run writes the samples, so they take less than 1 MB."""
    paths = write_samples(tmp_path)
    assert sum(path.stat().st_size for path in paths) < 1_000_000


@pytest.mark.parametrize(
    ("name", "kind", "mode", "size"),
    [
        ("landscape.jpg", "JPEG", "RGB", (1200, 800)),
        ("portrait.jpg", "JPEG", "RGB", (640, 960)),
        ("chart.png", "PNG", "RGB", (640, 400)),
        ("wheel.gif", "GIF", "P", (200, 200)),
        ("transparent.png", "PNG", "RGBA", (320, 320)),
        ("palette.png", "PNG", "P", (320, 320)),
        ("grey.jpg", "JPEG", "L", (700, 500)),
        ("scans/16-bit.png", "PNG", "I;16", (600, 400)),
        ("print/cmyk.jpg", "JPEG", "CMYK", (600, 400)),
        ("large/4000x3000.jpg", "JPEG", "RGB", (4000, 3000)),
    ],
)
def test_a_sample_is_of_its_kind(
    samples: dict[str, bytes], name: str, kind: str, mode: str, size: tuple[int, int]
) -> None:
    """Format, mode and (width, height) match the name."""
    image = opened(samples[name])
    assert (image.format, image.mode, image.size) == (kind, mode, size)


def test_the_animation_moves(samples: dict[str, bytes]) -> None:
    """It has eight frames."""
    assert imaging.describe(samples["animated.gif"]).frames == 8


@pytest.mark.parametrize("name", ["transparent.png", "palette.png"])
def test_a_transparent_sample_shows_its_background(samples: dict[str, bytes], name: str) -> None:
    """The corner is transparent, and the middle is not."""
    alpha = opened(samples[name]).convert("RGBA").getchannel("A")
    assert alpha.getpixel((0, 0)) == 0
    assert alpha.getpixel((160, 160)) not in {0, None}


def test_the_rotated_sample_has_its_orientation_in_exif(samples: dict[str, bytes]) -> None:
    """Its pixels are sideways, and EXIF gives the orientation."""
    found = imaging.describe(samples["rotated.jpg"])
    assert (found.width, found.height, found.orientation) == (1080, 720, 6)


def test_the_16_bit_sample_uses_its_range(samples: dict[str, bytes]) -> None:
    """Its levels would clip to white in a naive conversion."""
    low, high = opened(samples["scans/16-bit.png"]).getextrema()
    assert isinstance(low, int | float)
    assert isinstance(high, int | float)
    assert high - low > 10_000


@pytest.mark.parametrize(
    ("what", "found"),
    [
        ("a space", lambda name: " " in name),
        ("a plus sign", lambda name: "+" in name),
        ("a percent sign", lambda name: "%" in name),
        ("unicode", lambda name: not name.isascii()),
        ("folders", lambda name: name.count("/") > 1),
        ("an upper-case extension", lambda name: name.endswith(".JPG")),
    ],
)
def test_names_cover_difficult_characters(samples: dict[str, bytes], what: str, found: object) -> None:
    """The names would expose wrong decoding of keys."""
    assert callable(found)
    assert any(found(name) for name in samples), f"no sample's name has {what}"


def test_names_of_outputs_are_unique(samples: dict[str, bytes]) -> None:
    """No two samples share a name, so only one file of a run is rejected."""
    stems = [name.rpartition(".")[0] for name in samples]
    assert len(set(stems)) == len(stems)


def test_every_sample_picture_is_converted(samples: dict[str, bytes]) -> None:
    """Imaging converts all of them but the file that is not a picture."""
    for name, data in samples.items():
        if data == NO_PICTURE:
            with pytest.raises(NotAnImageError):
                imaging.convert(data)
        else:
            assert imaging.convert(data), name
