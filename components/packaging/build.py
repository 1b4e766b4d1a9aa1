"""The two archives of the functions' package: built, checked, and found again while nothing changes."""

import shutil
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from components.packaging import archive, bytecode, checks, paths, simd, wheels
from components.packaging.target import GLIBC, Target


@dataclass(frozen=True, kw_only=True)
class Package:
    """The archive of the code, and the layer's."""

    code: Path
    layer: Path


def build(target: Target, *, fresh: bool = False) -> Package:
    """Build the package for `target`, or find it in the cache unless `fresh`.

    Raises: PackageError, where a wheel for the platform cannot be had, or the package does not pass a check.
    """
    package = Package(code=code_archive(target, fresh=fresh), layer=layer_archive(target, fresh=fresh))
    passed = paths.CACHE / f"passed-{archive.sha256(package.code)[:16]}-{archive.sha256(package.layer)[:16]}"
    if fresh or not passed.exists():
        check(package, target)
        passed.touch()
    return package


def check(package: Package, target: Target) -> list[str]:
    """Hold the whole package against Lambda's limits, and import every handler from it; return what was found.

    Raises: PackageError.
    """
    with tempfile.TemporaryDirectory() as folder:
        for path in (package.code, package.layer):
            with zipfile.ZipFile(path) as opened:
                opened.extractall(Path(folder) / path.stem)
        files = {path.relative_to(folder).as_posix(): path for path in Path(folder).rglob("*") if path.is_file()}
        glibc = checks.check_platform(files, target)
        size_bytes = checks.check_sizes(files.values(), None if target.host else package.layer)
        imports = checks.check_imports(target, *(Path(folder) / path.stem for path in (package.code, package.layer)))
    return [
        f"unzipped: {size_bytes} bytes with the code, of {checks.MAX_UNZIPPED_BYTES}",
        f"glibc: {'.'.join(map(str, glibc))} is needed, {'.'.join(map(str, GLIBC))} is the runtime's",
        f"imports: {imports}",
    ]


def code_archive(target: Target, *, fresh: bool = False) -> Path:
    """Write the archive of `handlers/**/*.py` with its bytecode, or find it in the cache, and return its path.

    Raises: PackageError.
    """
    sources = {path.relative_to(paths.HANDLERS.parent).as_posix(): path for path in paths.HANDLERS.rglob("*.py")}
    compiler = Path(bytecode.__file__)
    digest = archive.digest({**sources, compiler.name: compiler}, bytecode.identity(target))
    cached = None if fresh else archive.find("code", digest)
    if cached:
        return cached
    with tempfile.TemporaryDirectory() as folder:
        for name, path in sources.items():
            (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, Path(folder) / name)
        bytecode.compile_into(Path(folder), bytecode.CODE, target)
        return archive.store("code", digest, _files(Path(folder)))


def layer_archive(target: Target, *, fresh: bool = False) -> Path:
    """Write the archive of the layer for `target`, or find it in the cache, and return its path.

    Raises: PackageError.
    """
    digest = _digest(target)
    cached = None if fresh else archive.find("layer", digest)
    if cached:
        return cached
    with tempfile.TemporaryDirectory() as folder:
        packages = Path(folder) / "layer" / "python"
        packages.mkdir(parents=True)
        _install(target, packages)
        bytecode.compile_into(packages, bytecode.LAYER, target)
        files = _files(packages, "python/")
        checks.check_platform(files, target)
        checks.check_sizes(files.values())
        # On this machine the emulator unpacks the layer for every process that it starts.
        return archive.store("layer", digest, files, zipfile.ZIP_STORED if target.host else zipfile.ZIP_DEFLATED)


def _digest(target: Target) -> str:
    """Return a hash of all that the layer for `target` is made of."""
    builders = {path.name: path for path in Path(__file__).parent.glob("*.py")}
    pinned = {path.name: path for path in [*target.requirements, paths.LOCK]}
    facts = [repr(target), bytecode.identity(target)]
    if target.imaging == "pillow-simd":
        facts.append(simd.compiler())
    return archive.digest({**builders, **pinned}, *facts)


def _install(target: Target, folder: Path) -> None:
    pins = wheels.pins(target.requirements)
    if target.imaging == "pillow-simd":
        del pins["pillow"]
        simd.install_simd(target, folder)
    wheels.install(target, pins, folder)


def _files(folder: Path, prefix: str = "") -> dict[str, Path]:
    """Return the files below a folder by the name that they have in an archive."""
    return {f"{prefix}{path.relative_to(folder).as_posix()}": path for path in folder.rglob("*") if path.is_file()}
