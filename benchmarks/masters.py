"""The pictures of a load run: small, of mixed sizes and kinds, no two alike; and what happens to each."""

import io
import random
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from PIL import Image

from benchmarks.sabotage import KILLERS

FAULTS = ("kill", *KILLERS, "network", "duplicates", "reorder", "reupload", "delete", "twins", "recreate")
# One picture in so many is re-uploaded, deleted, gets a second master of its name, or is deleted and uploaded again.
EVERY = {"reupload": 10, "delete": 20, "twins": 20, "recreate": 20}
KILLER_COUNT = 2
SIZES = [(16, 16), (64, 48), (120, 200), (320, 240), (640, 480)]
KINDS = ("jpg", "png", "gif")


@dataclass(frozen=True, kw_only=True)
class Upload:
    """One master: its path, its successive contents, and whether it is deleted in flight, for good or for a moment."""

    path: str
    contents: tuple[bytes, ...]
    deleted: bool = False
    recreated: bool = False

    @property
    def kills(self) -> bool:
        """Whether it is meant to kill its worker."""
        return any(name in self.path for name in KILLERS)


def uploads(count: int, faults: set[str], seed: int) -> Iterator[Upload]:
    """Yield `count` uploads in a random order, including those for `faults`."""
    chance = random.Random(seed)  # noqa: S311 no secret
    planned = list(_plan(count, faults, chance))
    chance.shuffle(planned)
    yield from planned


def _plan(count: int, faults: set[str], chance: random.Random) -> Iterator[Upload]:
    killers = [f"{name}-{number}" for name in KILLERS if name in faults for number in range(KILLER_COUNT)]
    for number, name in enumerate(killers):
        yield Upload(path=f"killers/{name}.png", contents=(picture("png", (64, 48), f"killer {number}"),))
    number, made = 0, len(killers)
    while made < count:
        number += 1
        affected = {fault for offset, fault in enumerate(EVERY) if fault in faults and number % EVERY[fault] == offset}
        kind, size = chance.choice(KINDS), chance.choice(SIZES)
        versions = 2 if "reupload" in affected else 1
        contents = tuple(picture(kind, size, f"{number} {version}") for version in range(versions))
        path = f"{number % 50}/picture {number}.{kind}"
        yield Upload(path=path, contents=contents, deleted="delete" in affected, recreated="recreate" in affected)
        made += 1
        if "twins" in affected and made < count:
            other = KINDS[KINDS.index(kind) - 1]
            twin = (picture(other, size, f"twin of {number}"),)
            yield Upload(path=f"{number % 50}/picture {number}.{other}", contents=twin)
            made += 1


def picture(kind: str, size: tuple[int, int], comment_text: str) -> bytes:
    """Return a picture that differs from others by the text of a comment, not by a pixel."""
    body, comment = _drawn(kind, size), comment_text.encode()
    if kind == "jpg":
        return body[:2] + b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment + body[2:]
    if kind == "png":
        chunk = b"tEXtComment\0" + comment
        after_header = 8 + 25
        text = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        return body[:after_header] + text + body[after_header:]
    return body[:-1] + b"\x21\xfe" + bytes([len(comment)]) + comment + b"\0" + body[-1:]


@cache
def _drawn(kind: str, size: tuple[int, int]) -> bytes:
    buffer = io.BytesIO()
    gradient = Image.merge("RGB", [Image.linear_gradient("L").rotate(turn).resize(size) for turn in (0, 90, 180)])
    gradient.save(buffer, {"jpg": "JPEG", "png": "PNG", "gif": "GIF"}[kind])
    return buffer.getvalue()
