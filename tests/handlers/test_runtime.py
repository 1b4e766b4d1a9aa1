"""The deployed package on its own Python gives the same results as this Python and the working copy.

`make test-runtime` runs all tests of this folder on that Python.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.artefact import Artefact, unpacked
from components.config import StackConfig
from components.stack_file import ROOT
from local.samples import write_samples
from tests.pythons import needs_python
from tests.recording import recorded

VERSION = StackConfig().runtime.removeprefix("python")
SAMPLES = ("animated.gif", "grey.jpg", "palette.png", "print/cmyk.jpg", "rotated.jpg", "scans/16-bit.png")
WORK = """
import hashlib, io, json, sys
from pathlib import Path
from handlers.imaging import convert, describe, resize

for file in sys.argv[1:]:
    data = Path(file).read_bytes()
    jpegs = [convert(data), *resize(data, {"small": 50, "large": 900}).values()]
    sums = [hashlib.sha256(bytes(jpeg)).hexdigest() for jpeg in jpegs]
    print(json.dumps([*sums, repr(describe(io.BytesIO(data)))]))
"""

pytestmark = needs_python(VERSION)


@pytest.fixture(scope="module")
def artefact() -> Iterator[Artefact]:
    """Unpack the package of the default settings."""
    with unpacked(StackConfig()) as artefact:
        yield artefact


def run(artefact: Artefact, *arguments: str) -> str:
    """Return what a new process of the package's Python prints."""
    environment = {**artefact.environment, "AWS_DEFAULT_REGION": "eu-central-1", "POWERTOOLS_SERVICE_NAME": "tests"}
    command = artefact.command("-c", *arguments)
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def test_every_handler_can_be_called(artefact: Artefact) -> None:
    """Each handler name given to Lambda is that of a function."""
    functions = recorded().mocks.of_type("Function")
    assert functions
    for found in functions:
        module, _, name = found.inputs["handler"].rpartition(".")
        code = f"import sys, {module} as found; print(sys.version_info[:2], callable(found.{name}))"
        assert run(artefact, code) == f"({VERSION.replace('.', ', ')}) True\n"


def test_the_package_gives_the_same_outputs(artefact: Artefact, tmp_path: Path) -> None:
    """Copies, sizes and facts are byte-identical in both Pythons and builds of the libraries."""
    write_samples(tmp_path)
    files = [str(tmp_path / name) for name in SAMPLES]
    here = subprocess.run([sys.executable, "-c", WORK, *files], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run(artefact, WORK, *files).splitlines() == here.stdout.splitlines()
    assert len(here.stdout.splitlines()) == len(SAMPLES)
