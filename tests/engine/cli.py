"""The Pulumi CLI for the tests: its command lines and the summaries that it prints."""

import importlib.metadata
import json
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TIMEOUT_S = 1200
NO_CLI = "expected the Pulumi CLI on the PATH, got none: see https://www.pulumi.com/docs/iac/download-install/"
# Matches summary lines such as `+ 105 created` and `7 changes. 98 unchanged`.
COUNT = re.compile(r"\b(\d+) (created|updated|deleted|replaced|unchanged)\b")


class PulumiFailedError(Exception):
    """A Pulumi CLI command failed; the message includes its output."""


def missing() -> str:
    """Return what this machine lacks for the engine tests and how to install it, or an empty text."""
    pulumi = shutil.which("pulumi")
    if pulumi is None:
        return NO_CLI
    done = subprocess.run([pulumi, "plugin", "ls", "--json"], capture_output=True, text=True, check=False)
    found = {plugin["version"] for plugin in json.loads(done.stdout or "[]") if plugin["name"] == "aws"}
    version = importlib.metadata.version("pulumi_aws")
    if version not in found:
        got = ", ".join(sorted(found)) or "none"
        return f"expected plugin aws {version}, got {got}: run `pulumi plugin install resource aws {version}`"
    return ""


def counts(output: str) -> Counter[str]:
    """Return the counts of created, updated, deleted, replaced and unchanged resources in an update's summary."""
    summary = output.rpartition("\nResources:\n")[2]
    return Counter({kind: int(number) for number, kind in COUNT.findall(summary)})


@dataclass(frozen=True, kw_only=True)
class PulumiStack:
    """A stack of the project in `folder`; the environment sets the backend and the passphrase."""

    name: str
    folder: Path
    environment: Mapping[str, str]

    def init(self) -> None:
        """Create the stack."""
        self._run("stack", "init")

    def set(self, settings: Mapping[str, str]) -> None:
        """Change settings in the stack file."""
        for key, value in settings.items():
            self._run("config", "set", key, value)

    def up(self, *, refresh: bool = False) -> Counter[str]:
        """Deploy, with `refresh` after a comparison of the state with the account, and return the summary's counts."""
        return counts(self._run("up", "--yes", "--skip-preview", *(["--refresh"] if refresh else [])))

    def expect_no_changes(self) -> None:
        """Preview an update.

        Raises: PulumiFailedError, if the update would change something.
        """
        self._run("preview", "--expect-no-changes")

    def check(self, pack: Path) -> None:
        """Install a policy pack's packages, and preview an update with it.

        Raises: PulumiFailedError, if a resource violates a rule.
        """
        self._call("install", folder=pack)
        self._run("preview", "--policy-pack", str(pack))

    def destroy(self) -> Counter[str]:
        """Preview and delete all resources; fails if one of them is protected."""
        return counts(self._run("destroy", "--yes"))

    def outputs(self) -> dict[str, Any]:
        """Return the stack's outputs, which are empty before the first update."""
        found: dict[str, Any] = json.loads(self._run("stack", "output", "--json"))
        return found

    def resources(self) -> list[str]:
        """Return the URNs of the resources in the stack's state, sorted."""
        deployment = json.loads(self._run("stack", "export"))["deployment"]
        return sorted(resource["urn"] for resource in deployment.get("resources") or ())

    def _run(self, *arguments: str) -> str:
        """Run one command for the stack and return its output.

        Raises: PulumiFailedError.
        """
        return self._call(*arguments, "--stack", self.name, folder=self.folder)

    def _call(self, *arguments: str, folder: Path) -> str:
        command = ["pulumi", *arguments, "--non-interactive", "--color", "never"]
        if shutil.which("pulumi", path=self.environment.get("PATH")) is None:
            raise PulumiFailedError(NO_CLI)
        done = subprocess.run(
            command,
            cwd=folder,
            env=dict(self.environment),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        if done.returncode:
            raise PulumiFailedError(
                f"expected {' '.join(command)} to exit 0, got {done.returncode}:\n{done.stdout}\n{done.stderr}"
            )
        return done.stdout
