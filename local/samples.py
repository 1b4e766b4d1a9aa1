"""Generated sample pictures: one of each kind that a pipeline must handle, and one file that is not a picture."""

import functools
import io
import math
import random
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFilter, ImageOps

Size = tuple[int, int]
Colour = tuple[int, int, int]

# The largest side that is drawn; larger pictures are enlarged.
DRAWN_PX = 1000

NO_PICTURE = b"This is a text that somebody named .jpg: the workers reject it, and say why.\n"

# sky above, sky below, hills
DAWN = ((72, 85, 140), (250, 190, 150), (60, 60, 95))
NOON = ((70, 140, 210), (205, 228, 240), (58, 110, 74))
DUSK = ((38, 30, 70), (235, 110, 80), (34, 26, 48))
WINTER = ((120, 150, 180), (232, 236, 240), (150, 165, 185))


def write_samples(folder: Path) -> list[Path]:
    """Write the pictures below `folder`, the same bytes each time, and return their paths, sorted."""
    with ThreadPoolExecutor() as threads:
        return sorted(threads.map(functools.partial(_write, folder), _SAMPLES))


def _write(folder: Path, name: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_SAMPLES[name]())
    return path


def _scene(size: Size, colours: tuple[Colour, Colour, Colour], seed: int) -> Image.Image:
    """Draw hills under a sky with a sun, as soft and grainy as a photograph; (width, height) in pixels."""
    scale = min(1.0, DRAWN_PX / max(size))
    width, height = round(size[0] * scale), round(size[1] * scale)
    rng = random.Random(seed)  # noqa: S311 pictures, not secrets
    above, below, hills = colours
    image = ImageOps.colorize(Image.linear_gradient("L").resize((width, height)), above, below)
    _sun(image, (rng.uniform(0.2, 0.8), rng.uniform(0.15, 0.45)), below)
    draw = ImageDraw.Draw(image)
    for layer in range(4):
        nearness = (layer + 1) / 4
        shade = _mix(below, hills, 0.25 + 0.75 * nearness)
        draw.polygon(_ridge(rng, (width, height), 0.45 + 0.13 * layer), fill=shade)
    grain = Image.frombytes("L", (width // 2, height // 2), rng.randbytes((width // 2) * (height // 2)))
    grain = grain.resize((width, height)).filter(ImageFilter.GaussianBlur(1)).convert("RGB")
    return Image.blend(image, grain, 0.04).resize(size, Image.Resampling.BILINEAR)


def _sun(image: Image.Image, place: tuple[float, float], colour: Colour) -> None:
    radius = min(image.size) // 4
    glow = ImageOps.invert(Image.radial_gradient("L")).resize((2 * radius, 2 * radius))
    glow = glow.point([min(255, max(0, 3 * level - 190)) for level in range(256)])
    corner = (round(place[0] * image.width) - radius, round(place[1] * image.height) - radius)
    image.paste(_mix(colour, (255, 255, 255), 0.7), corner, glow)


def _ridge(rng: random.Random, size: Size, top: float) -> list[tuple[float, float]]:
    """Return the outline of a chain of hills whose mean height is `top` of the picture's."""
    width, height = size
    waves = [(rng.uniform(0.6, 1.4) * number, rng.uniform(0, 6.28), 0.09 / number) for number in (1, 2, 4, 9)]
    crest = [
        (x, height * (top + sum(a * math.sin(f * 6.28 * x / width + p) for f, p, a in waves)))
        for x in range(0, width + 8, 8)
    ]
    return [(0, height), *crest, (width, height)]


def _mix(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _badge() -> Image.Image:
    """Draw a round badge with soft edges on a transparent background."""
    size = 480
    image = Image.new("RGBA", (size, size))
    draw = ImageDraw.Draw(image)
    for number, colour in enumerate(((230, 74, 94), (246, 178, 74), (72, 168, 150))):
        inset = 30 + 70 * number
        draw.ellipse((inset, inset, size - inset, size - inset), fill=(*colour, 255 - 60 * number))
    return image.resize((320, 320), Image.Resampling.LANCZOS)


def _chart() -> Image.Image:
    """Draw bars, as a screenshot has them: flat colours and sharp edges."""
    image = Image.new("RGB", (640, 400), (250, 250, 252))
    draw = ImageDraw.Draw(image)
    for number, share in enumerate((0.3, 0.55, 0.4, 0.8, 0.65, 0.9)):
        left = 50 + 95 * number
        draw.rectangle(
            (left, 360 - round(300 * share), left + 60, 360), fill=(60 + 30 * number, 110, 210 - 25 * number)
        )
    draw.line((30, 360, 620, 360), fill=(60, 60, 70), width=3)
    return image


def _wheel(frame: int) -> Image.Image:
    """Draw one of the eight frames of a turning wheel."""
    image = Image.new("P", (200, 200), 0)
    image.putpalette([248, 248, 250, 70, 130, 180, 230, 120, 70])
    draw = ImageDraw.Draw(image)
    draw.ellipse((20, 20, 180, 180), outline=1, width=8)
    for spoke in range(3):
        angle = 6.2832 * (frame / 8 / 3 + spoke / 3)
        end = (100 + 72 * math.cos(angle), 100 + 72 * math.sin(angle))
        draw.line((100, 100, *end), fill=2, width=8)
    return image


def _animation() -> bytes:
    first, *others = [_wheel(frame) for frame in range(8)]
    return _file(first, "GIF", save_all=True, append_images=others, duration=80, loop=0)


def _sixteen_bit() -> bytes:
    """Return a grey PNG that uses all 16 bits, as scanners do."""
    grey = _scene((600, 400), NOON, 7).convert("L")
    # 257 times a level is two bytes of that level.
    levels = Image.merge("LA", (grey, grey)).tobytes()
    return _file(Image.frombytes("I;16", grey.size, levels), "PNG")


def _rotated() -> bytes:
    """Return a photo as a phone stores it: on its side, with an EXIF orientation."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F], exif[0x0110] = "PixelCascade", "Sample camera"
    exif.get_ifd(0x8769).update({0x9003: "2024:06:21 21:34:00", 0x829A: (1, 250), 0x8827: 100})
    upright = _scene((720, 1080), DUSK, 9)
    return _file(upright.transpose(Image.Transpose.ROTATE_90), "JPEG", quality=85, exif=exif)


def _palette() -> bytes:
    badge = _badge()
    image = badge.convert("RGB").quantize(31)
    colours = image.getpalette() or []
    nothing = len(colours) // 3
    image.putpalette([*colours, 255, 255, 255])
    image.paste(nothing, mask=badge.getchannel("A").point([255] * 128 + [0] * 128))
    return _file(image, "PNG", transparency=nothing)


def _file(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def _photo(size: Size, colours: tuple[Colour, Colour, Colour], seed: int, quality: int = 85) -> Callable[[], bytes]:
    return lambda: _file(_scene(size, colours, seed), "JPEG", quality=quality)


_SAMPLES: Mapping[str, Callable[[], bytes]] = {
    "landscape.jpg": _photo((1200, 800), NOON, 1),
    "portrait.jpg": _photo((640, 960), DAWN, 2),
    "chart.png": lambda: _file(_chart(), "PNG"),
    "wheel.gif": lambda: _file(_wheel(0), "GIF"),
    "animated.gif": _animation,
    "transparent.png": lambda: _file(_badge(), "PNG"),
    "palette.png": _palette,
    "rotated.jpg": _rotated,
    "grey.jpg": lambda: _file(_scene((700, 500), WINTER, 3).convert("L"), "JPEG", quality=85),
    "scans/16-bit.png": _sixteen_bit,
    "print/cmyk.jpg": lambda: _file(_scene((600, 400), DUSK, 4).convert("CMYK"), "JPEG", quality=85),
    "2024/12/24/evening.jpg": _photo((800, 600), DUSK, 5),
    "holiday photos/sunset at the lake.jpg": _photo((900, 600), DUSK, 6),
    "1+1=2 & 100%.png": lambda: _file(_chart().resize((320, 200)), "PNG"),
    "Käse & 猫.jpg": _photo((500, 500), WINTER, 8),
    "CAMERA.JPG": _photo((800, 533), DAWN, 10),
    "large/4000x3000.jpg": _photo((4000, 3000), DAWN, 11, quality=50),
    "no-picture.jpg": lambda: NO_PICTURE,
}
