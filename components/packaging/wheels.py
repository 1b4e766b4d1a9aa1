"""The layer's packages: pinned wheels, checked by hash, unpacked the same way on every machine."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from components.packaging import paths
from components.packaging.target import PackageError, Target

# botocore has data for every service of AWS; the functions call only these.
SERVICES = ("dynamodb", "events", "s3", "sns", "sqs")
# What no function imports: of Pillow, the modules for text and windows, with their libraries.
UNUSED = (
    *("aws_lambda_powertools/event_handler", "boto3/data", "boto3/examples"),
    *(f"PIL/_{module}.*" for module in ("imagingft", "imagingmath", "imagingmorph", "imagingtk")),
    *(f"pillow.libs/lib{library}*" for library in ("freetype", "harfbuzz", "brotli", "png16")),
)
# The parts of Pillow that read and write a format, left out unless the stack accepts or writes it. AVIF's library also
# uses libsharpyuv.
DECODERS = {
    "avif": ("PIL/_avif.*", "pillow.libs/libavif*", "pillow.libs/libsharpyuv*"),
    "webp": ("PIL/_webp.*", "pillow.libs/libwebp*", "pillow.libs/libsharpyuv*"),
}

# Published only as source; all of it is Python, in a folder of that name.
SOURCES = ("pyvips",)
ONLY_WHEELS = ("--only-binary=:all:", *(f"--no-binary={name}" for name in SOURCES))

# pip settings that are kept: how to reach the package index, but nothing that changes what is installed.
KEPT_OF_PIP = (
    *("CACHE_DIR", "CERT", "CLIENT_CERT", "CONFIG_FILE", "DEFAULT_TIMEOUT", "EXTRA_INDEX_URL", "FIND_LINKS"),
    *("INDEX_URL", "KEYRING_PROVIDER", "NO_INDEX", "PROXY", "RETRIES", "TIMEOUT", "TRUSTED_HOST"),
)


def pins(files: Iterable[Path]) -> dict[str, str]:
    """Return the version of each package that requirements files pin.

    Raises: PackageError, if a line is not a pin.
    """
    found = {}
    for file in files:
        for line in file.read_text(encoding="utf-8").splitlines():
            text = line.partition("#")[0].strip()
            pin = re.fullmatch(r"([A-Za-z0-9._-]+)==([A-Za-z0-9.+!]+)", text)
            if pin:
                found[_normal(pin[1])] = pin[2]
            elif text:
                raise PackageError(
                    f"{file.name}: expected a package with its version, such as six==1.17.0, got {text!r}"
                )
    return found


def hashes(name: str, version: str) -> list[str]:
    """Return the hashes of a package's files in `wheels.sha256`."""
    return [digest for digest, file in locked() if _same(file, name, version)]


def locked() -> Iterator[tuple[str, str]]:
    """Yield the hash and name of each file that a layer may contain."""
    for line in paths.LOCK.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            digest, _, file = line.partition("  ")
            yield digest, file


def install(target: Target, packages: Mapping[str, str], folder: Path) -> None:
    """Fetch the wheels of `packages` (versions by name) for `target` and unpack them into `folder`.

    Raises: PackageError, if there is none for the platform, or its hash is another.
    """
    wheels = folder.with_name("wheels")
    requirements = folder.with_name("requirements.txt")
    requirements.write_text("".join(_requirement(target, *pin) for pin in packages.items()), encoding="utf-8")
    run_pip(
        f"The layer for {target} could not be built",
        *("download", "--no-deps", *ONLY_WHEELS, f"--requirement={requirements}", f"--dest={wheels}"),
        *target.pip_options(),
    )
    for wheel in sorted(wheels.glob("*.whl")):
        unpack(wheel, folder, {*target.inputs, *target.outputs})
    for source in sorted(wheels.glob("*.tar.gz")):
        unpack_source(source, folder)


