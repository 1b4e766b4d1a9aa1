"""The keys of all objects that the pipeline reads or writes."""

import hashlib
from dataclasses import dataclass

from handlers.errors import InvalidJobError, NameTooLongError

MAX_KEY_BYTES = 1024  # Source: S3's user guide, "Naming Amazon S3 objects".

NAME = "{name}"
"""Stands for a picture's name in the keys of its files."""


def in_format(file: str, name: str) -> str:
    """Return the key of a JPEG in another format: `resized/{name}/large.jpg` -> `resized/{name}/large.webp`."""
    return f"{file.removesuffix('.jpg')}.{name}"


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where objects are in the bucket: the prefixes, and the names that outputs get from masters' keys."""

    master: str = "master/"
    converted: str = "converted/"
    resized: str = "resized/"
    rejected: str = "rejected/"
    full_names: bool = False

    def path(self, key: str) -> str:
        """Return the key below the master prefix: `master/2024/cat.png` -> `2024/cat.png`.

        Raises: InvalidJobError, if the key is not a master's.
        """
        path = key.removeprefix(self.master)
        if not key.startswith(self.master) or not path or path.endswith("/"):
            raise InvalidJobError(f"expected an object below {self.master}, got key {key!r}")
        return path

    def name(self, key: str) -> str:
        """Return the name of a master's outputs: `master/2024/cat.png` -> `2024/cat`, or `2024/cat.png` in full."""
        path = self.path(key)
        if self.full_names:
            return path
        folder, slash, file = path.rpartition("/")
        stem, dot, _ = file.rpartition(".")
        return folder + slash + (stem if dot and stem else file)

    @property
    def converted_file(self) -> str:
        """The key of a picture's JPEG by its name: `converted/{name}.jpg`."""
        return f"{self.converted}{NAME}.jpg"

    def resized_file(self, size: str) -> str:
        """Return the key of one size of a picture by its name: `resized/{name}/large.jpg`."""
        return f"{self.resized}{NAME}/{size}.jpg"

    def named(self, file: str, key: str) -> str:
        """Return the key of a file of a master: `converted/{name}.jpg` of `master/cat.png` -> `converted/cat.jpg`.

        Raises: NameTooLongError.
        """
        return _checked_length(file.replace(NAME, self.name(key), 1))

    def converted_key(self, key: str) -> str:
        """Return the key of a master's JPEG: `master/cat.png` -> `converted/cat.jpg`."""
        return self.named(self.converted_file, key)

    def resized_key(self, key: str, size: str) -> str:
        """Return the key of one size of a master: `master/cat.png` -> `resized/cat/large.jpg`."""
        return self.named(self.resized_file(size), key)

    def resized_folder(self, key: str) -> str:
        """Return the prefix of a master's sizes: `master/cat.png` -> `resized/cat/`."""
        return f"{self.resized}{self.name(key)}/"

    def rejected_key(self, key: str, branch: str) -> str:
        """Return the key of the reason why a branch rejects a master: `rejected/cat.png/resizing.json`.

        A path that is too long for S3 is cut, and a hash of the whole path makes it unique.
        """
        path, ending = self.path(key), f"/{branch}.json"
        room = MAX_KEY_BYTES - len(f"{self.rejected}{ending}".encode())
        if len(path.encode()) > room:
            digest = hashlib.sha256(path.encode()).hexdigest()
            path = path.encode()[: room - len(digest) - 1].decode(errors="ignore") + "." + digest
        return f"{self.rejected}{path}{ending}"

    def refused_key(self, message_id: str, branch: str) -> str:
        """Return the key of the reason why a branch refuses a message that is not a job of this stack."""
        return f"{self.rejected}.messages/{message_id}/{branch}.json"


def _checked_length(key: str) -> str:
    if len(key.encode()) > MAX_KEY_BYTES:
        raise NameTooLongError(
            f"expected an output's key of at most {MAX_KEY_BYTES} bytes, got {len(key.encode())}: "
            "upload the master under a shorter key"
        )
    return key
