"""The faults of a load run, each a context manager: killed workers, duplicates, failing calls to S3."""

import contextlib
import io
import os
import random
import signal
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks import sabotage
from benchmarks.proxy import FlakyProxy
from components.packaging.build import code_archive
from components.packaging.target import Target
from local.deployment import Deployment
from ops.queues import taken

SHARE = 0.05
KILL_EVERY_S = 2.0


def sabotage_workers(deployment: Deployment) -> None:
    """Deploy sabotaged workers in the functions, with the real ones that they call."""
    archive = io.BytesIO(code_archive(Target.of(deployment.config)).read_bytes())
    with zipfile.ZipFile(archive, "a") as code:
        code.writestr("sabotage.py", Path(sabotage.__file__).read_bytes())
    client = deployment.emulator.client("lambda")
    for name, handler in sabotage.HANDLERS.items():
        function = deployment.resource("Function", name)["name"]
        client.update_function_code(FunctionName=function, ZipFile=archive.getvalue())
        client.update_function_configuration(FunctionName=function, Handler=f"sabotage.{handler}")


@contextlib.contextmanager
def flaky_s3(deployment: Deployment, seed: int) -> Iterator[FlakyProxy]:
    """Send the workers' calls to S3 through a proxy that fails a share of them."""
    client = deployment.emulator.client("lambda")
    with FlakyProxy(deployment.emulator.endpoint, SHARE, seed) as proxy:
        for name in sabotage.HANDLERS:
            function = deployment.resource("Function", name)["name"]
            variables = client.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
            variables["AWS_ENDPOINT_URL_S3"] = proxy.url
            client.update_function_configuration(FunctionName=function, Environment={"Variables": variables})
        yield proxy


@contextlib.contextmanager
def killed_workers(deployment: Deployment, count: int, seed: int) -> Iterator[list[str]]:
    """Kill a random process of a random worker every two seconds, `count` times; yield the names of those killed."""
    done, killed, chance = threading.Event(), list[str](), random.Random(seed)  # noqa: S311 no secret

    def kill() -> None:
        while len(killed) < count and not done.wait(KILL_EVERY_S):
            running = [found for found in processes(deployment) if found[1] != "job-publisher"]
            if running:
                process_id, name = chance.choice(running)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process_id, signal.SIGKILL)
                    killed.append(name)

    thread = threading.Thread(target=kill, daemon=True)
    thread.start()
    try:
        yield killed
    finally:
        done.set()
        thread.join()


def processes(deployment: Deployment) -> Iterator[tuple[int, str]]:
    """Yield the process ids of this deployment's functions and their logical names, from /proc."""
    functions = {name: deployment.resource("Function", name)["name"] for name in deployment.names("Function")}
    names = {f"AWS_LAMBDA_FUNCTION_NAME={function}": name for name, function in functions.items()}
    for environment in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            variables = environment.read_text(errors="replace").split("\0")
            yield from ((int(environment.parent.name), names[variable]) for variable in variables if variable in names)


def cpu_seconds(deployment: Deployment) -> dict[str, float]:
    """Return the processor time so far of the emulator, of each function's living processes, and of this process."""
    spent = {"this process": time.process_time(), "emulator": _cpu_seconds(deployment.emulator.process_id)}
    for process_id, name in processes(deployment):
        with contextlib.suppress(OSError):
            spent[name] = spent.get(name, 0.0) + _cpu_seconds(process_id)
    return {name: round(seconds, 1) for name, seconds in spent.items()}


def _cpu_seconds(process_id: int) -> float:
    """Return user and system time of a process. Source: proc(5), /proc/pid/stat, fields 14 and 15."""
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def held_back(deployment: Deployment, *, reverse: bool, twice: bool) -> Iterator[None]:
    """Keep the workers from taking messages within the block, and then deliver those in reverse order, or twice."""
    sqs = deployment.emulator.client("sqs")
    _switch_workers(deployment, enabled=False)
    yield
    for url in deployment.outputs["queues"].values():
        bodies = [message["Body"] for message in taken(sqs, url)]
        for body in reversed(bodies) if reverse else bodies:
            for _ in range(2 if twice else 1):
                sqs.send_message(QueueUrl=url, MessageBody=body)
    _switch_workers(deployment, enabled=True)


def _switch_workers(deployment: Deployment, *, enabled: bool) -> None:
    client = deployment.emulator.client("lambda")
    for name in deployment.names("EventSourceMapping"):
        mapping = deployment.resource("EventSourceMapping", name)["uuid"]
        client.update_event_source_mapping(UUID=mapping, Enabled=enabled)
    time.sleep(0 if enabled else 1)  # A poll that has begun still delivers the messages that it took.
