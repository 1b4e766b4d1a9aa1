"""Further formats of a size: the same pixels and rights as the JPEG, and the limits of each format."""

import io
from typing import Any, Literal

import pytest
from PIL import Image, ImageChops, ImageStat

from handlers.errors import ImageTooLargeError
from handlers.imaging import Limits, resize
from handlers.imaging.further import FORMATS, Further, Webp, encoder_bytes
from tests.handlers.pictures import opened, picture

NAMES = list(FORMATS)


def decoded(data: bytes) -> Image.Image:
    """Return a file's picture in RGB, from any format that Pillow can open."""
    with Image.open(io.BytesIO(data)) as image:
        return image.convert("RGB")


def made(name: str, size: tuple[int, int] = (320, 200), **options: Any) -> tuple[bytes, Further]:
    """Return a size of a picture, as JPEG and in a further format."""
    jpeg = resize(picture(size, **options), {"small": 160}, further={name: 90})["small"]
    return jpeg, jpeg.further[name]


def difference(one: bytes, other: bytes) -> float:
    """Return the mean difference of two files' pixels, in levels."""
    return max(ImageStat.Stat(ImageChops.difference(decoded(one), decoded(other))).mean)


@pytest.mark.parametrize("name", NAMES)
def test_a_further_format_has_the_pixels_of_the_jpeg(name: str) -> None:
    """The size is the same, and so are the pixels, apart from both encoders' loss."""
    jpeg, further = made(name)
    assert decoded(further).size == further.size == (160, 100)
    assert difference(jpeg, further) < 3


@pytest.mark.parametrize("name", NAMES)
def test_a_grey_picture_has_further_formats(name: str) -> None:
    """Each format encodes grey pictures."""
    jpeg, further = made(name, mode="L")
    assert difference(jpeg, further) < 3


@pytest.mark.parametrize(
    ("mode", "subsampling", "expected"), [("L", "4:4:4", 7), ("RGB", "4:2:0", 3), ("RGB", "4:4:4", 0)]
)
def test_an_avif_has_the_subsampling_of_its_jpeg(
    mode: str, subsampling: Literal["4:2:0", "4:4:4"], expected: int
) -> None:
    """Its av1C box has three bits: no colours, half the columns, half the rows. Source: AV1 in ISOBMFF, 2.3.3."""
    master = picture((32, 32), mode=mode)
    avif = resize(master, {"a": 16}, further={"avif": 60}, subsampling=subsampling)["a"].further["avif"]
    assert avif[avif.index(b"av1C") + 6] >> 2 & 7 == expected


@pytest.mark.parametrize("name", NAMES)
def test_a_turned_picture_is_upright(name: str) -> None:
    """The pixels are turned, and the output has no orientation tag."""
    exif = Image.Exif()
    exif[0x0112] = 6
    jpeg, further = made(name, (400, 200), exif=exif)
    assert further.size == (160, 320)
    assert difference(jpeg, further) < 3
    assert 0x0112 not in Image.open(io.BytesIO(further)).getexif()


@pytest.mark.parametrize("name", NAMES)
def test_artist_and_copyright_are_kept(name: str) -> None:
    """Artist and copyright are the only tags."""
    exif = Image.Exif()
    exif[0x013B], exif[0x8298], exif[0x010F] = "Ada", "(c) Ada", "Camera"
    _, further = made(name, exif=exif)
    assert dict(Image.open(io.BytesIO(further)).getexif()) == {0x013B: "Ada", 0x8298: "(c) Ada"}


@pytest.mark.parametrize("name", NAMES)
def test_without_rights_there_is_no_metadata(name: str) -> None:
    """The output has no EXIF, XMP or profile."""
    info = Image.open(io.BytesIO(made(name)[1])).info
    assert not {"exif", "xmp", "icc_profile"} & info.keys()


@pytest.mark.parametrize("rights", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_a_comment_changes_neither_pixels_nor_rights(name: str, rights: bool) -> None:  # noqa: FBT001
    """Decoders skip the comment: pixels and rights are unchanged."""
    exif = Image.Exif()
    if rights:
        exif[0x013B] = "Ada"
    _, further = made(name, exif=exif)
    for text in ("generation 1", "generation 12"):
        commented = further.with_comment(text)
        assert text.encode() in commented
        assert difference(further, commented) == 0
        assert dict(Image.open(io.BytesIO(commented)).getexif()) == dict(exif)


def test_a_webp_has_its_length_in_its_header() -> None:
    """The RIFF header has the length of the rest of the file, and the file's length is even."""
    for text in ("odd", "even"):
        data = made("webp")[1].with_comment(text)
        assert int.from_bytes(data[4:8], "little") == len(data) - 8
        assert len(data) % 2 == 0


def test_a_picture_too_long_for_webp_is_encoded_to_no_bytes() -> None:
    """WebP stores sides in 14 bits: a longer picture encodes to no bytes, and its JPEG is still made."""
    assert Webp.encode(Image.new("L", (1, 16_384)), b"", 80, "4:2:0") == b""
    assert opened(resize(picture((4, 40)), {"tall": 2_000}, further={"webp": 80})["tall"]).size == (2_000, 20_000)


@pytest.mark.parametrize("further", [{"gif": 80}, {"webp": 0}, {"avif": 101}, {"webp": True}, {"webp": 80.0}])
def test_an_unknown_format_or_quality_is_refused(further: Any) -> None:
    """The error names the format."""
    with pytest.raises(ValueError, match=str(next(iter(further)))):
        resize(picture(), {"small": 16}, further=further)


def test_the_memory_of_an_encoder_counts_towards_the_limit() -> None:
    """A size that fits as JPEG may not fit once AVIF is added: it is refused before decoding."""
    master, sizes, limits = picture((100, 100)), {"vast": 3000}, Limits(memory_mb=256)
    resize(master, sizes, limits=limits)
    with pytest.raises(ImageTooLargeError, match="outputs that fit"):
        resize(master, sizes, limits=limits, further={"avif": 60})
    assert encoder_bytes([(10, 10), (20, 10)], ["webp", "avif"]) == 200 * FORMATS["avif"].encoder_bytes_per_pixel


def test_no_further_formats_by_default() -> None:
    """A size without further formats is a JPEG only."""
    assert resize(picture(), {"small": 16})["small"].further == {}


def test_the_boxes_of_an_avif_fill_the_file() -> None:
    """The top-level boxes fill the file exactly; the last one holds the comment. Source: ISO/IEC 14496-12, 4.2."""
    data, at, kinds = made("avif")[1].with_comment("generation 1"), 0, []
    while at < len(data):
        kinds.append(data[at + 4 : at + 8])
        at += int.from_bytes(data[at : at + 4], "big")
    assert (at, kinds[0], kinds[-1]) == (len(data), b"ftyp", b"free")
