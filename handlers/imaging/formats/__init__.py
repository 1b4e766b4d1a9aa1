"""The image formats: one module and one line each."""

from collections.abc import Callable, Sequence
from importlib import import_module

from handlers.errors import NotAnImageError, UnsupportedFormatError
from handlers.imaging.limits import Limits
from handlers.imaging.source import BinaryStream, Source

from .gif import GifPicture
from .jpeg import JpegPicture
from .picture import Picture
from .png import PngPicture
from .unknown import other_format, unknown_kind

FORMATS: dict[str, type[Picture]] = {
    "jpeg": JpegPicture,
    "png": PngPicture,
    "gif": GifPicture,
}
"""By name, in the order in which they are compared with a file."""


FURTHER: dict[str, Callable[[], type[Picture]]] = {
    "webp": lambda: import_module("handlers.imaging.formats.webp").WebpPicture,
    "avif": lambda: import_module("handlers.imaging.formats.avif").AvifPicture,
    "heic": lambda: import_module("handlers.imaging.formats.heic").HeicPicture,
    "tiff": lambda: import_module("handlers.imaging.formats.tiff").TiffPicture,
}
"""Formats that are refused unless named; their modules are imported only then."""

DEFAULT_FORMATS = tuple(FORMATS)

_TITLES = {"webp": "WebP"}
_PREFIX_BYTES = 512


def load_formats(names: Sequence[str]) -> list[type[Picture]]:
    """Return the formats with these names; further formats are imported.

    Raises:
        TypeError: `names` is a single text, or not a sequence.
        ValueError: A name is unknown.
    """
    if isinstance(names, str) or not isinstance(names, Sequence):
        raise TypeError(f'expected a list of formats, such as ["jpeg", "png"], got {names!r}')
    unknown = [name for name in names if name not in FORMATS and name not in FURTHER]
    if unknown or not names:
        found = ", ".join(map(repr, unknown)) or "none"
        raise ValueError(f"expected formats among {', '.join((*FORMATS, *FURTHER))}, got {found}")
    return [FORMATS[name] if name in FORMATS else FURTHER[name]() for name in names]


def open_picture(
    source: bytes | bytearray | memoryview | BinaryStream | Picture,
    limits: Limits,
    *,
    early: bool = True,
    formats: Sequence[str] = DEFAULT_FORMATS,
    size_bytes: int | None = None,
) -> Picture:
    """Read a file's header and return the picture; an opened picture is returned as it is.

    A stream is read up to the end of the header; pass its `size_bytes` if known, to save memory. With `early`, its
    pixels are decoded while they arrive. Only the named `formats` are accepted.

    Raises:
        RejectedImageError: No picture, another format, damaged, or over a limit. What `source.read` raises
            passes through.
    """
    if not isinstance(limits, Limits):
        raise TypeError(f"expected limits as a Limits, got {type(limits).__name__}: pass Limits() for the defaults")
    if isinstance(source, Picture):
        return source
    file = Source(source, limits.max_bytes, size_bytes)
    prefix = file.peek(0, _PREFIX_BYTES)
    for kind in load_formats(formats):
        if kind.matches(prefix):
            picture = kind.open(file, limits)
            picture.early = early
            return picture
    raise _refusal(prefix, formats)


def _refusal(prefix: bytes, formats: Sequence[str]) -> NotAnImageError | UnsupportedFormatError:
    """Return why a file that begins with `prefix` is refused; the message names the setting that would accept it."""
    titles = [_title(name) for name in formats]
    article = "an" if titles[0].startswith("A") else "a"
    expected = f"expected {article} {', '.join(titles[:-1])}{' or ' if titles[1:] else ''}{titles[-1]}"
    if not prefix:
        return NotAnImageError(f"{expected}, got an empty file")
    found = other_format(prefix)
    if found is None:
        return NotAnImageError(f"{expected}, got {unknown_kind(prefix)}")
    for name in (*FORMATS, *FURTHER):
        if name not in formats and f"{_title(name)} picture" in found:
            return UnsupportedFormatError(
                f"{expected}, got {found}: upload one of those, or add {name} to inputFormats"
            )
    return UnsupportedFormatError(f"{expected}, got {found}")


def _title(name: str) -> str:
    return _TITLES.get(name, name.upper())
