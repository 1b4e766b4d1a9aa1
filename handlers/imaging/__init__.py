"""Imaging: bytes in, bytes or values out, without AWS, logging or the environment."""

from .convert import convert
from .describe import describe
from .encode import Jpeg
from .facts.metadata import Metadata
from .formats import load_formats, open_picture
from .formats.picture import Picture
from .frames import Box, focus_of
from .further import Further
from .limits import Limits
from .resize import output_sizes, resize

__all__ = [
    "Box",
    "Further",
    "Jpeg",
    "Limits",
    "Metadata",
    "Picture",
    "convert",
    "describe",
    "focus_of",
    "load_formats",
    "open_picture",
    "output_sizes",
    "resize",
]
