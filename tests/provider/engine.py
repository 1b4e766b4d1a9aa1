"""A stand-in for Pulumi's engine: a resource monitor that records registrations, and the calls to a provider.

It makes URNs from the whole chain of parents, as the engine does, and returns outputs as AWS would name them or, in
a preview, only what is known before the deployment.
"""

import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf import empty_pb2, struct_pb2
from google.protobuf.json_format import MessageToDict, ParseDict
from pulumi.runtime.proto import (
    alias_pb2,
    engine_pb2_grpc,
    provider_pb2,
    provider_pb2_grpc,
    resource_pb2,
    resource_pb2_grpc,
)

from components.config import PROJECT
from components.stack_file import ROOT
from tests.recording import ACCOUNT, REGION, aws_outputs, physical

STACK = "dev"
STACK_URN = f"urn:pulumi:{STACK}::{PROJECT}::pulumi:pulumi:Stack::{PROJECT}-{STACK}"

SIGNATURE, OUTPUT, ARCHIVE, SECRET = (
    "4dabf18193072939515e22adb298388d",
    "d0e6a833031e9bbcd3f4e8bde6ca49a4",
    "0def7320c3a5731c473e5ecbe6d01bc7",
    "1b47061264138c4ac30d75fd1eb44270",
)
"""Signatures of values that JSON cannot represent. Source: Pulumi's developer documentation, "Property values"."""


@dataclass(frozen=True)
class Registered:
    """A resource registration as the engine receives it."""

    urn: str
    typ: str
    name: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    aliases: list[Any]


@dataclass
class Monitor(resource_pb2_grpc.ResourceMonitorServicer):
    """Records every registered resource; with `preview`, resources have no outputs of their own."""

    preview: bool
    resources: list[Registered] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def GetDeploymentInfo(self, _request: Any, _context: Any) -> Any:  # noqa: N802 gRPC's name
        """Support aliases and secrets, but not output values, so that recorded inputs are plain."""
        features = [resource_pb2.RESOURCE_MONITOR_FEATURE_ALIAS_SPECS, resource_pb2.RESOURCE_MONITOR_FEATURE_SECRETS]
        return resource_pb2.DeploymentInfo(supportedFeatures=features)

    def Invoke(self, request: Any, _context: Any) -> Any:  # noqa: N802 gRPC's name
        """Return the caller's identity and region."""
        answer = {"accountId": ACCOUNT, "arn": f"arn:aws:iam::{ACCOUNT}:root", "id": REGION, "region": REGION}
        assert request.tok in {"aws:index/getCallerIdentity:getCallerIdentity", "aws:index/getRegion:getRegion"}
        return resource_pb2.ResourceInvokeResponse(**{"return": ParseDict(answer, struct_pb2.Struct())})

    def RegisterResource(self, request: Any, _context: Any) -> Any:  # noqa: N802 gRPC's name
        """Record a resource; return its URN and outputs."""
        made = self.register(request.type, request.name, MessageToDict(request.object), request)
        return resource_pb2.RegisterResourceResponse(
            urn=made.urn, id=f"{physical(made.name)}-id", object=ParseDict(made.outputs, struct_pb2.Struct())
        )

    def RegisterResourceOutputs(self, _request: Any, _context: Any) -> Any:  # noqa: N802 gRPC's name
        """Ignore a component's outputs, because `Construct` returns them too."""
        return empty_pb2.Empty()

    def register(self, typ: str, name: str, inputs: dict[str, Any], request: Any = None) -> Registered:
        """Record a resource; those of the program itself have no request."""
        parent = request.parent if request else STACK_URN
        custom = request.custom if request else True
        chain = "" if parent in {"", STACK_URN} else parent.split("::")[2] + "$"
        made = {} if self.preview or not custom else aws_outputs(typ.rpartition(":")[2], name)
        registered = Registered(
            urn=f"urn:pulumi:{STACK}::{PROJECT}::{chain}{typ}::{name}",
            typ=typ,
            name=name,
            inputs=inputs,
            outputs={**made, **inputs},
            aliases=list(request.aliases) if request else [],
        )
        with self.lock:
            self.resources.append(registered)
        return registered


class Log(engine_pb2_grpc.EngineServicer):
    """Receives the provider's log."""

    def Log(self, _request: Any, _context: Any) -> Any:  # noqa: N802 gRPC's name
        """Ignore a line."""
        return empty_pb2.Empty()


@dataclass(frozen=True)
class Engine:
    """A running provider and the monitor that it registers resources with."""

    monitor: Monitor
    address: str
    provider: provider_pb2_grpc.ResourceProviderStub

    def schema(self) -> str:
        """Return the package's schema as JSON."""
        answer = self.provider.GetSchema(provider_pb2.GetSchemaRequest(version=0))
        text: str = answer.schema
        return text

    def construct(
        self,
        typ: str,
        name: str,
        inputs: Mapping[str, Any],
        depends_on: Mapping[str, list[str]] | None = None,
        aliases: Sequence[str] = (),
    ) -> dict[str, Any]:
        """Construct a component with the provider, as `new Fanout(name, inputs)` does in any language."""
        dependencies = {
            key: provider_pb2.ConstructRequest.PropertyDependencies(urns=urns)
            for key, urns in (depends_on or {}).items()
        }
        answer = self.provider.Construct(
            provider_pb2.ConstructRequest(
                project=PROJECT,
                stack=STACK,
                dryRun=self.monitor.preview,
                parallel=4,
                monitorEndpoint=self.address,
                type=typ,
                name=name,
                parent=STACK_URN,
                inputs=ParseDict(dict(inputs), struct_pb2.Struct()),
                inputDependencies=dependencies,
                aliases=[alias_pb2.Alias(urn=urn) for urn in aliases],
            )
        )
        outputs: dict[str, Any] = MessageToDict(answer.state)
        return outputs


@contextmanager
def running_provider(*, preview: bool = False) -> Iterator[Engine]:
    """Start the provider as Pulumi does, with a monitor."""
    monitor = Monitor(preview=preview)
    server = grpc.server(ThreadPoolExecutor(max_workers=16))
    resource_pb2_grpc.add_ResourceMonitorServicer_to_server(monitor, server)
    engine_pb2_grpc.add_EngineServicer_to_server(Log(), server)
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    command = [sys.executable, "__main__.py", address]
    with subprocess.Popen(command, cwd=ROOT / "provider", stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            with grpc.insecure_channel(f"127.0.0.1:{process.stdout.readline().strip()}") as channel:
                yield Engine(monitor, address, provider_pb2_grpc.ResourceProviderStub(channel))
        finally:
            process.terminate()
            server.stop(grace=None).wait()
