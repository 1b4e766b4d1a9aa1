"""What a branch's work returns, and how it is written: JPEGs in the bucket, or an item in the metadata table."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

from handlers import clients, storage
from handlers.imaging import Jpeg
from handlers.imaging.encode import comment_segment
from handlers.marks import Mark
from handlers.record import Outcome
from handlers.settings import Settings


class Output(Protocol):
    """What a branch makes of a picture."""

    @property
    def details(self) -> Mapping[str, Any]:
        """What is worth a log."""

    def write(self, mark: Mark, settings: Settings) -> bool:
        """Write it; return whether no newer generation was there.

        Raises: NameTakenError, NameTooLongError.
        """

    def outcome(self, mark: Mark, settings: Settings) -> Outcome:
        """Return what the picture's record keeps of it."""


@dataclass(frozen=True)
class Files:
    """JPEGs by key, in which `{name}` stands for the picture's name."""

    jpegs: Mapping[str, Jpeg]

    @property
    def details(self) -> Mapping[str, Any]:
        """The bytes of all files, and their warnings."""
        warnings = {warning for jpeg in self.jpegs.values() for warning in jpeg.warnings}
        return {"bytes_out": sum(map(len, self.jpegs.values())), "warnings": sorted(warnings)}

    def write(self, mark: Mark, settings: Settings) -> bool:
        """Write the files side by side."""
        files = {settings.layout.named(file, mark.key): jpeg for file, jpeg in self.jpegs.items()}

        def put(key: str) -> bool:
            place = storage.Place(s3=clients.s3(), bucket=settings.bucket, key=key, master_key=mark.key)
            return place.write(
                files[key].with_comment(_comment(mark)),
                mark,
                ContentType="image/jpeg",
                CacheControl=settings.cache_control,
                Metadata={"salvaged": "true"} if files[key].salvaged else {},
            )

        if len(files) == 1:
            return all(map(put, files))
        with ThreadPoolExecutor(len(files), "upload") as pool:
            return all(list(pool.map(put, files)))

    def outcome(self, mark: Mark, settings: Settings) -> Outcome:
        """Return each file's width, height and bytes."""
        comment_bytes = len(comment_segment(_comment(mark)))
        outputs = {
            file: {"width": jpeg.size[0], "height": jpeg.size[1], "bytes": len(jpeg) + comment_bytes}
            for file, jpeg in self.jpegs.items()
        }
        return Outcome(state="written", outputs=outputs, recipe=settings.recipe)


@dataclass(frozen=True, kw_only=True)
class Item:
    """An item of the metadata table."""

    table: str
    fields: Mapping[str, Any]
    details: Mapping[str, Any]

    def write(self, mark: Mark, settings: Settings) -> bool:
        """Write the item."""
        fields = {**self.fields, "name": settings.layout.name(mark.key)}
        return storage.write_item(clients.dynamodb(), self.table, fields, mark)

    def outcome(self, _mark: Mark, settings: Settings) -> Outcome:
        """Return that the item is there."""
        return Outcome(state="written", recipe=settings.recipe)


def _comment(mark: Mark) -> str:
    """Return what makes the bytes of two generations differ: an ETag tells bytes alone."""
    return f"PixelCascade generation {mark.generation}"
