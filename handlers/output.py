"""What the workers share: the limits, the options of imaging, and the way of pictures into the bucket."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from handlers import storage
from handlers.errors import ImageTooLargeError
from handlers.imaging import Jpeg, Limits
from handlers.imaging.memory import FILE_COPIES
from handlers.master import Master
from handlers.settings import Settings


def header_limits(master: Master, settings: Settings) -> Limits:
    """Return the limits for reading headers, and hold a master's size in S3 against them before a byte is read.

    Raises: ImageTooLargeError.
    """
    limits = Limits(**settings.limits)
    if master.size_bytes > limits.max_bytes:
        raise ImageTooLargeError(
            f"the file has {master.size_bytes:,} bytes, more than the {limits.max_bytes:,} that maxBytes allows; "
            "upload a smaller file or raise maxBytes"
        )
    return limits


def options(master: Master, settings: Settings) -> dict[str, Any]:
    """Return the options that `imaging.convert` and `imaging.resize` have in common.

    Raises: ImageTooLargeError.
    """
    return {
        "quality": settings.jpeg_quality,
        "background": settings.background,
        "salvage": settings.salvage,
        "limits": replace(header_limits(master, settings), memory_mb=settings.memory_mb),
        # Beside its pixels, a picture takes its file, so often as imaging holds it.
        "admit": lambda need_bytes: master.admit(need_bytes + FILE_COPIES * master.size_bytes),
    }


def write(master: Master, settings: Settings, pictures: Mapping[str, Jpeg]) -> Mapping[str, Any]:
    """Write pictures by key; return what is worth a log.

    The first decides: where it is another master's, none of the others is written. These go side by side.

    Raises: NameTakenError.
    """
    master.leave()
    headers = {"ContentType": "image/jpeg", "CacheControl": settings.cache_control}

    def put(picture: tuple[str, Jpeg]) -> bool:
        key, jpeg = picture
        marks = {"salvaged": "true"} if jpeg.salvaged else {}
        return storage.write_output(master, key, jpeg, headers=headers, marks=marks)

    first, *others = pictures.items()
    written = [put(first)]
    if others:
        with ThreadPoolExecutor(len(others), "upload") as pool:
            written += pool.map(put, others)
    return {
        "written": all(written),
        "bytes_in": master.size_bytes,
        "bytes_out": sum(map(len, pictures.values())),
        "warnings": sorted({warning for jpeg in pictures.values() for warning in jpeg.warnings}),
    }
