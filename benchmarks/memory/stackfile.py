"""A stack's file edited as text: only the keys that are named, so that comments and order stay as they are."""

import difflib
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from benchmarks.memory.functions import FUNCTIONS
from components.config import PROJECT

CONFIG = re.compile(r"config\s*:\s*(#.*)?$")
MARK = "\ufeff"
INDENT = "  "


class StackEditError(Exception):
    """The file cannot be edited as text; the message says what to do."""


def edited(text: str, memory_mb: Mapping[str, int], project: str = PROJECT) -> str:
    """Return a stack file's text with each function's memory set; `project` is what Pulumi.yaml calls it.

    Raises: StackEditError, also where the text would not become what is asked for and nothing else.
    """
    wanted = _loaded(text)
    config = dict(wanted.get("config") or {})
    lines = text.removeprefix(MARK).splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\r\n" if lines[0].endswith("\r\n") else "\n"
    for function, size in memory_mb.items():
        name = FUNCTIONS[function].memory_key.rpartition(":")[2]
        # A key without a name is its project's: https://www.pulumi.com/docs/iac/concepts/config/
        key = name if name in config else f"{project}:{name}"
        _set(lines, key, size)
        config[key] = size
    after = text[: len(text) - len(text.removeprefix(MARK))] + "".join(lines)
    if _loaded(after) != {**wanted, "config": config}:
        raise StackEditError(f"{', '.join(memory_mb)} cannot be set by editing the text: set it by hand")
    return after


def project_of(file: Path) -> str:
    """Return what the Pulumi.yaml beside a stack's file calls the project; its keys begin with it."""
    beside = file.parent / "Pulumi.yaml"
    return str(_loaded(beside.read_text(encoding="utf-8")).get("name", PROJECT)) if beside.exists() else PROJECT


def difference(before: str, after: str, name: str) -> str:
    """Return a unified diff, empty where nothing changes."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    return "".join(difflib.unified_diff(old, new, name, name))


def write(file: Path, memory_mb: Mapping[str, int]) -> str:
    """Set each function's memory in a stack's file, whole or not at all; return the diff.

    Raises: StackEditError.
    """
    before = file.read_bytes().decode("utf-8") if file.exists() else ""
    after = edited(before, memory_mb, project_of(file))
    file = file.resolve()  # A link stays one.
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=f".{file.name}.") as folder:
        new = Path(folder) / file.name
        new.write_bytes(after.encode("utf-8"))
        if file.exists():
            shutil.copymode(file, new)
        new.replace(file)
    return difference(before, after, file.name)


def _loaded(text: str) -> dict[str, Any]:
    """Return what a file says.

    Raises: StackEditError.
    """
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise StackEditError(f"expected YAML, got a file that is not ({error}): correct it by hand") from error
    if not isinstance(found, dict | None) or not isinstance((found or {}).get("config"), dict | None):
        raise StackEditError("expected `config:` with its keys below, got a file without a mapping: correct it by hand")
    return found or {}


def _set(lines: list[str], key: str, size: int) -> None:
    """Set one key, in its line, or in a new one at the end of the config."""
    start, end = _config(lines)
    pattern = re.compile(rf"(\s+['\"]?{re.escape(key)}['\"]?\s*:\s*)([^#\s]*)(.*)$", re.DOTALL)
    found = [number for number in range(start, end) if pattern.match(lines[number])]
    if len(found) > 1:
        raise StackEditError(f"expected {key} once, got it {len(found)} times: delete the others")
    if found:
        match = pattern.match(lines[found[0]])
        assert match is not None  # noqa: S101 - it was found by it
        if not re.fullmatch(r"['\"]?\d+['\"]?", match[2]):
            raise StackEditError(f"{key}: expected a number, got {match[2] or 'a block'!r}: correct it by hand")
        lines[found[0]] = f"{match[1]}{size}{match[3]}"
        return
    last = max((number for number in range(start, end) if re.match(r"[ \t]+\S", lines[number])), default=start - 1)
    newline = "\r\n" if lines[start - 1].endswith("\r\n") else "\n"
    lines.insert(last + 1, f"{_indent(lines[start:end])}{key}: {size}{newline}")


def _config(lines: list[str]) -> tuple[int, int]:
    """Return the lines of the config's block, from the first below `config:` to before the next key; made if missing.

    Raises: StackEditError.
    """
    for number, line in enumerate(lines):
        if CONFIG.match(line):
            rest = enumerate(lines[number + 1 :], number + 1)
            return number + 1, next((other for other, text in rest if text[:1].strip(" \t\r\n#")), len(lines))
        if line.startswith(("config:", '"config"', "'config'")):
            raise StackEditError(f"expected `config:` alone, its keys below, got {line.strip()!r}: correct it by hand")
    lines.append("config:\r\n" if lines and lines[0].endswith("\r\n") else "config:\n")
    return len(lines), len(lines)


def _indent(block: list[str]) -> str:
    """Return how far the block's keys are indented."""
    keys = [re.match(r"[ \t]+(?=[^\s#])", line) for line in block]
    return next((match[0] for match in keys if match), INDENT)
