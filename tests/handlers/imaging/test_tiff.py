"""TIFF as an input format: detected, bounded, upright, in sRGB, on the background, and whole or refused."""

import io
import struct
import zlib
from typing import Any

import pytest
from PIL import Image, TiffImagePlugin

from handlers.errors import BrokenImageError, ImageTooLargeError, UnsupportedFormatError
from handlers.imaging import Limits, Picture, convert, describe, open_picture, resize
from tests.handlers.imaging.pictures import (
    BLACK,
    GREEN,
    RED,
    WHITE,
    cmyk_profile,
    corners,
    difference,
    exif,
    opened,
    p3_profile,
    photo,
    saved,
)
from tests.handlers.imaging.tiffs import plain, tiff

FORMATS = ("jpeg", "png", "gif", "tiff")
SIZE = (160, 120)


def of(data: bytes, **limits: int) -> Picture:
    return open_picture(data, Limits(**limits), formats=FORMATS)


def shown(data: bytes) -> Image.Image:
    return opened(convert(of(data), background=GREEN, subsampling="4:4:4"))


def with_tags(image: Image.Image, **values: Any) -> bytes:
    """Return a TIFF with extra tags, `t<number>`, beside those that Pillow writes."""
    found = TiffImagePlugin.ImageFileDirectory_v2()
    for tag, value in values.items():
        found[int(tag.removeprefix("t"))] = value
    return saved(image, "TIFF", tiffinfo=found)


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "packbits"])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_tiff_is_converted(mode: str, compression: str) -> None:
    """Each compression is decoded; CMYK without a profile is shown as Pillow shows it."""
    image = shown(saved(photo(mode=mode), "TIFF", compression=compression))
    assert image.mode == ("L" if mode == "L" else "RGB")
    assert difference(image, photo(mode=mode).convert("RGB")) < 1.5


@pytest.mark.parametrize("compression", ["group3", "group4", "raw"])
def test_black_and_white_is_converted(compression: str) -> None:
    """Fax compressions are decoded too, in which 0 is white."""
    assert difference(shown(saved(photo(mode="1"), "TIFF", compression=compression)), photo(mode="1")) < 2


def test_a_jpeg_within_a_tiff_is_converted() -> None:
    """A JPEG-compressed TIFF, with subsampled colours, is decoded."""
    assert difference(shown(saved(photo(), "TIFF", compression="jpeg", quality=95)), photo()) < 3


def test_a_palette_is_converted() -> None:
    """Palettes of 16 bits are read, and those that a program wrote in 8 bits."""
    image = photo().quantize(64)
    assert difference(shown(saved(image, "TIFF")), image.convert("RGB")) < 1.5
    colours = [0] * 768
    colours[5], colours[256 + 5] = 255, 128
    tags = plain(8, 8, 1) | {262: (3, [3]), 320: (3, colours)}
    assert difference(shown(tiff(tags, [b"\5" * 64])), Image.new("RGB", (8, 8), (255, 128, 0))) < 2


