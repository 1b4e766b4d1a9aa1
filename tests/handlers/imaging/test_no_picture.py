"""Error messages for files that are not pictures, or have no pixels."""

import pytest

from handlers.errors import BrokenImageError, NotAnImageError
from handlers.imaging import describe

from .pictures import BLACK, RED, gif, gif_frame, jpeg, png


@pytest.mark.parametrize(
    ("body", "description"),
    [
        (b"", "an empty file"),
        (b"Dear reader,\n  this is a letter.", "text that begins with 'Dear reader, this is a letter.'"),
        ("Käse".encode() * 200, "text that begins with 'KäseKäse"),
        (b"\x89PNG\r\r\x1a\r and more", "a file like a PNG whose first bytes are damaged"),
        (bytes(range(64)), "an unknown file that begins with the bytes 00 01 02 03 04 05 06 07"),
        (b"\xd8\xe0 words", "an unknown file"),
    ],
)
def test_the_error_describes_the_uploaded_file(body: bytes, description: str) -> None:
    """The message quotes text, names a damaged signature, and shows the first bytes of anything else."""
    with pytest.raises(NotAnImageError, match=description.replace("'", ".")):
        describe(body)


NO_PIXELS = [
    ("PNG is damaged: 0 x 8 pixels", png((0, 8), 8, 0, [])),
    ("PNG is damaged: 8 x 0 pixels", png((8, 0), 8, 0, [])),
    ("GIF is damaged: 0 x 0 pixels", gif((0, 0), [BLACK, RED], gif_frame((0, 0, 0, 0), b""))),
    ("JPEG is damaged: its width is 0", jpeg().replace(b"\0\x78\0\xa0", b"\0\x78\0\0", 1)),
]


@pytest.mark.parametrize(("message", "body"), NO_PIXELS, ids=[message for message, _ in NO_PIXELS])
def test_a_picture_without_pixels_is_refused(message: str, body: bytes) -> None:
    """A side of 0 pixels is refused by the header, not recorded."""
    with pytest.raises(BrokenImageError, match=message):
        describe(body)
