"""The results of a run: pictures, records, reasons, and a summary."""

import hashlib
import json
import shutil
import statistics
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from components.branches import BRANCHES, ImageBranch
from components.config_fields import FURTHER_FORMATS
from handlers.layout import in_format
from local.deployment import Deployment
from local.labels import label
from local.masters import keep
from local.output_folder import FOLDERS, LOGS, MASTERS, RECORDS, TIMES
from local.report import ReportedPicture
from local.timeline import Timeline
from ops.audit import Account
from ops.listing import list_objects
from ops.logs import fields_of, log_events
from ops.stack import DeployedStack

DOWNLOAD_THREADS = 8
OUTPUT_SUFFIXES = (".jpg", *(in_format("", name) for name in FURTHER_FORMATS))
MAX_FILE_NAME_BYTES = 255


def download(stack: DeployedStack, folder: Path) -> int:
    """Fetch every output and rejection, and the items into `metadata.json`; return how many outputs there are."""
    places = {
        key: _inside(folder / name, key[len(prefix) :])
        for prefix, name in zip(stack.prefixes(), FOLDERS, strict=True)
        for key, _ in list_objects(stack, prefix)
    }

    def fetch(key: str) -> None:
        places[key].parent.mkdir(parents=True, exist_ok=True)
        with places[key].open("wb") as file:
            shutil.copyfileobj(stack.client("s3").get_object(Bucket=stack.bucket, Key=key)["Body"], file)

    with ThreadPoolExecutor(DOWNLOAD_THREADS) as threads:
        list(threads.map(fetch, places))
    write_json(folder / RECORDS, records(stack))
    return sum(not key.startswith(stack.layout.rejected) for key in places)


def records(stack: DeployedStack) -> dict[str, dict[str, Any]]:
    """Return the metadata items by name."""
    deserialize = TypeDeserializer().deserialize
    pages = stack.client("dynamodb").get_paginator("scan").paginate(TableName=stack.table)
    items = [deserialize({"M": item}) for page in pages for item in page["Items"]]
    return {item["name"]: item for item in sorted(items, key=lambda item: str(item["name"]))}


def pictures(
    stack: DeployedStack, masters: Mapping[str, Path], accounts: Sequence[Account], folder: Path
) -> Iterator[ReportedPicture]:
    """Yield each master with its results in `folder`, for the report."""
    items = json.loads((folder / RECORDS).read_text())
    timeline = Timeline.read(folder / TIMES, folder / LOGS)
    for found in accounts:
        done = [branch for branch in BRANCHES if found.states[branch.name] == "done"]
        recorded = any(branch.records for branch in done)
        files = [file for branch in done for file in _files(stack, found.key, branch, folder)]
        name = stack.layout.path(found.key)
        yield ReportedPicture(
            name=name,
            master=keep(masters[found.key], _inside(folder / MASTERS, name)),
            outputs={label: path for label, _, path in files},
            record=items.get(stack.layout.name(found.key)) if recorded else None,
            rejections=found.rejections,
            warnings=timeline.warnings.get(found.key, ()),
            seconds=timeline.seconds(found.key, {label: key for label, key, _ in files}),
        )


def _files(stack: DeployedStack, key: str, branch: ImageBranch, folder: Path) -> Iterator[tuple[str, str, Path]]:
    """Yield a branch's files of a master: the label, the key, and the local path."""
    for number, file in enumerate(stack.files(key, branch)):
        prefix = next(prefix for prefix in stack.prefixes() if file.startswith(prefix))
        place = FOLDERS[stack.prefixes().index(prefix)]
        name = label(branch, place, stack.sizes[number] if branch.per_size else "")
        yield name, file, _inside(folder / place, file[len(prefix) :])
        for form in FURTHER_FORMATS if branch.per_size else ():
            further = in_format(file, form)
            if (path := _inside(folder / place, further[len(prefix) :])).is_file():
                yield f"{name} {form}", further, path


def functions(deployment: Deployment) -> dict[str, dict[str, float]]:
    """Return each function's invocations and their milliseconds, cold starts separately, from its log.

    Invocations that warm it do not count.
    """
    logs, since_ms = deployment.emulator.client("logs"), deployment.ready_ms
    return {name: durations(logs, group, since_ms) for name, group in deployment.log_groups().items()}


def durations(logs: Any, group: str, since_ms: int) -> dict[str, float]:
    """Return the durations of a function's invocations; the emulator has a log stream for each."""
    took_ms: dict[str, float] = {}
    cold = set()
    for event in log_events(logs, group, startTime=since_ms):
        line = event["message"]
        if line.startswith("REPORT"):
            took_ms[event["logStreamName"]] = float(line.split("Duration: ")[1].split(" ")[0])
        elif fields_of(line).get("cold_start"):
            cold.add(event["logStreamName"])
    warm_ms = [value for stream, value in took_ms.items() if stream not in cold]
    cold_ms = [value for stream, value in took_ms.items() if stream in cold]
    return {
        "invocations": len(took_ms),
        "cold_starts": len(cold_ms),
        "cold_median_ms": statistics.median(cold_ms or [0]),
        "median_ms": statistics.median(warm_ms or [0]),
        "max_ms": max(warm_ms, default=0),
        "total_ms": sum(took_ms.values()),
    }


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file, DynamoDB's numbers as numbers."""
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False, default=_plain) + "\n")


def _inside(folder: Path, name: str) -> Path:
    """Return the path of a key below a folder, even for a key that would lead out of it, or that no disk could hold.

    S3 holds `a.jpg` beside `a.jpg/b.jpg`: the folder of the second is `a.jpg_`, and that of `a.jpg_/b.jpg` `a.jpg__`.
    A name that is too long becomes a hash.
    """
    *parents, file = (f"_{part}" if part in {"", ".", ".."} else part for part in name.split("/"))
    if file.endswith(OUTPUT_SUFFIXES):
        parents = [f"{part}_" if part.rstrip("_").endswith(OUTPUT_SUFFIXES) else part for part in parents]
    return folder.joinpath(*map(_shortened, (*parents, file)))


def _shortened(name: str) -> str:
    if len(name.encode()) <= MAX_FILE_NAME_BYTES:
        return name
    return hashlib.sha256(name.encode()).hexdigest() + Path(name).suffix


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"{type(value).__name__} cannot be a value of a metadata item")
