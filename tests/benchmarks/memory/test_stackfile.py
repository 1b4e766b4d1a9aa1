"""The stack file: only the named keys change; comments and order stay."""

from pathlib import Path

import pytest

from benchmarks.memory.request import FUNCTIONS
from benchmarks.memory.stackfile import StackEditError, edited, write
from components.config import StackConfig
from components.stack_file import ROOT, file_config

DEV = """# A stack to try things in.
config:
  aws:region: eu-central-1 # where we are
  aws:defaultTags:
    tags:
      stack: dev
  pixelcascade:resizingMemoryMb: 1769 # was a guess
  pixelcascade:maxConcurrency: 5

# The end.
"""


def test_an_existing_key_changes_in_place() -> None:
    """Nothing else changes."""
    assert edited(DEV, {"resize": 512}) == DEV.replace("1769", "512")


def test_a_missing_key_is_added_at_the_beginning_of_the_config() -> None:
    """There no comment is between it and the key that the comment is about."""
    after = edited(DEV, {"convert": 885, "metadata": 256})
    assert after == DEV.replace(
        "config:\n",
        "config:\n  pixelcascade:formatConversionMemoryMb: 885\n  pixelcascade:metadataExtractionMemoryMb: 256\n",
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "config:\n  pixelcascade:resizingMemoryMb: 512\n"),
        ("# Nothing yet", "# Nothing yet\nconfig:\n  pixelcascade:resizingMemoryMb: 512\n"),
        ("other: 1\n", "other: 1\nconfig:\n  pixelcascade:resizingMemoryMb: 512\n"),
        ("config:\nother: 1\n", "config:\n  pixelcascade:resizingMemoryMb: 512\nother: 1\n"),
        ("config: # none\n  # yet\n", "config: # none\n  pixelcascade:resizingMemoryMb: 512\n  # yet\n"),
        ("config:\n    a:b: 1", "config:\n    pixelcascade:resizingMemoryMb: 512\n    a:b: 1\n"),
        ("config:\r\n  a:b: 1\r\n", "config:\r\n  pixelcascade:resizingMemoryMb: 512\r\n  a:b: 1\r\n"),
        ('config:\n  pixelcascade:resizingMemoryMb: "99"\n', "config:\n  pixelcascade:resizingMemoryMb: 512\n"),
        ("config:\n  a : 1\n", "config:\n  pixelcascade:resizingMemoryMb: 512\n  a : 1\n"),
        ("config: &all\n  a:b: 1\n", "config: &all\n  pixelcascade:resizingMemoryMb: 512\n  a:b: 1\n"),
        ("config: {}\n", "config: {pixelcascade:resizingMemoryMb: 512}\n"),
        ("config: {a:b: 1} # one\n", "config: {pixelcascade:resizingMemoryMb: 512, a:b: 1} # one\n"),
        ("config: ~\n", "config: {pixelcascade:resizingMemoryMb: 512}\n"),
    ],
)  # fmt: skip
def test_a_file_of_any_layout_gets_the_key(before: str, after: str, tmp_path: Path) -> None:
    """The file may be empty, lack a config or a final newline, or differ in indentation, line ends or quotes."""
    assert edited(before, {"resize": 512}) == after
    (tmp_path / "Pulumi.dev.yaml").write_text(after)
    if "other" not in after:
        assert file_config(tmp_path / "Pulumi.dev.yaml")["pixelcascade:resizingMemoryMb"] == "512"


@pytest.mark.parametrize(
    "text", ["config: {resizingMemoryMb: 1}\n", "config: &a { resizingMemoryMb: 1, a:b: [1] } # one\n"]
)
def test_one_key_changes_and_another_is_added_within_one_line(text: str) -> None:
    """A config in braces gets the new key beside the changed one."""
    new = text.replace("{", "{pixelcascade:formatConversionMemoryMb: 885, ", 1).replace(": 1", ": 512", 1)
    assert edited(text, {"resize": 512, "convert": 885}) == new


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("config:\n  pixelcascade:resizingMemoryMb:\n    secure: AAA\n", "expected a number"),
        ("config:\n  pixelcascade:resizingMemoryMb: many\n", "expected a number"),
        ("config:\n  a: &b 1\n  pixelcascade:resizingMemoryMb: *b\n", "expected a number"),
    ],
)
def test_an_uneditable_file_is_left_unchanged(text: str, message: str, tmp_path: Path) -> None:
    """The error gives the reason, and the file does not change."""
    file = tmp_path / "Pulumi.dev.yaml"
    file.write_text(text)
    with pytest.raises(StackEditError, match=message):
        write(file, {"resize": 512})
    assert file.read_text() == text
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


def test_writing_returns_the_diff(tmp_path: Path) -> None:
    """The diff has the old and the new line; writing the same value again gives an empty diff."""
    file = tmp_path / "Pulumi.dev.yaml"
    file.write_text(DEV)
    tried = write(file, {"resize": 512}, dry=True)
    assert file.read_text() == DEV
    changed = write(file, {"resize": 512})
    assert changed == tried
    assert "-  pixelcascade:resizingMemoryMb: 1769 # was a guess" in changed
    assert "+  pixelcascade:resizingMemoryMb: 512 # was a guess" in changed
    assert write(file, {"resize": 512}) == ""


def test_the_keys_are_settings_of_the_program() -> None:
    """Each written key is a setting of the program."""
    settable = [function for function in FUNCTIONS.values() if isinstance(function.memory, str)]
    config = StackConfig.parse({function.memory_key: "512" for function in settable})
    assert [function.memory_mb(config) for function in settable] == [512] * len(settable)
    assert len(settable) >= 3


def test_a_renamed_project_has_its_own_keys(tmp_path: Path) -> None:
    """`pulumi up` rejects keys under the template's name."""
    (tmp_path / "Pulumi.yaml").write_text("name: mine\n")
    file = tmp_path / "Pulumi.dev.yaml"
    file.write_text("config:\n  mine:resizingMemoryMb: 1\n")
    write(file, {"resize": 512, "convert": 885})
    assert file.read_text() == "config:\n  mine:formatConversionMemoryMb: 885\n  mine:resizingMemoryMb: 512\n"


def test_a_line_that_only_looks_like_the_key_is_unchanged() -> None:
    """A line inside a block scalar is not a setting."""
    text = "config:\n  a:b: |\n    pixelcascade:resizingMemoryMb: 1\n"
    new = "config:\n  pixelcascade:resizingMemoryMb: 512\n"
    assert edited(text, {"resize": 512}) == text.replace("config:\n", new)


@pytest.mark.parametrize(
    "text",
    ["\ufeffconfig:\n  pixelcascade:resizingMemoryMb: 1\n", "config:\n  resizingMemoryMb: 1\n"],
)
def test_a_key_is_found_in_every_spelling(text: str) -> None:
    """The key may follow a byte order mark, or lack the project's name."""
    assert edited(text, {"resize": 512}) == text.replace(" 1\n", " 512\n")


@pytest.mark.parametrize("stack", ["dev", "prod", "local"])
def test_the_shipped_stack_files_change_by_one_line(stack: str) -> None:
    """Comments and lists are written back byte for byte."""
    changed = write(ROOT / f"Pulumi.{stack}.yaml", {"resize": 512}, dry=True)
    assert [line for line in changed.splitlines()[2:] if line[:1] in "+-"] == ["+  pixelcascade:resizingMemoryMb: 512"]
