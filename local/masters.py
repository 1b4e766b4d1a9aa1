"""Which files become which masters."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NoReturn


class NoMastersError(Exception):
    """The paths hold no files to upload, two files for one key, or one that cannot be read; the message says which."""


def find_masters(paths: Sequence[Path], prefix: str) -> dict[str, Path]:
    """Return the files at or below `paths` by the key that each is uploaded to.

    A file's key is its name, a folder's file's key its path below the folder, after `prefix`.

    Raises: NoMastersError.
    """
    masters: dict[str, Path] = {}
    for path in paths:
        for file, name in _files(path):
            key = prefix + name
            if key in masters:
                raise NoMastersError(
                    f"got {masters[key]} and {file}, which would both be {key}; allowed is one file per key: "
                    "give their common folder instead."
                )
            try:
                key.encode()
            except UnicodeEncodeError as error:
                raise NoMastersError(f"got a file whose name is no UTF-8, {file!r}; rename it.") from error
            _check_readable(file)
            masters[key] = file
    if not masters:
        raise NoMastersError(
            f"got {', '.join(map(str, paths))}, with no file in it; name a picture or a folder of some."
        )
    return masters


def _files(path: Path) -> Iterable[tuple[Path, str]]:
    if not path.exists():
        raise NoMastersError(f"got {path}, which does not exist; name a picture or a folder of some.")
    if path.is_file():
        return [(path, path.name)]
    files = sorted(Path(folder, name) for folder, _, names in os.walk(path, onerror=_refuse) for name in names)
    return [(file, file.relative_to(path).as_posix()) for file in files if file.is_file()]


def _check_readable(file: Path) -> None:
    try:
        file.open("rb").close()
    except OSError as error:
        _refuse(error)


def _refuse(error: OSError) -> NoReturn:
    raise NoMastersError(
        f"got {error.filename}, which cannot be read: {error.strerror}; let this user read it, or leave it out."
    ) from error
