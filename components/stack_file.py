"""Read Pulumi.<stack>.yaml over the defaults of Pulumi.yaml, as the Pulumi CLI passes them to the program."""

import json
import logging
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from components.config import PROJECT, ConfigError
from components.nearest import did_you_mean

logger = logging.getLogger(__name__)

ROOT = Path(__file__).parent.parent
REGION, DEFAULT_REGION = "aws:region", "us-east-1"

# Source: Pulumi's CLI, sdk/go/common/workspace/project.go, ProjectStack. The CLI ignores other keys.
STACK_KEYS = ("config", "environment", "secretsprovider", "encryptedkey", "encryptionsalt")


class _Loader(yaml.SafeLoader):
    """Reads scalars by the rules of YAML 1.2, as the Pulumi CLI does. In YAML 1.1, 4:2:0 is the number 14520."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - the base class has it so
        first: [pair for pair in pairs if pair[0].rpartition(":")[2] not in {"bool", "int", "float"}]
        for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_integer(self, node: yaml.ScalarNode) -> int:
        """Return a number; a leading zero does not make it octal."""
        text = str(self.construct_scalar(node))
        return int(text, 0) if text[:2] in {"0x", "0o"} else int(text)

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """Return a mapping's node; the same key twice is an error, as in the Pulumi CLI."""
        node = super().compose_mapping_node(anchor)
        lines: dict[str, int] = {}
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            line = key.start_mark.line + 1
            if key.value in lines:
                raise StackFileError(
                    f"expected {key.value} once, got it on lines {lines[key.value]} and {line}: remove one"
                )
            lines[key.value] = line
        return node


# Source: YAML 1.2.2, 10.3.2, core schema.
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile("(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"[-+]?[0-9]+$|0o[0-7]+$|0x[0-9a-fA-F]+$"), list("-+0123456789")
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$|[-+]?\.(?:inf|Inf|INF)$|\.(?:nan|NaN|NAN)$"
    ),
    list("-+.0123456789"),
)
_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_integer)


class StackFileError(ConfigError, ValueError):
    """A stack's file cannot be read; the message says what it holds.

    A `ValueError` too, like what `yaml` raises for some values.
    """


def stack_config(stack: str, overrides: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the config of `Pulumi.<stack>.yaml` over the defaults of `Pulumi.yaml`.

    Raises: ConfigError, if the stack has no file, or it cannot be read.
    """
    path = ROOT / f"Pulumi.{stack}.yaml"
    if not path.is_file():
        known = sorted(map(stack_name, ROOT.glob("Pulumi.*.yaml")))
        raise ConfigError(
            f"expected one of the stacks {', '.join(known)}, got {stack!r}, which has no Pulumi.{stack}.yaml"
            f"{did_you_mean(stack, known, most=1)}: name another"
        )
    return file_config(path) | dict(overrides or {})


def file_config(path: Path) -> dict[str, str]:
    """Return the config of a stack file over the defaults of `Pulumi.yaml`, which stand in for encrypted values.

    Raises: StackFileError.
    """
    project = _mapping(ROOT / "Pulumi.yaml")
    name = project.get("name", PROJECT)
    values = {
        _full_key(str(key), name): _default(setting)
        for key, setting in (project.get("config") or {}).items()
        if _default(setting) is not None
    }
    stack = _mapping(path)
    if unknown := [str(key) for key in stack if key not in STACK_KEYS]:
        raise StackFileError(
            f"{path}: expected only the keys {', '.join(STACK_KEYS)}, got {unknown[0]}"
            f"{did_you_mean(unknown[0], STACK_KEYS, most=1)}: rename or remove it, or move it into config"
        )
    config = stack.get("config")
    if not isinstance(config, dict | None):
        raise StackFileError(f"{path}: expected config to be a mapping of keys to values, got {config!r}")
    for full, value in _by_full_key(config or {}, path, name).items():
        if not _is_encrypted(value):
            values[full] = value
        elif full == REGION or full.startswith(f"{PROJECT}:"):
            logger.warning("%s: expected %s in plain text, got an encrypted value: its default is used", path, full)
    return {key: _as_text(key, value) for key, value in values.items()}


def _by_full_key(config: Mapping[Any, Any], path: Path, project: str) -> dict[str, Any]:
    """Return a stack file's values by `_full_key`.

    Raises: StackFileError, if two of its keys are the same one.
    """
    written: dict[str, str] = {}
    for key in map(str, config):
        full = _full_key(key, project)
        if full in written:
            raise StackFileError(f"{path}: expected {full} once, got {written[full]} and {key}: remove one")
        written[full] = key
    return dict(zip(written, config.values(), strict=True))


def stack_name(file: Path) -> str:
    """Return the name of a stack file's stack, which may hold dots: `Pulumi.v1.2.yaml` -> `v1.2`."""
    return file.name.removeprefix("Pulumi.").removesuffix(".yaml")


def region_of(config: Mapping[str, str]) -> str:
    """Return a stack's region, else the environment's, as Pulumi does, else the default.

    Raises: ConfigError, if it cannot be a region.
    """
    found = (config.get(REGION), os.environ.get("AWS_REGION"), os.environ.get("AWS_DEFAULT_REGION"))
    region = next(filter(None, found), DEFAULT_REGION)
    if not re.fullmatch(r"[a-z]+(-[a-z0-9]+)+", region):
        raise ConfigError(f"expected a region such as {DEFAULT_REGION}, got {region!r}: set {REGION}")
    return region


def _mapping(path: Path) -> dict[str, Any]:
    """Return a YAML file's mapping; a new stack's file is empty."""
    try:
        # Its base class is a safe loader.
        found = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506
    except StackFileError as error:
        raise StackFileError(f"{path}: {error}") from error
    except OSError as error:
        raise StackFileError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise StackFileError(f"{path}: expected YAML in UTF-8, got a file that is not: {reason}") from error
    if not isinstance(found, dict | None):
        raise StackFileError(f"{path}: expected a mapping with a key config, got {found!r}")
    return found or {}


def _default(setting: Any) -> Any:
    """Return an entry's value for all stacks in a project's config: its default, its value, or the entry itself.

    Source: Pulumi's documentation, "Project file reference", config.
    """
    if isinstance(setting, dict):
        return setting.get("default", setting.get("value"))
    return setting


def _full_key(key: str, project: str) -> str:
    """Return a key with its owner; a key without one belongs to its project, whose name may differ from the program's.

    Source: Pulumi's CLI, sdk/go/common/workspace/project.go.
    """
    owner, _, name = key.rpartition(":")
    return f"{PROJECT}:{name}" if owner in {"", project} else key


def _is_encrypted(value: Any) -> bool:
    """Return whether a value, or a part of it, is one that only the Pulumi CLI can decrypt."""
    if isinstance(value, dict):
        return value.keys() == {"secure"} or any(map(_is_encrypted, value.values()))
    return isinstance(value, list) and any(map(_is_encrypted, value))


def _as_text(key: str, value: Any) -> str:
    """Return a config value as Pulumi passes it: text unchanged, everything else as JSON."""
    try:
        return value if isinstance(value, str) else json.dumps(value)
    except (TypeError, ValueError) as error:
        raise StackFileError(f"{key}: expected a value that JSON can hold, got {value!r}: put it in quotes") from error
