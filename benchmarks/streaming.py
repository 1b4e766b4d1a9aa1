"""One picture in flight: decoded while it arrives, or fetched whole before; from a slow S3 on loopback."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from botocore.config import Config

from benchmarks.contestants import TASKS, Contestant
from benchmarks.findings import Row
from benchmarks.measuring import interleaved, milliseconds, ratio
from benchmarks.photos import Photo
from benchmarks.worker_process import CREDENTIALS, loopback
from ops.loopback import NO_PROXIES, session

FIRST_BYTE_MS = 30.0
SERVER_CORE = 0
CALLS = {"resize": "sizes", "convert": "reencoded", "convert, copying": "converted"}


def stream_rows(classes: Mapping[str, Sequence[Photo]], runs: int, mb_per_s: float) -> list[Row]:
    """Return the milliseconds from the request to the result, fetched whole and streamed, for each class and call."""
    masters = {photo.name: photo.data for members in classes.values() for photo in members}
    rows = []
    with loopback(masters, FIRST_BYTE_MS, SERVER_CORE, mb_per_s) as port:
        fetch = _fetcher(port)
        for kind, members in classes.items():
            for name, call in CALLS.items():
                rows += _rows(f"{name}, {kind}", fetch, TASKS[call], members, runs)
    return rows


def _rows(
    name: str, fetch: Callable[[Photo], Any], call: Callable[[Any], object], photos: Sequence[Photo], runs: int
) -> list[Row]:
    contestants: dict[str, Contestant] = {
        "whole": lambda photo: milliseconds(lambda: call(fetch(photo).read())),
        "streamed": lambda photo: milliseconds(lambda: call(fetch(photo))),
    }
    found = {name: times.runs for name, times in interleaved(contestants, photos, runs).items()}
    gain = ratio(found["streamed"], found["whole"])
    return [
        Row(name=f"{name}, whole", samples=found["whole"], facts={"pictures": len(photos)}),
        Row(
            name=f"{name}, streamed",
            samples=found["streamed"],
            facts={"of whole": gain.median, "quartiles of it": gain.quartiles},
        ),
    ]


def _fetcher(port: int) -> Callable[[Photo], Any]:
    """Return a function that opens a photo's body as the functions do."""
    s3 = session().client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name=CREDENTIALS["AWS_DEFAULT_REGION"],
        aws_access_key_id="none",
        aws_secret_access_key="none",  # noqa: S106
        config=Config(proxies=NO_PROXIES),
    )
    return lambda photo: s3.get_object(Bucket="images", Key=photo.name)["Body"]
