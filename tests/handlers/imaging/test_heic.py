"""HEIC as an input format: detected, bounded, upright, in sRGB, on the background, and whole or refused."""

import struct
import subprocess
import sys

import pytest
from PIL import Image

from handlers.errors import BrokenImageError, ImageTooLargeError, UnsupportedFormatError
from handlers.imaging import Limits, Picture, convert, describe, open_picture, resize
from handlers.imaging.formats.brands import is_avif, is_heic
from tests.handlers.imaging.heic import (
    CORNERS,
    CORNERS_CONFIGURATION,
    DEEP_GREY,
    DEEP_GREY_CONFIGURATION,
    HALF,
    HALF_CONFIGURATION,
    SIZE,
    heic,
    needs_decoder,
    packed,
    parameters,
)
from tests.handlers.imaging.heif import box, extent, grid, reference
from tests.handlers.imaging.pictures import GREEN, RED, corners, difference, exif, opened, p3_profile, photo, saved

pytestmark = needs_decoder

# By EXIF orientation: anticlockwise quarter turns, then the mirror axis or None.
TURNS: dict[int, tuple[int, int | None]] = {
    1: (0, None),
    2: (0, 1),
    3: (2, None),
    4: (0, 0),
    5: (1, 0),
    6: (3, None),
    7: (3, 0),
    8: (1, None),
}

Item = tuple[bytes, list[int], bytes, bytes]


def of(data: bytes, **limits: int) -> Picture:
    return open_picture(data, Limits(**limits), formats=["jpeg", "heic"])


def shown(data: bytes) -> Image.Image:
    return opened(convert(of(data), background=GREEN, subsampling="4:4:4"))


def nclx(primaries: int, transfer: int) -> bytes:
    return box(b"colr", b"nclx", struct.pack(">HHHB", primaries, transfer, 6, 128))


def test_a_heic_is_converted_and_resized() -> None:
    """The outputs have the expected sizes, and the converted one shows the master's pixels."""
    assert difference(shown(heic()), corners(SIZE)) < 3
    sizes = resize(of(heic()), {"small": 48, "large": 192})
    assert {name: opened(jpeg).size for name, jpeg in sizes.items()} == {"small": (48, 32), "large": (192, 128)}


@pytest.mark.parametrize("orientation", TURNS)
def test_a_heic_is_turned_upright(orientation: int) -> None:
    """Its transformations are applied once; an EXIF orientation that agrees with them changes nothing."""
    quarters, axis = TURNS[orientation]
    turns = [box(b"irot", bytes((quarters,)))] if quarters else []
    turns += [] if axis is None else [box(b"imir", bytes((axis,)))]
    block = bytes(4) + exif({0x0112: orientation, 0x010F: b"Maker"})
    data = heic(*turns, further=[(b"Exif", b"", block)])
    expected = opened(convert(saved(corners(SIZE), "PNG", exif=exif({0x0112: orientation})), subsampling="4:4:4"))
    assert difference(shown(data), expected) < 3
    facts = describe(of(data))
    assert (facts.orientation, facts.camera_make, (facts.width, facts.height)) == (orientation, "Maker", SIZE)


def test_exif_alone_does_not_turn_a_heic() -> None:
    """Only the transformation properties turn a picture."""
    data = heic(further=[(b"Exif", b"", bytes(4) + exif({0x0112: 6}))])
    assert difference(shown(data), corners(SIZE)) < 3
    assert describe(of(data)).orientation == 1


def test_transparent_pixels_show_the_background() -> None:
    """Alpha, which is a separate item, is applied."""
    picture = of(heic(alpha=True))
    assert (picture.header.mode, picture.header.has_alpha) == ("RGBA", True)
    image = shown(heic(alpha=True))
    assert difference(image.crop((0, 0, 46, 30)), Image.new("RGB", (46, 30), RED)) < 3
    assert difference(image.crop((50, 0, 96, 64)), Image.new("RGB", (46, 64), GREEN)) < 3


