"""Bytecode for the package: Lambda's disks are read-only, so without it every cold start would compile."""

import subprocess
from pathlib import Path

from components.packaging.interpreters import interpreter, needed_variables
from components.packaging.target import PackageError, Target

CODE, LAYER = "/var/task", "/opt/python"
"""Where Lambda unpacks the code and the layer's packages.

Source: Lambda's developer guide, "Lambda runtimes", search paths.
"""

COMPILE = """
import compileall, py_compile, sys
folder, place = sys.argv[1:]
unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
sys.exit(not compileall.compile_dir(folder, quiet=1, invalidation_mode=unchecked, stripdir=folder, prependdir=place))
"""
IDENTITY = "import importlib.util, sys; print(sys.version, importlib.util.MAGIC_NUMBER.hex())"


def identity(target: Target) -> str:
    """Return what the bytecode for a target depends on besides the sources: the exact Python that compiles.

    Bytecode of one minor version runs on all its patches, but two patches may write different bytes.

    Raises: PackageError, if that version is not on this machine.
    """
    return _run(target, "-c", IDENTITY) if target.bytecode else ""


def compile_into(folder: Path, place: str, target: Target) -> None:
    """Compile all modules below `folder`, which is unpacked at `place`; the bytes depend only on the sources.

    File times are ignored, because they only tell when the file was unpacked.

    Raises: PackageError.
    """
    if target.bytecode:
        _run(target, "-c", COMPILE, str(folder), place)


def _run(target: Target, *arguments: str) -> str:
    python = interpreter(target.version)
    if python is None:
        raise PackageError(
            f"The bytecode for {target}: expected Python {target.version} on the PATH, got none: install it, or "
            "`pulumi config set bytecode off`, after which every cold start compiles"
        )
    # Bytecode stores a set's elements in an order that depends on the seed.
    environment = {**needed_variables(), "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([python, "-S", *arguments], capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise PackageError(f"The bytecode for {target} was not compiled: {(done.stderr or done.stdout).strip()}")
    return done.stdout.strip()
