"""The package checks: the right platform and Python, a size within Lambda's limits, and no newer glibc."""

import platform
import sys
from pathlib import Path

import pytest

from components.packaging import checks
from components.packaging.target import PackageError, Target
from tests.recording import FUNCTIONS

LAMBDA = Target("python3.13", "x86_64")
HOST = Target("python3.13", "x86_64", host=True)
X86, ARM, POWER = 62, 183, 21
MODULE = "python/demo.cpython-313-x86_64-linux-gnu.so"


def elf(machine: int, *symbols: str) -> bytes:
    """Return the beginning of a compiled file for a machine, followed by symbol names."""
    return checks.ELF + bytes(14) + machine.to_bytes(2, "little") + "\0".join(["", *symbols, ""]).encode()


def glibc(tmp_path: Path, content: bytes, name: str = MODULE, target: Target = LAMBDA) -> tuple[int, int]:
    file = tmp_path / "file"
    file.write_bytes(content)
    return checks.check_platform({name: file}, target)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        (MODULE, elf(ARM), "for the processor aarch64"),
        (MODULE, elf(POWER), "for the processor 21"),
        ("python/demo.libs/libjpeg-1.so.62", elf(ARM), "for the processor aarch64"),
        ("python/demo/tool", elf(ARM), "for the processor aarch64"),
        ("python/demo.cpython-312-x86_64-linux-gnu.so", elf(X86), "for Python 3.12"),
        ("python/demo.cp313-win_amd64.pyd", b"MZ", "not for Linux"),
        ("python/demo.cpython-313-darwin.so", b"\xcf\xfa\xed\xfe", "not for Linux"),
        ("python/libdemo.dylib", b"\xcf\xfa\xed\xfe", "not for Linux"),
    ],
)
def test_a_file_of_another_platform_is_refused(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    """The error names the target, the file and the mismatch."""
    with pytest.raises(PackageError) as caught:
        glibc(tmp_path, content, name)
    assert str(caught.value).startswith("The layer for python3.13 on x86_64: expected only files that run there, ")
    assert f"got {name}, which is {reason}: " in str(caught.value)


@pytest.mark.parametrize("name", [MODULE, "python/demo.abi3.so", "python/demo.libs/libjpeg-1.so.62"])
def test_a_file_of_the_platform_is_accepted(tmp_path: Path, name: str) -> None:
    """Modules of this Python, modules of the stable ABI and bundled libraries pass."""
    assert glibc(tmp_path, elf(X86), name) == (0, 0)


def test_glibc_versions_are_compared_by_number(tmp_path: Path) -> None:
    """2.28 is newer than 2.4, and symbols of other libraries do not count."""
    assert glibc(tmp_path, elf(X86, "GLIBC_2.4", "GLIBC_2.28", "GLIBC_2.2.5", "GLIBCXX_3.4")) == (2, 28)


def test_a_glibc_newer_than_the_runtimes_is_refused(tmp_path: Path) -> None:
    """The error names the required glibc, the runtime's glibc, and where to build."""
    with pytest.raises(PackageError, match=r"^The layer for .* at most the runtime's glibc 2\.34, got 2\.36: build on"):
        glibc(tmp_path, elf(X86, "GLIBC_2.36"))


def test_a_package_for_this_machine_may_need_its_glibc(tmp_path: Path) -> None:
    """A package for this machine may require this machine's glibc."""
    assert glibc(tmp_path, elf(X86, "GLIBC_2.36"), target=HOST) == (2, 36)


@pytest.mark.parametrize(
    ("limit", "what"), [("MAX_UNZIPPED_BYTES", "unzipped with the code"), ("MAX_ZIPPED_BYTES", "zipped")]
)
def test_a_package_that_is_too_large_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, limit: str, what: str
) -> None:
    """The build checks Lambda's size limits before an upload."""
    monkeypatch.setattr(checks, limit, 3)
    file = tmp_path / "file"
    file.write_bytes(b"1234")
    with pytest.raises(
        PackageError, match=f"^expected a package of at most 3 bytes {what}, got 4: remove packages from "
    ):
        checks.check_sizes([file], file)


def test_the_import_check_is_skipped_without_that_python(tmp_path: Path) -> None:
    """The result says that the package of another processor is not run."""
    elsewhere = Target("python3.13", "s390x")
    assert checks.check_imports(elsewhere, tmp_path, tmp_path) == "skipped: no Python 3.13 for s390x on this machine"


@pytest.mark.parametrize(
    ("module", "error"),
    [
        ("import nothing", "ModuleNotFoundError: No module named 'nothing'"),
        ("import os; os._exit(3)", "exit code 3"),
        ("while True: pass", 'Timeout .*\n.*\n  File ".*/handlers/__init__.py", line 1 in <module>(\n  .*)*'),
    ],
)
def test_a_module_that_does_not_import_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, error: str
) -> None:
    """Python's message says why, or where it was when the time was over, or else its exit code."""
    monkeypatch.setattr(checks, "IMPORT_TIMEOUT_S", 2)
    (tmp_path / "handlers").mkdir()
    for name in ("__init__", *(name.replace("-", "_") for name in FUNCTIONS)):
        (tmp_path / "handlers" / f"{name}.py").write_text(module)
    here = Target(f"python{sys.version_info.major}.{sys.version_info.minor}", platform.machine())
    with pytest.raises(PackageError, match=rf"whose modules import, got from .*:\n(.*\n)*{error}\nOnly the standard"):
        checks.check_imports(here, tmp_path, tmp_path)


def test_the_import_check_covers_all_handlers() -> None:
    """Handler modules are discovered, so the check includes a fourth worker."""
    assert checks.handler_modules() == sorted(f"handlers.{name.replace('-', '_')}" for name in FUNCTIONS)