@pytest.mark.parametrize("colour", [box(b"colr", b"prof", p3_profile()), nclx(12, 13)], ids=["profile", "code points"])
def test_display_p3_is_converted_to_srgb(colour: bytes) -> None:
    """Display P3, given by a profile or by code points, is converted to sRGB as for a PNG."""
    expected = opened(convert(saved(corners(SIZE), "PNG", icc_profile=p3_profile()), subsampling="4:4:4"))
    assert difference(shown(heic(colour)), expected) < 4


def test_a_clean_aperture_is_cropped_before_the_rotation() -> None:
    """The aperture, cut out first, is the white lower right quarter."""
    aperture = box(b"clap", struct.pack(">8i", 40, 1, 24, 1, 24, 1, 16, 1))
    image = shown(heic(aperture, box(b"irot", b"\1")))
    assert image.size == (24, 40)
    assert difference(image, Image.new("RGB", (24, 40), "white")) < 3


@pytest.mark.parametrize("turn", [box(b"irot", b"\1"), box(b"irot", b"\2"), box(b"irot", b"\3"), box(b"imir", b"\0")])
def test_a_clean_aperture_after_a_rotation_is_of_the_turned_picture(turn: bytes) -> None:
    """Properties apply in their order, also an aperture within an aperture."""
    turned, apertures = shown(heic(turn)), [(30, 40, 10, -8), (20, 10, -5, 15)]
    properties = [turn]
    for width, height, across, down in apertures:
        left, top = (turned.width - width) // 2 + across, (turned.height - height) // 2 + down
        turned = turned.crop((left, top, left + width, top + height))
        properties.append(box(b"clap", struct.pack(">8i", width, 1, height, 1, across, 1, down, 1)))
    image = shown(heic(*properties))
    assert image.size == turned.size
    assert difference(image, turned) < 3


@pytest.mark.parametrize("identities", [1, 2])
def test_rotations_of_identity_items_add_up(identities: int) -> None:
    """The picture and each identity item add a quarter turn."""
    properties = [extent(*SIZE), box(b"hvcC", CORNERS_CONFIGURATION), box(b"irot", b"\1")]
    items = [*[(b"iden", [1, 3], b"", b"")] * identities, (b"hvc1", [1, 2, 3], CORNERS, b"")]
    references = b"".join(reference(b"dimg", number, [number + 1]) for number in range(1, identities + 1))
    image = shown(packed(items, properties, references))
    assert difference(image, corners(SIZE).rotate(90 * (identities + 1), expand=True)) < 3


@pytest.mark.parametrize("to", [[], [1], [2, 3], [9]])
def test_an_identity_item_must_reference_one_other_item(to: list[int]) -> None:
    """An identity item that references nothing, itself, several items or a missing item is refused."""
    properties = [extent(*SIZE), box(b"hvcC", CORNERS_CONFIGURATION)]
    items = [(b"iden", [1], b"", b""), (b"hvc1", [1, 2], CORNERS, b""), (b"hvc1", [1, 2], CORNERS, b"")]
    with pytest.raises(BrokenImageError, match="does not show one other item"):
        of(packed(items, properties, reference(b"dimg", 1, to) if to else b""))


def test_a_loop_of_identity_items_is_refused() -> None:
    """A reference loop is refused instead of being followed without end."""
    items = [(b"iden", [1], b"", b"")] * 2
    references = reference(b"dimg", 1, [2]) + reference(b"dimg", 2, [1])
    with pytest.raises(BrokenImageError, match="show"):
        of(packed(items, [extent(*SIZE)], references))


def test_a_grid_is_assembled_from_its_tiles() -> None:
    """The last tiles are cropped; a grid that uses an item twice is refused."""
    size = (2 * SIZE[0] - 8, 2 * SIZE[1] - 4)
    tile = (b"hvc1", [1, 2], CORNERS, b"")
    items = [(b"grid", [3], grid(2, 2, *size), b""), tile, tile, tile, tile]
    properties = [extent(*SIZE), box(b"hvcC", CORNERS_CONFIGURATION), extent(*size)]
    expected = Image.new("RGB", (2 * SIZE[0], 2 * SIZE[1]))
    for left in (0, SIZE[0]):
        for top in (0, SIZE[1]):
            expected.paste(corners(SIZE), (left, top))
    image = shown(packed(items, properties, reference(b"dimg", 1, [2, 3, 4, 5])))
    assert difference(image, expected.crop((0, 0, *size))) < 3
    with pytest.raises(BrokenImageError, match="its grid of 2 x 2 does not fit its 4 tiles"):
        of(packed(items, properties, reference(b"dimg", 1, [2, 2, 2, 2])))


