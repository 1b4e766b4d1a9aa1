"""The functions' archives: what is in them, for which platform, and the same bytes for the same inputs."""

import os
import shutil
import zipfile
from fnmatch import fnmatch
from pathlib import Path

import pytest

from components import lambda_package
from components.config import StackConfig
from components.lambda_package import PackageError, Target, code_archive, layer_archive
from local.program import ROOT
from tests.recording import arn, recorded

LAMBDA = Target("python3.13", "x86_64")


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the test a cache of its own."""
    cache = tmp_path / "cache"
    monkeypatch.setattr(lambda_package, "CACHE", cache)
    return cache


@pytest.fixture
def source_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty_cache: Path) -> Path:
    """Give the test a copy of `handlers` that it may change."""
    assert not empty_cache.exists()
    handlers = tmp_path / "handlers"
    shutil.copytree(ROOT / "handlers", handlers, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(lambda_package, "ROOT", tmp_path)
    monkeypatch.setattr(lambda_package, "HANDLERS", handlers)
    monkeypatch.setattr(lambda_package, "REQUIREMENTS", handlers / "requirements.txt")
    return handlers


def names(archive: Path) -> list[str]:
    with zipfile.ZipFile(archive) as opened:
        return opened.namelist()


def requirement(handlers: Path, text: str) -> None:
    (handlers / "requirements.txt").write_text(text)


@pytest.mark.usefixtures("empty_cache")
def test_the_code_archive_holds_the_handlers_sources_alone() -> None:
    """Every Python file of `handlers` is in the archive, in order, and nothing else."""
    assert names(code_archive()) == sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("handlers/**/*.py"))


def test_the_code_archive_depends_on_contents_alone(source_copy: Path) -> None:
    """Other file times, modes and compiled files give the same bytes under the same name."""
    first = code_archive()
    before = first.read_bytes()
    first.unlink()
    for path in source_copy.rglob("*.py"):
        os.utime(path, (1, 1))
        path.chmod(0o600)
    (source_copy / "__pycache__").mkdir()
    (source_copy / "__pycache__" / "job.cpython-313.pyc").write_bytes(b"")
    second = code_archive()
    assert (second, second.read_bytes()) == (first, before)


def test_the_code_archive_follows_its_sources(source_copy: Path) -> None:
    """A changed source gives another archive, so that Pulumi updates the functions."""
    first = code_archive()
    (source_copy / "job.py").write_text("")
    assert code_archive().name != first.name


@pytest.mark.usefixtures("source_copy")
def test_an_archive_is_whole_or_not_there(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A build that is interrupted leaves nothing that a later one would take for its result."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(zipfile.ZipFile, "writestr", interrupt)
    with pytest.raises(KeyboardInterrupt):
        code_archive()
    assert list(empty_cache.glob("*.zip")) == []


def test_a_wheel_of_another_platform_is_refused(source_copy: Path) -> None:
    """The error names the platform and pip's own reason, where to look and what to change."""
    wheel = source_copy / "demo-1.0-cp27-none-win32.whl"
    wheel.write_bytes(b"")
    requirement(source_copy, f"{wheel}\n")
    with pytest.raises(PackageError) as caught:
        layer_archive(LAMBDA)
    message = str(caught.value)
    assert message.startswith("The layer for python3.13 on x86_64 could not be built: pip ended with 1.\n")
    assert "demo-1.0-cp27-none-win32.whl is not a supported wheel on this platform" in message
    assert "check handlers/requirements.txt and the network" in message


def test_a_package_nobody_published_is_refused(source_copy: Path) -> None:
    """The error holds what the package index answered."""
    requirement(source_copy, "pixelcascade-has-no-such-package==1.0\n")
    with pytest.raises(PackageError, match=r"pixelcascade-has-no-such-package==1\.0"):
        layer_archive(LAMBDA)


def test_a_layer_that_failed_is_not_cached(source_copy: Path, empty_cache: Path) -> None:
    """What could not be built is tried anew the next time."""
    requirement(source_copy, f"{source_copy}/missing-1.0-py3-none-any.whl\n")
    with pytest.raises(PackageError):
        layer_archive(LAMBDA)
    assert not empty_cache.exists()


def test_a_layer_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Lambda's limit on unzipped bytes is checked before an upload."""
    monkeypatch.setattr(lambda_package, "MAX_UNZIPPED_BYTES", 3)
    file = tmp_path / "file"
    file.write_bytes(b"1234")
    with pytest.raises(PackageError, match=r"^The layer has 4 bytes unzipped, allowed are 3; take packages out of "):
        lambda_package._check_size([file])


def test_a_layer_for_this_machine_has_its_packages() -> None:
    """Packages lie where Lambda's runtime looks for them: below `python/`."""
    found = names(layer_archive(Target(StackConfig(package_for="host").function_runtime, "x86_64", host=True)))
    assert {name.split("/")[0] for name in found} == {"python"}
    assert {"python/PIL/__init__.py", "python/boto3/__init__.py"} <= set(found)


def test_a_layer_leaves_out_what_no_function_imports() -> None:
    """The models of services that nobody calls would be most of the layer."""
    found = names(layer_archive(Target(StackConfig(package_for="host").function_runtime, "x86_64", host=True)))
    models = [Path(name).parts for name in found if name.startswith("python/botocore/data/")]
    services = {parts[3] for parts in models if len(parts) > 4}
    assert services == {"dynamodb", "s3", "sns"}


@pytest.mark.parametrize(("architecture", "machine"), [("x86_64", "x86_64"), ("arm64", "aarch64")])
def test_a_layer_for_lambda_has_its_platforms_wheels(architecture: str, machine: str) -> None:
    """Pillow's compiled parts are for the function's Python and processor, whatever machine deploys."""
    found = names(layer_archive(Target("python3.13", architecture)))
    compiled = {Path(name).name for name in found if fnmatch(name, "python/PIL/_imaging.*.so")}
    assert compiled == {f"_imaging.cpython-313-{machine}-linux-gnu.so"}


def test_a_layer_is_the_same_bytes_each_time(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A layer that is built anew, in another place, is no reason to update a function."""
    built = layer_archive(LAMBDA)
    assert built.parent == empty_cache
    monkeypatch.undo()
    assert built.read_bytes() == layer_archive(LAMBDA).read_bytes()


def test_every_function_shares_one_archive_and_one_layer() -> None:
    """Four functions are one upload."""
    functions = recorded().mocks.of_type("Function")
    assert {found.inputs["code"].path for found in functions} == {str(code_archive())}
    assert {tuple(found.inputs["layers"]) for found in functions} == {(arn("LayerVersion", "pixelcascade-layer"),)}


def test_the_layer_is_named_after_its_stack() -> None:
    """Two stacks in one account do not publish versions of one layer."""
    names = [
        recorded(stack).mocks.one("LayerVersion", "pixelcascade-layer").inputs["layerName"] for stack in ("dev", "prod")
    ]
    assert names == ["pixelcascade-dev", "pixelcascade-prod"]
