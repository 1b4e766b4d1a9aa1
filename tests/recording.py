"""Mocks that record every resource that a program registers, and return names as AWS would.

They prove what the program requests. They create nothing: only a deployment shows whether AWS accepts a policy,
a value or a combination.
"""

import contextlib
import functools
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks

from components.branches import BRANCHES
from components.stack_file import ROOT, stack_config, stack_name
from local.program import PROGRAM, run_program

ACCOUNT = "123456789012"
REGION = "eu-central-1"
CDN_DOMAIN = "d111111abcdef8.cloudfront.net"
STACKS = sorted(map(stack_name, ROOT.glob("Pulumi.*.yaml")))
WORKERS = {row.name: row.function_name for row in BRANCHES}
"""The logical name of each branch's function, by branch."""
FUNCTIONS = ("job-publisher", *WORKERS.values())

# The outputs that AWS adds to each resource type, with `{}` for the physical name. Other types get no outputs of
# their own, so an output without a value is lost here, as with any other mocks.
_ARNS = {
    "Bucket": "arn:aws:s3:::{}",
    "Distribution": f"arn:aws:cloudfront::{ACCOUNT}:distribution/{{}}",
    "EventRule": f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{{}}",
    "Function": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{{}}",
    "Key": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{{}}",
    "LayerVersion": f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:{{}}:1",
    "LogGroup": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{{}}",
    "Queue": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{{}}",
    "Role": f"arn:aws:iam::{ACCOUNT}:role/{{}}",
    "Table": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{{}}",
    "Topic": f"arn:aws:sns:{REGION}:{ACCOUNT}:{{}}",
}
_OWN_NAME = {"Bucket": "bucket", "LayerVersion": "layerName"}


def physical(name: str) -> str:
    """Return the physical name for a logical name, in the form of autonaming."""
    return f"{name}-1a2b3c4"


def arn(kind: str, name: str) -> str:
    """Return the ARN of a resource by kind, such as `Queue`, and logical name."""
    return _ARNS[kind].format(physical(name))


def queue_url(name: str) -> str:
    """Return the URL of a queue by logical name."""
    return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{physical(name)}"


@dataclass(frozen=True)
class Recorded:
    """A registration: type token, logical name, inputs and outputs (keys in camelCase).

    `provider` is empty for the default provider, which the stack file configures.
    """

    typ: str
    name: str
    inputs: dict[str, Any]
    custom: bool
    urn: str
    parent: str
    depends_on: frozenset[str]
    outputs: dict[str, Any]
    protected: bool
    retained: bool
    provider: str

    @property
    def kind(self) -> str:
        """The last part of the type token, such as `Queue`."""
        return self.typ.rpartition(":")[2]


class RecordingMocks(Mocks):
    """Records registrations and calls in order."""

    def __init__(self) -> None:
        self.resources: list[Recorded] = []
        self.calls: list[MockCallArgs] = []
        self._lock = threading.Lock()
        self._request = threading.local()

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        """Record a resource; return its id and the outputs that AWS would add."""
        request = self._request.value
        urn = MockMonitor(self).make_urn(request.parent, request.type, request.name)
        made = aws_outputs(args.typ.rpartition(":")[2], args.name) if args.custom else {}
        outputs = {**made, **args.inputs}
        depends_on = frozenset(request.dependencies)
        recorded = Recorded(
            typ=args.typ,
            name=args.name,
            inputs=args.inputs,
            custom=bool(args.custom),
            urn=urn,
            parent=request.parent,
            depends_on=depends_on,
            outputs=outputs,
            protected=request.protect,
            retained=request.retainOnDelete,
            provider=request.provider,
        )
        with self._lock:
            self.resources.append(recorded)
        return f"{physical(args.name)}-id", outputs

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        """Return the caller's identity, the region, or a bucket's notification; fail on any other call."""
        self.calls.append(args)
        if args.token == "aws:index/getRegion:getRegion":  # noqa: S105 a type's name
            return {"region": REGION, "id": REGION}, []
        if args.token == "aws:s3/getBucketNotification:getBucketNotification":  # noqa: S105 a type's name
            return {"bucket": args.args["bucket"], "id": args.args["bucket"], "eventbridge": True}, []
        assert args.token == "aws:index/getCallerIdentity:getCallerIdentity", args.token  # noqa: S105 a type's name
        return {"accountId": ACCOUNT, "arn": f"arn:aws:iam::{ACCOUNT}:root", "userId": ACCOUNT}, []

    def watch(self, request: Any) -> None:
        """Keep the request, because Pulumi's mocks do not pass on a registration's parent and dependencies."""
        self._request.value = request

    def of_type(self, kind: str, *, custom: bool = True) -> list[Recorded]:
        """Return the AWS resources of a kind, such as `Queue`, or with `custom=False` the components of that name."""
        return [resource for resource in self.resources if resource.kind == kind and resource.custom == custom]

    def one(self, kind: str, name: str) -> Recorded:
        """Return the only AWS resource with this kind and logical name."""
        (found,) = [resource for resource in self.of_type(kind) if resource.name == name]
        return found

    def names(self, kind: str) -> list[str]:
        """Return the sorted logical names of the AWS resources of a kind."""
        return sorted(resource.name for resource in self.of_type(kind))


