"""Python interpreters of this machine, by version."""

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path


@functools.cache
def interpreter(version: str) -> str | None:
    """Return a Python of a version such as `3.13`: the running one, one on the PATH, or pyenv's; else None."""
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        return sys.executable
    return next((found for path in _candidates(version) if (found := _resolved(version, path))), None)


def needed_variables() -> dict[str, str]:
    """Return the variables without which some Pythons do not start."""
    return {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "SYSTEMROOT") if name in os.environ}


def _candidates(version: str) -> Iterator[str]:
    found = shutil.which(f"python{version}")
    if found:
        yield found
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from map(str, sorted(root.glob(f"versions/{version}.*/bin/python{version}"), reverse=True))


def _resolved(version: str, path: str) -> str | None:
    """Return the Python that a path runs, or None if it is of another version.

    pyenv has shims for all versions; which one a shim runs depends on variables that are not passed on to a build.
    """
    command = [path, "-I", "-c", "import sys; print('%d.%d' % sys.version_info[:2], sys.executable)"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found, _, executable = done.stdout.strip().partition(" ")
    return executable if done.returncode == 0 and found == version else None
