"""Signals that arrive while a command is imported."""

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from ops.commands import Commands
from ops.interrupts import interrupt_when_terminated

# A command's module that gets a signal in the middle of its import.
MODULE = """
import os, signal
import click
os.kill(os.getpid(), signal.{name})
imported = True

@click.command()
def command():
    raise AssertionError("the command ran")
"""


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    """Handle signals as a foreground command does, and afterwards as before."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # The tests may run under nohup.
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_waits_for_the_end_of_an_import(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The module is imported completely, and the command does not run."""
    module = f"interrupted_by_{name}"
    (tmp_path / f"{module}.py").write_text(MODULE.format(name=name))
    monkeypatch.syspath_prepend(tmp_path)
    interrupt_when_terminated()
    handler = signal.getsignal(getattr(signal, name))
    with pytest.raises(click.Abort):
        Commands(places={"slow": f"{module}:command"}).main(["slow"], standalone_mode=False)
    assert sys.modules.pop(module).imported
    assert signal.getsignal(getattr(signal, name)) is handler
