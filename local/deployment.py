"""Deploy the unchanged program into the emulator, by Pulumi mocks that create real resources."""

import secrets
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pulumi.runtime.mocks import MockCallArgs, MockResourceArgs, Mocks

from components.config import PROJECT, StackConfig
from local import garbage
from local.emulator import Emulator
from local.errors import LocalError
from local.program import PROGRAM, run_program
from local.resources import CREATORS
from local.resources.storage import existing_bucket
from local.warming import Warming


class DeploymentError(LocalError):
    """The program could not be deployed locally; the message names the resource."""


class Deployment(Mocks):
    """A deployed program: its stack outputs and the outputs of each of its resources."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.stack = ""
        self.config = StackConfig()
        self.outputs: dict[str, Any] = {}
        self.ready_ms = 0
        self._resources: dict[tuple[str, str], dict[str, Any]] = {}
        self._lock = threading.Lock()
        self._warming = Warming(emulator)
        self.interrupted = threading.Event()

    def deploy(self, stack: str, config: Mapping[str, str], program: Path = PROGRAM) -> None:
        """Run the program, create its resources, and warm its functions; set `ready_ms`, in milliseconds since 1970.

        Raises: ConfigError; DeploymentError, if a resource is not supported here or was refused.
        """
        self.stack = stack
        # The platform of this machine, and plain HTTP on loopback.
        settings = {**config, f"{PROJECT}:packageFor": "host", f"{PROJECT}:tlsOnly": "false"}
        self.config = StackConfig.parse(settings)
        with garbage.kept():
            self.outputs = run_program(
                self, stack=stack, config=settings, program=program, interrupted=self.interrupted
            )
        self._warming.wait()
        self.ready_ms = round(1000 * time.time()) + 1

    def resource(self, kind: str, name: str) -> dict[str, Any]:
        """Return the outputs of the resource of a type, such as `Function`, and a logical name."""
        return self._resources[kind, name]

    def log_groups(self) -> dict[str, str]:
        """Return the log group of each function."""
        return {name: self.resource("LogGroup", f"{name}-logs")["name"] for name in self.names("Function")}

    def names(self, kind: str) -> list[str]:
        """Return the logical names of the resources of a type, such as `Function`, in order."""
        return sorted(name for found, name in self._resources if found == kind)

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        """Make one resource; Pulumi calls this from several threads."""
        if not args.custom:
            return None, args.inputs
        self._check_interrupted()
        create = CREATORS.get(args.typ)
        if create is None:
            raise DeploymentError(
                f"expected a resource of one of the types {', '.join(sorted(CREATORS))}, got {args.name!r} of type "
                f"{args.typ}: add a creator to local/resources"
            )
        # As Pulumi's autonaming: the logical name, a dash, and seven hexadecimal digits.
        physical_name = f"{args.name}-{secrets.token_hex(4)[:7]}"
        try:
            outputs = {**args.inputs, **create(self.emulator, physical_name, args.inputs)}
        except Exception as error:
            raise DeploymentError(f"resource {args.name!r} of type {args.typ} was not created: {error}") from error
        kind = args.typ.rpartition(":")[2]
        with self._lock:
            self._resources[kind, args.name] = outputs
        if kind == "Function":
            self._warming.start(outputs)
        return outputs["id"], outputs

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        """Answer a function call of the provider.

        Raises: DeploymentError, if it is not supported here.
        """
        self._check_interrupted()
        if args.token == "aws:index/getCallerIdentity:getCallerIdentity":  # noqa: S105 a function's name
            identity = self.emulator.client("sts").get_caller_identity()
            return {"accountId": identity["Account"], "arn": identity["Arn"], "userId": identity["UserId"]}, []
        if args.token == "aws:index/getRegion:getRegion":  # noqa: S105 a function's name
            return {"region": self.emulator.region, "id": self.emulator.region}, []
        if args.token == "aws:s3/getBucketNotification:getBucketNotification":  # noqa: S105 a function's name
            return existing_bucket(self.emulator, args.args["bucket"]), []
        raise DeploymentError(
            f"expected a call of getCallerIdentity, getRegion or getBucketNotification, got {args.token}: add its "
            "answer here"
        )

    def _check_interrupted(self) -> None:
        if self.interrupted.is_set():
            raise DeploymentError("the deployment was interrupted")
