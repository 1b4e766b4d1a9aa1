"""A copy of the project for the Pulumi CLI: links to the sources, stack files of its own that lead to an emulator."""

import os
import sys
from pathlib import Path
from typing import Any

import yaml

from components.config import PROJECT
from components.stack_file import ROOT
from local.emulator import CREDENTIALS, Emulator
from tests.engine.cli import PulumiStack

PORT = 4566
"""The one in Pulumi.local.yaml."""
# Not needed there, or written by `link_project`.
LEFT_OUT = (".git*", ".venv", "venv", "Pulumi*.yaml", "out", "build")


def link_project(folder: Path) -> None:
    """Fill a folder with links to the project; Pulumi.yaml alone is a copy, and no stack file is there.

    The virtual environment of these tests is the one that the CLI would otherwise make and fill.
    """
    (ROOT / ".cache").mkdir(exist_ok=True)
    for path in ROOT.iterdir():
        if not any(path.match(pattern) for pattern in LEFT_OUT):
            (folder / path.name).symlink_to(path)
    (folder / "Pulumi.yaml").write_text((ROOT / "Pulumi.yaml").read_text())
    (folder / "venv").symlink_to(sys.prefix)


def emulated(stack: str, port: int) -> dict[str, Any]:
    """Return a stack file's config with what Pulumi.local.yaml says of the emulator, on another port."""
    own = _config(stack)
    text = (ROOT / "Pulumi.local.yaml").read_text().replace(f":{PORT}", f":{port}")
    local: dict[str, Any] = yaml.safe_load(text)["config"]
    provider = {key: value for key, value in local.items() if key.startswith("aws:")}
    return {**own, **provider, f"{PROJECT}:packageFor": "host", f"{PROJECT}:tlsOnly": False}


def environment(folder: Path, emulator: Emulator) -> dict[str, str]:
    """Return what the CLI, and `python -m ops`, need to find state and stack: a backend in a folder, the emulator."""
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
    """Write the file of a stack that has a shipped one's name and settings, and make it; `folder` holds the project."""
    text = yaml.safe_dump({"config": emulated(shipped, emulator.port)})
    (folder / f"Pulumi.{shipped}.yaml").write_text(text)
    stack = PulumiStack(name=shipped, folder=folder, environment=environment(folder, emulator))
    stack.init()
    return stack


def _config(stack: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]
    return found
