"""The real functions, stepped call by call: each AWS call waits for its turn, and a process may crash before any call.

AWS is moto, and the schedule is random, from a seed. What moto lacks is added here: conditional deletes, and the
fan-out from the topic to the branches.
"""

import json
import random
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import botocore.exceptions
from botocore.client import BaseClient

from components.branches import BRANCHES
from handlers import job_publisher, worker
from handlers.errors import BrokenImageError
from handlers.imaging import Further, Jpeg
from handlers.imaging.further import FORMATS
from handlers.layout import Layout
from handlers.master import Master
from handlers.output import Files, Output
from handlers.record import Record
from handlers.settings import Settings
from handlers.work import Work
from tests.handlers.conftest import BUCKET, Context, Stack, sqs_event

FILES = {"format-conversion": "converted/{name}.jpg", "resizing": "resized/{name}/large.jpg"}
NAMES = [row.name for row in BRANCHES if row.name in FILES]
BAD = {b"x": set(NAMES), b"y": {"resizing"}}
"""Master contents, and the branches that reject them."""
KEPT = {b"a"}
"""Master contents that are smaller as WebP."""

Change = tuple[str, str, bytes]
"""A user's action: `put`, `delete` or `hand` (publish a job), the key, and the contents."""


class CrashError(BaseException):
    """The process crashed; `except Exception` does not catch it."""


@dataclass
class Process:
    """One invocation of a function, paused before its next call; `message` is redelivered if it fails."""

    run: Callable[[], bool]
    message: tuple[str, str]
    scheduler: "Scheduler"
    resume: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    crashes: bool = False
    ended: bool = False
    done: bool = False

    def start(self) -> None:
        """Run until the first call."""
        threading.Thread(target=self._run, daemon=True).start()
        self.scheduler.stopped.acquire()

    def step(self) -> None:
        """Make the pending call, and run until the next one."""
        self.resume.release()
        self.scheduler.stopped.acquire()

    def pause(self) -> None:
        """Wait for a turn to make a call."""
        self.scheduler.stopped.release()
        self.resume.acquire()
        if self.crashes:
            raise CrashError

    def _run(self) -> None:
        self.scheduler.current.process = self
        try:
            self.done = self.run()
        except CrashError:
            pass
        except Exception as error:  # noqa: BLE001 - a bug in the functions must end the test, not a thread
            self.scheduler.errors.append(error)
        self.ended = True
        self.scheduler.stopped.release()


