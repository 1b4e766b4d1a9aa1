"""Error messages for files that are not pictures."""

import pytest

from handlers.errors import NotAnImageError
from handlers.imaging import describe


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
