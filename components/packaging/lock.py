"""`python -m components.packaging.lock`: write the hashes of all wheels that a layer for Lambda may contain."""

import itertools
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

from components.config import RUNTIMES
from components.packaging import paths, wheels
from components.packaging.target import MACHINES, Target

TITLE = "# The wheels that a layer for Lambda is built of, as `sha256sum` writes them; written by `make lock`.\n"


def main() -> None:
    """Ask the package index for each runtime and processor, and write `wheels.sha256`."""
    targets = [Target(runtime, machine, inputs=("heic",)) for runtime, machine in itertools.product(RUNTIMES, MACHINES)]
    found = {file: digest for target in targets for file, digest in _wheels(target)}
    lines = [f"{digest}  {file}\n" for file, digest in sorted(found.items())]
    paths.LOCK.write_text("".join([TITLE, *lines]), encoding="utf-8")


def _wheels(target: Target) -> Iterator[tuple[str, str]]:
    """Yield the file name and hash of each wheel that pip chooses for a target; nothing is installed."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        wheels.run_pip(
            f"The wheels for {target} could not be found",
            *("install", "--dry-run", "--ignore-installed", "--no-deps", *wheels.ONLY_WHEELS),
            *(f"--report={report}", f"--target={folder}/unused"),
            *(f"--requirement={file}" for file in (*target.requirements, *target.heic)),
            *target.pip_options(),
        )
        for found in json.loads(report.read_text(encoding="utf-8"))["install"]:
            source = found["download_info"]
            yield source["url"].rpartition("/")[2], source["archive_info"]["hashes"]["sha256"]


if __name__ == "__main__":
    main()