class Scheduler:
    """Gives processes, users and deliveries turns at random."""

    def __init__(
        self, stack: Stack, seed: int, *, crashes: int, duplicates: int, settings: dict[str, Settings]
    ) -> None:
        self.stack, self.chance, self.settings = stack, random.Random(seed), settings  # noqa: S311 no secret
        self.crashes, self.duplicates = crashes, duplicates
        # Hasty users do everything at once; patient users wait until nothing else can happen.
        self.haste = self.chance.choice([1, 0.1, 0.02, 0.0001])
        self.stopped, self.current = threading.Semaphore(0), threading.local()
        self.processes: list[Process] = []
        self.messages: list[tuple[str, str]] = []
        self.errors: list[Exception] = []
        self.trace: list[str] = []

    def play(self, changes: Sequence[Change]) -> None:
        """Run until no change, message or process is left."""
        waiting = list(changes)
        while waiting or self.processes or self.messages:
            choices: list[tuple[float, Callable[[], None]]] = []
            if waiting:
                choices.append((self.haste, lambda: self._change(*waiting.pop(0))))
            if self.messages and len(self.processes) < 6:
                choices.append((1.0, self._deliver))
            choices += [(1.0, lambda process=process: self._step(process)) for process in self.processes]  # type: ignore[misc]
            if self.processes and self.crashes:
                choices.append((0.1, self._crash))
            weights, actions = zip(*choices, strict=True)
            self.chance.choices(actions, weights)[0]()
            if self.errors:
                raise self.errors[0]

    def turn(self, operation: str) -> None:
        """Wait for a turn if a process makes the call; the test's own calls never wait."""
        process: Process | None = getattr(self.current, "process", None)
        if process is not None:
            process.pause()
            self.trace.append(f"{process.message} {operation}")

    def shuffled(self, keys: Iterable[str]) -> list[str]:
        """Return keys in random order."""
        return self.chance.sample(found := list(keys), len(found))

    def _change(self, kind: str, key: str, body: bytes) -> None:
        self.trace.append(f"USER {kind} {key} {body!r}")
        if kind == "hand":
            job = json.dumps({"bucket": BUCKET, "key": key})
            self.messages += [(branch, job) for branch in NAMES]
            return
        if kind == "put":
            self.stack.upload(key, body)
        else:
            self.stack.s3.delete_object(Bucket=BUCKET, Key=key)
        self.messages.append(("publisher", key))

    def _deliver(self) -> None:
        message = self.messages.pop(self.chance.randrange(len(self.messages)))
        if self.duplicates and self.chance.random() < 0.3:
            self.duplicates -= 1
            self.messages.append(message)
        process = Process(run=lambda: self._invoke(*message), message=message, scheduler=self)
        self.processes.append(process)
        process.start()
        self._reap(process)

    def _invoke(self, function: str, body: str) -> bool:
        """Run a function on a message; return whether the message is done."""
        self.current.settings = self.settings.get(function, next(iter(self.settings.values())))
        if function == "publisher":
            record = {"s3": {"bucket": {"name": BUCKET}, "object": {"key": body}}}
            job_publisher.handler({"Records": [record]}, Context())
            return True
        return not worker.process(sqs_event(body), Context(), _work(function))["batchItemFailures"]

    def _step(self, process: Process) -> None:
        process.step()
        self._reap(process)

    def _crash(self) -> None:
        process = self.chance.choice(self.processes)
        self.crashes -= 1
        process.crashes = True
        self.trace.append(f"CRASH {process.message}")
        self._step(process)

    def _reap(self, process: Process) -> None:
        if process.ended:
            self.processes.remove(process)
            if not process.done:
                self.messages.append(process.message)

    def api(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """Return botocore's API call wrapped with turns, conditional deletes and the fan-out."""

        def made(client: BaseClient, operation: str, arguments: dict[str, Any]) -> Any:
            self.turn(operation)
            if operation == "PublishBatch":
                jobs = [entry["Message"] for entry in arguments["PublishBatchRequestEntries"]]
                self.messages += [(branch, job) for job in jobs for branch in NAMES]
                return {"Successful": [], "Failed": []}
            if operation == "DeleteObject" and "IfMatch" in arguments:
                arguments = dict(arguments)
                _check_match(call, client, arguments, arguments.pop("IfMatch"))
            return call(client, operation, arguments)

        return made


def _check_match(call: Callable[..., Any], client: BaseClient, arguments: dict[str, Any], etag: str) -> None:
    if call(client, "HeadObject", arguments)["ETag"] != etag:
        answer: Any = {"Error": {"Code": "PreconditionFailed"}, "ResponseMetadata": {"HTTPStatusCode": 412}}
        raise botocore.exceptions.ClientError(answer, "DeleteObject")


def _work(branch: str) -> Work:
    def run(_picture: Any, master: Master, _settings: Settings) -> Output:
        body = master.body.read()
        if branch in BAD.get(body, ()):
            raise BrokenImageError("bad")
        return Files({FILES[branch]: Jpeg(b"\xff\xd8".ljust(200, b"-") + body, further=_further(branch, body))})

    files = {"format-conversion": Layout.converted_key, "resizing": Layout.resized_folder}[branch]
    return Work(run=run, bytes_needed=lambda *_: 0, files=files)


def _further(branch: str, body: bytes) -> dict[str, Further]:
    """Return a resized picture as WebP, smaller than its JPEG if it should be kept."""
    if branch != "resizing":
        return {}
    return {"webp": FORMATS["webp"](b"RIFF----WEBP".ljust(20 if body in KEPT else 400, b"-") + body, (1, 1))}


@dataclass(frozen=True, kw_only=True)
class Ending:
    """The final state of one name."""

    stack: Stack
    name: str
    follow: bool

    def faults(self) -> Iterator[str]:
        """Yield what is wrong."""
        masters = {key: self.stack.get(key)["ETag"].strip('"') for key in self.stack.keys(f"master/{self.name}")}
        record = self.stack.record(f"master/{self.name}.jpg")
        if record is not None and record.state == "received":
            yield "stays received"
        yield from self._reasons_of_nobody(masters)
        if not masters:
            yield from self._gone(record)
        elif record is None or not record.lives or record.key not in masters:
            yield "a living master is blocked"
        else:
            yield from self._owned(record, masters)

    def _reasons_of_nobody(self, masters: Collection[str]) -> Iterator[str]:
        for reason in self.stack.keys("rejected/") if self.follow else ():
            path, _, branch = reason.removeprefix("rejected/").rpartition("/")
            if branch == "name-taken.json" and f"master/{path}" not in masters:
                yield f"{reason} remains after its master"

    def _gone(self, record: Record | None) -> Iterator[str]:
        if record is not None and record.lives:
            yield f"no master, record {record.state}"
        if self.follow and self.stack.keys("converted/") + self.stack.keys("resized/"):
            yield "an output remains after its master"
        complete = {key for what, key in self.stack.events() if what == "Picture complete"}
        for key in complete - {key for what, key in self.stack.events() if what == "Picture deleted"}:
            yield f"{key} has a complete event and no deleted event"

    def _owned(self, record: Record, masters: Mapping[str, str]) -> Iterator[str]:
        if record.etag != masters[record.key]:
            yield "the record has older bytes"
        reasons = set(self.stack.keys("rejected/"))
        for key in masters:
            taken = Layout().rejected_key(key, "name-taken") in reasons
            if taken == (key == record.key):
                yield f"{key} has {'a' if taken else 'no'} reason that its name is taken"
        for branch, outcome in record.branches.items():
            yield from self._branch(record, branch, outcome.state)
            if (Layout().rejected_key(record.key, branch) in reasons) != (outcome.state == "rejected"):
                yield f"{branch} is {outcome.state}, and its reason disagrees"
        ids = {json.loads(entry["Detail"])["id"] for entry in self.stack.sent}
        if f"{BUCKET}/{record.key}/{record.generation}/{record.state}" not in ids:
            yield "settled, and no event was sent"

    def _branch(self, record: Record, branch: str, state: str) -> Iterator[str]:
        output = FILES[branch].replace("{name}", self.name)
        marks = self.stack.get(output)["Metadata"] if output in self.stack.outputs() else {}
        found = (marks.get("key"), marks.get("etag"), marks.get("generation"))
        if state == "written" and found != (record.key, record.etag, str(record.generation)):
            yield f"{branch} is written, and its output is {marks}"
        if state == "written" and branch == "resizing":
            yield from self._further(record)
        if state == "rejected" and marks and self.follow:
            yield f"{branch} is rejected, and its older output remains"

    def _further(self, record: Record) -> Iterator[str]:
        """Compare the WebP with the record: present with the same generation if it was kept, else absent."""
        key, kept = f"resized/{self.name}/large.webp", record.branches["resizing"].outputs
        there = key in self.stack.outputs()
        if there != ("resized/{name}/large.webp" in kept):
            yield f"a WebP is {'there' if there else 'missing'}, and the record has {set(kept)}"
        elif there and self.stack.get(key)["Metadata"].get("generation") != str(record.generation):
            yield "the WebP is of another generation"
