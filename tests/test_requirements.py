"""`pulumi up` installs only requirements.txt: the program runs with those packages and their dependencies alone."""

import importlib.metadata
import json
import subprocess
import sys

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from components.stack_file import ROOT

# Runs first in a new Python process, in which all other packages look as if they were missing.
REFUSE = """
import json, sys
from importlib.abc import MetaPathFinder

class Refuse(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in refused:
            raise ModuleNotFoundError(f"No module named {name!r} in requirements.txt", name=name)

refused = set(json.loads(sys.argv[1]))
sys.meta_path.insert(0, Refuse())
"""
PROGRAM = "from tests.recording import recorded; print(len(recorded({stack!r}).mocks.resources))"


def required() -> set[str]:
    """Return the distributions in requirements.txt with all their dependencies on this machine."""
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    # Hashes are on continuation lines.
    waiting = [Requirement(line.rstrip(" \\")) for line in lines if line[:1].isalnum()]
    found: set[str] = set()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if name in found or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        assert not requirement.extras, f"{requirement}: this test follows no extras"
        found.add(name)
        waiting += map(Requirement, importlib.metadata.requires(name) or ())
    return found


def refused() -> set[str]:
    """Return the modules of all other installed distributions."""
    ours = required()
    owners = importlib.metadata.packages_distributions()
    return {module for module, names in owners.items() if not ours & set(map(canonicalize_name, names))}


def run(code: str) -> subprocess.CompletedProcess[str]:
    """Run code in a Python process without those modules."""
    command = [sys.executable, "-c", REFUSE + code, json.dumps(sorted(refused()))]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_the_program_needs_only_requirements_txt(stack: str) -> None:
    """The program builds the functions' package and registers every resource."""
    done = run(PROGRAM.format(stack=stack))
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 50


@pytest.mark.parametrize("module", ["boto3", "click", "jinja2", "msgspec", "matplotlib.figure", "PIL.Image", "rich"])
def test_other_packages_cannot_be_imported_there(module: str) -> None:
    """Packages of the functions, the local run and the benchmarks cannot be imported, so the test above can fail."""
    done = run(f"import {module}")
    assert done.returncode == 1
    assert "in requirements.txt" in done.stderr


def test_every_requirement_is_pinned_with_hashes() -> None:
    """Each requirement is pinned with hashes, so pip accepts no other file, and no dependency is missing."""
    blocks = (ROOT / "requirements.txt").read_text().replace("\\\n", " ").splitlines()
    locked = [block for block in blocks if block[:1].isalnum()]
    assert all("==" in block and "--hash=sha256:" in block for block in locked)
    names = {canonicalize_name(Requirement(block.partition(" --hash")[0]).name) for block in locked}
    assert required() <= names


def test_the_lock_matches_requirements_in() -> None:
    """A change to requirements.in needs `make lock`."""
    asked = [line for line in (ROOT / "requirements.in").read_text().splitlines() if line[:1].isalnum()]
    assert asked
    assert all(f"\n{line} " in (ROOT / "requirements.txt").read_text() for line in asked)
