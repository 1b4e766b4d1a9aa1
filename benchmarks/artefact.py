"""The functions' deployed package, unpacked as on Lambda and run by the Python that it is for."""

import contextlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from components.config import StackConfig
from components.packaging import paths
from components.packaging.build import build
from components.packaging.interpreters import interpreter
from components.packaging.target import Target

# The module that stands in for Lambda's runtime in a function's process.
RUNNER = ("__init__.py", "batch_worker.py")


@dataclass(frozen=True, kw_only=True)
class Artefact:
    """An unpacked package: the code, the layer's packages, and the modules that run a function for a benchmark."""

    target: Target
    python: str
    code: Path
    layer: Path
    runner: Path

    def command(self, *arguments: str) -> list[str]:
        """Return the command line of a fresh process with it, to be run with `environment`."""
        return [self.python, "-S", "-B", "-P", *arguments]

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables of Lambda, and those that make a process import the package, not the working copy."""
        paths = ":".join(map(str, (self.code, self.layer, self.runner)))
        return {"PYTHONPATH": paths, "AWS_LAMBDA_FUNCTION_NAME": "measured"}


@contextlib.contextmanager
def unpacked(config: StackConfig) -> Iterator[Artefact]:
    """Unpack a stack's package, with the bytecode of the runtime's Python.

    Without that Python, or on another processor, it is the package for this machine's own Python.

    Raises: PackageError.
    """
    target = Target.of(config)
    python = interpreter(target.version) if target.runs_here else None
    if python is None:
        target, python = Target.of(replace(config, package_for="host")), sys.executable
    package = build(target)
    # As in `build`, a folder in which code may run.
    with tempfile.TemporaryDirectory(dir=paths.CACHE) as name:
        folder = Path(name)
        for archive, place in ((package.code, "task"), *((layer, "opt") for layer in package.layers)):
            with zipfile.ZipFile(archive) as opened:
                opened.extractall(folder / place)
        runner = folder / "runner" / "benchmarks"
        runner.mkdir(parents=True)
        for file in RUNNER:
            shutil.copyfile(Path(__file__).parent / file, runner / file)
        subprocess.run([python, "-m", "compileall", "-q", str(runner)], check=True)
        yield Artefact(
            target=target,
            python=python,
            code=folder / "task",
            layer=folder / "opt" / "python",
            runner=runner.parent,
        )
