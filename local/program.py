"""Run the Pulumi program without the Pulumi CLI: its resources go to whatever `Mocks` say."""

import asyncio
import contextvars
import json
import os
import re
import runpy
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pulumi
import yaml
from pulumi.runtime.mocks import Mocks, set_mocks
from pulumi.runtime.rpc_manager import RPCManager
from pulumi.runtime.settings import SETTINGS, get_root_resource
from pulumi.runtime.stack import run_pulumi_func

from components.config import PROJECT, ConfigError

ROOT = Path(__file__).parent.parent
PROGRAM = ROOT / "__main__.py"
REGION, DEFAULT_REGION = "aws:region", "us-east-1"


def run_program(mocks: Mocks, *, stack: str, config: Mapping[str, str], program: Path = PROGRAM) -> dict[str, Any]:
    """Run the program against `mocks` and return its stack outputs by name.

    `config` is keyed `pixelcascade:jpegQuality`. Whatever the program or `mocks` raise comes out.
    """
    # A thread and a context of its own: Pulumi keeps the running stack in both, one for each.
    with ThreadPoolExecutor(max_workers=1) as thread:
        context = contextvars.Context()
        return thread.submit(context.run, _run, mocks, stack, config, program).result()


def _run(mocks: Mocks, stack: str, config: Mapping[str, str], program: Path) -> dict[str, Any]:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    # A failed program's are in these still, and Pulumi would wait for them, on a loop that is closed.
    SETTINGS.rpc_manager, SETTINGS.outputs = RPCManager(), set()  # type: ignore[no-untyped-call]
    try:
        set_mocks(mocks, project=PROJECT, stack=stack, preview=False)
        pulumi.runtime.set_all_config(dict(config))
        loop.run_until_complete(run_pulumi_func(lambda: _execute(program)))
        exports = pulumi.Output.all(**getattr(get_root_resource(), "outputs", {}))
        return loop.run_until_complete(exports.future()) or {}
    finally:
        _cancel(loop)
        loop.close()


def _cancel(loop: asyncio.AbstractEventLoop) -> None:
    """End what a failed program leaves under way; its first failure is told, that others follow from it is no news."""
    loop.set_exception_handler(lambda *_: None)
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))


def _execute(program: Path) -> None:
    runpy.run_path(str(program), run_name="__main__")


class StackFileError(ConfigError, ValueError):
    """A stack's file cannot be read as one; the message says what was found in it.

    A `ValueError` too, as what `yaml` raises for some values is.
    """


def stack_config(stack: str, overrides: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the config of `Pulumi.<stack>.yaml` over the defaults of `Pulumi.yaml`, as the Pulumi CLI would pass it.

    Raises: ConfigError, where the stack has no file, or one that is none.
    """
    path = ROOT / f"Pulumi.{stack}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(file.name.split(".")[1] for file in ROOT.glob("Pulumi.*.yaml")))
        raise ConfigError(f"got stack {stack!r}, which has no {path.name}; known are {known}.")
    return file_config(path) | dict(overrides or {})


def file_config(path: Path) -> dict[str, str]:
    """Return the config of a stack file over the defaults of `Pulumi.yaml`, as the Pulumi CLI would pass it.

    Raises: StackFileError.
    """
    project = _mapping(ROOT / "Pulumi.yaml")
    values = {f"{PROJECT}:{key}": declared["default"] for key, declared in project["config"].items()}
    config = _mapping(path).get("config")
    if not isinstance(config, dict | None):
        raise StackFileError(f"got {path} with config: {config!r}; allowed is a mapping of keys to values.")
    values |= {_own_key(str(key), project["name"]): value for key, value in (config or {}).items()}
    return {key: _as_text(key, value) for key, value in values.items()}


def region_of(config: Mapping[str, str]) -> str:
    """Return a stack's region, or the environment's where its file has none, as Pulumi does, or a default.

    Raises: ConfigError, where it cannot be a region.
    """
    found = (config.get(REGION), os.environ.get("AWS_REGION"), os.environ.get("AWS_DEFAULT_REGION"))
    region = next(filter(None, found), DEFAULT_REGION)
    if not re.fullmatch(r"[a-z]+(-[a-z0-9]+)+", region):
        raise ConfigError(f"got region {region!r}, allowed is one such as {DEFAULT_REGION}; set {REGION}.")
    return region


def _mapping(path: Path) -> dict[str, Any]:
    """Return what a YAML file holds; a new stack's is empty."""
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StackFileError(f"got {path}, which cannot be read: {error.strerror}; let this user read it.") from error
    except (ValueError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise StackFileError(f"got {path}, which is no YAML in UTF-8: {reason}; correct it there.") from error
    if not isinstance(found, dict | None):
        raise StackFileError(f"got {path} with {found!r}; allowed is a mapping with a key config.")
    return found or {}


def _own_key(key: str, project: str) -> str:
    """Return a key of a stack file as the program's own: a project made by `pulumi new` may have another name.

    A key without a name is its project's. Source: Pulumi's CLI, sdk/go/common/workspace/project.go.
    """
    owner, _, name = key.rpartition(":")
    return f"{PROJECT}:{name}" if owner in {"", project} else key


def _as_text(key: str, value: Any) -> str:
    """Return a config value as Pulumi passes it: texts bare, everything else as JSON."""
    try:
        return value if isinstance(value, str) else json.dumps(value)
    except (TypeError, ValueError) as error:
        raise StackFileError(f"got {key}: {value!r}, allowed is what JSON can hold; put it in quotes.") from error