def _requirement(target: Target, name: str, version: str) -> str:
    """Return a requirement that any of the known files meets; for this machine, any file of that version."""
    if target.host:
        return f"{name}=={version}\n"
    known = hashes(name, version)
    if not known:
        raise PackageError(
            f"expected a package whose files {paths.LOCK.name} lists, got {name}=={version}: run `make lock`"
        )
    return f"{name}=={version} " + " ".join(f"--hash=sha256:{digest}" for digest in known) + "\n"


def run_pip(failure: str, *arguments: str, python: str = sys.executable, env: Mapping[str, str] | None = None) -> str:
    """Run pip, of `python` if given, and return what it printed.

    Raises: PackageError, which begins with `failure` and ends with what to do.
    """
    kept = {f"PIP_{name}" for name in KEPT_OF_PIP}
    inherited = {name: text for name, text in os.environ.items() if not name.startswith("PIP_") or name in kept}
    options = ["--quiet", "--disable-pip-version-check", "--no-input"]
    command = [sys.executable, "-m", "pip", f"--python={python}", arguments[0], *options, *arguments[1:]]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**inherited, **(env or {})})
    if done.returncode:
        raise PackageError(
            f"{failure}: expected pinned packages with a wheel for that platform, got exit code {done.returncode} "
            "from pip:\n"
            f"{done.stderr.strip()}\nCheck handlers/requirements*.txt and the network (pip's own settings, such as an "
            "index or a proxy, are used), or choose another runtime or architecture with `pulumi config set`"
        )
    return done.stdout


def unpack(wheel: Path, folder: Path, formats: Collection[str] = ()) -> None:
    """Write a wheel's modules below `folder`, except those that no function imports; `formats` are the further formats.

    Source: the binary distribution format, https://packaging.python.org/specifications/binary-distribution-format/.
    """
    unused = unused_for(formats)
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            path = _place(PurePosixPath(entry.filename))
            if entry.is_dir() or path is None or _unused(path, unused):
                continue
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            with archive.open(entry) as source, (folder / path).open("wb") as copy:
                shutil.copyfileobj(source, copy)


def unpack_source(source: Path, folder: Path) -> None:
    """Write the modules of a package that is published only as source below `folder`."""
    with tarfile.open(source) as archive:
        for entry in archive:
            path = _place(PurePosixPath(*PurePosixPath(entry.name).parts[1:]))
            data = archive.extractfile(entry)
            if data and path and path.parts[0] in SOURCES and path.suffix == ".py":
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_bytes(data.read())


def unused_for(formats: Collection[str]) -> tuple[str, ...]:
    """Return the patterns of what no function imports, if `formats` are the further formats accepted or written."""
    kept = {pattern for name in formats for pattern in DECODERS.get(name, ())}
    decoders = {pattern for patterns in DECODERS.values() for pattern in patterns}
    return (*UNUSED, *sorted(decoders - kept))


def _place(path: PurePosixPath) -> PurePosixPath | None:
    """Return the path for an entry of a wheel; None for scripts, headers and paths that leave the folder."""
    if not path.parts or path.is_absolute() or ".." in path.parts:
        return None
    if not path.parts[0].endswith(".data"):
        return path
    return PurePosixPath(*path.parts[2:]) if path.parts[1] in {"purelib", "platlib"} else None


def _unused(path: PurePosixPath, unused: Sequence[str]) -> bool:
    if path.name == "RECORD" and path.parts[0].endswith(".dist-info"):
        return True  # It lists files that are left out.
    if path.parts[:2] == ("botocore", "data") and len(path.parts) > 3:  # noqa: PLR2004 - the files of a service
        return path.parts[2] not in SERVICES
    return any(part.match(pattern) for part in (path, *path.parents) for pattern in unused)


def _same(file: str, name: str, version: str) -> bool:
    stem: Sequence[str] = file.removesuffix(".tar.gz").split("-")
    return (_normal(stem[0]), stem[1]) == (_normal(name), version)


def _normal(name: str) -> str:
    """Return a package's name as indexes compare it. Source: PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()
