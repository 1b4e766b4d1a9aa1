"""AVIF as an input format: detected, bounded, upright, in sRGB, on the background, and whole or refused."""

import struct
from typing import Any

import pytest
from PIL import Image

from handlers.errors import BrokenImageError, ImageTooLargeError, UnsupportedFormatError
from handlers.imaging import Limits, Picture, convert, describe, open_picture, resize
from handlers.imaging.formats.heif import SHARED_BYTES
from handlers.imaging.formats.heif_items import ImageItem
from handlers.imaging.formats.heif_shown import profile_of, shown
from handlers.imaging.pixels.code_points import coded_profile
from tests.handlers.imaging.heif import box, container, extent, grid, reference, resized
from tests.handlers.imaging.pictures import (
    GREEN,
    RED,
    chunk,
    corners,
    difference,
    exif,
    opened,
    p3_profile,
    photo,
    saved,
)

FORMATS = ("jpeg", "png", "gif", "avif")
FINE = {"quality": 100, "subsampling": "4:4:4", "speed": 9}
SIZE = (160, 120)


def avif(data: bytes, **limits: int) -> Picture:
    return open_picture(data, Limits(**limits), formats=FORMATS)


def fine(image: Image.Image, **options: Any) -> bytes:
    return saved(image, "AVIF", **{**FINE, **options})


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_an_avif_is_converted(mode: str) -> None:
    """The JPEG shows the AVIF's pixels, and a grey picture stays grey."""
    jpeg = opened(convert(avif(saved(photo(mode=mode), "AVIF", quality=95))))
    assert (jpeg.mode, jpeg.size) == (mode, SIZE)
    assert difference(jpeg, photo(mode=mode)) < 3


def test_an_avif_is_resized() -> None:
    """Each size has its width and the master's aspect ratio."""
    sizes = resize(avif(fine(photo())), {"small": 40, "large": 320})
    assert {name: opened(jpeg).size for name, jpeg in sizes.items()} == {"small": (40, 30), "large": (320, 240)}


def test_an_avif_is_described_by_its_items() -> None:
    """The facts come from the container's items, EXIF included."""
    facts = describe(avif(fine(photo(), exif=exif({0x010F: b"Maker", 0x0112: 6}))))
    assert (facts.format, facts.width, facts.height, facts.mode, facts.has_alpha) == ("AVIF", 160, 120, "RGB", False)
    assert (facts.camera_make, facts.orientation, facts.frames) == ("Maker", 6, 1)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_avif_is_turned_upright(orientation: int) -> None:
    """Its transformations, which the encoder derives from EXIF's orientation, are applied once."""
    data = fine(corners(), exif=exif({0x010F: b"Maker", 0x0112: orientation}))
    expected = opened(convert(saved(corners(), "PNG", exif=exif({0x0112: orientation}))))
    assert difference(opened(convert(avif(data))), expected) < 2
    assert describe(avif(data)).orientation == orientation


def test_exif_alone_does_not_turn_an_avif() -> None:
    """Only the transformation properties turn a picture: the file format says so, and browsers agree."""
    data = fine(corners(), exif=exif({0x0113: 6})).replace(b"\x01\x13\0\3", b"\x01\x12\0\3")
    assert difference(opened(convert(avif(data))), corners()) < 5
    assert describe(avif(data)).orientation == 1


def test_transparent_pixels_show_the_background() -> None:
    """Alpha, which is a separate item, is applied."""
    image = Image.new("RGBA", (64, 48), (0, 0, 255, 0))
    image.paste((255, 0, 0, 255), (0, 0, 32, 48))
    picture = avif(fine(image))
    assert picture.header.has_alpha
    shown = opened(convert(picture, background=GREEN, subsampling="4:4:4"))
    assert difference(shown.crop((0, 0, 30, 48)), Image.new("RGB", (30, 48), RED)) < 3
    assert difference(shown.crop((34, 0, 64, 48)), Image.new("RGB", (30, 48), GREEN)) < 3


