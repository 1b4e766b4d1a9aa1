"""What Lambda needs to run the functions: an archive of `handlers` and a layer of its packages.

Both are built when the program runs, for the function's platform whatever machine deploys, and
byte for byte the same for the same inputs, so that nothing is updated without need.
"""

import compileall
import hashlib
import os
import py_compile
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pulumi
import pulumi_aws as aws

from components.config import StackConfig

ROOT = Path(__file__).parent.parent
HANDLERS = ROOT / "handlers"
REQUIREMENTS = HANDLERS / "requirements.txt"
CACHE = ROOT / ".cache" / "packages"

# The glibc of Amazon Linux 2023, on which python3.12 and python3.13 run, is 2.34.
# Source: Lambda's developer guide, "Lambda runtimes"; PEP 600 for the tags.
GLIBC_TAGS = ("manylinux_2_34", "manylinux_2_28", "manylinux_2_17", "manylinux2014")
MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}
MAX_UNZIPPED_BYTES = 250 * 1024 * 1024  # Source: Lambda quotas, deployment package with layers.

# botocore knows every service of AWS; the functions call these.
SERVICES = ("dynamodb", "s3", "sns")
# What no function imports, and is large.
UNUSED = ("aws_lambda_powertools/event_handler", "bin", "boto3/data", "boto3/examples")


class PackageError(pulumi.RunError):
    """The functions' package cannot be built; the message says what was tried and what helps."""


@dataclass(frozen=True)
class Target:
    """The platform and Python that a package is for; `host` is this very machine."""

    runtime: str
    architecture: str
    host: bool = False

    def pip_options(self) -> list[str]:
        """Return the options that make pip pick this platform's wheels."""
        if self.host:
            return []
        version = self.runtime.removeprefix("python")
        platforms = [f"--platform={tag}_{MACHINES[self.architecture]}" for tag in GLIBC_TAGS]
        return [*platforms, "--implementation=cp", f"--python-version={version}"]


class LambdaPackage(pulumi.ComponentResource):
    """The code of all functions and the layer that they share."""

    code: pulumi.Archive
    """The archive of the package `handlers`."""
    layer_arn: pulumi.Output[str]
    """The ARN of the layer's version."""
    runtime: str
    """The runtime that the layer's packages are for."""

    def __init__(self, name: str, config: StackConfig, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pixelcascade:index:LambdaPackage", name, None, opts)
        target = Target(config.function_runtime, config.architecture, host=config.package_for == "host")
        self.runtime = target.runtime
        self.code = pulumi.FileArchive(str(code_archive()))
        layer = aws.lambda_.LayerVersion(
            f"{name}-layer",
            layer_name=f"{name}-{pulumi.get_stack()}",
            code=pulumi.FileArchive(str(layer_archive(target))),
            compatible_runtimes=[target.runtime],
            compatible_architectures=[target.architecture],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.layer_arn = layer.arn
        self.register_outputs({"layer_arn": self.layer_arn})


def code_archive() -> Path:
    """Write the archive of `handlers/**/*.py` and return its path."""
    sources = {path.relative_to(ROOT).as_posix(): path for path in HANDLERS.rglob("*.py")}
    return _archive("code", _digest(sources), sources)


def layer_archive(target: Target) -> Path:
    """Write the archive of the layer for `target`, or find it in the cache, and return its path.

    Raises: PackageError, where a wheel for the platform cannot be had or the layer is too large.
    """
    inputs = {"requirements": REQUIREMENTS, "builder": Path(__file__)}
    digest = _digest(inputs, repr(target), sys.implementation.cache_tag if target.host else "")
    cached = _path("layer", digest)
    if cached.exists():
        return cached
    with tempfile.TemporaryDirectory() as folder:
        packages = Path(folder) / "python"
        _install(target, packages)
        _prune(packages)
        if target.host:
            _compile(packages)
        files = {path.relative_to(folder).as_posix(): path for path in packages.rglob("*") if path.is_file()}
        _check_size(files.values())
        # On this machine the emulator unpacks the layer for every process that it starts.
        return _archive("layer", digest, files, zipfile.ZIP_STORED if target.host else zipfile.ZIP_DEFLATED)


def _install(target: Target, folder: Path) -> None:
    """Install the functions' packages, wheels only, into `folder`."""
    command = [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"),
        *("--no-deps", "--only-binary=:all:", f"--requirement={REQUIREMENTS}", f"--target={folder}"),
        *target.pip_options(),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PackageError(
            f"The layer for {target.runtime} on {target.architecture} could not be built: pip ended with "
            f"{done.returncode}.\n{done.stderr.strip()}\nAllowed are pinned packages that have a wheel for that "
            f"platform; check {REQUIREMENTS.relative_to(ROOT)} and the network, or pick another runtime or "
            "architecture with `pulumi config set`."
        )


def _prune(folder: Path) -> None:
    """Remove what no function imports, and botocore's models of other services."""
    for unused in UNUSED:
        shutil.rmtree(folder / unused, ignore_errors=True)
    for model in (folder / "botocore" / "data").iterdir():
        if model.is_dir() and model.name not in SERVICES:
            shutil.rmtree(model)
    for record in folder.glob("*.dist-info/RECORD"):
        record.unlink()  # It lists what was just removed, and the installing machine's paths.


def _compile(folder: Path) -> None:
    """Compile the packages, so that not every new process of a function on this machine has to.

    Left out for Lambda: bytecode is one Python's own, and the archive must not depend on which one deploys.
    """
    unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH  # The files' times are the unpacking's.
    compileall.compile_dir(folder, quiet=2, invalidation_mode=unchecked, stripdir=str(folder))


def _check_size(files: Iterable[Path]) -> None:
    size_bytes = sum(path.stat().st_size for path in files)
    if size_bytes > MAX_UNZIPPED_BYTES:
        raise PackageError(
            f"The layer has {size_bytes} bytes unzipped, allowed are {MAX_UNZIPPED_BYTES}; take packages out of "
            f"{REQUIREMENTS.relative_to(ROOT)}."
        )


def _digest(files: dict[str, Path], *words: str | None) -> str:
    """Return a hash of names, contents and words."""
    digest = hashlib.sha256(repr(words).encode())
    for name in sorted(files):
        digest.update(f"{name}\0".encode() + hashlib.sha256(files[name].read_bytes()).digest())
    return digest.hexdigest()


def _path(kind: str, digest: str) -> Path:
    return CACHE / f"{kind}-{digest[:16]}.zip"


def _archive(kind: str, digest: str, files: dict[str, Path], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    """Write a zip whose bytes depend on names and contents alone; whole or not at all."""
    path = _path(kind, digest)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}")
    with zipfile.ZipFile(unfinished, "w") as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o100644 << 16
            entry.compress_type = compression
            archive.writestr(entry, files[name].read_bytes())
    return unfinished.replace(path)
