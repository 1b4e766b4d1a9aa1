"""Workers that fail on pictures whose names say how, shipped into the functions for a load run.

Everything but the named pictures goes to the real workers, untouched.
"""

import dataclasses
import os
import signal
import time
from collections.abc import Callable, Mapping
from typing import Any

from handlers import format_converter, metadata_extractor, pixel_resizer, worker
from handlers.imaging import Picture
from handlers.master import Master
from handlers.output import Output
from handlers.settings import Settings
from handlers.work import Work

MEGABYTE = 1024 * 1024
KILLERS = ("exhausts-memory", "never-ends", "crashes")


def sabotaged(work: Work) -> Work:
    """Return `work` that does to its process what the master's name says."""

    def fall_over(picture: Picture, master: Master, settings: Settings) -> Output:
        for name, fault in FAULTS.items():
            if name in master.key:
                fault(settings)
        return work.run(picture, master, settings)

    return dataclasses.replace(work, run=fall_over)


def exhaust_memory(settings: Settings) -> None:
    """Take memory until there is none: the emulator has no limit, so this dies where Lambda would kill it."""
    held = bytearray(b"\x01") * (settings.memory_mb * MEGABYTE)
    crash(settings)
    del held


def never_end(_settings: Settings) -> None:
    """Keep the processor busy for ever."""
    while True:
        time.sleep(0)


def crash(_settings: Settings) -> None:
    """Die as a process does in a bug of a codec."""
    os.kill(os.getpid(), signal.SIGKILL)


FAULTS: dict[str, Callable[[Settings], None]] = dict(zip(KILLERS, (exhaust_memory, never_end, crash), strict=True))


def converter(event: dict[str, Any], context: Any) -> Mapping[str, Any]:
    """Be the format-converter."""
    return worker.process(event, context, sabotaged(format_converter.WORK))


def resizer(event: dict[str, Any], context: Any) -> Mapping[str, Any]:
    """Be the pixel-resizer."""
    return worker.process(event, context, sabotaged(pixel_resizer.WORK))


def extractor(event: dict[str, Any], context: Any) -> Mapping[str, Any]:
    """Be the metadata-extractor."""
    return worker.process(event, context, sabotaged(metadata_extractor.WORK))


HANDLERS = {"format-converter": "converter", "pixel-resizer": "resizer", "metadata-extractor": "extractor"}