def test_a_profile_is_applied() -> None:
    """Colours are converted to sRGB as for a PNG."""
    expected = opened(convert(saved(photo(), "PNG", icc_profile=p3_profile())))
    assert difference(opened(convert(avif(fine(photo(), icc_profile=p3_profile())))), expected) < 2


def test_code_points_are_applied_as_a_profile() -> None:
    """Display P3 given only by code points is converted; unknown code points leave a warning."""
    data, named = fine(photo()), b"nclx\0\x01\0\x0d"
    p3, unknown = (avif(data.replace(named, b"nclx" + struct.pack(">HH", *codes))) for codes in ((12, 13), (9, 10)))
    expected = opened(convert(saved(photo(), "PNG", icc_profile=p3_profile())))
    assert difference(opened(convert(p3)), expected) < 3
    assert describe(unknown).warnings == ("the colr box was ignored: its colours of code 9, 10 are not known",)


@pytest.mark.parametrize("transfer", [16, 18], ids=["PQ", "HLG"])
def test_hdr_is_shown_as_in_a_png(transfer: int) -> None:
    """A picture of BT.2020 in PQ or HLG is fit into sRGB, without a warning."""
    hdr = fine(photo()).replace(b"nclx\0\x01\0\x0d", b"nclx" + struct.pack(">HH", 9, transfer))
    png = saved(photo(), "PNG")
    output = convert(avif(hdr))
    expected = opened(convert(png[:33] + chunk(b"cICP", bytes((9, transfer, 0, 1))) + png[33:]))
    assert difference(opened(output), expected) < 3
    assert output.warnings == ()


def test_the_brightest_light_of_an_hdr_picture_counts() -> None:
    """It is given in cd/m2 by the property `clli`, of which 0 means that it is unknown."""
    colours = b"colr", b"nclx" + struct.pack(">HHH", 9, 16, 9)
    for nits, light in ((400, [(b"clli", struct.pack(">HH", 400, 100))]), (0, [(b"clli", bytes(4))]), (0, [])):
        item = ImageItem(properties=[colours, *light])
        assert profile_of([item], [], grey=False) == coded_profile(9, 16, grey=False, peak_nits=nits)


@pytest.mark.parametrize("transfer", [1, 6, 14, 15])
def test_the_curve_of_television_counts_as_srgb(transfer: int) -> None:
    """Converters write it for pictures in sRGB, and browsers show those unchanged."""
    data = fine(photo())
    coded = data.replace(b"nclx\0\x01\0\x0d", b"nclx" + struct.pack(">HH", 1, transfer))
    output = convert(avif(coded))
    assert bytes(output) == bytes(convert(avif(data)))
    assert output.warnings == ()


def test_artist_and_copyright_are_kept_and_the_rest_is_dropped() -> None:
    """Artist and copyright are kept, from EXIF or XMP; the GPS position is not."""
    packet = b"<x><dc:creator><rdf:Seq><rdf:li>Ada</rdf:li></rdf:Seq></dc:creator></x>"
    jpeg = opened(convert(avif(fine(photo(), exif=exif({0x8298: b"ACME"}, gps={1: b"N"}), xmp=packet))))
    assert dict(jpeg.getexif()) == {0x8298: "ACME", 0x013B: "Ada"}


def test_a_sequence_shows_its_still_picture() -> None:
    """The still picture is converted, and all frames are counted, up to the limit."""
    data = fine(photo(), save_all=True, append_images=[photo().rotate(90)] * 3)
    assert describe(avif(data)).frames == 4
    assert difference(opened(convert(avif(data))), photo()) < 3
    facts = describe(avif(data, max_frames=3))
    assert (facts.frames, "more than the 3 frames" in facts.warnings[0]) == (1, True)


def test_a_picture_is_cropped_to_its_clean_aperture() -> None:
    """The output shows only the aperture, and has its size."""
    data, shown = fine(photo()), struct.pack(">8i", 80, 1, 60, 1, 0, 1, -30, 1)
    cut = container([(b"av01", [1, 2, 3], (0, *_data(data)), b"")], [extent(*SIZE), _av1(data), box(b"clap", shown)])
    shift = len(cut)
    start, size = _data(data)
    cut = cut.replace(struct.pack(">II", start, size), struct.pack(">II", shift, size)) + data[start : start + size]
    assert describe(avif(cut)).width == 80
    assert difference(opened(convert(avif(cut))), photo().crop((40, 0, 120, 60))) < 3


