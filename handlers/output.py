"""What a branch's work returns, and how it is written: pictures in the bucket, or an item in the metadata table."""

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

from handlers import clients, storage
from handlers.imaging import Further, Jpeg
from handlers.job import in_format
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
    """JPEGs by key, in which `{name}` stands for the picture's name, each with its further formats if smaller."""

    jpegs: Mapping[str, Jpeg]

    @property
    def details(self) -> Mapping[str, Any]:
        """The bytes of all files that are kept, and their warnings."""
        warnings = {warning for jpeg in self.jpegs.values() for warning in jpeg.warnings}
        return {"bytes_out": sum(map(len, self._kept("").values())), "warnings": sorted(warnings)}

    def write(self, mark: Mark, settings: Settings) -> bool:
        """Write the files side by side, and remove those of earlier states that this one does not keep."""
        comment, kept, further = _comment(mark), self._kept(_comment(mark)), self._further()
        names = {file: settings.layout.named(file, mark.key) for file in (*self.jpegs, *further)}

        def place(file: str) -> storage.Place:
            return storage.Place(s3=clients.s3(), bucket=settings.bucket, key=names[file], master_key=mark.key)

        def put(file: str) -> bool:
            jpeg, _ = further.get(file) or (self.jpegs[file], None)
            return place(file).write(
                kept[file].with_comment(comment),
                mark,
                ContentType=kept[file].media_type,
                CacheControl=settings.cache_control,
                Metadata={"salvaged": "true"} if jpeg.salvaged else {},
            )

        written = all(_side_by_side(put, kept))
        # Where a newer generation was there, it may have looked before this one's further formats were written.
        for file in further.keys() - kept.keys() if written else further:
            place(file).remove_below(mark.generation + 1)
        return written

    def outcome(self, mark: Mark, settings: Settings) -> Outcome:
        """Return each file's width, height and bytes, and the bytes of those that were not kept."""
        comment = _comment(mark)
        outputs = {
            file: {"width": found.size[0], "height": found.size[1], "bytes": len(found.with_comment(comment))}
            for file, found in self._kept(comment).items()
        }
        placeholder = next((jpeg.placeholder for jpeg in self.jpegs.values() if jpeg.placeholder), None)
        return Outcome(
            state="written",
            outputs=outputs,
            not_kept=self._not_kept(comment),
            placeholder=placeholder._asdict() if placeholder else {},
            recipe=settings.recipe,
        )

    def _kept(self, comment: str) -> dict[str, Jpeg | Further]:
        not_kept = self._not_kept(comment)
        further = {file: found for file, (_, found) in self._further().items() if file not in not_kept}
        return {**self.jpegs, **further}

    def _not_kept(self, comment: str) -> dict[str, int]:
        """Return the bytes of each file in a further format that is not smaller than its JPEG, or empty."""
        return {
            file: size_bytes if found else 0
            for file, (jpeg, found) in self._further().items()
            if not found or (size_bytes := len(found.with_comment(comment))) >= len(jpeg.with_comment(comment))
        }

    def _further(self) -> dict[str, tuple[Jpeg, Further]]:
        """Return the files in further formats by key, each behind its JPEG."""
        return {
            in_format(file, name): (jpeg, found)
            for file, jpeg in self.jpegs.items()
            for name, found in jpeg.further.items()
        }


def _side_by_side(call: Callable[[str], bool], keys: Collection[str]) -> list[bool]:
    if len(keys) == 1:
        return list(map(call, keys))
    with ThreadPoolExecutor(len(keys), "upload") as pool:
        return list(pool.map(call, keys))


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
