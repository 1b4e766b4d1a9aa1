"""A copy of the project for the Pulumi CLI: links to the sources, and stack files that point to an emulator."""

import os
import sys
from pathlib import Path
from typing import Any

import yaml

from components.stack_file import ROOT
from local.emulator import CREDENTIALS, Emulator
from tests.engine.cli import PulumiStack

PORT = 4566
"""The port in Pulumi.local.yaml."""
# Not needed in the copy, or written by `link_project`.
LEFT_OUT = (".git*", ".venv", "venv", "Pulumi*.yaml", "out", "build")


def link_project(folder: Path) -> None:
    """Fill a folder with links to the project, a copy of Pulumi.yaml, and no stack file.

    The CLI finds this virtual environment there, and does not create and fill its own.
    """
    (ROOT / ".cache").mkdir(exist_ok=True)
    for path in ROOT.iterdir():
        if not any(path.match(pattern) for pattern in LEFT_OUT):
            (folder / path.name).symlink_to(path)
    (folder / "Pulumi.yaml").write_text((ROOT / "Pulumi.yaml").read_text())
    (folder / "venv").symlink_to(sys.prefix)


def emulated(stack: str, port: int) -> dict[str, Any]:
    """Return a stack file's config with the emulator settings of Pulumi.local.yaml, on another port."""
    own = _config(stack)
    text = (ROOT / "Pulumi.local.yaml").read_text().replace(f":{PORT}", f":{port}")
    local: dict[str, Any] = yaml.safe_load(text)["config"]
    provider = {key: value for key, value in local.items() if key.startswith("aws:")}
    return {**own, **provider, "packageFor": "host", "tlsOnly": False}


def environment(folder: Path, emulator: Emulator) -> dict[str, str]:
    """Return an environment for the CLI and `python -m ops`: a backend in a folder, and the emulator."""
    (folder / "backend").mkdir(exist_ok=True)
    return {
        **os.environ,
        "AWS_ACCESS_KEY_ID": CREDENTIALS["aws_access_key_id"],
        "AWS_SECRET_ACCESS_KEY": CREDENTIALS["aws_secret_access_key"],
        "AWS_ENDPOINT_URL": emulator.endpoint,
        "PULUMI_BACKEND_URL": f"file://{folder / 'backend'}",
        "PULUMI_CONFIG_PASSPHRASE": "engine",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }


def stack_like(shipped: str, folder: Path, emulator: Emulator) -> PulumiStack:
    """Create a stack with the name and settings of a shipped one, in the project copy in `folder`."""
    text = yaml.safe_dump({"config": emulated(shipped, emulator.port)})
    (folder / f"Pulumi.{shipped}.yaml").write_text(text)
    stack = PulumiStack(name=shipped, folder=folder, environment=environment(folder, emulator))
    stack.init()
    return stack


def _config(stack: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]
    return found
