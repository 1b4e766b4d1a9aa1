"""From an opened picture to JPEGs: decode, convert colours, add the background, resample, turn upright, encode."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PIL import Image

from .encode import Jpeg, OutputOptions, encode
from .formats.picture import Picture
from .frames import Frame, Region, Size
from .further import FORMATS
from .limits import area
from .pixels.colour import departure, to_srgb
from .pixels.orientation import stored_region, upright, upright_size
from .pixels.raster import Raster
from .pixels.reduction import CALM_RMS, serves
from .pixels.resample import resample
from .pixels.transparency import Colour, flatten

if TYPE_CHECKING:
    from .placeholder import Placeholder

_LATE_GAP = 4
_LATE_LEVELS = 12
"""Adobe RGB and Display P3 depart from sRGB by 9 levels; with ProPhoto's 22, large outputs had less than 45 dB."""


def render(
    picture: Picture, frames: Mapping[str, Frame | None], output: OutputOptions, *, salvage: bool
) -> dict[str, Jpeg]:
    """Return JPEGs by name; a frame of None stands for the whole picture in its own size.

    Raises:
        BrokenImageError: The picture is damaged, and not salvaged.
    """
    orientation, exif = picture.exif.orientation, picture.rights
    stored = {name: _stored(picture, frame) for name, frame in frames.items()}
    raster = picture.decode(salvage=salvage, widest=widest(picture, frames))
    late = _colours_can_wait(picture, raster, [frame.whole for frame in stored.values()])
    raster = raster if late else _normalised(picture, raster, output.background)
    images = _scaled(raster, stored, picture if late else None)
    about: dict[str, Any] = {
        "salvaged": raster.damage is not None,
        "warnings": tuple(dict.fromkeys(picture.warnings)),
        "placeholder": _placeholder(stored, images, orientation) if output.placeholder else None,
    }
    return {name: _encoded(upright(images[name], orientation), exif, output, **about) for name in frames}


def _placeholder(frames: Mapping[str, Frame], images: Mapping[str, Image.Image], orientation: int) -> "Placeholder":
    """Return the picture's placeholder, made from the smallest output that shows all of it, else the smallest crop."""
    from .placeholder import placeholder_of  # noqa: PLC0415 - most stacks ask for none

    name = min(frames, key=lambda name: (frames[name].region is not None, area([frames[name].size])))
    return placeholder_of(upright(images[name], orientation))


def _encoded(image: Image.Image, exif: bytes, output: OutputOptions, **about: Any) -> Jpeg:
    """Return an output's JPEG with its further formats."""
    quality, subsampling = output.quality, output.subsampling
    further = {name: FORMATS[name].encode(image, exif, best, subsampling) for name, best in output.further.items()}
    return Jpeg(encode(image, exif, quality, subsampling), image.size, further=further, **about)


def widest(picture: Picture, frames: Mapping[str, Frame | None]) -> Size:
    """Return the largest size of the whole picture, as stored, at the scale of an output."""
    return max(_stored(picture, frame).whole for frame in frames.values())


def _stored(picture: Picture, frame: Frame | None) -> Frame:
    """Return an upright frame for the picture as stored."""
    if frame is None:
        return Frame(picture.header.size)
    orientation = picture.exif.orientation
    region = frame.region and stored_region(frame.region, orientation)
    return Frame(upright_size(frame.size, orientation), region)


def rendered(picture: Picture, background: Colour) -> Image.Image:
    """Return the pixels of an opened picture in its own size, as an output has them before encoding.

    Raises:
        RejectedImageError: The image's fault; see `handlers.errors`.
    """
    picture.read()
    raster = _normalised(picture, picture.decode(salvage=False), background)
    return upright(raster.image, picture.exif.orientation)


def _colours_can_wait(picture: Picture, raster: Raster, sizes: Sequence[Size]) -> bool:
    """Return whether to convert the outputs' colours instead of the master's: fewer pixels, and the same to 45 dB.

    The difference would show at sharp edges, in outputs much smaller than the master, or with colours far from sRGB.
    """
    image, profile = raster.image, picture.header.icc
    if not profile or area(sizes) >= area([image.size]):
        return False
    near = _LATE_GAP * max(size[0] for size in sizes) >= image.width
    if not (near and raster.opacity is None and image.mode in ("L", "RGB") and raster.smooth):
        return False
    colours = departure(profile, image.mode)
    return not colours or colours.mean <= _LATE_LEVELS


def _normalised(picture: Picture, raster: Raster, background: Colour) -> Raster:
    """Return the picture as 8-bit L or RGB in sRGB, without transparency, not yet upright."""
    image = flatten(to_srgb(raster.image, picture.header.icc, picture.warnings), raster.opacity, background)
    return raster if image is raster.image else replace(raster, image=image, opacity=None)


def _scaled(raster: Raster, frames: Mapping[str, Frame], unconverted: Picture | None) -> dict[str, Image.Image]:
    """Resample from large to small, each output from the smallest one that is good enough, and crops from the raster.

    The outputs of an `unconverted` picture are converted to sRGB.
    """
    images: dict[str, Image.Image] = {}
    sources, calm = list[Raster](), raster.roughness <= CALM_RMS
    for name, frame in sorted(frames.items(), key=lambda item: item[1].size, reverse=True):
        size, whole = frame.size, frame.region is None
        # With sharp edges, resampling twice would show; thin lines have them only in a smaller output.
        larger = reversed(sources) if raster.smooth and whole else ()
        source = next((one for one in larger if serves(one.image.size, size) and (calm or one.smooth)), None)
        if source:
            image = resample(source.image, size, smooth=True)
        else:
            image = resample(raster.image, size, _part(raster, frame.region), smooth=raster.smooth)
            image = to_srgb(image, unconverted.header.icc, unconverted.warnings) if unconverted else image
        images[name] = image
        if whole and size[0] <= raster.image.width and size[1] <= raster.image.height and image is not raster.image:
            sources.append(Raster(image))
    return images


def _part(raster: Raster, region: Region | None) -> Region | None:
    """Return the part of a raster's pixels for a region of the picture, or None for all of them."""
    if region is None:
        return raster.box
    left, top, right, bottom = region
    *_, width, height = raster.box or raster.image.size  # Both begin at the top left.
    return left * width, top * height, right * width, bottom * height
