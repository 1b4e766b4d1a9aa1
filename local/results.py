"""What a run leaves behind: pictures, records, reasons, and the summary of it all."""

import contextlib
import json
import os
import shutil
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from handlers.errors import NameTooLongError
from local.deployment import Deployment
from local.report import REPORT, Picture
from ops.audit import Account, list_objects
from ops.stack import CONVERSION, RESIZING, Stack

DOWNLOAD_THREADS = 8
SUMMARY, RECORDS = "summary.json", "metadata.json"
FOLDERS = ("converted", "resized", "rejected")
# The summary goes first and comes last: where it is, the rest is too.
RESULTS = (SUMMARY, REPORT, RECORDS, *FOLDERS)
MARKER = ".pixelcascade"


class OutputFolderError(Exception):
    """The folder for the results cannot be had; the message says why, and what to do."""


def clear(folder: Path, masters: Iterable[Path]) -> None:
    """Make `folder`, or empty it of an earlier run's results, whether or not that run came to its end.

    Raises: OutputFolderError, where it holds anything but those, or a master, or cannot be written.
    """
    if inside := next((master for master in masters if _holds(folder, master)), None):
        raise OutputFolderError(
            f"got the master {inside} inside of --out {folder}, where results are removed; name another folder."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        marker = folder / MARKER
        if not marker.is_file():
            if any(folder.iterdir()):
                raise OutputFolderError(
                    f"got {folder}, which holds something else; allowed is a new or empty folder, or an earlier run's, "
                    f"which has a {MARKER}: name another."
                )
            # Before any result, so that a run that is interrupted leaves its own folder.
            marker.write_text("`python -m local run` replaces its results in this folder when it comes again.\n")
        for name in RESULTS:
            _remove(folder / name)
    except OSError as error:
        raise OutputFolderError(
            f"got --out {folder}, which cannot be written, {error.filename or MARKER}: {error.strerror}; name another."
        ) from error


def download(stack: Stack, folder: Path) -> int:
    """Fetch every output and rejection, and the items into `metadata.json`; return how many outputs there are."""
    prefixes = (stack.layout.converted, stack.layout.resized, stack.layout.rejected)
    places = {
        key: _inside(folder / name, key[len(prefix) :])
        for prefix, name in zip(prefixes, FOLDERS, strict=True)
        for key, _ in list_objects(stack, prefix)
    }

    def fetch(key: str) -> None:
        places[key].parent.mkdir(parents=True, exist_ok=True)
        stack.client("s3").download_file(stack.bucket, key, str(places[key]))

    with ThreadPoolExecutor(DOWNLOAD_THREADS) as threads:
        list(threads.map(fetch, places))
    write_json(folder / RECORDS, records(stack))
    return sum(not key.startswith(stack.layout.rejected) for key in places)


def records(stack: Stack) -> dict[str, dict[str, Any]]:
    """Return the metadata items by name."""
    deserialize = TypeDeserializer().deserialize
    pages = stack.client("dynamodb").get_paginator("scan").paginate(TableName=stack.table)
    items = [deserialize({"M": item}) for page in pages for item in page["Items"]]
    return {item["name"]: item for item in sorted(items, key=lambda item: str(item["name"]))}


def pictures(stack: Stack, masters: Mapping[str, Path], accounts: Sequence[Account], folder: Path) -> Iterator[Picture]:
    """Yield each master with what is now in `folder` of it, for the report."""
    items = json.loads((folder / RECORDS).read_text())
    for found in accounts:
        outputs: dict[str, Path] = {}
        with contextlib.suppress(NameTooLongError):
            (converted,) = stack.outputs(found.key, CONVERSION)
            outputs = {"converted": _inside(folder / "converted", converted[len(stack.layout.converted) :])}
        with contextlib.suppress(NameTooLongError):
            outputs |= {
                size: _inside(folder / "resized", key[len(stack.layout.resized) :])
                for size, key in zip(stack.sizes, stack.outputs(found.key, RESIZING), strict=True)
            }
        done = {branch for branch, state in found.states.items() if state == "done"}
        yield Picture(
            name=stack.layout.path(found.key),
            master=masters[found.key],
            outputs={name: path for name, path in outputs.items() if _branch_of(name) in done},
            record=items.get(stack.layout.name(found.key)) if "metadata-extraction" in done else None,
            rejections=found.rejections,
        )


def functions(deployment: Deployment) -> dict[str, dict[str, float]]:
    """Return each function's invocations and their durations in milliseconds, from the emulator's REPORT lines."""
    logs = deployment.emulator.client("logs")
    found = {}
    for name in deployment.names("Function"):
        group = deployment.resource("LogGroup", f"{name}-logs")["name"]
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group, filterPattern="REPORT")
        lines = (event["message"] for page in pages for event in page["events"])
        times = [float(line.split("Duration: ")[1].split(" ")[0]) for line in lines if line.startswith("REPORT")]
        found[name] = {
            "invocations": len(times),
            "total_ms": sum(times),
            "median_ms": statistics.median(times) if times else 0,
            "max_ms": max(times, default=0),
        }
    return found


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file, DynamoDB's numbers as numbers."""
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False, default=_plain) + "\n")


def _holds(folder: Path, file: Path) -> bool:
    """Tell whether a file, or a link on the way to it, lies below a folder."""
    named, base = (Path(os.path.abspath(path)) for path in (file, folder))  # noqa: PTH100 resolve() follows links
    resolved = (file.parent.resolve() / file.name, file.resolve())
    return named.is_relative_to(base) or any(path.is_relative_to(folder.resolve()) for path in resolved)


def _remove(path: Path) -> None:
    """Remove a file, a link or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _branch_of(output: str) -> str:
    return "format-conversion" if output == "converted" else "resizing"


def _inside(folder: Path, name: str) -> Path:
    """Return the path of a key below a folder; a key that would lead out of it stays in."""
    return folder.joinpath(*(f"_{part}" if part in {"", ".", ".."} else part for part in name.split("/")))


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"{type(value).__name__} is no value of a metadata item")