def test_a_clean_aperture_between_pixels_keeps_its_size() -> None:
    """An aperture of odd width in the centre of an even picture begins at half a pixel; its size is kept."""
    warnings = list[str]()
    for side, width, left in ((100, 51, 25), (102, 51, 26), (101, 50, 26)):
        aperture = struct.pack(">8i", width, 1, 60, 1, 0, 1, 0, 1)
        item = ImageItem(properties=[(b"clap", aperture)])
        assert shown(item, (side, 60), warnings) == ((left, 0, left + width, 60), 1)
    assert not warnings


def _data(data: bytes) -> tuple[int, int]:
    """Return the start and size of the single item's data, which end the file."""
    start = data.index(b"mdat") + 4
    return start, len(data) - start


def _av1(data: bytes) -> bytes:
    """Return a file's decoder configuration."""
    at = data.index(b"av1C") - 4
    return data[at : at + int.from_bytes(data[at : at + 4])]


def test_a_gain_map_is_ignored_with_a_warning() -> None:
    """The base picture is used, with a warning."""
    data = container(
        [(b"av01", [1, 2], (0, 0, 9), b""), (b"tmap", [1], (0, 0, 9), b"")],
        [extent(8, 8), box(b"av1C", bytes(4))],
        reference(b"dimg", 2, [1]),
    )
    assert describe(avif(data)).warnings == ("the HDR gain map was ignored",)


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.9, 0.99])
def test_a_truncated_avif_is_refused(share: float) -> None:
    """A truncated file is refused wherever it ends."""
    data = fine(photo())
    with pytest.raises(BrokenImageError):
        convert(avif(data[: int(share * len(data))]))


def test_a_bomb_is_refused_by_its_header() -> None:
    """Neither too large a declared size nor coded data larger than declared is decoded."""
    data = saved(Image.new("RGB", (2000, 2000)), "AVIF", speed=10)
    with pytest.raises(ImageTooLargeError, match="maxPixels"):
        convert(avif(resized(data, (2000, 2000), (30_000, 30_000))))
    with pytest.raises(BrokenImageError, match="its header says 16 x 16 pixels, its coded data 2000 x 2000"):
        convert(avif(resized(data, (2000, 2000), (16, 16))))


def test_a_grid_that_does_not_match_its_tiles_is_refused() -> None:
    """A grid is refused where its tiles cover more than its picture, or where some of them are missing."""
    tile = [extent(64, 64), box(b"av1C", bytes(4)), extent(70_000, 70_000)]

    def of(rows: int, columns: int, tiles: int) -> bytes:
        items = [(b"grid", [3], (1, 0, 12), b""), *[(b"av01", [1, 2], (0, 0, 9), b"")] * tiles]
        links = reference(b"dimg", 1, range(2, 2 + tiles))
        return container(items, tile, links, idat=grid(rows, columns, 70_000, 70_000))

    with pytest.raises(BrokenImageError, match="its grid of 2 x 2 tiles is not as large as its picture"):
        avif(of(2, 2, 4))
    with pytest.raises(BrokenImageError, match="its grid of 2 x 2 does not fit its 3 tiles"):
        avif(of(2, 2, 3))


@pytest.mark.parametrize(
    "data",
    [
        box(b"ftyp", b"avif", bytes(4), b"avif") + box(b"free") * 1_000,
        container([(b"av01", [1], (0, 0, 9), b"")] * 5_000, [extent(8, 8)]),
        container([(b"av01", [1], (0, 0, 9), b"")], [extent(8, 8)] * 5_000),
        container([(b"av01", [1] * 255, (0, 0, 9), b"")] * 4_000, [extent(8, 8)]),
        box(b"ftyp", b"avif", bytes(4), b"avif") + struct.pack(">I4s", 1 << 31, b"meta"),
    ],
    ids=["boxes", "items", "properties", "links", "bytes"],
)
def test_an_overlong_list_is_refused(data: bytes) -> None:
    """An overlong list is refused before much of it is read."""
    with pytest.raises(ImageTooLargeError):
        avif(data)