def test_grey_of_ten_bits_is_reduced_to_eight() -> None:
    """Each sample keeps its high bits."""
    data = heic(configuration=DEEP_GREY_CONFIGURATION, data=DEEP_GREY)
    expected = Image.new("L", SIZE, 64)
    expected.paste(191, (SIZE[0] // 2, 0, *SIZE))
    assert difference(shown(data), expected) < 2
    assert describe(of(data)).mode == "L"


@pytest.mark.parametrize("place", [(16, 0xFC), (16, 0xFD), (17, 0xFA)], ids=["grey", "4:2:0", "10 bits"])
def test_coded_data_of_another_kind_than_the_header_says_are_refused(place: tuple[int, int]) -> None:
    """A decoder of grey with another depth would write beyond its memory."""
    configuration = bytearray(CORNERS_CONFIGURATION)
    configuration[place[0]] = place[1]
    with pytest.raises(BrokenImageError, match="its coded data 4:4:4 of 8 bits"):
        convert(of(heic(configuration=bytes(configuration))))


def test_unknown_chroma_is_refused() -> None:
    """There are four codes."""
    with pytest.raises(BrokenImageError, match="its coded data unknown chroma of 8 bits"):
        convert(of(heic(configuration=parameters(*SIZE, chroma=5))))


def test_properties_of_an_item_may_repeat() -> None:
    """An item lists at most 255 properties at a time, but several lists may belong to it."""
    data = heic()
    place = data.index(b"ipma") - 4
    size = int.from_bytes(data[place : place + 4])
    entry = data[place + 16 : place + size] + (struct.pack(">HB", 1, 200) + b"\1" * 200) * 2
    links = box(b"ipma", bytes(4), struct.pack(">I", 3), entry)
    image = shown(replaced(data, place, size, links))
    assert difference(image, corners(SIZE)) < 3


def replaced(data: bytes, place: int, size: int, by: bytes) -> bytes:
    """Return a HEIC with another box at `place` in `iprp`; the sizes around it, and its data's position, follow."""
    more, found = len(by) - size, data[:place] + by + data[place + size :]
    start = data.index(CORNERS)
    for outer in (b"iprp", b"meta"):
        at = data.index(outer) - 4
        found = found[:at] + struct.pack(">I", int.from_bytes(found[at : at + 4]) + more) + found[at + 4 :]
    return found.replace(struct.pack(">II", start, len(CORNERS)), struct.pack(">II", start + more, len(CORNERS)))


def tiled(*properties: bytes, size: tuple[int, int] = (2 * SIZE[0], SIZE[1])) -> tuple[list[bytes], Item]:
    """Return the properties of tiles and of their grid of 2 x 1, which is the last, and the grid."""
    own = [extent(*SIZE), box(b"hvcC", CORNERS_CONFIGURATION), *properties, extent(*size)]
    return own, (b"grid", [len(own)], grid(1, 2, *size), b"")


def test_a_grid_of_tiles_of_several_kinds_is_refused() -> None:
    """A decoder would show memory that it has not set."""
    own, whole = tiled(box(b"hvcC", HALF_CONFIGURATION))
    items = [whole, (b"hvc1", [1, 2], CORNERS, b""), (b"hvc1", [1, 3], HALF, b"")]
    with pytest.raises(BrokenImageError, match="its tiles are of several kinds"):
        of(packed(items, own, reference(b"dimg", 1, [2, 3])))


@pytest.mark.parametrize("tiles", [1, 2])
def test_the_opacity_of_tiles_is_applied_if_all_have_one(tiles: int) -> None:
    """Some encoders store opacity on the tiles, not on their grid."""
    auxiliary = box(b"auxC", bytes(4), b"urn:mpeg:hevc:2015:auxid:1\0")
    own, whole = tiled(box(b"hvcC", HALF_CONFIGURATION), auxiliary)
    tile, opacity = (b"hvc1", [1, 2], CORNERS, b""), (b"hvc1", [1, 3, 4], HALF, b"")
    links = b"".join(reference(b"auxl", 4 + number, [2 + number]) for number in range(tiles))
    picture = of(packed([whole, tile, tile, opacity, opacity], own, reference(b"dimg", 1, [2, 3]) + links))
    assert picture.header.has_alpha == (tiles == 2)
    right = opened(convert(picture, background=GREEN, subsampling="4:4:4")).crop((146, 0, 192, 64))
    expected = Image.new("RGB", right.size, GREEN) if tiles == 2 else corners(SIZE).crop((50, 0, 96, 64))
    assert difference(right, expected) < 3


def test_tiles_are_cut_to_their_clean_aperture() -> None:
    """Encoders enlarge small tiles, and declare what of them is shown."""
    aperture = box(b"clap", struct.pack(">8i", 48, 1, 64, 1, -48, 2, 0, 1))
    own, whole = tiled(aperture, size=SIZE)
    tile = (b"hvc1", [1, 2, 3], CORNERS, b"")
    half = corners(SIZE).crop((0, 0, 48, 64))
    expected = Image.new("RGB", SIZE)
    expected.paste(half, (0, 0))
    expected.paste(half, (48, 0))
    assert difference(shown(packed([whole, tile, tile], own, reference(b"dimg", 1, [2, 3]))), expected) < 3


def test_tiles_of_odd_sides_are_refused_if_colours_are_subsampled() -> None:
    """A decoder leaves samples of colour between such tiles unset."""
    subsampled = bytearray(CORNERS_CONFIGURATION)
    subsampled[16] = 0xFD
    odd = (SIZE[0] - 1, SIZE[1])
    own = [extent(*odd), box(b"hvcC", bytes(subsampled)), extent(2 * odd[0], odd[1])]
    items = [(b"grid", [3], grid(1, 2, 2 * odd[0], odd[1]), b""), *[(b"hvc1", [1, 2], CORNERS, b"")] * 2]
    with pytest.raises(UnsupportedFormatError, match="got 95 x 64 pixels: save it again"):
        of(packed(items, own, reference(b"dimg", 1, [2, 3])))


@pytest.mark.parametrize("kind", [b"clli", b"mdcv", b"ndwt", b"cmin"])
def test_properties_that_only_describe_may_be_essential(kind: bytes) -> None:
    """Browsers and libheif show such a picture, which needs nothing of a decoder."""
    data = heic(box(kind, bytes(8)))
    marked = data.replace(b"\3\1\2\3", b"\3\1\2\x83")
    assert marked != data
    assert difference(shown(marked), corners(SIZE)) < 3


def test_a_picture_without_a_size_is_refused() -> None:
    """The message names the property."""
    with pytest.raises(BrokenImageError, match="a picture has no size"):
        of(packed([(b"hvc1", [1], CORNERS, b"")], [box(b"hvcC", CORNERS_CONFIGURATION)]))


@pytest.mark.parametrize(
    "before",
    [b"\0\0\0\6Exif\0\0", b"\0\0\0\0Exif\0\0", b"Exif\0\0", b"", b"\6\0\0\0Exif\0\0", b"\0\0\0\6", b"\xff\0\0\0"],
    ids=repr,
)
def test_exif_is_read_wherever_it_begins(before: bytes) -> None:
    """Programs get the position of the TIFF header wrong, or leave it out."""
    block = before + exif({0x010F: b"Maker"})
    assert describe(of(heic(further=[(b"Exif", b"", block)]))).camera_make == "Maker"


def test_artist_and_copyright_are_kept_and_the_rest_is_dropped() -> None:
    """Artist and copyright are kept, from EXIF or XMP; the GPS position is not."""
    packet = b"<x><dc:creator><rdf:Seq><rdf:li>Ada</rdf:li></rdf:Seq></dc:creator></x>"
    block = struct.pack(">I", 6) + b"Exif\0\0" + exif({0x8298: b"ACME"}, gps={1: b"N"})
    mime = b"\0application/rdf+xml"
    jpeg = opened(convert(of(heic(further=[(b"Exif", b"", block), (b"mime", mime, packet)]))))
    assert dict(jpeg.getexif()) == {0x8298: "ACME", 0x013B: "Ada"}


@pytest.mark.parametrize("kind", ["apple", "iso"])
def test_a_gain_map_is_ignored_with_a_warning(kind: str) -> None:
    """Apple's gain map is an auxiliary picture, that of ISO 21496-1 a derived one; both are ignored."""
    auxiliary = box(b"auxC", bytes(4), b"urn:com:apple:photo:2020:aux:hdrgainmap\0")
    own = [extent(*SIZE), box(b"hvcC", CORNERS_CONFIGURATION), auxiliary]
    picture = (b"hvc1", [1, 2], CORNERS, b"")
    if kind == "apple":
        data = packed([picture, (b"hvc1", [1, 2, 3], CORNERS, b"")], own, reference(b"auxl", 2, [1]))
    else:
        data = packed([picture, (b"tmap", [1], b"\0", b"")], own, reference(b"dimg", 2, [1]))
    assert describe(of(data)).warnings == ("the HDR gain map was ignored",)
    assert "the HDR gain map was ignored" in convert(of(data)).warnings
    assert difference(shown(data), corners(SIZE)) < 3


@pytest.mark.parametrize("share", [0.1, 0.5, 0.8, 0.9, 0.99])
def test_a_truncated_heic_is_refused(share: float) -> None:
    """A truncated file is refused wherever it ends."""
    data = heic()
    with pytest.raises(BrokenImageError):
        convert(of(data[: int(share * len(data))]))


def test_a_bomb_is_refused_before_it_is_decoded() -> None:
    """Neither too large a declared size nor coded parameters that exceed it reach the decoder."""
    with pytest.raises(ImageTooLargeError, match="maxPixels"):
        convert(of(heic(size=(30_000, 30_000))))
    with pytest.raises(BrokenImageError, match="its header says 96 x 64 pixels, its coded data 16384 x 16384"):
        convert(of(heic(configuration=parameters(16_384, 16_384))))


def test_many_pictures_in_an_item_are_refused() -> None:
    """At most 4 pictures per item are accepted, because a decoder would decode them all."""
    with pytest.raises(ImageTooLargeError, match="at most 4 pictures an item"):
        convert(of(heic(data=CORNERS * 8)))


def test_damaged_data_are_refused() -> None:
    """Coded data that the decoder cannot read are refused."""
    with pytest.raises(BrokenImageError):
        convert(of(heic(data=CORNERS[:4] + bytes(len(CORNERS) - 4))))


@pytest.mark.parametrize(
    ("brands", "avif", "heic_"),
    [
        ((b"heic", b"mif1", b"heic"), False, True),
        ((b"mif1", b"mif1", b"heic"), False, True),
        ((b"mif1", b"mif1", b"avif"), True, False),
        ((b"mif1", b"mif1"), False, True),
        ((b"avis", b"msf1"), True, False),
        ((b"mp42", b"isom"), False, False),
        ((b"crx ", b"crx ", b"isom"), False, False),
    ],
    ids=str,
)
def test_the_format_is_detected_by_the_brands(brands: tuple[bytes, ...], avif: bool, heic_: bool) -> None:  # noqa: FBT001
    """The major brand or a compatible brand gives the format."""
    head = box(b"ftyp", brands[0], bytes(4), *brands[1:])
    assert (is_avif(head), is_heic(head)) == (avif, heic_)


def test_a_heic_is_refused_unless_it_is_listed() -> None:
    """The message names the setting that allows it."""
    with pytest.raises(UnsupportedFormatError, match=r"got a HEIC picture: .*, or add heic to inputFormats$"):
        open_picture(heic(), Limits())
    with pytest.raises(UnsupportedFormatError, match=r"got an AVIF picture: .*, or add avif to inputFormats$"):
        of(saved(photo(), "AVIF"))


def test_a_heic_is_guarded() -> None:
    """A HEIC is decoded in a child process only."""
    assert of(heic()).guarded


def test_a_missing_decoder_raises_an_error_on_load() -> None:
    """A missing pi_heif fails the load with an error instead of rejecting pictures."""
    code = "import sys; sys.modules['pi_heif'] = None; from handlers import imaging; imaging.load_formats(['heic'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "expected the package pi_heif for HEIC, got none" in done.stderr
