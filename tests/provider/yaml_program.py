"""Plans a Pulumi program in YAML as its language host does, as far as the example needs it."""

import re
from pathlib import Path
from typing import Any

import yaml

from tests.provider.engine import ARCHIVE, OUTPUT, SIGNATURE, Engine, Registered

TOKENS = {"aws:dynamodb:Table": "aws:dynamodb/table:Table"}
FILE_ARCHIVE = "fn::fileArchive"


def plan(engine: Engine, program: Path) -> dict[str, Any]:
    """Register a program's resources in order, components through the provider; return the stack's outputs."""
    text = yaml.safe_load((program / "Pulumi.yaml").read_text())
    made: dict[str, dict[str, Any]] = {}
    urns: dict[str, str] = {}
    for key, resource in text["resources"].items():
        name, properties = resource.get("name", key), resource["properties"]
        if resource["type"].startswith("pixelcascade:"):
            package, kind = resource["type"].split(":")
            inputs = {field: _value(value, made, urns) for field, value in properties.items()}
            depends_on = {field: _dependencies(value, urns) for field, value in properties.items()}
            made[key] = engine.construct(f"{package}:index:{kind}", name, inputs, depends_on)
        else:
            registered: Registered = engine.monitor.register(TOKENS[resource["type"]], name, properties)
            made[key], urns[key] = registered.outputs, registered.urn
    return {name: _known(value, made) for name, value in text["outputs"].items()}


def _value(value: Any, made: dict[str, Any], urns: dict[str, str]) -> Any:
    """Return a value as a language host sends it to a component, with the dependencies of outputs."""
    if isinstance(value, list):
        return [_value(item, made, urns) for item in value]
    if isinstance(value, dict):
        if FILE_ARCHIVE in value:
            return {SIGNATURE: ARCHIVE, "path": value[FILE_ARCHIVE]}
        return {key: _value(item, made, urns) for key, item in value.items()}
    match = re.fullmatch(r"\$\{(\w+)\.(\w+)\}", str(value))
    if not match:
        return value
    resource, output = match.groups()
    known = {"value": made[resource][output]} if output in made[resource] else {}
    return {SIGNATURE: OUTPUT, "dependencies": [urns[resource]], **known}


def _dependencies(value: Any, urns: dict[str, str]) -> list[str]:
    return [urns[name] for name in sorted(set(re.findall(r"\$\{(\w+)\.", str(value))))]


def _known(value: str, made: dict[str, Any]) -> Any:
    resource, output = value[2:-1].split(".")
    return made[resource].get(output)
