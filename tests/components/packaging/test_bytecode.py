"""Bytecode in the package: compiled for the runtime's Python, reproducible, and used without reading the sources."""

import importlib.util
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from components.config import StackConfig
from components.packaging import bytecode
from components.packaging.build import build, code_archive, layer_archive
from components.packaging.interpreters import interpreter
from components.packaging.target import PackageError, Target
from tests.pythons import needs_python

COMPILED = Target("python3.13", "x86_64")
HERE = Target(f"python{sys.version_info.major}.{sys.version_info.minor}", "x86_64")
UNCHECKED_HASH = 0b01  # Source: PEP 552.


@needs_python("3.13")
@pytest.mark.parametrize("archive", [code_archive, layer_archive])
def test_every_module_has_bytecode_for_the_runtime(archive: object) -> None:
    """Lambda's disks are read-only, so a cold start could not keep what it compiles."""
    assert callable(archive)
    with zipfile.ZipFile(archive(COMPILED)) as opened:
        names = set(opened.namelist())
    modules = [Path(name) for name in names if name.endswith(".py")]
    missing = [m for m in modules if (m.parent / "__pycache__" / f"{m.stem}.cpython-313.pyc").as_posix() not in names]
    assert len(modules) > 30
    assert missing == []


def test_bytecode_is_used_whatever_the_file_times() -> None:
    """The flag in the bytecode tells Python not to compare it with the source."""
    name = "handlers/__pycache__/job.cpython-{}{}.pyc".format(*sys.version_info)
    with zipfile.ZipFile(code_archive(HERE)) as opened:
        found = opened.read(name)
    assert found[:4] == importlib.util.MAGIC_NUMBER
    assert int.from_bytes(found[4:8], "little") == UNCHECKED_HASH


def test_tracebacks_show_the_paths_on_lambda() -> None:
    """The bytecode holds the path on Lambda, and no path of the deploying machine."""
    name = "handlers/__pycache__/job.cpython-{}{}.pyc".format(*sys.version_info)
    with zipfile.ZipFile(code_archive(HERE)) as opened:
        found = opened.read(name)
    assert b"/var/task/handlers/job.py" in found
    assert b"/tmp" not in found


def test_a_python_that_needs_its_library_path_compiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python with a shared library elsewhere starts with LD_LIBRARY_PATH only."""
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\n[ -n "$LD_LIBRARY_PATH" ] && exec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    monkeypatch.setattr(bytecode, "interpreter", lambda _version: str(python))
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))
    assert sys.version.split()[0] in bytecode.identity(HERE)


@pytest.mark.usefixtures("source_copy")
def test_bytecode_is_reproducible() -> None:
    """Building a package again does not update any function."""
    first = code_archive(HERE).read_bytes()
    assert code_archive(HERE, fresh=True).read_bytes() == first


@pytest.mark.usefixtures("source_copy")
def test_another_patch_version_of_python_gives_another_archive(monkeypatch: pytest.MonkeyPatch) -> None:
    """The patch version of the compiling Python is part of the cache key."""
    first = code_archive(HERE)
    monkeypatch.setattr(bytecode, "identity", lambda _target: "3.13.99")
    assert code_archive(HERE).name != first.name


def test_a_missing_runtime_python_is_refused_with_both_fixes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error offers to install that Python or to turn bytecode off."""
    monkeypatch.setattr(bytecode, "interpreter", lambda _version: None)
    with pytest.raises(PackageError, match=r"expected Python 3\.13 .* install it, or `pulumi config set bytecode off`"):
        build(COMPILED)


def test_bytecode_can_be_turned_off() -> None:
    """With `bytecode: off` the archive holds only sources."""
    target = Target.of(StackConfig(bytecode="off"))
    with zipfile.ZipFile(code_archive(target)) as opened:
        assert all(name.endswith(".py") for name in opened.namelist())


@needs_python("3.13")
def test_the_compiled_package_imports_in_the_runtimes_python() -> None:
    """The handlers import in isolated mode, from the archive alone."""
    python = interpreter("3.13")
    assert python
    code = "import sys; sys.path[:0] = sys.argv[1:]; import handlers.job; print(handlers.job.__cached__)"
    archive = str(code_archive(COMPILED))
    done = subprocess.run([python, "-I", "-S", "-c", code, archive], capture_output=True, text=True, check=True)
    assert done.stdout