@pytest.mark.parametrize("photometric", [0, 1])
@pytest.mark.parametrize("depth", [1, 4, 8, 16])
@pytest.mark.parametrize("order", ["<", ">"])
def test_grey_levels_follow_the_photometric_tag(order: str, depth: int, photometric: int) -> None:
    """Zero is black or white, as the photometric tag says; 16 bits are scaled, not clipped."""
    rows = [(1 << depth) - 1] * 64 + [0] * 64
    bits = "".join(f"{one:0{depth}b}" for one in rows)
    data = int(bits, 2).to_bytes(len(bits) // 8)
    if depth == 16 and order == "<":
        data = b"".join(data[at : at + 2][::-1] for at in range(0, len(data), 2))
    image = shown(tiff(plain(8, 16, 1, depth, t262=(3, [photometric])), [data], order=order))
    bright, dark = ((0, 7) if photometric else (8, 15)), ((8, 15) if photometric else (0, 7))
    assert difference(image.crop((0, bright[0], 8, bright[1])), Image.new("RGB", (8, 7), WHITE)) < 2
    assert difference(image.crop((0, dark[0], 8, dark[1])), Image.new("RGB", (8, 7), BLACK)) < 2


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("planes", [1, 2])
@pytest.mark.parametrize("big", [False, True])
def test_16_bits_are_scaled(order: str, planes: int, *, big: bool) -> None:
    """16 bits are scaled in either byte order, in one plane or three, and in a BigTIFF."""
    pixel = struct.pack(order + "3H", 0xFF00, 0x8000, 0x0040)
    data = [pixel * 64] if planes == 1 else [pixel[at : at + 2] * 64 for at in (0, 2, 4)]
    image = shown(tiff(plain(8, 8, 3, 16, t284=(3, [planes])), data, order=order, big=big))
    assert difference(image, Image.new("RGB", (8, 8), (255, 128, 0))) < 2


@pytest.mark.parametrize(("kind", "pixel"), [(1, (128, 0, 0, 128)), (2, (255, 0, 0, 128)), (0, (255, 0, 0, 0))])
def test_the_fourth_sample_is_interpreted_by_its_kind(kind: int, pixel: tuple[int, int, int, int]) -> None:
    """The fourth sample is premultiplied alpha, straight alpha or no alpha."""
    data = tiff(plain(8, 8, 4, t338=(3, [kind])), [bytes(pixel) * 64])
    expected = RED if not kind else (128, 127, 0)
    assert describe(of(data)).has_alpha == bool(kind)
    assert difference(shown(data), Image.new("RGB", (8, 8), expected)) < 3


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_tiff_is_turned_upright(orientation: int) -> None:
    """Its orientation tag is applied once."""
    expected = opened(convert(saved(corners(), "PNG", exif=exif({0x0112: orientation})), subsampling="4:4:4"))
    data = with_tags(corners(), t274=orientation)
    assert difference(shown(data), expected) < 2
    assert (describe(of(data)).orientation, describe(of(data)).width) == (orientation, 64)


@pytest.mark.parametrize(("mode", "profile"), [("RGB", p3_profile()), ("CMYK", cmyk_profile())])
def test_a_profile_is_applied(mode: str, profile: bytes) -> None:
    """Colours are converted to sRGB as for a JPEG."""
    data = saved(photo(mode=mode), "TIFF", icc_profile=profile)
    expected = saved(photo(mode=mode), "JPEG", quality=100, subsampling=0, icc_profile=profile)
    assert difference(shown(data), opened(convert(expected, subsampling="4:4:4", reencode="always"))) < 3


def test_a_tiff_is_described_by_its_directories() -> None:
    """EXIF comes from the first directory; tags about pixel storage are left out."""
    data = saved(photo(), "TIFF", exif=b"Exif\0\0" + exif({0x010F: b"Maker"}, {0x8827: 200}))
    facts = describe(of(data))
    assert (facts.format, facts.width, facts.height, facts.mode, facts.frames) == ("TIFF", 160, 120, "RGB", 1)
    assert (facts.camera_make, facts.iso) == ("Maker", 200)
    assert not facts.tags.keys() & {"StripOffsets", "ImageWidth", "BitsPerSample"}


def test_artist_and_copyright_are_kept() -> None:
    """Artist and copyright are kept, from the directory itself, IPTC or XMP."""
    packet = b"<x><dc:creator><rdf:Seq><rdf:li>Ada</rdf:li></rdf:Seq></dc:creator></x>"
    notice = b"\x1c\2\x74" + struct.pack(">H", 4) + b"ACME"
    for tags in ({"t315": "Ada", "t33432": "ACME"}, {"t700": packet, "t33723": notice}):
        jpeg = opened(convert(of(with_tags(photo(), **tags))))
        assert dict(jpeg.getexif()) == {0x8298: "ACME", 0x013B: "Ada"}


def test_the_first_of_several_pages_is_shown() -> None:
    """All pages are counted, up to the limit; a circular chain of directories ends."""
    data = saved(photo(), "TIFF", save_all=True, append_images=[photo().rotate(90)] * 3)
    assert describe(of(data)).frames == 4
    assert difference(shown(data), photo()) < 1.5
    facts = describe(of(data, max_frames=3))
    assert (facts.frames, "more than the 3 frames" in facts.warnings[0]) == (1, True)
    ring = tiff(plain(1, 1), [b"abc"], after=20)
    assert describe(of(ring)).frames == 1


@pytest.mark.parametrize("predictor", [2, 3])
def test_a_predictor_without_compression_is_ignored(predictor: int) -> None:
    """Only LZW and Deflate have a predictor; the tag stays behind when a program removes the compression."""
    data = tiff(plain(*SIZE, t317=(3, [predictor])), [photo().tobytes()])
    assert difference(shown(data), photo()) < 1.5


@pytest.mark.parametrize("compression", [1, 8])
@pytest.mark.parametrize("sizes", [{}, {279: (4, [0, 0])}], ids=["missing", "zero"])
def test_strips_without_sizes_reach_to_the_next(compression: int, sizes: dict[int, Any]) -> None:
    """Old programs leave out the strips' sizes, or write 0; the strips are still checked against their pixels."""
    rows = [photo().tobytes()[:28_800], photo().tobytes()[28_800:]]
    data = [zlib.compress(part) if compression == 8 else part for part in rows]
    tags = plain(*SIZE, t259=(3, [compression]), t278=(4, [60])) | {273: (4, [8, 8 + len(data[0])])} | sizes
    head = tiff(tags)
    moved = tags | {273: (4, [len(head), len(head) + len(data[0])])}
    whole = tiff(moved) + b"".join(data)
    assert difference(shown(whole), photo()) < 1.5
    with pytest.raises(BrokenImageError):
        convert(of(whole[:-5000]))


GREY = photo((20, 20), "L")
TILES = [GREY.crop((left, top, left + 16, top + 16)).tobytes() for top in (0, 16) for left in (0, 16)]
PLACES = {324: (4, [16, 272, 528, 784]), 325: (4, [256] * 4)}
RED_UNIT = bytes((76, 76, 76, 76, 85, 255))


@pytest.mark.parametrize(
    ("tags", "parts", "expected"),
    [
        (plain(20, 20, 1, t278=(4, [8])), [GREY.tobytes()[at : at + 160] for at in (0, 160, 320)], GREY),
        (plain(20, 20, 1, t322=(4, [16]), t323=(4, [16])) | PLACES, TILES, GREY),
        (
            plain(20, 20, t262=(3, [6]), t278=(4, [8])),
            [RED_UNIT * 40, RED_UNIT * 40, RED_UNIT * 20],
            Image.new("RGB", (20, 20), (254, 0, 0)),
        ),
    ],
    ids=["strips", "tiles", "subsampled strips"],
)
def test_the_last_part_of_a_picture_may_be_smaller(
    tags: dict[int, Any], parts: list[bytes], expected: Image.Image
) -> None:
    """The last strip has the remaining rows only, and the last tiles are complete."""
    assert difference(shown(tiff(tags, parts)), expected) < 2
    shorter = {325: (4, [256, 256, 256, 255])} if 325 in tags else {}
    with pytest.raises(BrokenImageError, match="cannot hold its pixels"):
        shown(tiff(tags | shorter, [*parts[:-1], parts[-1][:-1]]))


def test_samples_of_an_undefined_format_are_whole_numbers() -> None:
    """A sample format of 4 (undefined) counts as unsigned, as if the tag was not there."""
    assert difference(shown(tiff(plain(*SIZE, t339=(3, [4, 4, 4])), [photo().tobytes()])), photo()) < 1.5


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"])
@pytest.mark.parametrize("share", [0.1, 0.6, 0.97])
def test_a_truncated_tiff_is_refused(compression: str, share: float) -> None:
    """A truncated file is refused wherever it ends, even if its strip declares the shorter length."""
    data = saved(photo(), "TIFF", compression=compression)
    with pytest.raises(BrokenImageError):
        convert(of(data[: int(share * len(data))]))
    image = TiffImagePlugin.TiffImageFile(io.BytesIO(data))
    start, size = image.tag_v2[273][0], image.tag_v2[279][0]
    kept = {tag: image.tag_v2[tag] for tag in (259, 262, 347, 530) if tag in image.tag_v2}
    tags = plain(*SIZE) | {
        tag: (7, value) if isinstance(value, bytes) else (3, value if isinstance(value, tuple) else [value])
        for tag, value in kept.items()
    }
    with pytest.raises(BrokenImageError):
        convert(of(tiff(tags, [data[start : start + int(share * size)]])))


def in_jpeg(strip: bytes, width: int = SIZE[0], height: int = SIZE[1]) -> bytes:
    """Return a TIFF whose single strip is a JPEG."""
    return tiff(plain(width, height, t259=(3, [7]), t262=(3, [6]), t530=(3, [1, 1])), [strip])


def test_a_directory_that_is_cut_is_refused() -> None:
    """Its last tag here is the predictor, without which the pixels would be wrong."""
    rows = zlib.compress(bytes([1]) * 64)
    data = tiff(plain(8, 8, 1, t259=(3, [8]), t317=(3, [2])), [rows])
    assert opened(convert(of(data))).getpixel((7, 0)) == pytest.approx(8, abs=1)
    with pytest.raises(BrokenImageError, match="truncated: it ends within its directory"):
        of(data[:-16])


def test_a_tag_of_the_pixels_whose_value_lies_outside_is_refused() -> None:
    """Without its value, signed samples would count as unsigned."""
    data = tiff(plain(8, 8, t339=(3, [2, 2, 2])), [bytes(192)])
    with pytest.raises(UnsupportedFormatError):
        of(data)
    with pytest.raises(BrokenImageError, match="no value for tag 339, which decoders need"):
        of(data[:-6])


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_strip_cut_before_its_end_marker_is_refused(progressive: bool) -> None:  # noqa: FBT001
    """Only libtiff's warning tells what it fills in; bytes after the end marker do not matter."""
    strip = saved(photo(), "JPEG", quality=95, subsampling=0, progressive=progressive)
    for share in (0.5, 0.97):
        with pytest.raises(BrokenImageError, match="strip or tile 0"):
            convert(of(in_jpeg(strip[: int(share * len(strip))] + b"\xff\xd9")))
    assert difference(shown(in_jpeg(strip + bytes(100))), photo()) < 3
    assert difference(shown(in_jpeg(strip, height=110)), photo().crop((0, 0, 160, 110))) < 3


@pytest.mark.parametrize("size", [(160, 240), (320, 120)])
def test_a_jpeg_smaller_than_its_strip_is_refused(size: tuple[int, int]) -> None:
    """The rest of the strip would be black."""
    with pytest.raises(BrokenImageError, match="strip or tile 0, of 160 x 120 pixels, does not fit its"):
        convert(of(in_jpeg(saved(photo(), "JPEG", subsampling=0), *size)))


def test_jpeg_tiles_need_to_cover_only_the_picture() -> None:
    """The last column of tiles may be as narrow as the picture, or as wide as all tiles."""
    strips = [
        saved(photo().crop((left, 0, right, 120)), "JPEG", subsampling=0) for left, right in ((0, 128), (128, 160))
    ]
    tags = plain(*SIZE, t259=(3, [7]), t262=(3, [6]), t530=(3, [1, 1]), t322=(4, [128]), t323=(4, [128]))
    starts = [16, 16 + len(strips[0])]
    data = tiff(tags | {324: (4, starts), 325: (4, [len(strip) for strip in strips])}, strips)
    assert difference(shown(data), photo()) < 4


def test_many_jpegs_are_refused() -> None:
    """Each JPEG is checked, so there are fewer than of other strips or tiles."""
    tags = plain(2080, 2096, t259=(3, [7]), t262=(3, [6]), t322=(4, [16]), t323=(4, [16]))
    places = {324: (4, list(range(8, 8 + 17_030))), 325: (4, [1] * 17_030)}
    with pytest.raises(ImageTooLargeError, match="at most 1,064 JPEGs"):
        convert(of(tiff(tags | places)))


def test_many_scans_of_many_jpegs_are_refused() -> None:
    """The scans of all JPEGs together are limited, because each takes time, however small it is."""
    tile = saved(Image.new("L", (64, 64), 128), "JPEG", progressive=True)
    scan = tile[tile.rindex(b"\xff\xda") : -2]
    tile, count = tile[:-2] + scan * 90 + tile[-2:], 20 * 20
    tags = plain(20 * 64, 20 * 64, 1, t259=(3, [7]), t322=(4, [64]), t323=(4, [64]))
    places = {324: (4, [16 + len(tile) * number for number in range(count)]), 325: (4, [len(tile)] * count)}
    with pytest.raises(ImageTooLargeError, match="blocks in all scans of its JPEGs"):
        convert(of(tiff(tags | places, [tile] * count)))


@pytest.mark.parametrize("tag", [{273: (4, [0])}, {273: (4, [7])}])
def test_a_strip_within_the_file_header_is_refused(tag: dict[int, Any]) -> None:
    """Zeros in place of the strips' positions do not name data."""
    with pytest.raises(BrokenImageError, match="lies outside"):
        of(tiff(plain(8, 8) | tag | {279: (4, [192])}, [bytes(192)]))


def test_a_bomb_is_refused_by_its_header() -> None:
    """A declared size over the limit is refused, and so is one that the data cannot hold."""
    with pytest.raises(ImageTooLargeError, match="maxPixels"):
        convert(of(tiff(plain(30_000, 30_000), [b"abc"])))
    for compression in (1, 2, 3, 4, 5, 7, 8, 32_773, 32_946):
        tags = plain(8_000, 8_000, t259=(3, [compression]))
        if compression in (2, 3, 4):
            tags |= plain(8_000, 8_000, 1, 1) | {259: (3, [compression])}
        with pytest.raises(BrokenImageError, match="cannot hold its pixels"):
            convert(of(tiff(tags, [zlib.compress(b"abc")])))


@pytest.mark.parametrize(
    "tags",
    [
        plain(8, 8, t322=(4, [1 << 30]), t323=(4, [1 << 30]), t324=(4, [8]), t325=(4, [8])),
        plain(8, 8, t278=(4, [1])),
        plain(8, 8, t273=(4, [1 << 31]), t279=(4, [192])),
        plain(8, 8, t273=(4, [8] * 8), t279=(4, [100] * 8), t278=(4, [1])),
        plain(8, 8, t277=(3, [60_000])),
        plain(0, 8),
        {},
    ],
    ids=["huge tiles", "few strips", "outside", "overlapping", "many samples", "no width", "empty"],
)
def test_contradictory_tags_are_refused(tags: dict[int, Any]) -> None:
    """Contradictory tags are refused."""
    with pytest.raises(BrokenImageError):
        convert(of(tiff(tags, [bytes(64)])))


def test_many_strips_are_refused() -> None:
    """More strips than the largest picture can have, in two planes, are refused."""
    with pytest.raises(ImageTooLargeError, match="at most 131,072 strips or tiles"):
        of(tiff(plain(60_000, 60_000, t278=(4, [1]), t284=(3, [2]), t273=(4, [8]), t279=(4, [1]))))


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        (plain(8, 8, 1, 32, t339=(3, [3])), "got other numbers of 32 bits"),
        (plain(8, 8, t262=(3, [8])), "got colours of kind 8"),
        (plain(8, 8, t259=(3, [6])), "got compression 6"),
        (plain(8, 8, 2, 16), "beside grey one of 8 bits, got 2 samples of 16 bits a pixel"),
        (
            plain(8, 8, 2, t338=(3, [2]), t284=(3, [2]), t273=(4, [16, 80]), t279=(4, [64, 64])),
            "opacity in one plane, got two planes",
        ),
    ],
    ids=["float", "Lab", "old JPEG", "wide alpha", "plane of alpha"],
)
def test_unsupported_kinds_are_refused(tags: dict[int, Any], reason: str) -> None:
    """Other kinds are refused as unsupported, not as damaged."""
    with pytest.raises(UnsupportedFormatError, match=reason):
        convert(of(tiff(tags, [bytes(512)])))


