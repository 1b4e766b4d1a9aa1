"""Run the Pulumi program without the Pulumi CLI, with `Mocks` that create its resources."""

import asyncio
import contextvars
import importlib
import runpy
import threading
import traceback
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime.mocks import Mocks, set_mocks
from pulumi.runtime.rpc_manager import RPCManager
from pulumi.runtime.settings import SETTINGS, get_root_resource
from pulumi.runtime.stack import run_pulumi_func

from components.config import PROJECT
from components.stack_file import ROOT
from local import garbage
from local.errors import LocalError
from ops import interrupts

PROGRAM = ROOT / "__main__.py"


class ProgramError(LocalError):
    """The program has a bug or ends Python; the message has its own lines of the traceback."""


@interrupts.deferred()
@garbage.kept()
def preload() -> None:
    """Import the program's modules while the emulator starts, because that takes a large part of the time."""
    importlib.import_module("components.pipeline")
    importlib.import_module("components.watch")


def run_program(
    mocks: Mocks,
    *,
    stack: str,
    config: Mapping[str, str],
    program: Path = PROGRAM,
    interrupted: threading.Event | None = None,
) -> dict[str, Any]:
    """Run the program against `mocks` and return its stack outputs by name.

    `config` is keyed `pixelcascade:jpegQuality`. Any exception of `mocks` is raised. Ctrl-C sets `interrupted`, so that
    `mocks` can end the program early.

    Raises: pulumi.RunError and OSError, if the program raises them; ProgramError, if it raises any other.
    """
    # A separate thread and context, because Pulumi keeps one running stack in each.
    with ThreadPoolExecutor(max_workers=1) as thread:
        context = contextvars.Context()
        running = thread.submit(context.run, _run, mocks, stack, config, program)
        try:
            return running.result()
        except KeyboardInterrupt:
            if interrupted:
                interrupted.set()
            raise


def _run(mocks: Mocks, stack: str, config: Mapping[str, str], program: Path) -> dict[str, Any]:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    # These still hold a failed program's tasks, and Pulumi would wait for them on a closed loop.
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
    """Cancel the tasks of a failed program. Its first failure is raised; the others follow from that one."""
    loop.set_exception_handler(lambda *_: None)
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))


def _execute(program: Path) -> None:
    try:
        runpy.run_path(str(program), run_name="__main__")
    except (pulumi.RunError, LocalError, OSError):  # They have a message for users.
        raise
    except (Exception, SystemExit) as error:
        frames = traceback.extract_tb(error.__traceback__)
        first = next((number for number, frame in enumerate(frames) if frame.filename == str(program)), len(frames))
        lines = [*traceback.format_list(frames[first:]), *traceback.format_exception_only(error)]
        raise ProgramError(f"expected a program that runs to its end, got:\n{''.join(lines).rstrip()}") from error
