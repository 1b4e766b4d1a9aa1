"""A bad message does not affect others, even if it crashes or stalls its process."""

import json
from collections.abc import Iterator

import pytest

from benchmarks import faults
from components.config import PROJECT
from ops.queues import depth
from tests.e2e.conftest import Live, deployed, picture, until

TIMEOUT_S = 10
MAX_RECEIVES = 5
CONFIG = {f"{PROJECT}:timeoutS": str(TIMEOUT_S), f"{PROJECT}:maxReceives": str(MAX_RECEIVES)}
FAULTY = ["exhausts-memory.png", "never-ends.png", "crashes.png"]
GOOD = [f"good {number}.png" for number in range(7)]


@pytest.fixture(scope="module")
def sabotaged() -> Iterator[Live]:
    """Deploy the program with workers that fail on pictures with these names."""
    with deployed(CONFIG) as live:
        faults.sabotage_workers(live.deployment)
        live.hide_messages_for(TIMEOUT_S + 2)
        yield live


def test_faulty_pictures_do_not_delay_the_rest_of_their_batch(sabotaged: Live) -> None:
    """One picture of ten exhausts memory, one stalls and one crashes; the others are done before the last delivery.

    On an idle machine they need two deliveries. On a busy one, a child may be as slow as one that stalls.
    """
    with faults.held_back(sabotaged.deployment, reverse=False, twice=False):
        for name in [*FAULTY, *GOOD]:
            sabotaged.put(f"master/{name}", picture())
        queue = sabotaged.deployment.outputs["queues"]["format-conversion"]
        until("all ten are waiting", waiting, sabotaged, queue, len(FAULTY) + len(GOOD))

    done = until("the good ones are converted", deliveries, sabotaged)
    assert max(done.values()) < MAX_RECEIVES


def waiting(live: Live, url: str, count: int) -> bool:
    """Return whether exactly `count` messages wait in a queue."""
    return depth(live.client("sqs"), url).waiting == count


def deliveries(live: Live) -> dict[str, int] | None:
    """Return the delivery count at which the format-converter wrote each good picture, or None before the last one."""
    lines = [json.loads(line) for line in live.log("format-converter") if line.startswith("{")]
    done = {line["key"]: line["deliveries"] for line in lines if line.get("message") == "written"}
    return done if done.keys() == {f"master/{name}" for name in GOOD} else None
