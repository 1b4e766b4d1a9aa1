"""From an opened picture to JPEGs that keep an output's promises: decode, colours, background, sizes, orientation."""

from collections.abc import Mapping
from dataclasses import replace

from PIL import Image

from .encode import Jpeg, OutputOptions, encode
from .formats.picture import Picture
from .pixels.colour import to_srgb
from .pixels.orientation import upright, upright_size
from .pixels.raster import Raster
from .pixels.reduction import serves
from .pixels.resample import resample
from .pixels.transparency import Colour, flatten

Size = tuple[int, int]

_LATE_GAP = 4


def render(
    picture: Picture, sizes: Mapping[str, Size | None], output: OutputOptions, *, salvage: bool
) -> dict[str, Jpeg]:
    """Return JPEGs by name, each of the upright (width, height) that `sizes` says, None for the picture's own.

    Raises:
        BrokenImageError: The picture is damaged, and not salvaged.
    """
    orientation, exif = picture.exif.orientation, picture.rights
    stored = _stored(picture, sizes)
    raster = picture.decode(salvage=salvage, widest=max(stored.values()))
    late = _colours_can_wait(raster, stored)
    raster = raster if late else _normalised(picture, raster, output.background)
    images = _scaled(raster, stored, picture if late else None)
    salvaged, warnings = raster.damage is not None, tuple(dict.fromkeys(picture.warnings))
    return {
        name: Jpeg(
            encode(upright(images[name], orientation), exif, output.quality, output.subsampling),
            upright_size(stored[name], orientation),
            salvaged=salvaged,
            warnings=warnings,
        )
        for name in sizes
    }


def widest(picture: Picture, sizes: Mapping[str, Size | None]) -> Size:
    """Return the largest of some outputs' sizes, as the picture lies in its file."""
    return max(_stored(picture, sizes).values())


def _stored(picture: Picture, sizes: Mapping[str, Size | None]) -> dict[str, Size]:
    """Return the outputs' sizes before they are turned upright."""
    orientation, own = picture.exif.orientation, picture.header.size
    return {name: upright_size(size, orientation) if size else own for name, size in sizes.items()}


def rendered(picture: Picture, background: Colour) -> Image.Image:
    """Return an opened picture's own size as an output shows it, before encoding.

    Raises:
        RejectedImageError: The image's fault; see `handlers.errors`.
    """
    picture.read()
    raster = _normalised(picture, picture.decode(salvage=False), background)
    return upright(raster.image, picture.exif.orientation)


def _colours_can_wait(raster: Raster, sizes: Mapping[str, Size]) -> bool:
    """Tell whether the outputs' colours may be converted instead of the master's: fewer pixels, and the same to 45 dB.

    Where edges are sharp, or an output is much smaller or larger than the master, the difference would show.
    """
    width, height = raster.image.size
    fewer = all(size[0] <= width and size[1] <= height for size in sizes.values())
    near = _LATE_GAP * max(size[0] for size in sizes.values()) >= width
    return fewer and near and raster.opacity is None and raster.image.mode in ("L", "RGB") and raster.smooth


def _normalised(picture: Picture, raster: Raster, background: Colour) -> Raster:
    """Return the picture as 8-bit L or RGB in sRGB, without transparency, not yet upright."""
    image = flatten(to_srgb(raster.image, picture.header.icc, picture.warnings), raster.opacity, background)
    return raster if image is raster.image else replace(raster, image=image, opacity=None)


def _scaled(raster: Raster, sizes: Mapping[str, Size], unconverted: Picture | None) -> dict[str, Image.Image]:
    """Resample large to small, each from the smallest picture that loses nothing by it.

    What is made of a raster whose colours are `unconverted`, is brought to sRGB.
    """
    images: dict[str, Image.Image] = {}
    sources: list[Image.Image] = []
    for name, size in sorted(sizes.items(), key=lambda item: item[1], reverse=True):
        if size == raster.image.size and raster.box is None:
            image = raster.image
            images[name] = to_srgb(image, unconverted.header.icc, unconverted.warnings) if unconverted else image
            continue
        # From edges as sharp as text's, the loss would show.
        larger = reversed(sources) if raster.smooth else ()
        source = next((one for one in larger if serves(one.size, size)), None)
        box = raster.box if source is None else None
        image = resample(source or raster.image, size, box, smooth=raster.smooth)
        if unconverted and source is None:
            image = to_srgb(image, unconverted.header.icc, unconverted.warnings)
        images[name] = image
        if size[0] <= raster.image.width and size[1] <= raster.image.height:
            sources.append(images[name])
    return images