def test_a_directory_beyond_the_end_of_the_file_is_refused() -> None:
    """A directory offset beyond the end of the file is refused, however large it is."""
    for start in (1 << 20, (1 << 32) - 1):
        with pytest.raises(BrokenImageError):
            of(b"II*\0" + struct.pack("<I", start) + bytes(20))
    with pytest.raises(BrokenImageError):
        of(b"II+\0\10\0\0\0" + struct.pack("<Q", (1 << 64) - 1) + bytes(20))


def test_a_tiff_is_resized() -> None:
    """Each size has its width and the master's aspect ratio."""
    sizes = resize(of(saved(photo(), "TIFF")), {"small": 40, "large": 320})
    assert {name: opened(jpeg).size for name, jpeg in sizes.items()} == {"small": (40, 30), "large": (320, 240)}


def test_a_tiff_is_refused_unless_it_is_listed() -> None:
    """The message names the setting that allows it."""
    for data in (saved(photo(), "TIFF"), tiff(plain(1, 1), [b"abc"], big=True)):
        with pytest.raises(UnsupportedFormatError, match=r"TIFF picture.*, or add tiff to inputFormats$"):
            open_picture(data, Limits())


def test_a_tiff_is_guarded() -> None:
    """A TIFF is decoded in a child process only."""
    assert of(saved(photo(), "TIFF")).guarded
