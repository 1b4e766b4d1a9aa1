"""The policy pack: `pulumi preview --policy-pack policy`, in the folder of any program with a fan-out.

Values that are unknown before an update, such as a new queue's ARN, are skipped in a preview and checked by the update.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from pulumi_policy import (  # type: ignore[import-not-found]
    EnforcementLevel,
    PolicyPack,
    ReportViolation,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError  # type: ignore[import-not-found]

sys.path.insert(0, str(Path(__file__).parent))

from promises.model import Resource, Rule, StackResources  # type: ignore[import-not-found]
from promises.rules import RULES  # type: ignore[import-not-found]

UNKNOWN = (UnknownValueError, KeyError)
"""The errors of values that are unknown before an update.

An output is missing, not unknown, if its provider cannot run in a preview, such as one whose role the update creates.
"""


def validation(rule: Rule) -> Callable[[StackValidationArgs, ReportViolation], None]:
    """Return a rule as Pulumi calls it."""

    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        found = [Resource(type=r.resource_type, name=r.name, urn=r.urn, props=r.props) for r in args.resources]
        for resource, message in rule.violations(StackResources(found), unknown=UNKNOWN):
            report(message, resource.urn)

    return validate


PolicyPack(
    name="pixelcascade",
    enforcement_level=EnforcementLevel.MANDATORY,
    policies=[
        StackValidationPolicy(name=rule.name, description=rule.description, validate=validation(rule)) for rule in RULES
    ],
)
