"""The pictures of a load run: small, of mixed sizes and kinds, no two alike; and what happens to each."""

import io
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from benchmarks.sabotage import KILLERS

FAULTS = ("kill", *KILLERS, "network", "duplicates", "reorder", "reupload", "delete", "twins", "recreate")
# One picture in so many is re-uploaded, deleted, gets a second master of its name, or is deleted and uploaded again.
EVERY = {"reupload": 10, "delete": 20, "twins": 20, "recreate": 20}
KILLER_COUNT = 2
SIZES = [(16, 16), (64, 48), (120, 200), (320, 240), (640, 480)]
KINDS = {"jpg": "JPEG", "png": "PNG", "gif": "GIF"}


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
        kind, size = chance.choice(list(KINDS)), chance.choice(SIZES)
        versions = 2 if "reupload" in affected else 1
        contents = tuple(picture(kind, size, f"{number} {version}") for version in range(versions))
        path = f"{number % 50}/picture {number}.{kind}"
        yield Upload(path=path, contents=contents, deleted="delete" in affected, recreated="recreate" in affected)
        made += 1
        if "twins" in affected and made < count:
            other = chance.choice([other for other in KINDS if other != kind])
            twin = (picture(other, size, f"twin of {number}"),)
            yield Upload(path=f"{number % 50}/picture {number}.{other}", contents=twin)
            made += 1


def picture(kind: str, size: tuple[int, int], comment: str) -> bytes:
    """Return a picture that differs from others by the text of a comment, not by a pixel."""
    file, text = io.BytesIO(), PngInfo()
    text.add_text("Comment", comment)
    _drawn(kind, size).save(file, KINDS[kind], comment=comment, pnginfo=text)
    return file.getvalue()


@cache
def _drawn(kind: str, size: tuple[int, int]) -> Image.Image:
    image = Image.merge("RGB", [Image.linear_gradient("L").rotate(turn).resize(size) for turn in (0, 90, 180)])
    return image.quantize() if kind == "gif" else image
