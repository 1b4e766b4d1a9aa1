"""What the two workers that write pictures share: the options of imaging, and the way into the bucket."""

from collections.abc import Mapping
from typing import Any

from handlers import storage
from handlers.imaging import Jpeg, Limits
from handlers.settings import Settings
from handlers.storage import Master


def limits(master: Master, settings: Settings) -> Limits:
    """Return the limits of a function, and hold a master's size in S3 against them before a byte is read.

    Raises: ImageTooLargeError.
    """
    bounds = Limits.for_memory(settings.memory_mb, **settings.limits)
    bounds.check_bytes(master.size_bytes)
    return bounds


def options(master: Master, settings: Settings) -> dict[str, Any]:
    """Return the options that `imaging.convert` and `imaging.resize` have in common."""
    return {
        "quality": settings.jpeg_quality,
        "background": settings.background,
        "salvage": settings.salvage,
        "limits": limits(master, settings),
    }


def write(master: Master, settings: Settings, pictures: Mapping[str, Jpeg]) -> Mapping[str, Any]:
    """Write pictures by key, all or, where the first is another master's, none; return what is worth a log.

    Raises: NameTakenError.
    """
    headers = {"ContentType": "image/jpeg", "CacheControl": settings.cache_control}
    written = [
        storage.write_output(master, key, jpeg, headers=headers, marks={"salvaged": "true"} if jpeg.salvaged else {})
        for key, jpeg in pictures.items()
    ]
    return {
        "written": all(written),
        "bytes_in": master.size_bytes,
        "bytes_out": sum(map(len, pictures.values())),
        "warnings": [warning for jpeg in pictures.values() for warning in jpeg.warnings],
    }
