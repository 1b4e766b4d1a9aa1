"""Groups of commands, which import only the command that is called."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

MISSPELT = """
import sys
from {package}.__main__ import main
try:
    main([{misspelt!r}], standalone_mode=False)
except Exception as error:
    print(error.message, {slow!r} in sys.modules)
"""


@pytest.mark.parametrize(
    ("package", "misspelt", "slow"),
    [("ops", "redriv", "boto3"), ("benchmarks", "latncy", "PIL"), ("local", "rum", "boto3")],
)
def test_a_misspelt_command_is_refused_at_once(package: str, misspelt: str, slow: str) -> None:
    """The error suggests a command, and is printed before any command is imported."""
    code = MISSPELT.format(package=package, misspelt=misspelt, slow=slow)
    command = [sys.executable, "-c", code]
    printed = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    assert printed.startswith(f"No such command '{misspelt}' (did you mean ")
    assert printed.endswith(") False\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this machine has no device that is always full")
@pytest.mark.parametrize("arguments", ["ops --help", "benchmarks --help", "local --help", "costs", "ops estimate"])
def test_a_full_disk_is_one_line(arguments: str) -> None:
    """The command's output goes to a file on a full disk, through Python's buffer, as it does by default."""
    command = [sys.executable, "-m", *arguments.split()]
    env = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, check=False, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, env=env)
    expected = "Error: expected free space for the output and temporary files, got none (No space left on device): "
    assert (done.returncode, done.stderr) == (1, f"{expected}free some, then run the command again\n")


PRINTS = """
import click
from costs.console import text_console
from ops.commands import Commands

@click.command()
def names():
    click.echo("\\xfc\\U0001f600")
    text_console().print("\\xfc\\U0001f600")

Commands(places={"names": "__main__:names"}).main(["names"])
"""


@pytest.mark.parametrize(
    ("encoding", "printed"), [("latin-1", b"\xfc\\U0001f600\n"), ("utf-8", "\xfc\U0001f600\n".encode())]
)
def test_a_name_that_a_terminal_cannot_show_is_escaped(encoding: str, printed: bytes) -> None:
    """The terminal's encoding may lack a letter of a key or a folder."""
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    command = [sys.executable, "-c", PRINTS]
    done = subprocess.run(command, check=True, capture_output=True, env=environment, timeout=60)
    assert done.stdout == 2 * printed
