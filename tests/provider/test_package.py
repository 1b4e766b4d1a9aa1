"""The package `pixelcascade`: the components as Pulumi's analyzer reads them, and the schema."""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from pulumi.provider.experimental.component import ComponentProvider

from components.stack_file import ROOT
from provider.__main__ import COMPONENTS, NAME, VERSION
from tests.provider.engine import ARCHIVE, OUTPUT, SECRET, SIGNATURE, running_provider

# After an intended change: `python -m tests.provider.test_package`.
SNAPSHOT = Path(__file__).parent / "schema.txt"
OFFERED = ["Branch", "Fanout", "Function", "Publisher"]


def schema() -> dict[str, Any]:
    """Return the schema that Pulumi infers."""
    found: dict[str, Any] = json.loads(ComponentProvider(COMPONENTS, NAME, version=VERSION).schema or "")
    return found


GROUPS = ("inputProperties", "properties", "resources", "types")


def lines(node: dict[str, Any], path: str = "") -> Iterator[str]:
    """Yield a line for each property of a schema and for each of its other fields."""
    for key, value in sorted(node.items()):
        if key in GROUPS:
            for name, found in value.items():
                place = f"{path}{key} {name.removeprefix('pixelcascade:index:')} "
                yield from lines(found, place) if key in {"resources", "types"} else [place + json.dumps(found)]
        else:
            yield f"{path}{key} {json.dumps(value)}"


def described(node: dict[str, Any], path: str = "") -> Iterator[tuple[str, str | None]]:
    """Yield each resource, type and property of a schema with its description."""
    for key in GROUPS:
        for name, found in node.get(key, {}).items():
            yield f"{path}/{name}", found.get("description")
            yield from described(found, f"{path}/{name}")


@pytest.mark.parametrize("component", COMPONENTS)
def test_the_analyzer_accepts_every_component(component: Any) -> None:
    """The analyzer can read each component on its own."""
    found = json.loads(ComponentProvider([component], NAME, version=VERSION).schema or "")
    assert list(found["resources"]) == [f"pixelcascade:index:{component.__name__}"]


def test_the_package_offers_the_components_of_a_fan_out() -> None:
    """Their type tokens are the ones that running stacks use."""
    assert sorted(schema()["resources"]) == [f"pixelcascade:index:{name}" for name in OFFERED]


def test_the_schema_matches_its_snapshot() -> None:
    """A schema change can break programs in every language, so the snapshot has to change with it."""
    assert list(lines(schema())) == SNAPSHOT.read_text().splitlines()


def test_every_description_is_a_language_neutral_paragraph() -> None:
    """Each description is a paragraph of full sentences without names in Python's spelling."""
    for place, text in described(schema()):
        assert text, place
        assert text.endswith("."), f"{place}: {text}"
        assert "\n" not in text, f"{place}: {text}"
        assert not re.search(r"`[a-z]+(_[a-z]+)+`", text), f"{place}: {text}"


def test_every_number_has_its_unit_in_its_name() -> None:
    """Every number that is not a count has a unit in its name."""
    found = schema()
    groups = [kind["properties"] for kind in found["types"].values()]
    groups += [kind["inputProperties"] for kind in found["resources"].values()]
    numbers = {name for group in groups for name, value in group.items() if value.get("type") == "integer"}
    counts = {"batchSize", "maxConcurrency", "maxReceives"}
    assert [name for name in sorted(numbers - counts) if not re.search(r"(Mb|Seconds|Days)$", name)] == []


def test_the_version_matches_pyproject() -> None:
    """The version in the schema is that of pyproject.toml."""
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == VERSION


def test_the_provider_serves_the_schema() -> None:
    """Started as Pulumi starts it, the provider returns the same schema."""
    with running_provider() as engine:
        assert json.loads(engine.schema()) == schema()


def test_a_fan_out_gets_its_key_topic_and_alias() -> None:
    """A key is created for the account, an existing topic is used, and the alias is passed on."""
    inputs = {"branches": [], "createKey": True, "topicArn": "arn:aws:sns:eu-central-1:123456789012:orders"}
    alias = "urn:pulumi:dev::orders::pixelcascade:index:Fanout::orders"
    with running_provider() as engine:
        outputs = engine.construct("pixelcascade:index:Fanout", "order-placed", inputs, aliases=[alias])
    made = {found.typ.rpartition(":")[2]: found for found in engine.monitor.resources}
    assert set(made) == {"Fanout", "Key", "MetricAlarm"}
    assert outputs["topicName"] == "orders"
    assert [found.urn for found in made["Fanout"].aliases] == [alias]


