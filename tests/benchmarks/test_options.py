"""The commands' options: a wrong value is refused before anything runs."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from benchmarks.__main__ import main

from .conftest import one_line


def refused(*options: str) -> str:
    """Run a command that must exit with a usage error; return its output on one line."""
    result = CliRunner().invoke(main, options)
    assert (result.exit_code, type(result.exception)) == (2, SystemExit), result.output
    return one_line(result.output)


def file_options() -> list[tuple[str, str]]:
    """Return every option of every command that names a file to write."""
    return [
        (name, option)
        for name, command in main.commands.items()
        for parameter in command.params
        for option in parameter.opts
        if option in ("--json", "--html", "--csv")
    ]


def required_options(command: str, folder: Path) -> list[str]:
    """Return a command with its required arguments."""
    return [command, str(folder)] if command == "conformance" else [command]


def test_every_command_but_way_writes_files() -> None:
    """The tests below cover all commands but `trace`, which prints a list and writes no file."""
    assert {name for name, _ in file_options()} == set(main.commands) - {"trace"}


@pytest.mark.parametrize(("command", "option"), [*file_options(), ("memory", "--write")])
def test_a_folder_that_does_not_exist_is_refused(command: str, option: str, tmp_path: Path) -> None:
    """The error names the file and the fix."""
    message = refused(*required_options(command, tmp_path), option, f"{tmp_path}/none/found")
    assert "expected a file in a folder that exists, got" in message


@pytest.mark.parametrize(("command", "option"), file_options())
def test_a_folder_that_cannot_be_written_is_refused(command: str, option: str, tmp_path: Path) -> None:
    """Even root cannot write into /proc."""
    message = refused(*required_options(command, tmp_path), option, "/proc/found")
    assert "got '/proc/found'" in message
    assert "folder that can be written" in message


def test_a_plot_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """The plot is written beside the page, under the page's name."""
    assert "expected a page such as page.html" in refused("latency", "--html", str(tmp_path / "page.png"))
    (tmp_path / "page.png").mkdir()
    assert "page.png" in refused("latency", "--html", str(tmp_path / "page.html"))


def test_a_check_leaves_nothing_behind(tmp_path: Path) -> None:
    """The check does not create the file."""
    json_option = next(option for option in main.commands["load"].params if "--json" in option.opts)
    context = click.Context(main.commands["load"])
    assert json_option.type.convert(str(tmp_path / "found.json"), json_option, context) == tmp_path / "found.json"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        *((f"{command} --runs {runs}", "x>=1") for command in ("latency", "peers", "coldstart", "batch", "publisher")
          for runs in (0, -1)),
        *((f"{command} --delay {delay}", f"expected 0 to 10,000 milliseconds, got '{delay}'")
          for command in ("batch", "publisher", "memory") for delay in (-5, "nan", "inf")),
        *((f"{command} --sizes {sizes}", f"expected whole MB from 128 to 10240, got '{wrong}': write them as 512,1024")
          for command in ("publisher", "memory")
          for sizes, wrong in (("64", "64"), ("512,x", "x"), ("512,", ""), ("10241", "10241"))),
        *((f"conformance . --memory {memory}", "128<=x<=1048576") for memory in (0, -1, 10**12)),
        *((f"conformance . --timeout {seconds}", f"expected 0.1 to 3,600 seconds, got '{seconds}'")
          for seconds in (-1, 0, "nan", "inf")),
    ],
)  # fmt: skip
def test_numbers_outside_their_range_are_refused(options: str, message: str) -> None:
    """The error gives the range; nan is outside of every range."""
    assert message in refused(*options.split())


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    """An empty folder is probably the wrong folder."""
    (tmp_path / "empty").mkdir()
    assert "expected files, or folders that hold some" in refused("conformance", str(tmp_path))


def test_a_misspelt_fault_gets_a_suggestion() -> None:
    """The error suggests the nearest fault, before anything starts."""
    assert "got 'kil' (did you mean kill?): correct it" in refused("load", "--faults", "crashes,kil")
