"""The package that the benchmarks run: the deployed archives, without any module of the working copy."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import artefact as module
from benchmarks.artefact import Artefact, unpacked
from components.config import StackConfig
from components.packaging.interpreters import interpreter
from components.packaging.paths import CACHE
from tests.pythons import needs_python


def printed(artefact: Artefact, code: str) -> str:
    """Return what a new process with the package prints."""
    command, root = artefact.command("-c", code), Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, env=artefact.environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_code_and_packages_come_from_the_archives(artefact: Artefact) -> None:
    """This holds even when the working copy is the current folder."""
    modules = ("handlers.job", "PIL.Image", "benchmarks")
    code = f"import {', '.join(modules)}; print({', '.join(f'{name}.__file__' for name in modules)}, sep='\\n')"
    files = printed(artefact, code).splitlines()
    for file, place in zip(files, (artefact.code, artefact.layer, artefact.runner), strict=True):
        assert Path(file).is_relative_to(place)


@pytest.mark.parametrize("name", ["handlers.job", "benchmarks.batch_worker"])
def test_no_module_is_compiled_at_start(artefact: Artefact, name: str) -> None:
    """Lambda's package contains bytecode, so the benchmark measures cold starts with it."""
    cached = printed(artefact, f"import {name} as found; print(found.__cached__)")
    assert Path(cached).is_file()


def test_code_may_run_where_it_is_unpacked(artefact: Artefact) -> None:
    """On hardened machines it may not in the default temporary folder."""
    assert {place.is_relative_to(CACHE) for place in (artefact.code, artefact.layer)} == {True}


def test_the_layer_for_heic_is_unpacked_too() -> None:
    """A stack that accepts HEIC has a second layer, without which each of its functions fails."""
    with unpacked(StackConfig(input_formats=("jpeg", "heic"))) as found:
        assert printed(found, "import handlers.imaging.formats.heic; print('imported')") == "imported"


@needs_python("3.13")
def test_the_runtimes_python_runs_the_package_if_installed(artefact: Artefact) -> None:
    """The runtime's version imports faster than 3.11."""
    assert printed(artefact, "import sys; print('%d.%d' % sys.version_info[:2])") == "3.13"


def test_without_it_this_python_runs_its_own_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package is built for the Python at hand, and its handlers import."""
    absent = "3.12" if sys.version_info[:2] == (3, 13) else "3.13"
    monkeypatch.setattr(module, "interpreter", lambda version: None if version == absent else interpreter(version))
    with unpacked(StackConfig(runtime=f"python{absent}")) as found:
        assert found.target.host
        assert printed(found, "import handlers.pixel_resizer; print('imported')") == "imported"
