"""The functions' archives: their contents, their platform, and identical bytes for identical inputs."""

import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fnmatch import fnmatch
from functools import partial
from pathlib import Path

import pytest

from components.config import StackConfig
from components.packaging import archive, checks, paths
from components.packaging import build as building
from components.packaging.build import Package, build, check, code_archive, layer_archive
from components.packaging.target import PackageError, Target
from components.packaging.wheels import DECODERS, unused_for
from tests.pythons import needs_python

LAMBDA = Target("python3.13", "x86_64", bytecode=False)
ARM = Target("python3.13", "arm64", bytecode=False)
OLDER = Target("python3.12", "x86_64", bytecode=False)
NEWER = Target("python3.14", "x86_64", bytecode=False)
SOURCES = LAMBDA
HOST = Target.of(StackConfig(package_for="host"))


@pytest.fixture(scope="module")
def host_layer() -> Path:
    """Return the layer for this machine, from the cache that all tests share."""
    return layer_archive(HOST)


def names(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as opened:
        return opened.namelist()


def further(found: list[str]) -> set[str]:
    """Return the further formats whose module is among a layer's files."""
    return {name for name in ("avif", "webp") if any(f"PIL/_{name}." in file for file in found)}


@pytest.mark.usefixtures("empty_cache")
def test_the_code_archive_has_only_the_handlers_sources() -> None:
    """The archive holds every Python file of `handlers`, in order, and nothing else."""
    root = paths.ROOT
    assert names(code_archive(SOURCES)) == sorted(
        path.relative_to(root).as_posix() for path in root.glob("handlers/**/*.py")
    )


def test_the_code_archive_depends_only_on_contents(source_copy: Path) -> None:
    """File times, modes and compiled files change neither the archive's bytes nor its name."""
    first = code_archive(SOURCES)
    before = first.read_bytes()
    first.unlink()
    for path in source_copy.rglob("*.py"):
        os.utime(path, (1, 1))
        path.chmod(0o600)
    (source_copy / "__pycache__").mkdir()
    (source_copy / "__pycache__" / "job.cpython-313.pyc").write_bytes(b"")
    second = code_archive(SOURCES)
    assert (second, second.read_bytes()) == (first, before)


def test_a_changed_source_renames_the_code_archive(source_copy: Path) -> None:
    """A changed source changes the archive's name, so that Pulumi updates the functions."""
    first = code_archive(SOURCES)
    (source_copy / "job.py").write_text("")
    assert code_archive(SOURCES).name != first.name


@pytest.mark.usefixtures("source_copy")
def test_an_interrupted_build_leaves_no_archive(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupted build leaves no file that a later build would reuse."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(zipfile.ZipFile, "writestr", interrupt)
    with pytest.raises(KeyboardInterrupt):
        code_archive(SOURCES)
    assert list(empty_cache.iterdir()) == []


@pytest.mark.parametrize("command", [build, partial(check, Package(code=Path(), layer=Path()))])
def test_a_cache_that_cannot_be_written_is_reported(command: Callable[[Target], object], empty_cache: Path) -> None:
    """A read-only checkout or a full disk gives one line."""
    empty_cache.write_text("a file instead of a folder, which stops root too")
    with pytest.raises(PackageError, match=rf"The package was not built: expected {empty_cache}.* got \[Errno"):
        command(LAMBDA)


@pytest.mark.usefixtures("source_copy")
def test_a_damaged_archive_is_rebuilt() -> None:
    """The cache reuses an archive only if its bytes match the hash in its name."""
    path = code_archive(SOURCES)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert code_archive(SOURCES).read_bytes() == whole


@pytest.mark.usefixtures("source_copy")
def test_a_fresh_build_ignores_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """`fresh` writes the archive again without reading the cache."""
    before = code_archive(SOURCES).stat().st_ino
    monkeypatch.setattr(archive, "find", lambda *_: pytest.fail("looked into the cache"))
    assert code_archive(SOURCES, fresh=True).stat().st_ino != before


@pytest.mark.usefixtures("source_copy")
def test_concurrent_builds_give_one_archive(empty_cache: Path) -> None:
    """Concurrent builds do not write to each other's files."""
    with ThreadPoolExecutor(8) as threads:
        found = set(threads.map(lambda _: code_archive(SOURCES, fresh=True).read_bytes(), range(16)))
    assert len(found) == 1
    assert len(list(empty_cache.iterdir())) == 1


def test_a_layer_for_this_machine_has_its_packages() -> None:
    """Lambda's runtime imports packages from `python/`."""
    found = names(layer_archive(HOST))
    assert {name.split("/")[0] for name in found} == {"python"}
    assert {"python/PIL/__init__.py", "python/boto3/__init__.py"} <= set(found)


def test_a_layer_for_this_machine_is_uncompressed_and_compiled() -> None:
    """The layer is uncompressed and has bytecode, because each function's process unpacks and imports it."""
    with zipfile.ZipFile(layer_archive(HOST)) as opened:
        assert {entry.compress_type for entry in opened.infolist()} == {zipfile.ZIP_STORED}
        assert any(entry.filename.endswith(".pyc") for entry in opened.infolist())


@pytest.mark.parametrize("target", [HOST, LAMBDA], ids=str)
def test_a_layer_omits_what_no_function_imports(target: Target) -> None:
    """Models of unused services would take up most of the layer."""
    found = names(layer_archive(target))
    models = [Path(name).parts for name in found if name.startswith("python/botocore/data/")]
    services = {parts[3] for parts in models if len(parts) > 4}
    assert services == {"dynamodb", "events", "s3", "sns", "sqs"}
    assert not any(
        fnmatch(name, f"*{unused}*") for name in found for unused in ("_avif", "libavif", "_webp", "harfbuzz")
    )


def test_a_layer_has_the_decoders_of_accepted_formats() -> None:
    """The layer holds a format's decoder only if the stack accepts the format."""
    found = names(layer_archive(Target("python3.13", "x86_64", bytecode=False, inputs=("avif",))))
    assert further(found) == {"avif"}
    assert any(fnmatch(name, "python/pillow.libs/libsharpyuv*") for name in found)
    assert not any("webp-" in name for name in found)


@pytest.mark.parametrize("formats", [("webp",), ("avif",), ("avif", "webp")])
def test_a_format_keeps_its_libraries_in_the_common_layer(formats: tuple[str, ...]) -> None:
    """A format's files are kept, with libsharpyuv, and those of other formats left out; none needs HEIC's layer."""
    unused = unused_for(formats)
    for name, patterns in DECODERS.items():
        kept = {pattern for pattern in patterns if "sharpyuv" not in pattern}
        assert kept.isdisjoint(unused) if name in formats else kept <= set(unused)
    assert "pillow.libs/libsharpyuv*" not in unused
    assert replace(HOST, inputs=formats, outputs=formats).heic == []


def test_a_layer_is_reused_for_the_same_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a format is accepted or written does not matter, and TIFF needs no file of its own."""
    accepted = layer_archive(replace(HOST, inputs=("webp",)))
    monkeypatch.setattr(building, "_install", lambda *_: pytest.fail("built another layer"))
    assert layer_archive(replace(HOST, outputs=("webp",))) == accepted
    assert layer_archive(replace(HOST, inputs=("heic", "tiff", "webp"), outputs=("webp",))) == accepted


@pytest.mark.parametrize("architecture", ["x86_64", "arm64"])
def test_heic_has_its_own_layer(architecture: str) -> None:
    """The common layer keeps its name and contents, and the HEIC layer holds only the HEIC decoder."""
    target = Target("python3.13", architecture, bytecode=False)
    package = build(replace(target, inputs=("heic",)))
    assert package.layer == build(target).layer
    assert package.heic
    found = names(package.heic)
    assert {Path(name).parts[1] for name in found if ".so" not in name} >= {"pi_heif"}
    assert any(fnmatch(name, "python/pi_heif.libs/libheif-*") for name in found)
    assert not any("PIL" in name for name in found)
    assert package.heic.stat().st_size < 2_000_000


def test_a_package_with_heic_imports() -> None:
    """The check unpacks both layers into one folder, as Lambda does."""
    target = replace(HOST, inputs=("heic",))
    assert check(build(target), target)


def test_a_layer_has_the_encoders_of_output_formats() -> None:
    """Their modules import with the one layer alone, and encoders of other formats are left out."""
    target = Target.of(StackConfig(package_for="host", output_formats={"webp": 80}))
    package = build(target)
    assert further(names(package.layer)) == {"webp"}
    assert package.heic is None
    assert check(package, target)
    assert package.layer != layer_archive(HOST)


@pytest.mark.parametrize(
    "target",
    [
        LAMBDA,
        ARM,
        OLDER,
        NEWER,
        pytest.param(Target("python3.12", "arm64"), marks=needs_python("3.12")),
    ],
    ids=str,
)
def test_a_layer_for_lambda_has_wheels_of_its_platform(target: Target) -> None:
    """Pillow's compiled modules match the function's Python and processor on any deploying machine."""
    found = names(layer_archive(target))
    compiled = {Path(name).name for name in found if fnmatch(name, "python/PIL/_imaging.*.so")}
    python = target.version.replace(".", "")
    assert compiled == {f"_imaging.cpython-{python}-{target.machine}-linux-gnu.so"}


ELSEWHERE = """
import os, pathlib, sys
from components.packaging import build, paths, target
os.umask(0o077)
paths.CACHE = pathlib.Path(sys.argv[1])
print(build.layer_archive(target.Target("python3.13", "x86_64", bytecode=False)).name)
"""


def test_a_layer_does_not_depend_on_the_environment(tmp_path: Path) -> None:
    """The folder, umask, locale, time zone and hash seed do not change its bytes, so Pulumi updates no function."""
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, str(tmp_path)],
        env={**os.environ, "LC_ALL": "C", "TZ": "Pacific/Apia", "PYTHONHASHSEED": "7"},
        cwd=paths.ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == layer_archive(LAMBDA).name


def test_a_package_is_checked_once(source_copy: Path, empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The import check runs again only when the code or the layer changes."""
    assert source_copy.is_dir()
    made: list[Target] = []
    monkeypatch.setattr(building, "layer_archive", lambda _target, **_: code_archive(SOURCES))
    monkeypatch.setattr(building, "check", lambda _package, target: made.append(target))
    build(LAMBDA)
    build(LAMBDA)
    assert made == [LAMBDA]
    (source_copy / "job.py").write_text("")
    build(LAMBDA)
    assert made == [LAMBDA, LAMBDA]
    assert len(list(empty_cache.glob("passed-*"))) == 2


def test_the_package_for_this_machine_passes_its_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every handler imports with only the standard library, the layer and the code.

    The temporary folder is not used: on hardened machines no code may run in it.
    """
    package = build(HOST)
    monkeypatch.setattr(tempfile, "tempdir", "/nonexistent")
    _, _, imports = check(package, HOST)
    for module in checks.handler_modules():
        assert module in imports


@pytest.mark.parametrize("target", [OLDER, LAMBDA, NEWER], ids=str)
def test_the_package_for_lambda_imports_in_the_runtimes_python(target: Target) -> None:
    """Every handler imports in the runtime's Python, if this machine has one."""
    _, _, imports = check(build(target), target)
    if imports.startswith("imports: skipped"):
        pytest.skip(imports)
    assert f"isolated Python {target.version}" in imports


def test_a_handler_that_does_not_import_is_refused(
    host_layer: Path, source_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error includes Python's own message."""
    monkeypatch.setattr(building, "layer_archive", lambda _target, **_: host_layer)
    with (source_copy / "job.py").open("a") as job:
        job.write("\nimport pulumi\n")
    with pytest.raises(PackageError, match="No module named 'pulumi'"):
        build(HOST)
