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


def render(
    picture: Picture, sizes: Mapping[str, Size | None], output: OutputOptions, *, salvage: bool
) -> dict[str, Jpeg]:
    """Return JPEGs by name, each of the upright (width, height) that `sizes` says, None for the picture's own.

    Raises:
        BrokenImageError: The picture is damaged, and not salvaged.
    """
    orientation, exif = picture.exif.orientation, picture.rights
    stored = {name: upright_size(size, orientation) if size else picture.header.size for name, size in sizes.items()}
    raster = normalised(picture, output.background, salvage=salvage, widest=max(stored.values()))
    images, salvaged, warnings = _scaled(raster, stored), raster.damage is not None, tuple(picture.warnings)
    return {
        name: Jpeg(
            encode(upright(images[name], orientation), exif, output.quality, output.subsampling),
            salvaged=salvaged,
            warnings=warnings,
        )
        for name in sizes
    }


def rendered(picture: Picture, background: Colour) -> Image.Image:
    """Return an opened picture's own size as an output shows it, before encoding.

    Raises:
        RejectedImageError: The image's fault; see `handlers.errors`.
    """
    picture.read()
    raster = normalised(picture, background, salvage=False, widest=picture.header.size)
    return upright(raster.image, picture.exif.orientation)


def normalised(picture: Picture, background: Colour, *, salvage: bool, widest: Size) -> Raster:
    """Return the picture as 8-bit L or RGB in sRGB, without transparency, not yet upright.

    Raises:
        BrokenImageError: The picture is damaged, and not salvaged.
    """
    raster = picture.decode(salvage=salvage, widest=widest)
    image = flatten(to_srgb(raster.image, picture.header.icc, picture.warnings), raster.opacity, background)
    return raster if image is raster.image else replace(raster, image=image, opacity=None)


def _scaled(raster: Raster, sizes: Mapping[str, Size]) -> dict[str, Image.Image]:
    """Resample large to small, each from the smallest picture that loses nothing by it."""
    images: dict[str, Image.Image] = {}
    sources: list[Image.Image] = []
    for name, size in sorted(sizes.items(), key=lambda item: item[1], reverse=True):
        if size == raster.image.size and raster.box is None:
            images[name] = raster.image
            continue
        # From edges as sharp as text's, the loss would show.
        larger = reversed(sources) if raster.smooth else ()
        source = next((one for one in larger if serves(one.size, size)), None)
        box = raster.box if source is None else None
        images[name] = resample(source or raster.image, size, box, smooth=raster.smooth)
        if size[0] <= raster.image.width and size[1] <= raster.image.height:
            sources.append(images[name])
    return images
