"""Checks before an upload: the package is for one platform, within Lambda's limits, and every handler imports."""

import re
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from components.config import DEFAULT_INPUTS
from components.packaging import paths
from components.packaging.interpreters import interpreter, needed_variables
from components.packaging.target import GLIBC, PackageError, Target

# Source: Lambda quotas, deployment package: unzipped with all layers; zipped for a direct upload.
MAX_UNZIPPED_BYTES = 250 * 1024 * 1024
MAX_ZIPPED_BYTES = 50 * 1024 * 1024

ELF = b"\x7fELF"
# e_machine of an ELF header. Source: the System V ABI, generic part, ELF header.
ELF_MACHINES = {62: "x86_64", 183: "aarch64"}

IMPORT_TIMEOUT_S = 30
# Imports the handlers, and what they import only later. If that takes too long, it ends with the place that it got to.
IMPORTING = """
import faulthandler, importlib, sys
faulthandler.dump_traceback_later(float(sys.argv.pop()), exit=True)
sys.path[:0] = sys.argv[1:3]
importlib.import_module("handlers.imaging").load_formats(sys.argv[3].split(","))
for name in filter(None, sys.argv[4].split(",")):
    importlib.import_module(f"PIL._{name}")
for name in sys.argv[5:]:
    assert callable(importlib.import_module(name).handler), name
for name in ("PIL.ImageCms", "handlers.imaging.formats.png_inflate"):
    importlib.import_module(name)
from botocore import session
for service in ("dynamodb", "events", "s3", "sns", "sqs"):
    session.get_session().create_client(service, region_name="us-east-1")
"""


def check_platform(files: Mapping[str, Path], target: Target) -> tuple[int, int]:
    """Check every compiled file against the target; return the newest glibc that they need, such as (2, 28).

    Raises: PackageError, which names the file.
    """
    glibc = (0, 0)
    for name in sorted(files):
        content = files[name].read_bytes()
        if content.startswith(ELF) or re.search(r"\.(?:so|pyd|dylib|dll)(?:\.|$)", name):
            problem = _foreign(name, content, target)
            if problem:
                raise PackageError(
                    f"The layer for {target}: expected only files that run there, got {name}, which is {problem}: "
                    "remove its package or use a wheel for that platform"
                )
            glibc = max(glibc, glibc_of(content))
    if glibc > GLIBC and not target.host:
        raise PackageError(
            f"The layer for {target}: expected at most the runtime's glibc {_dotted(GLIBC)}, got {_dotted(glibc)}: "
            "build on a distribution that is not newer, such as Amazon Linux 2023"
        )
    return glibc


def glibc_of(content: bytes) -> tuple[int, int]:
    """Return the newest glibc version that a compiled file's symbols need, (0, 0) if none."""
    found = re.findall(rb"\bGLIBC_(\d+)\.(\d+)", content)
    return max(((int(major), int(minor)) for major, minor in found), default=(0, 0))


def check_sizes(unzipped: Iterable[Path], zipped: Path | None = None) -> int:
    """Check files and their archive against Lambda's limits; return the files' size in bytes.

    Raises: PackageError.
    """
    size_bytes = sum(path.stat().st_size for path in unzipped)
    if size_bytes > MAX_UNZIPPED_BYTES:
        raise _too_large("unzipped with the code", size_bytes, MAX_UNZIPPED_BYTES)
    if zipped and zipped.stat().st_size > MAX_ZIPPED_BYTES:
        raise _too_large("zipped", zipped.stat().st_size, MAX_ZIPPED_BYTES)
    return size_bytes


def check_imports(target: Target, code: Path, layer: Path) -> str:
    """Import every handler with only the standard library, layer and code; return what was imported, or why not.

    `code` and `layer` are folders, as Lambda unpacks the archives.

    Raises: PackageError, with Python's own message.
    """
    python = interpreter(target.version) if target.runs_here else None
    if python is None:
        return f"skipped: no Python {target.version} for {target.architecture} on this machine"
    modules = handler_modules()
    # With -I and -S, no packages of the environment, the user or the installation are on the path.
    formats = ",".join((*DEFAULT_INPUTS, *target.inputs)), ",".join(target.outputs)
    command = [python, "-I", "-S", "-B", "-c", IMPORTING, str(code), str(layer / "python"), *formats, *modules]
    command.append(str(IMPORT_TIMEOUT_S))
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=needed_variables())
    if done.returncode:
        error = done.stderr.strip() or f"exit code {done.returncode}"
        raise PackageError(
            f"expected a package for {target} whose modules import, got from {python}:\n{error}\n"
            "Only the standard library, handlers/ and the layer are there: "
            "pin what is missing in handlers/requirements.txt"
        )
    return f"{', '.join(modules)} in an isolated Python {target.version}"


def handler_modules() -> list[str]:
    """Return the modules of `handlers` that are entry points."""
    return [
        f"handlers.{path.stem}"
        for path in sorted(paths.HANDLERS.glob("*.py"))
        if re.search(r"^def handler\(", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]


def _foreign(name: str, content: bytes, target: Target) -> str | None:
    """Say why a compiled file is not for a target, None if it is."""
    python = re.search(r"\.cpython-(\d+)", name)
    if python and python[1] != target.version.replace(".", ""):
        return f"for Python {python[1][0]}.{python[1][1:]}"
    if target.host:
        return None  # pip chose it for this machine, so its format is right.
    if not content.startswith(ELF):
        return "not for Linux"
    machine = int.from_bytes(content[18:20], "little")
    if ELF_MACHINES.get(machine) != target.machine:
        return f"for the processor {ELF_MACHINES.get(machine, machine)}"
    return None


def _too_large(what: str, size_bytes: int, most_bytes: int) -> PackageError:
    return PackageError(
        f"expected a package of at most {most_bytes} bytes {what}, got {size_bytes}: remove packages from "
        "handlers/requirements.txt"
    )


def _dotted(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))