@pytest.mark.parametrize(
    "data",
    [
        box(b"ftyp", b"avif", bytes(4), b"avif"),
        container([(b"av01", [], (0, 0, 9), b"")], []),
        container([(b"av01", [1], (0, 0, 9), b"")], [extent(0, 8)]),
        box(b"ftyp", b"avif", bytes(4), b"avif") + struct.pack(">I4sQ", 1, b"free", (1 << 64) - 1),
        container([(b"av01", [1], (0, 0, 9), b"")], [extent(8, 8)], b"\0\0\0\7"),
    ],
    ids=["no meta", "no size", "no width", "far away", "short box"],
)
def test_an_avif_without_a_picture_is_refused(data: bytes) -> None:
    """A file is refused where a mandatory box is missing or a size exceeds the file."""
    with pytest.raises(BrokenImageError):
        convert(avif(data))


def test_a_picture_in_another_coding_is_refused() -> None:
    """An HEVC item in an AVIF is refused: each format has a single decoder."""
    with pytest.raises(UnsupportedFormatError, match=r"^expected a picture of type av01 .* got 'hvc1'"):
        avif(container([(b"hvc1", [1], (0, 0, 9), b"")], [extent(8, 8)]))


def sharing(data: bytes, rows: int, *turns: bytes) -> bytes:
    """Return a grid of rows of two tiles, all with the data of one AVIF of `SIZE`; grid and tiles have `turns`."""
    start, size = _data(data)
    tiles, whole = 2 * rows, (2 * SIZE[0], rows * SIZE[1])
    further = list(range(4, 4 + len(turns)))
    items = [(b"grid", [3, *further], (1, 0, 12), b""), *[(b"av01", [1, 2, *further], (0, start, size), b"")] * tiles]
    properties = [extent(*SIZE), _av1(data), extent(*whole), *turns]
    links = reference(b"dimg", 1, range(2, 2 + tiles))
    head = container(items, properties, links, idat=grid(rows, 2, *whole))
    return head.replace(struct.pack(">II", start, size), struct.pack(">II", len(head), size)) + data[start:]


def test_flat_tiles_may_share_their_data() -> None:
    """Encoders store equal tiles once."""
    image = Image.new("RGB", SIZE, RED)
    data = sharing(fine(image), 40)
    assert difference(opened(convert(avif(data))), Image.new("RGB", (2 * SIZE[0], 40 * SIZE[1]), RED)) < 2


def test_transformations_of_tiles_are_ignored() -> None:
    """Encoders write those of the picture to its tiles, too."""
    image = opened(convert(avif(sharing(fine(corners(SIZE)), 1, box(b"irot", b"\1"))), subsampling="4:4:4"))
    expected = Image.new("RGB", (2 * SIZE[0], SIZE[1]))
    expected.paste(corners(SIZE), (0, 0))
    expected.paste(corners(SIZE), (SIZE[0], 0))
    assert difference(image, expected.rotate(90, expand=True)) < 3


def test_tiles_that_share_much_data_are_refused() -> None:
    """A small file must not take the time of a large one."""
    data = fine(photo())
    with pytest.raises(BrokenImageError, match="longer than"):
        convert(avif(sharing(data, 2 + SHARED_BYTES // len(data))))


def test_an_avif_is_refused_unless_it_is_listed() -> None:
    """The message names the setting that allows it."""
    with pytest.raises(UnsupportedFormatError, match=r"got an AVIF picture: .*, or add avif to inputFormats$"):
        open_picture(fine(photo()), Limits())
    with pytest.raises(UnsupportedFormatError, match=r"^expected an AVIF, got a PNG picture: .* add png to"):
        open_picture(saved(photo(), "PNG"), Limits(), formats=["avif"])


def test_an_avif_is_guarded() -> None:
    """An AVIF is decoded in a child process only."""
    assert avif(fine(photo())).guarded