CODE = {"code": {SIGNATURE: ARCHIVE, "path": "."}, "runtime": "python3.13"}
CALLS: dict[str, dict[str, Any]] = {
    "Branch": {"topicArn": "arn:topic", "spec": {"name": "billing", "handler": "billing.handler"}, "functions": CODE},
    "Fanout": {"branches": [{"name": "billing", "handler": "billing.handler"}], "functions": CODE},
    "Function": {"handler": "billing.handler", "settings": CODE},
    "Publisher": {
        "bucketName": "uploads",
        "bucketArn": "arn:aws:s3:::uploads",
        "keyPrefix": "in/",
        "topicArn": "arn:topic",
        "handler": "publisher.handler",
        "function": CODE,
    },
}


@pytest.mark.parametrize("kind", OFFERED)
def test_the_provider_creates_every_component(kind: str) -> None:
    """With only the required inputs, each component is created and returns every required output."""
    with running_provider() as engine:
        outputs = engine.construct(f"pixelcascade:index:{kind}", "orders", CALLS[kind])
    assert outputs.keys() >= set(schema()["resources"][f"pixelcascade:index:{kind}"]["required"])
    assert len([found for found in engine.monitor.resources if found.typ == "aws:lambda/function:Function"]) == 1


def test_a_secret_stays_a_secret() -> None:
    """A secret in a function's environment stays a secret, and no other resource has one."""
    token = {SIGNATURE: OUTPUT, "value": "abc", "secret": True}
    branch = {"name": "billing", "handler": "billing.handler", "environment": {"TOKEN": token}}
    with running_provider() as engine:
        engine.construct("pixelcascade:index:Fanout", "orders", {"branches": [branch], "functions": CODE})
    secret = [found.name for found in engine.monitor.resources if SECRET in str(found.inputs)]
    assert secret == ["orders-billing"]


@pytest.mark.parametrize(
    ("branch", "message"),
    [
        (
            {"name": "billing", "existingFunction": {"arn": "nope", "roleName": "billing", "timeoutSeconds": 3}},
            "expected a function's ARN, got 'nope': set its function's ARN",
        ),
        ({"name": "billing"}, "expected a handler or an existing function, got neither: set one of them"),
        (
            {"name": "billing", "handler": "billing.handler"},
            "expected code and runtime, got no code and no runtime: set them in `functions` or in the branch",
        ),
    ],
)
def test_invalid_arguments_raise_an_error_that_names_the_fix(branch: dict[str, Any], message: str) -> None:
    """The error message reaches the program without a traceback, whatever its language."""
    with running_provider() as engine, pytest.raises(grpc.RpcError) as caught:
        engine.construct("pixelcascade:index:Fanout", "order-placed", {"branches": [branch]})
    assert caught.value.details() == f"The branch billing: {message}"


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"branches": [{"name": "b", "timeoutSeconds": "sixty"}]}, "for integer property branches[0].timeoutSeconds"),
        ({}, "Missing required input 'branches' on 'Fanout'"),
    ],
)
def test_an_input_of_the_wrong_type_is_an_error_without_properties(inputs: dict[str, Any], message: str) -> None:
    """Pulumi's engine prints the values of an error's properties, and panics if one is not known yet."""
    with running_provider() as engine, pytest.raises(grpc.RpcError) as caught:
        engine.construct("pixelcascade:index:Fanout", "order-placed", inputs)
    assert caught.value.details().endswith(message)
    ((_, status),) = caught.value.trailing_metadata()
    assert status.endswith(b"InputPropertiesError")


def test_any_other_error_of_a_component_keeps_its_traceback() -> None:
    """Only errors about arguments are reduced to their message."""
    branch = {"name": "billing", "handler": "billing.handler"}
    with running_provider() as engine, pytest.raises(grpc.RpcError) as caught:
        engine.construct("pixelcascade:index:Fanout", "order-placed", {"branches": [branch], "prefix": 3})
    assert "fanout.py" in caught.value.details()


if __name__ == "__main__":
    SNAPSHOT.write_text("".join(f"{line}\n" for line in lines(schema())))
