"""The archives of the functions' package: built, checked, and reused while nothing changes."""

import contextlib
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from components.packaging import archive, bytecode, checks, paths, simd, wheels
from components.packaging.target import GLIBC, PackageError, Target


@dataclass(frozen=True, kw_only=True)
class Package:
    """The archives of the code, of the layer and, if there is one, of the layer that decodes HEIC."""

    code: Path
    layer: Path
    heic: Path | None = None

    @property
    def layers(self) -> list[Path]:
        """The archives of all layers, in the order in which they are unpacked."""
        return [self.layer, *([self.heic] if self.heic else [])]


@contextlib.contextmanager
def _writing() -> Iterator[None]:
    """Raise PackageError if a file cannot be written."""
    try:
        yield
    except OSError as error:
        raise PackageError(
            f"The package was not built: expected {paths.CACHE} and the temporary folder to be writable, with free "
            f"space, got {error}: change the mode, or free some"
        ) from error


@_writing()
def build(target: Target, *, fresh: bool = False) -> Package:
    """Build the package for `target`, or find it in the cache unless `fresh`.

    Raises: PackageError, if there is no wheel for the platform, the package fails a check, or cannot be written.
    """
    package = Package(
        code=code_archive(target, fresh=fresh),
        layer=layer_archive(target, fresh=fresh),
        heic=heic_archive(target, fresh=fresh) if target.heic else None,
    )
    digests = "-".join(archive.sha256(path)[:16] for path in (package.code, *package.layers))
    passed = paths.CACHE / f"passed-{digests}"
    if fresh or not passed.exists():
        check(package, target)
        passed.touch()
    return package


@_writing()
def check(package: Package, target: Target) -> list[str]:
    """Check the package against Lambda's limits and import every handler from it; return what was found.

    Raises: PackageError.
    """
    # The default temporary folder may refuse to run code (noexec), as on hardened machines.
    with tempfile.TemporaryDirectory(dir=paths.CACHE) as folder:
        # Lambda unpacks all layers into one folder.
        code, layers = Path(folder) / "code", Path(folder) / "layers"
        for path in (package.code, *package.layers):
            with zipfile.ZipFile(path) as opened:
                opened.extractall(code if path == package.code else layers)
        files = {path.relative_to(folder).as_posix(): path for path in Path(folder).rglob("*") if path.is_file()}
        glibc = checks.check_platform(files, target)
        size_bytes = checks.check_sizes(files.values(), None if target.host else package.layer)
        imports = checks.check_imports(target, code, layers)
    return [
        f"unzipped: {size_bytes:,} bytes with the code, of {checks.MAX_UNZIPPED_BYTES:,} that Lambda allows",
        f"glibc: needs {'.'.join(map(str, glibc))}, the runtime has {'.'.join(map(str, GLIBC))}",
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
    # Of the formats, only those with files of their own make another layer; HEIC's decoder has one to itself.
    formats = wheels.DECODERS.keys() & {*target.inputs, *target.outputs}
    target = replace(target, inputs=tuple(sorted(formats)), outputs=())
    return _layer("layer", target, target.requirements, fresh=fresh)


def heic_archive(target: Target, *, fresh: bool = False) -> Path:
    """Write the archive of the layer that decodes HEIC on `target`, or find it in the cache, and return its path.

    Raises: PackageError.
    """
    target = replace(target, inputs=("heic",), outputs=(), imaging="pillow")
    return _layer("heic", target, target.heic, fresh=fresh)


def _layer(name: str, target: Target, requirements: Sequence[Path], *, fresh: bool) -> Path:
    """Write the archive of the packages that some requirements pin, or find it in the cache, and return its path."""
    digest = _digest(target, requirements)
    cached = None if fresh else archive.find(name, digest)
    if cached:
        return cached
    with tempfile.TemporaryDirectory() as folder:
        packages = Path(folder) / name / "python"
        packages.mkdir(parents=True)
        _install(target, requirements, packages)
        bytecode.compile_into(packages, bytecode.LAYER, target)
        files = _files(packages, "python/")
        checks.check_platform(files, target)
        checks.check_sizes(files.values())
        # On this machine the emulator unpacks the layer for every process that it starts.
        return archive.store(name, digest, files, zipfile.ZIP_STORED if target.host else zipfile.ZIP_DEFLATED)


def _digest(target: Target, requirements: Sequence[Path]) -> str:
    """Return a hash of everything that a layer for `target` is made from."""
    builders = {path.name: path for path in Path(__file__).parent.glob("*.py")}
    pinned = {path.name: path for path in [*requirements, paths.LOCK]}
    facts = [repr(target), bytecode.identity(target)]
    if target.imaging == "pillow-simd":
        facts.append(simd.compiler())
    return archive.digest({**builders, **pinned}, *facts)


def _install(target: Target, requirements: Sequence[Path], folder: Path) -> None:
    pins = wheels.pins(requirements)
    if target.imaging == "pillow-simd":
        del pins["pillow"]
        simd.install_simd(target, folder)
    wheels.install(target, pins, folder)


def _files(folder: Path, prefix: str = "") -> dict[str, Path]:
    """Return the files below a folder by their names in the archive."""
    return {f"{prefix}{path.relative_to(folder).as_posix()}": path for path in folder.rglob("*") if path.is_file()}
