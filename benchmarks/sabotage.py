"""Workers that fail on certain pictures, as their names say, deployed in the functions for a load run.

The real workers get all other pictures.
"""

import dataclasses
import os
import signal
import time
from collections.abc import Callable
from functools import partial

from handlers import format_converter, metadata_extractor, pixel_resizer, worker
from handlers.imaging import Picture
from handlers.master import Master
from handlers.output import Output
from handlers.settings import Settings
from handlers.work import Work

MEGABYTE = 1024 * 1024


def sabotaged(work: Work) -> Work:
    """Return `work` that harms its process as the master's name says."""

    def fall_over(picture: Picture, master: Master, settings: Settings) -> Output:
        for name, fault in FAULTS.items():
            if name in master.key:
                fault(settings)
        return work.run(picture, master, settings)

    return dataclasses.replace(work, run=fall_over)


def exhaust_memory(settings: Settings) -> None:
    """Allocate memory up to Lambda's limit and exit there, because the emulator has no limit."""
    held = bytearray(b"\x01") * (settings.memory_mb * MEGABYTE)
    crash(settings)
    del held


def never_end(_settings: Settings) -> None:
    """Loop for ever."""
    while True:
        time.sleep(0)


def crash(_settings: Settings) -> None:
    """Crash as a bug in a codec would."""
    os.kill(os.getpid(), signal.SIGKILL)


FAULTS: dict[str, Callable[[Settings], None]] = {
    "exhausts-memory": exhaust_memory,
    "never-ends": never_end,
    "crashes": crash,
}
KILLERS = tuple(FAULTS)
"""Parts of the names of masters that are meant to kill their worker."""


converter = partial(worker.process, work=sabotaged(format_converter.WORK))
resizer = partial(worker.process, work=sabotaged(pixel_resizer.WORK))
extractor = partial(worker.process, work=sabotaged(metadata_extractor.WORK))
HANDLERS = {"format-converter": "converter", "pixel-resizer": "resizer", "metadata-extractor": "extractor"}
