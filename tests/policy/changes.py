"""Changes to a recorded stack, each of which breaks a rule."""

import json
from collections.abc import Callable
from typing import Any

from policy.promises.model import Resource, StackResources
from tests.recording import arn

Change = Callable[[StackResources], StackResources]


def change(kind: str, name: str, **props: Any) -> Change:
    """Set properties of a resource; None removes one."""

    def changed(stack: StackResources) -> StackResources:
        (found,) = [resource for resource in stack.of(kind) if resource.name == name]
        values = {key: value for key, value in {**found.props, **props}.items() if value is not None}
        new = Resource(type=found.type, name=name, urn=found.urn, props=values)
        return StackResources([new if resource is found else resource for resource in stack.resources])

    return changed


def drop(kind: str, name: str) -> Change:
    """Remove a resource."""
    return lambda stack: StackResources([r for r in stack.resources if (r.kind, r.name) != (kind, name)])


def add(type_: str, name: str, **props: Any) -> Change:
    """Add a resource."""
    return lambda stack: StackResources(
        [*stack.resources, Resource(type=type_, name=name, urn=f"urn:pulumi:dev::mine::{type_}::{name}", props=props)]
    )


def policy(kind: str, name: str, edit: Callable[[list[dict[str, Any]]], object]) -> Change:
    """Edit the statements of a policy."""

    def changed(stack: StackResources) -> StackResources:
        (found,) = [resource for resource in stack.of(kind) if resource.name == name]
        document = json.loads(found.props["policy"])
        edit(document["Statement"])
        return change(kind, name, policy=json.dumps(document))(stack)

    return changed


def without_conditions(statements: list[dict[str, Any]]) -> None:
    for statement in statements:
        del statement["Condition"]


def allow(action: str, resource: str) -> Callable[[list[dict[str, Any]]], None]:
    return lambda statements: statements.append({"Effect": "Allow", "Action": action, "Resource": resource})


def redrive(**fields: Any) -> str:
    return json.dumps({"deadLetterTargetArn": arn("Queue", "resizing-dead-letters"), "maxReceiveCount": 5, **fields})