def aws_outputs(kind: str, name: str) -> dict[str, str]:
    """Return the outputs that AWS adds to a resource of a kind, such as `Queue`, with a logical name."""
    if kind not in _ARNS:
        return {}
    outputs = {"arn": arn(kind, name), _OWN_NAME.get(kind, "name"): physical(name)}
    match kind:
        case "Queue":
            return {**outputs, "url": queue_url(name)}
        case "Bucket":
            return {**outputs, "bucketRegionalDomainName": f"{physical(name)}.s3.{REGION}.amazonaws.com"}
        case "Distribution":
            return {**outputs, "domainName": CDN_DOMAIN}
    return outputs


@dataclass(frozen=True)
class Recording:
    """The result of running the program: its resources and stack outputs."""

    mocks: RecordingMocks
    outputs: dict[str, Any]

    def depends(self, resource: Recorded, on: Recorded) -> bool:
        """Return whether `resource` depends on `on`, directly or through other resources."""
        known = {found.urn: found for found in self.mocks.resources}
        open_urns, seen = set(resource.depends_on), set[str]()
        while open_urns:
            urn = open_urns.pop()
            if urn == on.urn:
                return True
            seen.add(urn)
            open_urns |= known[urn].depends_on - seen
        return False


def record(config: Mapping[str, str], stack: str = "dev", program: Path = PROGRAM) -> Recording:
    """Run the program with recording mocks; packages are for this machine, as in the local run.

    Another program than the project's may name modules that a reader of the README adds.
    """
    mocks = RecordingMocks()
    original = MockMonitor.RegisterResource

    def register(monitor: MockMonitor, request: Any) -> Any:
        mocks.watch(request)
        return original(monitor, request)  # type: ignore[no-untyped-call]

    checks = contextlib.nullcontext() if program == PROGRAM else mock.patch("components.pipeline._check_module")
    with mock.patch.object(MockMonitor, "RegisterResource", register), checks:
        outputs = run_program(mocks, stack=stack, config={**config, "pixelcascade:packageFor": "host"}, program=program)
    return Recording(mocks, outputs)


@functools.cache
def recorded(stack: str = "dev", program: Path = PROGRAM, **settings: str) -> Recording:
    """Return the cached recording of a stack's program, with changed settings such as `batchWindowS="5"`."""
    return record({**stack_config(stack), **{f"pixelcascade:{k}": v for k, v in settings.items()}}, stack, program)


def statements(policy: str) -> list[dict[str, Any]]:
    """Return the statements of a policy in JSON."""
    found: list[dict[str, Any]] = json.loads(policy)["Statement"]
    return found


def allowed(policy: str) -> set[tuple[str, str]]:
    """Return the (action, resource) pairs that a policy allows."""
    return {
        (action, resource)
        for statement in statements(policy)
        if statement["Effect"] == "Allow"
        for action in _listed(statement["Action"])
        for resource in _listed(statement["Resource"])
    }


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
