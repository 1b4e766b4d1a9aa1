"""A fake `pulumi` that records its command lines and prints prepared answers."""

import json
import os
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.engine.cli import PulumiStack

FAKE = """
import json, pathlib, sys
folder = pathlib.Path({folder!r})
with (folder / "calls").open("a") as calls:
    calls.write(json.dumps(sys.argv[1:]) + "\\n")
answers = json.loads((folder / "answers.json").read_text())
code, text = next((answers[key] for key in answers if " ".join(sys.argv[1:]).startswith(key)), (0, ""))
print(text)
sys.exit(code)
"""


@dataclass(frozen=True, kw_only=True)
class FakeCli:
    """The fake CLI, in a folder on the PATH."""

    folder: Path

    def answer(self, answers: Mapping[str, tuple[int, str]]) -> None:
        """Set exit code and output by the start of a command line, such as `stack export`; others print nothing."""
        (self.folder / "answers.json").write_text(json.dumps(answers))

    def calls(self) -> list[str]:
        """Return the recorded command lines."""
        return [" ".join(json.loads(line)) for line in (self.folder / "calls").read_text().splitlines()]

    def stack(self) -> PulumiStack:
        """Return a stack that uses the fake CLI."""
        return PulumiStack(name="dev", folder=self.folder, environment=dict(os.environ))


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeCli:
    """Put the fake at the front of the PATH."""
    fake = FakeCli(folder=tmp_path / "cli")
    fake.folder.mkdir()
    fake.answer({})
    script, program = fake.folder / "fake.py", fake.folder / "pulumi"
    script.write_text(FAKE.format(folder=str(fake.folder)))
    # Not the interpreter itself, because a path in a shebang may not contain spaces.
    program.write_text(f'#!/bin/sh\nexec {shlex.join([sys.executable, str(script)])} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.folder}{os.pathsep}{os.environ['PATH']}")
    return fake
