"""Zip archives whose bytes depend only on the files' names and contents, cached by a hash of their inputs."""

import hashlib
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from components.packaging import paths

DIGITS = 16


def digest(files: Mapping[str, Path], *facts: str) -> str:
    """Return a hash of names, contents and other facts."""
    found = hashlib.sha256(repr(facts).encode())
    for name in sorted(files):
        found.update(f"{name}\0".encode() + hashlib.sha256(files[name].read_bytes()).digest())
    return found.hexdigest()


def sha256(path: Path) -> str:
    """Return the hash of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def find(kind: str, made_of: str) -> Path | None:
    """Return the archive that was built from the same inputs, if it is undamaged.

    Its name holds the hash of its inputs and that of its bytes; a damaged one is ignored and built again.
    """
    for path in sorted(paths.CACHE.glob(f"{kind}-{made_of[:DIGITS]}-*.zip")):
        if path.stem.endswith(f"-{sha256(path)[:DIGITS]}"):
            return path
    return None


def store(kind: str, made_of: str, files: Mapping[str, Path], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    """Write an archive of `files` by name, atomically, even if several processes write it at the same time."""
    paths.CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=paths.CACHE) as folder:
        unfinished = Path(folder) / "archive"
        with zipfile.ZipFile(unfinished, "w") as archive:
            for name in sorted(files):
                # Without the file's own time and mode, which depend on the machine.
                entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
                entry.create_system = 3  # Unix on every machine: the mode below is a Unix mode.
                entry.external_attr = 0o100644 << 16
                entry.compress_type = compression
                archive.writestr(entry, files[name].read_bytes())
        return unfinished.replace(paths.CACHE / f"{kind}-{made_of[:DIGITS]}-{sha256(unfinished)[:DIGITS]}.zip")
