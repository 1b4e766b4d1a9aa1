"""What a branch's work returns, and how it is written: JPEGs in the bucket, or an item in the metadata table."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

from handlers import storage
from handlers.imaging import Jpeg
from handlers.master import Master
from handlers.settings import Settings


class Output(Protocol):
    """What a branch makes of a picture."""

    @property
    def details(self) -> Mapping[str, Any]:
        """What is worth a log."""

    def write(self, master: Master, settings: Settings) -> bool:
        """Write it; return whether it is now the newest state's.

        Raises: NameTakenError.
        """


@dataclass(frozen=True)
class Files:
    """JPEGs by key."""

    jpegs: Mapping[str, Jpeg]

    @property
    def details(self) -> Mapping[str, Any]:
        """The bytes of all files, and their warnings."""
        warnings = {warning for jpeg in self.jpegs.values() for warning in jpeg.warnings}
        return {"bytes_out": sum(map(len, self.jpegs.values())), "warnings": sorted(warnings)}

    def write(self, master: Master, settings: Settings) -> bool:
        """Write the first file, which decides whether the name is this master's, then the others side by side."""
        headers = {"ContentType": "image/jpeg", "CacheControl": settings.cache_control}

        def put(file: tuple[str, Jpeg]) -> bool:
            key, jpeg = file
            marks = {"salvaged": "true"} if jpeg.salvaged else {}
            return storage.write_output(master, key, jpeg, headers=headers, marks=marks)

        first, *others = self.jpegs.items()
        written = [put(first)]
        if others:
            with ThreadPoolExecutor(len(others), "upload") as pool:
                written += pool.map(put, others)
        return all(written)


@dataclass(frozen=True, kw_only=True)
class Item:
    """An item of the metadata table."""

    table: str
    name: str
    fields: Mapping[str, Any]
    details: Mapping[str, Any]

    def write(self, master: Master, _settings: Settings) -> bool:
        """Write the item."""
        return storage.write_record(master, self.table, self.name, self.fields)
