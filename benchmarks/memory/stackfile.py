"""Change the memory sizes in a stack's file: the text of each value, or a new line, and no other character."""

import difflib
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode

from benchmarks.memory.request import FUNCTIONS
from components.config import PROJECT


class StackEditError(Exception):
    """The file cannot be edited; the message says what to do."""


def edited(text: str, memory_mb: Mapping[str, int], project: str = PROJECT) -> str:
    """Return a valid stack file's text with each function's memory set; `project` is what Pulumi.yaml calls it.

    Raises: StackEditError.
    """
    newline = "\r\n" if "\r\n" in text else "\n"
    if text and not text.endswith("\n"):
        text += newline
    document = _entries(YAML().compose(text))
    config = _entries(document["config"][1]) if "config" in document else {}
    changes, added = [], []
    for function, size in memory_mb.items():
        name = FUNCTIONS[function].memory_key.rpartition(":")[2]
        # A key without a name is its project's: https://www.pulumi.com/docs/iac/concepts/config/
        key = name if name in config else f"{project}:{name}"
        if key not in config:
            added.append(f"{key}: {size}")
            continue
        start, end = _span(config[key][1])
        if not text[start:end].strip("\"'").isdecimal():
            raise StackEditError(f"{key}: expected a number, got {text[start:end]!r}: correct it by hand")
        changes.append((start, end, str(size)))
    if added:
        changes.append(_addition(text, newline, document.get("config"), added))
    for start, end, new in sorted(changes, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def project_of(file: Path) -> str:
    """Return what the Pulumi.yaml beside a stack's file calls the project; its keys begin with it."""
    beside = file.parent / "Pulumi.yaml"
    return str(YAML(typ="safe").load(beside).get("name", PROJECT)) if beside.exists() else PROJECT


def write(file: Path, memory_mb: Mapping[str, int], *, dry: bool = False) -> str:
    """Set each function's memory in a stack's file, atomically, unless `dry`; return the diff, empty without a change.

    Raises: StackEditError.
    """
    before = file.read_bytes().decode("utf-8")
    after = edited(before, memory_mb, project_of(file))
    if not dry:
        file = file.resolve()  # A symbolic link stays one.
        with tempfile.TemporaryDirectory(dir=file.parent, prefix=f".{file.name}.") as folder:
            unfinished = Path(folder) / file.name
            unfinished.write_bytes(after.encode("utf-8"))
            shutil.copymode(file, unfinished)
            unfinished.replace(file)
    old, new = (text.splitlines(keepends=True) for text in (before, after))
    return "".join(difflib.unified_diff(old, new, file.name, file.name))


def _entries(node: Any) -> dict[str, tuple[Any, Any]]:
    """Return a mapping's nodes, key and value, by key; none for a node that is no mapping."""
    return {key.value: (key, value) for key, value in node.value} if isinstance(node, MappingNode) else {}


def _span(node: Any) -> tuple[int, int]:
    return node.start_mark.index, node.end_mark.index


def _addition(text: str, newline: str, config: tuple[Any, Any] | None, entries: list[str]) -> tuple[int, int, str]:
    """Return where new entries go, and their text: below `config:`, or with it at the file's end."""
    if config is None:
        return len(text), len(text), newline.join(["config:", *(f"  {entry}" for entry in entries), ""])
    key, value = config
    start, end = _span(value)
    if start < end and not isinstance(value, MappingNode):  # `null` or `~`
        return start, end, f"{{{', '.join(entries)}}}"
    if isinstance(value, MappingNode) and value.flow_style:  # `{}` or `{key: value}`
        first = text.index("{", start) + 1
        return first, first, ", ".join([*entries, ""] if value.value else entries)
    indent = " " * (value.value[0][0].start_mark.column if start < end else 2)
    below = text.index("\n", key.end_mark.index) + 1
    return below, below, "".join(f"{indent}{entry}{newline}" for entry in entries)
