"""Change the memory sizes in a stack's file: ruamel.yaml keeps comments, order, quotes and indentation."""

import difflib
import io
import itertools
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError
from ruamel.yaml.tokens import CommentToken

from benchmarks.memory.functions import FUNCTIONS
from components.config import PROJECT

MARK = "\ufeff"
LAYOUTS = tuple(itertools.product((2, 4, 3, 8), (2, 0)))
"""The possible indentations of a mapping's keys and a list's dashes; a file uses one of them throughout."""
ENDLESS = 1_000_000
"""In columns, and longer than any line, so that none is wrapped."""


class StackEditError(Exception):
    """The file cannot be edited; the message says what to do."""


def edited(text: str, memory_mb: Mapping[str, int], project: str = PROJECT) -> str:
    """Return a stack file's text with each function's memory set; `project` is what Pulumi.yaml calls it.

    Raises: StackEditError, also where more than these keys would change.
    """
    newline = "\r\n" if "\r\n" in text else "\n"
    mark = MARK if text.startswith(MARK) else ""
    plain = text.removeprefix(MARK).replace("\r\n", "\n")
    if plain and not plain.endswith("\n"):
        plain += "\n"
    yaml, document = _loaded(plain)
    if not document:  # There may be comments without a key.
        after = plain + _dumped(yaml, CommentedMap(config=_set(CommentedMap(), memory_mb, project)))
    else:
        document["config"] = _set(document.get("config") or CommentedMap(), memory_mb, project)
        after = _dumped(yaml, document)
    return mark + after.replace("\n", newline)


def project_of(file: Path) -> str:
    """Return what the Pulumi.yaml beside a stack's file calls the project; its keys begin with it."""
    beside = file.parent / "Pulumi.yaml"
    return str(YAML(typ="safe").load(beside).get("name", PROJECT)) if beside.exists() else PROJECT


def difference(before: str, after: str, name: str) -> str:
    """Return a unified diff; empty if nothing changes."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    return "".join(difflib.unified_diff(old, new, name, name))


def write(file: Path, memory_mb: Mapping[str, int]) -> str:
    """Set each function's memory in a stack's file, atomically; return the diff.

    Raises: StackEditError.
    """
    before = file.read_bytes().decode("utf-8")
    after = edited(before, memory_mb, project_of(file))
    file = file.resolve()  # A symbolic link stays one.
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=f".{file.name}.") as folder:
        new = Path(folder) / file.name
        new.write_bytes(after.encode("utf-8"))
        shutil.copymode(file, new)
        new.replace(file)
    return difference(before, after, file.name)


def _loaded(text: str) -> tuple[YAML, CommentedMap]:
    """Return a file's content, and a YAML object that writes it back byte for byte.

    Raises: StackEditError.
    """
    for mapping, offset in LAYOUTS:
        yaml = YAML()
        yaml.preserve_quotes, yaml.width = True, ENDLESS
        yaml.indent(mapping=mapping, sequence=offset + 2, offset=offset)
        try:
            found: Any = yaml.load(text)
        except YAMLError as error:
            raise StackEditError(f"expected YAML, got a file that is not ({error}): correct it by hand") from error
        document = CommentedMap() if found is None else found
        if not isinstance(document, CommentedMap) or not isinstance(document.get("config"), CommentedMap | None):
            raise StackEditError("expected a mapping `config:`, got something else: correct it by hand")
        if not document or _dumped(yaml, document) == text:
            return yaml, document
    raise StackEditError(
        "expected YAML as the Pulumi CLI writes it, got a layout that would change: set the keys by hand"
    )


def _dumped(yaml: YAML, document: CommentedMap) -> str:
    text = io.StringIO()
    yaml.dump(document, text)
    return text.getvalue()


def _set(config: CommentedMap, memory_mb: Mapping[str, int], project: str) -> CommentedMap:
    """Set each function's memory under the key that is there, or under a new one, the last.

    Raises: StackEditError.
    """
    for function, size in memory_mb.items():
        name = FUNCTIONS[function].memory_key.rpartition(":")[2]
        # A key without a name is its project's: https://www.pulumi.com/docs/iac/concepts/config/
        key = name if name in config else f"{project}:{name}"
        if key in config:
            if not str(config[key]).isdecimal():
                raise StackEditError(f"{key}: expected a number, got {config[key]!r}: correct it by hand")
            config[key] = size
        else:
            below = _take_comments_below(config)
            config[key] = size
            if below:
                config.ca.items[key] = [None, None, below, None]
    return config


def _take_comments_below(config: CommentedMap) -> Any:
    """Detach the comments below the last line, which ruamel.yaml keeps with that line's value."""
    node: Any = config
    while isinstance(node, CommentedMap | CommentedSeq) and node:
        last = next(reversed(node)) if isinstance(node, CommentedMap) else len(node) - 1
        comments, place = node.ca.items.get(last), 2 if isinstance(node, CommentedMap) else 0
        token = comments[place] if comments else None
        if token:
            beside, _, below = token.value.partition("\n")
            comments[place] = CommentToken(f"{beside}\n", token.start_mark) if beside else None
            return CommentToken(f"\n{below}", token.start_mark) if below else None
        node = node[last]
    return None
