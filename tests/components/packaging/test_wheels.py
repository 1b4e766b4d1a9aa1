"""The layer's packages: pinned, verified by hash, and refused with a clear error."""

import io
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from components.config import RUNTIMES
from components.packaging import paths, wheels
from components.packaging.build import layer_archive
from components.packaging.target import MACHINES, PackageError, Target

LAMBDA = Target("python3.13", "x86_64", bytecode=False)
HOST = Target("python3.13", "x86_64", host=True, bytecode=False)


def requirement(handlers: Path, text: str) -> None:
    """Make this the only requirement, for every processor."""
    for file in handlers.glob("requirements*.txt"):
        file.unlink()
    (handlers / "requirements.txt").write_text(text)


def lock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str) -> None:
    monkeypatch.setattr(paths, "LOCK", tmp_path / "wheels.sha256")
    paths.LOCK.write_text(text)


def wheel(path: Path, *entries: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for entry in entries:
            archive.writestr(entry, entry)
    return path


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("architecture", MACHINES)
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_every_pin_is_locked(runtime: str, architecture: str) -> None:
    """`wheels.sha256` has hashes for every pinned package; a missing one means that `make lock` was not run."""
    target = Target(runtime, architecture, inputs=("heic",))
    pins = wheels.pins([*target.requirements, *target.heic])
    assert [name for name, version in pins.items() if not wheels.hashes(name, version)] == []


def test_the_lock_has_only_pinned_packages() -> None:
    """`wheels.sha256` has no file of a version that is no longer pinned."""
    targets = [Target("python3.13", machine, inputs=("heic",)) for machine in MACHINES]
    pins = wheels.pins(file for target in targets for file in (*target.requirements, *target.heic))
    known = {file for _, file in wheels.locked()}
    assert known == {file for file in known for pin in pins.items() if wheels._same(file, *pin)}


def test_a_package_without_a_version_is_refused(source_copy: Path) -> None:
    """An unpinned package would make builds change over time."""
    requirement(source_copy, "six>=1.0\n")
    with pytest.raises(
        PackageError, match=r"^requirements\.txt: expected a package with its version, .* got 'six>=1\.0'"
    ):
        layer_archive(LAMBDA)


def test_a_package_without_hashes_is_refused(source_copy: Path) -> None:
    """The error says to run `make lock`."""
    requirement(source_copy, "six==1.16.0\n")
    with pytest.raises(PackageError, match=r"^expected a package .* got six==1\.16\.0: run `make lock`$"):
        layer_archive(LAMBDA)


def test_a_file_with_another_hash_is_refused(
    source_copy: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whatever an index or a folder of wheels provides, pip accepts only the file with the locked hash."""
    requirement(source_copy, "six==1.17.0\n")
    lock(monkeypatch, tmp_path, f"{'0' * 64}  six-1.17.0-py2.py3-none-any.whl\n")
    with pytest.raises(PackageError, match="DO NOT MATCH THE HASHES"):
        layer_archive(LAMBDA)


def test_an_unpublished_package_is_refused(source_copy: Path) -> None:
    """The error names the platform and the package, and says what to check."""
    requirement(source_copy, "pixelcascade-has-no-such-package==1.0\n")
    with pytest.raises(PackageError) as caught:
        layer_archive(HOST)
    message = str(caught.value)
    assert message.startswith("The layer for python3.13 on x86_64 could not be built: expected pinned packages ")
    assert "pixelcascade-has-no-such-package==1.0" in message
    assert "Check handlers/requirements*.txt and the network" in message


def test_a_missing_network_is_reported(source_copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the package that pip could not fetch, and says to check the network."""
    requirement(source_copy, "six==1.17.0\n")
    for name, text in {"INDEX_URL": "http://127.0.0.1:9/simple", "RETRIES": "0", "NO_CACHE_DIR": "1"}.items():
        monkeypatch.setenv(f"PIP_{name}", text)
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    message = r"(?s)could not be built: expected .*got exit code 1 from pip:.*six.*and the network"
    with pytest.raises(PackageError, match=message):
        layer_archive(HOST)


def test_a_failed_layer_is_not_cached(source_copy: Path, empty_cache: Path) -> None:
    """The next build tries again."""
    requirement(source_copy, "six\n")
    with pytest.raises(PackageError):
        layer_archive(LAMBDA)
    assert not empty_cache.exists()


@pytest.mark.parametrize("name", ["TARGET", "PREFIX", "NO_BINARY", "REQUIREMENT", "PLATFORM"])
def test_this_machines_pip_settings_are_ignored(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The layer's build ignores this machine's settings for pip."""
    monkeypatch.setenv(f"PIP_{name}", str(tmp_path / "nowhere"))
    assert re.match(r"pip \d", wheels.run_pip("failed", "--version"))


def sdist(path: Path, *entries: str) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for entry in entries:
            found = tarfile.TarInfo(entry)
            found.size = len(entry)
            archive.addfile(found, io.BytesIO(entry.encode()))
    return path


def test_only_the_modules_of_a_source_are_unpacked(tmp_path: Path) -> None:
    """Only modules are unpacked: no setup files, tests, metadata, or paths outside of the package."""
    source = sdist(
        tmp_path / "pyvips-3.2.0.tar.gz",
        *("pyvips-3.2.0/pyvips/__init__.py", "pyvips-3.2.0/pyvips/base.pyi", "pyvips-3.2.0/setup.py"),
        *("pyvips-3.2.0/pyvips/../../evil.py", "pyvips-3.2.0/tests/test_a.py", "PKG-INFO"),
    )
    wheels.unpack_source(source, tmp_path / "layer")
    assert files(tmp_path / "layer") == ["pyvips/__init__.py"]


IMPORTING = """
import sys
sys.path.insert(0, sys.argv[1])
import pyvips
print(pyvips.Image.black(80, 60).reduce(2, 2, kernel="lanczos3", gap=0).width)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="libvips comes with it for Linux alone")
def test_libvips_runs_with_only_the_layer(tmp_path: Path) -> None:
    """The arm64 requirements include all that libvips needs; the test installs them for this machine's processor."""
    pins = wheels.pins([paths.HANDLERS / "requirements-arm64.txt"])
    (tmp_path / "layer").mkdir()
    wheels.install(HOST, pins, tmp_path / "layer")
    command = [sys.executable, "-I", "-S", "-B", "-c", IMPORTING, str(tmp_path / "layer")]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout == "40\n"


def test_a_wheel_is_unpacked_without_unused_files(tmp_path: Path) -> None:
    """Modules are unpacked where Python imports them from; scripts, headers, records and unused models are left out."""
    made = wheel(
        tmp_path / "demo.whl",
        *("demo/__init__.py", "demo-1.data/platlib/compiled.so", "demo-1.data/purelib/pure.py"),
        *("demo-1.data/scripts/demo", "demo-1.data/headers/demo.h", "demo-1.dist-info/RECORD"),
        *("demo-1.dist-info/METADATA", "botocore/data/endpoints.json", "botocore/data/s3/x/service.json"),
        *("botocore/data/ec2/x/service.json", "boto3/examples/s3.rst", "../outside.py"),
    )
    wheels.unpack(made, tmp_path / "python")
    assert files(tmp_path / "python") == [
        "botocore/data/endpoints.json",
        "botocore/data/s3/x/service.json",
        "compiled.so",
        "demo-1.dist-info/METADATA",
        "demo/__init__.py",
        "pure.py",
    ]
    assert not (tmp_path / "outside.py").exists()
