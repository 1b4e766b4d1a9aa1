"""Start the functions' processes while the rest of the stack is deployed, by events that change nothing."""

import contextlib
import json
import threading
import time
from collections.abc import Mapping
from typing import Any

from components.branches import BRANCHES
from handlers.job import Job
from handlers.layout import Layout
from local.emulator import Emulator

PUBLISHER = "handlers.job_publisher.handler"
WORKERS = {branch.handler for branch in BRANCHES}

PUBLISHERS = 2
"""How many processes of the publisher are started; uploads are no faster than these."""

LONGEST_S = 30.0


class Warming:
    """Calls each new function once. A failure is ignored, because the first real event will fail too and is shown."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._calls: list[threading.Thread] = []

    def start(self, function: Mapping[str, Any]) -> None:
        """Begin to warm a function up, by the outputs of its resource; others than the pipeline's are ignored."""
        if function["handler"] == PUBLISHER:
            for _ in range(PUBLISHERS):
                self._call(function["name"], _marker(*_place(function)))
        elif function["handler"] in WORKERS:
            self._call(function["name"], _foreign_job(*_place(function)))

    def wait(self) -> None:
        """Wait until the functions are warm."""
        end = time.monotonic() + LONGEST_S
        for call in self._calls:
            call.join(max(0.0, end - time.monotonic()))

    def _call(self, name: str, event: Mapping[str, Any]) -> None:
        client = self._emulator.client("lambda")

        def invoke() -> None:
            with contextlib.suppress(Exception):
                client.invoke(FunctionName=name, Payload=json.dumps(event))

        # A daemon, because an interrupted command must not wait for its retries.
        self._calls.append(threading.Thread(target=invoke, name="warm-up", daemon=True))
        self._calls[-1].start()


def _place(function: Mapping[str, Any]) -> tuple[str, Layout]:
    variables = function["environment"]["variables"]
    return variables["BUCKET"], Layout(**json.loads(variables["SETTINGS"])["layout"])


def _marker(bucket: str, layout: Layout) -> dict[str, Any]:
    """Return an event about the master prefix's folder marker, which the publisher skips."""
    return {"Records": [{"s3": {"bucket": {"name": bucket}, "object": {"key": layout.master}}}]}


def _foreign_job(bucket: str, layout: Layout) -> dict[str, Any]:
    """Return a batch with a job for another branch, which a worker leaves alone."""
    job = Job(bucket=bucket, key=f"{layout.master}warming", branches=("none",))
    attributes = {"ApproximateReceiveCount": "1"}
    return {"Records": [{"messageId": "warming", "receiptHandle": "", "body": job.to_json(), "attributes": attributes}]}
