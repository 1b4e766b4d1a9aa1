"""What rules check: the resources of a stack, and the statements of its policies."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PACKAGE = "pixelcascade:index:"
"""Prefix of the component types whose resources the rules check; other resources are left alone."""


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource: its type token, logical name, URN and properties (keys in camelCase)."""

    type: str
    name: str
    urn: str
    props: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """The last part of an AWS type token, such as `Queue`; nothing for a component, which has no properties."""
        return self.type.rpartition(":")[2] if self.type.startswith("aws:") else ""

    @property
    def in_package(self) -> bool:
        """Whether a component of the package created it: a URN holds the types of a resource's parents."""
        return PACKAGE in self.urn.split("::")[2]


@dataclass(frozen=True)
class StackResources:
    """A stack's resources."""

    resources: Sequence[Resource]

    def of(self, *kinds: str) -> list[Resource]:
        """Return the resources of some kinds."""
        return [resource for resource in self.resources if resource.kind in kinds]

    def where(self, kind: str, key: str, *values: Any) -> list[Resource]:
        """Return the resources of a kind whose property is one of `values`."""
        return [resource for resource in self.of(kind) if resource.props.get(key) in values]


Check = Callable[[Resource, StackResources], Iterator[str]]
"""Yields what is wrong with a resource of a stack."""


@dataclass(frozen=True)
class Rule:
    """A promise about every resource of some kinds that a component of the package created."""

    check: Check
    kinds: tuple[str, ...]

    @property
    def name(self) -> str:
        """The check's name, with dashes."""
        return self.check.__name__.replace("_", "-")

    @property
    def description(self) -> str:
        """The first line of the check's docstring."""
        return (self.check.__doc__ or "").partition("\n")[0]

    def violations(
        self, stack: StackResources, unknown: tuple[type[Exception], ...] = ()
    ) -> Iterator[tuple[Resource, str]]:
        """Yield each resource that breaks the promise, and how; a check that raises one of `unknown` is skipped."""
        for resource in (found for found in stack.of(*self.kinds) if found.in_package):
            try:
                yield from [(resource, f"{resource.name}: {message}") for message in self.check(resource, stack)]
            except unknown:
                continue


def statements(policy: Resource) -> list[dict[str, Any]]:
    """Return the statements of a policy."""
    found = json.loads(policy.props["policy"])["Statement"]
    return listed(found)


def allows(policy: Resource) -> list[dict[str, Any]]:
    """Return the statements of a policy that allow something."""
    return [statement for statement in statements(policy) if statement["Effect"] == "Allow"]


def listed(value: Any) -> list[Any]:
    """Return a value of a policy as a list, whether it is one or several."""
    return [value] if isinstance(value, (str, dict)) else list(value or [])


def condition_keys(statement: Mapping[str, Any]) -> set[str]:
    """Return the keys of a statement's conditions, in lower case."""
    operators: Iterable[Mapping[str, Any]] = statement.get("Condition", {}).values()
    return {key.lower() for operator in operators for key in operator}
