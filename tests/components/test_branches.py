"""The table of branches: the fields of a row, and that every command picks up a new row."""

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from components.branches import BRANCHES, ImageBranch
from components.config import ConfigError, StackConfig
from components.stack_file import ROOT
from handlers.layout import Layout

ROWS = {row.name: row for row in BRANCHES}
CONVERSION, RESIZING, EXTRACTION = (ROWS[name] for name in ("format-conversion", "resizing", "metadata-extraction"))
KEY = "master/2024/cat.png"


def test_a_rows_memory_is_a_setting_or_a_number() -> None:
    """The memory is a field of the stack's config or a number of MB."""
    config = StackConfig(resizing_memory_mb=3008)
    assert RESIZING.memory_mb(config) == 3008
    assert dataclasses.replace(RESIZING, memory=512).memory_mb(config) == 512
    assert RESIZING.memory_key == "pixelcascade:resizingMemoryMb"
    with pytest.raises(ConfigError, match="expected a branch whose memory is a setting, got resizing with 512 MB"):
        _ = dataclasses.replace(RESIZING, memory=512).memory_key


@pytest.mark.parametrize(
    ("settings", "memory_mb"),
    [({}, 256), ({"salvage": True}, 1769), ({"salvage": True, "metadata_extraction_memory_mb": 3008}, 3008)],
)
def test_salvage_gives_the_extractor_memory_to_decode(settings: dict[str, Any], memory_mb: int) -> None:
    """Only decoding shows whether a picture is damaged."""
    assert EXTRACTION.memory_mb(StackConfig(**settings)) == memory_mb


def test_a_row_returns_the_keys_of_a_masters_files() -> None:
    """A branch writes one file, one per size, or none."""
    files = [row.keys(Layout(), KEY, ["small", "large"]) for row in (CONVERSION, RESIZING, EXTRACTION)]
    assert files == [
        ["converted/2024/cat.jpg"],
        ["resized/2024/cat/small.jpg", "resized/2024/cat/large.jpg"],
        [],
    ]
    assert [row.files_of(2) for row in (CONVERSION, RESIZING, EXTRACTION)] == [1, 2, 0]


def test_a_prefix_is_a_setting_or_a_value() -> None:
    """A new branch does not need its own setting."""
    config = StackConfig(resized_prefix="sizes/")
    fourth = ImageBranch(name="new", handler="handlers.new.handler", memory=512, task="new", prefix="new/")
    assert [row.prefix_of(config) for row in (RESIZING, EXTRACTION, fourth)] == ["sizes/", None, "new/"]


@pytest.mark.parametrize("row", BRANCHES, ids=lambda row: row.name)
def test_a_rows_files_are_below_its_prefix(row: ImageBranch) -> None:
    """Otherwise the worker may not write them, and no command finds them; a misspelt `key` would stop the audit."""
    prefix = row.prefix_of(StackConfig())
    keys = row.keys(Layout(), KEY, ["small", "large"])
    assert [key for key in keys if not prefix or not key.startswith(prefix)] == []


@pytest.mark.parametrize("row", BRANCHES, ids=lambda row: row.name)
def test_a_rows_settings_are_fields_of_the_config(row: ImageBranch) -> None:
    """A misspelt one would stop the program with an AttributeError."""
    assert set(row.settings) - {field.name for field in dataclasses.fields(StackConfig)} == set()


def test_every_command_includes_a_new_row(tmp_path: Path) -> None:
    """The audit, the local run, the memory benchmark and the estimate include a new row without other changes."""
    command = [sys.executable, "-m", "tests.programs.fourth_row", str(tmp_path)]
    output = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120, cwd=ROOT).stdout
    stack, local, memory, rest = output.split("\n", 3)
    prefixes = [prefix for row in BRANCHES if (prefix := row.prefix_of(StackConfig()))]
    assert stack.split() == ["stack:", *prefixes, "inverted/", "rejected/"]
    assert local.split() == ["local", "run:", *(prefix.strip("/") for prefix in prefixes), "inverted", "rejected"]
    assert memory.split() == ["memory", "benchmark:", *(row.task for row in BRANCHES), "invert"]
    audit, estimate = rest.split("│ inverting ", 1)
    assert "│ format-conversion" in audit
    assert estimate.count("inverting") > 1
