"""What a branch's work returns, and how it is written: files in the bucket, or an item in the metadata table."""

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from handlers import clients, storage
from handlers.imaging import Further, Jpeg
from handlers.layout import in_format
from handlers.marks import Mark
from handlers.record import Outcome
from handlers.settings import Settings


class Output(Protocol):
    """What a branch makes of a picture."""

    @property
    def details(self) -> Mapping[str, Any]:
        """What to log about it."""

    def write(self, mark: Mark, settings: Settings) -> Outcome | None:
        """Write it; return the outcome for the picture's record, or None if a newer generation was there.

        Raises: NameTakenError, NameTooLongError.
        """


class _File(NamedTuple):
    """A file to write: its bytes, the picture in it, and whether that was salvaged."""

    body: bytes
    picture: Jpeg | Further
    salvaged: bool


@dataclass(frozen=True)
class Files:
    """JPEGs by key, in which `{name}` stands for the picture's name, each with its further formats if smaller."""

    jpegs: Mapping[str, Jpeg]

    @property
    def details(self) -> Mapping[str, Any]:
        """The warnings of all files."""
        return {"warnings": sorted({warning for jpeg in self.jpegs.values() for warning in jpeg.warnings})}

    def write(self, mark: Mark, settings: Settings) -> Outcome | None:
        """Write the files in parallel, and remove earlier ones in formats that are not kept this time."""
        files, not_kept = self._made(f"PixelCascade generation {mark.generation}")
        names = {file: settings.layout.named(file, mark.key) for file in (*files, *not_kept)}

        def place(file: str) -> storage.Place:
            return storage.Place(s3=clients.s3(), bucket=settings.bucket, key=names[file], master_key=mark.key)

        def put(file: str) -> bool:
            body, picture, salvaged = files[file]
            return place(file).write(
                body,
                mark,
                ContentType=picture.media_type,
                CacheControl=settings.cache_control,
                Metadata={"salvaged": "true"} if salvaged else {},
            )

        written = all(_side_by_side(put, files))
        # A newer generation may have removed its files before these were written.
        for file in not_kept if written else names.keys() - self.jpegs.keys():
            place(file).remove_below(mark.generation + 1)
        placeholder = next((jpeg.placeholder for jpeg in self.jpegs.values() if jpeg.placeholder), None)
        outcome = Outcome(
            state="written",
            outputs={
                file: {"width": picture.size[0], "height": picture.size[1], "bytes": len(body)}
                for file, (body, picture, _) in files.items()
            },
            not_kept=not_kept,
            placeholder=placeholder._asdict() if placeholder else {},
            recipe=settings.recipe,
        )
        return outcome if written else None

    def _made(self, comment: str) -> tuple[dict[str, _File], dict[str, int]]:
        """Return the files to write, and the sizes of those that are not kept: empty, or no smaller than their JPEG.

        Each file gets a comment, so that the bytes of two generations differ: an ETag depends on the bytes alone.
        """
        files, not_kept = dict[str, _File](), dict[str, int]()
        for file, jpeg in self.jpegs.items():
            files[file] = _File(jpeg.with_comment(comment), jpeg, jpeg.salvaged)
            for name, further in jpeg.further.items():
                body = further.with_comment(comment) if further else b""
                if 0 < len(body) < len(files[file].body):
                    files[in_format(file, name)] = _File(body, further, jpeg.salvaged)
                else:
                    not_kept[in_format(file, name)] = len(body)
        return files, not_kept


def _side_by_side(call: Callable[[str], bool], keys: Collection[str]) -> list[bool]:
    if len(keys) == 1:
        return list(map(call, keys))
    with ThreadPoolExecutor(len(keys), "upload") as pool:
        return list(pool.map(call, keys))


@dataclass(frozen=True, kw_only=True)
class Item:
    """An item of the metadata table."""

    fields: Mapping[str, Any]
    details: Mapping[str, Any]

    def write(self, mark: Mark, settings: Settings) -> Outcome | None:
        """Write the item."""
        fields = {**self.fields, "name": settings.layout.name(mark.key)}
        written = storage.write_item(clients.dynamodb(), settings.table, fields, mark)
        return Outcome(state="written", recipe=settings.recipe) if written else None
