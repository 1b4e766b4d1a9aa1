"""Pictures for the tests: made by Pillow where possible, byte by byte for unusual files."""

import io
import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import Any

from PIL import Image, ImageChops, ImageStat

RED, GREEN, BLUE, WHITE, BLACK = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0)
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def photo(size: tuple[int, int] = (160, 120), mode: str = "RGB") -> Image.Image:
    """Return a picture with soft gradients and some detail, like a photograph."""
    width, height = size
    across = Image.linear_gradient("L").rotate(90).resize(size)
    down = Image.linear_gradient("L").resize(size)
    waves = Image.radial_gradient("L").resize((max(1, width // 2), max(1, height // 2))).resize(size)
    return Image.merge("RGB", (across, down, waves)).convert(mode)


def corners(size: tuple[int, int] = (64, 48)) -> Image.Image:
    """Return a picture whose four quarters are red, green, blue and white, so that rotations show."""
    width, height = size
    image = Image.new("RGB", size, RED)
    image.paste(GREEN, (width // 2, 0, width, height // 2))
    image.paste(BLUE, (0, height // 2, width // 2, height))
    image.paste(WHITE, (width // 2, height // 2, width, height))
    return image


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Return the picture's file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def jpeg(image: Image.Image | None = None, **options: Any) -> bytes:
    """Return a JPEG, at quality 95 by default."""
    return saved(image or photo(), "JPEG", **{"quality": 95, **options})


def opened(data: bytes) -> Image.Image:
    """Return the decoded JPEG."""
    image = Image.open(io.BytesIO(data), formats=["JPEG"])
    image.load()
    return image


def difference(one: Image.Image, other: Image.Image) -> float:
    """Return the mean absolute difference of the worst band, in levels."""
    assert one.size == other.size
    return max(ImageStat.Stat(ImageChops.difference(one.convert("RGB"), other.convert("RGB"))).mean)


def segment(marker: int, body: bytes) -> bytes:
    """Return a JPEG segment."""
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


def lossless_jpeg(image: Image.Image, *, restarts: bool = False) -> bytes:
    """Return a grey picture as a lossless JPEG; with `restarts`, there is one before each row but the first.

    Each sample is predicted by that on its left, the first of a row by that above it, or by 128 after a restart.
    """
    width, height = image.size
    rows = [image.crop((0, y, width, y + 1)).tobytes() for y in range(height)]
    before = [128] * height if restarts else [128, *(row[0] for row in rows)]
    codes = [_lossless_row(first, row) for row, first in zip(rows, before, strict=False)]
    parts = [_scan_data(code) for code in codes] if restarts else [_scan_data("".join(codes))]
    data = b"".join(bytes((0xFF, 0xD0 + number % 8)) * (number >= 0) + part for number, part in enumerate(parts, -1))
    table = segment(0xC4, b"\0" + bytes((0, 0, 0, 10)) + bytes(12) + bytes(range(10)))
    frame = segment(0xC3, struct.pack(">BHHB", 8, height, width, 1) + b"\1\x11\0")
    interval = segment(0xDD, struct.pack(">H", width)) if restarts else b""
    return b"\xff\xd8" + table + frame + interval + segment(0xDA, b"\1\1\0\1\0\0") + data + b"\xff\xd9"


def _lossless_row(first: int, row: bytes) -> str:
    return "".join(_difference_code(now - last) for last, now in pairwise((first, *row)))


def _scan_data(bits: str) -> bytes:
    """Return a scan's bits as bytes, filled with ones."""
    data = int(bits + "1" * (-len(bits) % 8), 2).to_bytes(-(-len(bits) // 8))
    return data.replace(b"\xff", b"\xff\0")


def _difference_code(step: int) -> str:
    """Return a difference's length, as a code of 4 bits, and its bits. Source: ITU-T T.81, H.1.2.2."""
    size = abs(step).bit_length()
    return f"{size:04b}" + (f"{step if step > 0 else step + (1 << size) - 1:0{size}b}" if size else "")


def with_segments(data: bytes, *segments: bytes) -> bytes:
    """Return the JPEG with segments inserted right after its SOI."""
    return data[:2] + b"".join(segments) + data[2:]


def exif(
    image: dict[int, Any] | None = None,
    photo: dict[int, Any] | None = None,
    gps: dict[int, Any] | None = None,
    order: str = ">",
) -> bytes:
    """Return a TIFF structure; values are bytes (ASCII), ints (SHORT), (n, d) pairs or (type, count, raw) triples."""
    directories = [dict(image or {}), dict(photo or {}), dict(gps or {})]
    counts = [len(directory) + (2 if index == 0 else 0) for index, directory in enumerate(directories)]
    starts, position = [], 8
    for count in counts:
        starts.append(position)
        position += 2 + 12 * count + 4
    directories[0][0x8769] = (4, 1, struct.pack(order + "I", starts[1]))
    directories[0][0x8825] = (4, 1, struct.pack(order + "I", starts[2]))
    tables, values = b"", b""
    for directory in directories:
        tables += struct.pack(order + "H", len(directory))
        for tag, value in sorted(directory.items()):
            kind, count, raw = _encoded(value, order)
            if len(raw) > 4:
                place = struct.pack(order + "I", position + len(values))
                values += raw + b"\0" * (len(raw) % 2)
            else:
                place = raw.ljust(4, b"\0")
            tables += struct.pack(order + "HHI", tag, kind, count) + place
        tables += b"\0\0\0\0"
    return (b"MM\0*" if order == ">" else b"II*\0") + struct.pack(order + "I", 8) + tables + values


def _encoded(value: Any, order: str) -> tuple[int, int, bytes]:
    if isinstance(value, bytes):
        return 2, len(value) + 1, value + b"\0"
    if isinstance(value, int):
        return 3, 1, struct.pack(order + "H", value)
    if isinstance(value, list):
        return 5, len(value), b"".join(struct.pack(order + "II", *pair) for pair in value)
    if len(value) == 2:
        return 5, 1, struct.pack(order + "II", *value)
    kind, count, raw = value
    return int(kind), int(count), bytes(raw)


def exif_segment(blob: bytes) -> bytes:
    """Return the APP1 segment of a TIFF structure."""
    return segment(0xE1, b"Exif\0\0" + blob)


GPS = {
    1: b"N",
    2: [(52, 1), (31, 1), (1234, 100)],
    3: b"W",
    4: [(13, 1), (24, 1), (0, 1)],
    5: (1, 1, b"\1"),
    6: (305, 10),
    7: [(12, 1), (30, 1), (15, 1)],
    29: b"2024:05:01",
}


def chunk(kind: bytes, data: bytes = b"") -> bytes:
    """Return a PNG chunk."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(
    size: tuple[int, int], depth: int, colour: int, rows: Iterable[bytes], *extra: bytes, tail: bytes = b""
) -> bytes:
    """Return a PNG of raw rows; `extra` chunks come before the data, `tail` after."""
    header = struct.pack(">IIBBBBB", *size, depth, colour, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows))
    return SIGNATURE + chunk(b"IHDR", header) + b"".join(extra) + chunk(b"IDAT", data) + tail + chunk(b"IEND")


def wide(*samples: int) -> bytes:
    """Return 16-bit samples."""
    return struct.pack(f">{len(samples)}H", *samples)


def gif_frame(
    box: tuple[int, int, int, int], pixels: bytes, *, transparent: int | None = None, palette: bytes = b""
) -> bytes:
    """Return one frame at (left, top, width, height), its pixels as literal codes."""
    control = b"" if transparent is None else b"!\xf9\x04\x01\0\0" + bytes((transparent, 0))
    flags = 0x80 | ((len(palette) // 3).bit_length() - 2) if palette else 0
    return control + b"," + struct.pack("<4HB", *box, flags) + palette + b"\x07" + sub_blocks(_codes(pixels)) + b"\0"


def _codes(pixels: bytes) -> bytes:
    """Return 8-bit LZW codes for values below 128, with a clear code before the code size would grow."""
    codes: list[int] = []
    for start in range(0, len(pixels), 100):
        codes += [0x80, *pixels[start : start + 100]]
    return bytes([*codes, 0x81])


def sub_blocks(data: bytes) -> bytes:
    """Return data in GIF sub-blocks, without the terminator."""
    return b"".join(bytes((len(part),)) + part for part in (data[i : i + 255] for i in range(0, len(data), 255)))


def gif(canvas: tuple[int, int], palette: Sequence[tuple[int, int, int]], *frames: bytes) -> bytes:
    """Return a GIF of a palette of 2, 4, 8 ... colours and its frames."""
    flags = 0x80 | (len(palette).bit_length() - 2)
    screen = struct.pack("<HHBBB", *canvas, flags, 0, 0)
    return b"GIF89a" + screen + bytes(level for colour in palette for level in colour) + b"".join(frames) + b";"


def _fixed(value: float) -> bytes:
    return struct.pack(">i", round(value * 65536))


def _profile(space: bytes, tags: dict[bytes, bytes], kind: bytes = b"mntr") -> bytes:
    """Return an ICC profile of version 2.1 with the given tags."""
    tags = {b"desc": _description(b"PixelCascade test"), b"wtpt": _xyz(0.9642, 1.0, 0.8249), **tags}
    offset, table, body = 128 + 4 + 12 * len(tags), b"", b""
    for name, data in tags.items():
        table += name + struct.pack(">II", offset + len(body), len(data))
        body += data + b"\0" * (-len(data) % 4)
    size = offset + len(body)
    connection = b"Lab " if space == b"CMYK" else b"XYZ "
    head = struct.pack(">I4sI4s4s4s", size, b"test", 0x02100000, kind, space, connection)
    head += struct.pack(">6H4s", 2024, 1, 1, 0, 0, 0, b"acsp") + bytes(28) + _fixed(0.9642) + _fixed(1) + _fixed(0.8249)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def _description(text: bytes) -> bytes:
    return b"desc\0\0\0\0" + struct.pack(">I", len(text) + 1) + text + b"\0" + bytes(78)


def _xyz(*values: float) -> bytes:
    return b"XYZ \0\0\0\0" + b"".join(map(_fixed, values))


def _gamma(value: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(value * 256))


P3 = ((0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841))
SRGB = ((0.4360, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141))
"""X, Y, Z of red, green and blue, adapted to D50."""


def p3_profile(tags: Mapping[bytes, bytes] = MappingProxyType({})) -> bytes:
    """Return a profile with the primaries of Display P3 and a gamma of 2.2, and further tags."""
    return _rgb_profile(P3, _gamma(2.2), tags)


def camera_profile() -> bytes:
    """Return an sRGB profile like those in cameras' files: its curve, of 12 points, is one level off."""
    return _rgb_profile(SRGB, _srgb_curve(12))


def gamma_profile(gamma: float = 2.2) -> bytes:
    """Return a profile with the primaries of sRGB and a gamma; one of 2.2 is three levels off."""
    return _rgb_profile(SRGB, _gamma(gamma))


def _rgb_profile(
    primaries: Sequence[tuple[float, float, float]], tone: bytes, tags: Mapping[bytes, bytes] = MappingProxyType({})
) -> bytes:
    columns = {name: _xyz(*values) for name, values in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries, strict=True)}
    return _profile(b"RGB ", {**columns, **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), tone), **tags})


def _srgb_curve(points: int) -> bytes:
    levels = [number / (points - 1) for number in range(points)]
    light = [level / 12.92 if level <= 0.04045 else ((level + 0.055) / 1.055) ** 2.4 for level in levels]
    return b"curv\0\0\0\0" + struct.pack(f">I{points}H", points, *(round(one * 65535) for one in light))


def grey_profile(gamma: float = 1.0) -> bytes:
    """Return a grey profile; a gamma of 1 makes middle grey far brighter than sRGB does."""
    return _profile(b"GRAY", {b"kTRC": _gamma(gamma)})


def cmyk_profile() -> bytes:
    """Return a CMYK profile with a table of two points per ink: no ink is white, any full ink is dark yellow."""
    grid = b""
    for corner in range(16):
        light, a, b = (0xFF00, 0x8000, 0x8000) if corner == 0 else (0x4000, 0x8000, 0xC000)
        grid += struct.pack(">3H", light, a, b)
    matrix = b"".join(_fixed(value) for value in (1, 0, 0, 0, 1, 0, 0, 0, 1))
    ramp = struct.pack(">2H", 0, 65535)
    table = b"mft2\0\0\0\0" + bytes((4, 3, 2, 0)) + matrix + struct.pack(">2H", 2, 2) + ramp * 4 + grid + ramp * 3
    return _profile(b"CMYK", {b"A2B0": table}, b"prtr")


class Pipe(io.RawIOBase):
    """A stream that can only be read, in small pieces, and counts the bytes read."""

    def __init__(self, data: bytes, error_at: int | None = None, error: Exception | None = None) -> None:
        super().__init__()
        self._file, self._error_at, self._error = io.BytesIO(data), error_at, error
        self.served = 0

    def read(self, size: int = -1, /) -> bytes:
        """Return at most 1,000 bytes if a size is given."""
        if self._error and self._error_at is not None and self.served >= self._error_at:
            raise self._error
        data = self._file.read(min(size, 1000) if size >= 0 else -1)
        self.served += len(data)
        return data

    def seekable(self) -> bool:
        """Return False."""
        return False

    def seek(self, *_: Any) -> int:
        """Raise UnsupportedOperation."""
        raise io.UnsupportedOperation("seek")

    def tell(self) -> int:
        """Raise UnsupportedOperation."""
        raise io.UnsupportedOperation("tell")
