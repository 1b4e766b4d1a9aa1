"""Promises about access: which identity may do what, and to which resources."""

# ruff: noqa: D401 - a check's docstring is the promise that Pulumi shows, not what the check does.

import json
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from typing import Any

from .model import Resource, StackResources, allows, condition_keys, listed, statements

# X-Ray has no resources to name. Source: Service Authorization Reference, AWS X-Ray.
NAMELESS_ACTIONS = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
WILDCARD = re.compile(r"[*?]")
# A part of a bucket below a prefix, or the streams of one log group.
BELOW = re.compile(r"[^*?/:]+/[^*?]+/\*[^*?]*|log-group:[^*?:]+:\*")


def nothing_is_allowed_everywhere(policy: Resource, _stack: StackResources) -> Iterator[str]:
    """An Allow names its actions in full, and its resources in full or up to a prefix."""
    for statement in allows(policy):
        actions = listed(statement.get("Action"))
        if not actions or "NotResource" in statement:
            yield "it allows everything except a few actions or resources"
        yield from (f"it allows {action}" for action in actions if WILDCARD.search(action))
        for resource in listed(statement.get("Resource")):
            nameless = resource == "*" and set(actions) <= NAMELESS_ACTIONS
            if WILDCARD.search(resource) and not nameless and not BELOW.fullmatch(resource.split(":", 5)[-1]):
                yield f"it allows {', '.join(actions)} on {resource}"


def only_named_callers_are_let_in(policy: Resource, _stack: StackResources) -> Iterator[str]:
    """The policy of a queue, topic, bucket or key allows only services acting for this account, or the account."""
    for statement in allows(policy):
        principal = statement.get("Principal", {})
        if not isinstance(principal, dict):
            yield f"it lets {principal} in"
            continue
        for account in listed(principal.get("AWS")):
            if not re.fullmatch(r"arn:[\w-]+:iam::\d{12}:[^*]+", account):
                yield f"it lets {account} in"
        if "Service" in principal and not condition_keys(statement) & {"aws:sourcearn", "aws:sourceaccount"}:
            yield f"it lets {principal['Service']} in for any account: set aws:SourceArn or aws:SourceAccount"


def plain_http_is_denied(resource: Resource, stack: StackResources) -> Iterator[str]:
    """Buckets, topics and queues deny requests without TLS."""
    kind, key, value = {
        "Bucket": ("BucketPolicy", "bucket", "bucket"),
        "Queue": ("QueuePolicy", "queueUrl", "url"),
        "Topic": ("TopicPolicy", "arn", "arn"),
    }[resource.kind]
    policies = stack.where(kind, key, resource.props[value])
    if not any(_denies_plain_http(statement) for policy in policies for statement in statements(policy)):
        yield "it accepts requests without TLS"


def functions_have_roles_of_their_own(function: Resource, stack: StackResources) -> Iterator[str]:
    """No two functions share a role."""
    sharing = [other.name for other in stack.where("Function", "role", function.props["role"])]
    if len(sharing) > 1:
        yield f"it shares its role: {', '.join(sorted(sharing))}"


def roles_have_one_policy(role: Resource, stack: StackResources) -> Iterator[str]:
    """A role has one policy, which holds all its permissions; only Lambda assumes it."""
    names = (role.props["name"], role.props.get("id"))
    count = len(stack.where("RolePolicy", "role", *names))
    if count != 1 or stack.where("RolePolicyAttachment", "role", *names) or role.props.get("managedPolicyArns"):
        yield f"expected one policy of its own and none attached, got {count} of its own"
    for statement in json.loads(role.props["assumeRolePolicy"])["Statement"]:
        if statement["Principal"] != {"Service": "lambda.amazonaws.com"}:
            yield f"it is assumed by {statement['Principal']}"


def callers_are_named_by_arn_and_account(permission: Resource, _stack: StackResources) -> Iterator[str]:
    """A service calls a function for one source, of one account: a bucket's ARN names none."""
    source_arn = permission.props.get("sourceArn") or ""
    if not source_arn or not (permission.props.get("sourceAccount") or source_arn.split(":")[4]):
        yield "it names no source: set sourceArn and sourceAccount"
    if "*" in permission.props["principal"]:
        yield "it lets any principal call"


def outputs_start_nothing(trigger: Resource, stack: StackResources) -> Iterator[str]:
    """No prefix that a component's function may write to overlaps a trigger's prefix."""
    roles = {policy.props.get("role") for policy in stack.of("RolePolicy") if policy.in_package}
    written = [(policy, place) for policy in stack.where("RolePolicy", "role", *roles) for place in _writable(policy)]
    for rule in trigger.props.get("lambdaFunctions") or []:
        partition = rule["lambdaFunctionArn"].split(":")[1]
        watched = f"arn:{partition}:s3:::{trigger.props['bucket']}/{rule.get('filterPrefix') or ''}"
        for policy, place in written:
            if place.startswith(watched) or watched.startswith(place):
                yield f"{policy.name} allows writing to {place}*, which would start {rule['lambdaFunctionArn']}"


def _writable(policy: Resource) -> Iterator[str]:
    """Yield the beginning of each place in S3 that a policy lets a function write to."""
    for statement in allows(policy):
        if any(fnmatch("s3:putobject", action.lower()) for action in listed(statement.get("Action"))):
            yield from (WILDCARD.split(resource)[0] for resource in listed(statement.get("Resource")))


def _denies_plain_http(statement: dict[str, Any]) -> bool:
    unsafe = str(statement.get("Condition", {}).get("Bool", {}).get("aws:SecureTransport")).lower() == "false"
    return statement["Effect"] == "Deny" and unsafe and statement["Principal"] in ("*", {"AWS": "*"})
