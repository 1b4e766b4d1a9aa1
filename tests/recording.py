"""Mocks that record every resource that a program registers, and answer as AWS would name things."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pulumi.runtime.mocks import MockCallArgs, MockResourceArgs, Mocks

from local.program import PROGRAM, run_program

ACCOUNT = "123456789012"
REGION = "eu-central-1"


@dataclass(frozen=True)
class Recorded:
    """One registration: its type token, logical name and inputs (keys in camelCase)."""

    typ: str
    name: str
    inputs: dict[str, Any]
    custom: bool


class RecordingMocks(Mocks):
    """Keeps what is registered, in order."""

    def __init__(self) -> None:
        self.resources: list[Recorded] = []
        self._lock = threading.Lock()

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        """Record a resource; return an id and the outputs that the program uses."""
        with self._lock:
            self.resources.append(Recorded(args.typ, args.name, args.inputs, bool(args.custom)))
        physical = f"{args.name}-1a2b3c4"
        arn = f"arn:aws:{args.typ.split(':')[1].split('/')[0]}:{REGION}:{ACCOUNT}:{physical}"
        named = {"name": physical, "bucket": physical, "arn": arn, "url": f"https://sqs.{REGION}/{ACCOUNT}/{physical}"}
        return f"{physical}-id", {**named, **args.inputs} if args.custom else args.inputs

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        """Answer who the caller is; nothing else is asked."""
        assert args.token == "aws:index/getCallerIdentity:getCallerIdentity", args.token
        return {"accountId": ACCOUNT, "arn": f"arn:aws:iam::{ACCOUNT}:root", "userId": ACCOUNT}, []

    def of_type(self, suffix: str) -> list[Recorded]:
        """Return the resources whose type ends in `suffix`, such as `Queue`."""
        return [resource for resource in self.resources if resource.typ.rpartition(":")[2] == suffix]

    def one(self, suffix: str, name: str) -> Recorded:
        """Return the one resource of that type and logical name."""
        (found,) = [resource for resource in self.of_type(suffix) if resource.name == name]
        return found


@dataclass(frozen=True)
class Recording:
    """What a run of the program left: its resources and its stack outputs."""

    mocks: RecordingMocks
    outputs: dict[str, Any]


def record(config: Mapping[str, str], stack: str = "dev", program: Path = PROGRAM) -> Recording:
    """Run the program against recording mocks; packages are for this machine, as in the local run."""
    mocks = RecordingMocks()
    outputs = run_program(mocks, stack=stack, config={**config, "pixelcascade:packageFor": "host"}, program=program)
    return Recording(mocks, outputs)


def statements(policy: str) -> list[dict[str, Any]]:
    """Return the statements of a policy's JSON."""
    found: list[dict[str, Any]] = json.loads(policy)["Statement"]
    return found
