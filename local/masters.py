"""Find the files to upload, and the keys of their masters."""

import os
import shutil
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, NoReturn

from handlers.layout import MAX_KEY_BYTES
from local.errors import LocalUsageError


class NoMastersError(LocalUsageError):
    """The paths have no files to upload, two files for one key, or one that cannot be read; the message says which."""


def find_masters(paths: Sequence[Path], prefix: str, skipped: list[Path] | None = None) -> dict[str, Path]:
    """Return the files at or below `paths` by the key that each is uploaded to.

    A file's key is `prefix` and its name; that of a file in a folder is `prefix` and its path below the folder. A file
    may be named twice. Hidden files of a folder, pipes, dangling links, names that are not UTF-8 and keys that are
    too long for S3 are added to `skipped` instead.

    Raises: NoMastersError.
    """
    masters: dict[str, Path] = {}
    for path in paths:
        for file, name in _files(path):
            key = prefix + name
            if file != path and not (_is_plain(file, name) and len(key.encode()) <= MAX_KEY_BYTES):
                if skipped is not None:
                    skipped.append(file)
                continue
            if key in masters and not masters[key].samefile(file):
                raise NoMastersError(
                    f"expected one file per key, got {masters[key]} and {file}, which would both be {key}: name their "
                    "common folder instead"
                )
            if not is_text(key):
                raise NoMastersError(
                    f"expected names in UTF-8 without control characters, got {str(file)!r}: rename it"
                )
            opened(file).close()
            masters[key] = file
    if not masters:
        raise NoMastersError(
            f"expected a picture or a folder with pictures, got {', '.join(map(str, paths))} without any file: "
            "name another"
        )
    return masters


def is_text(name: str) -> bool:
    """Return whether a name can be uploaded: it has no control character, and no byte that is not UTF-8."""
    return not any(unicodedata.category(letter) in {"Cc", "Cs"} for letter in name)


def opened(file: Path) -> IO[bytes]:
    """Open a master, which may have been removed since it was found.

    Raises: NoMastersError.
    """
    try:
        return file.open("rb")
    except OSError as error:
        _refuse(error)


def keep(master: Path, place: Path) -> Path:
    """Add a master to the results and return its path there: a hard link, or a copy on another disk.

    Raises: NoMastersError, if it has been removed.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    # On a disk that ignores case it may be another master's link, through which a copy would overwrite that one.
    place.unlink(missing_ok=True)
    try:
        # Link the file itself: a link to a symbolic link would change with that link's target.
        os.link(master.resolve(), place)
    except OSError:
        with opened(master) as source, place.open("wb") as copy:
            shutil.copyfileobj(source, copy)
    return place


def _is_plain(file: Path, name: str) -> bool:
    """Return whether a file of a folder is one to upload."""
    hidden = any(part.startswith(".") for part in name.split("/"))
    return not hidden and file.is_file() and is_text(name)


def _files(path: Path) -> Iterable[tuple[Path, str]]:
    if not path.exists():
        raise NoMastersError(f"expected a picture or a folder with pictures, got {path}, which does not exist")
    if path.is_file():
        return [(path, path.name)]
    files = sorted(Path(folder, name) for folder, _, names in os.walk(path, onerror=_refuse) for name in names)
    return [(file, file.relative_to(path).as_posix()) for file in files]


def _refuse(error: OSError) -> NoReturn:
    raise NoMastersError(
        f"expected readable files, got {error.filename} ({error.strerror}): change its mode, or leave it out"
    ) from error
