"""A picture's life under random orders of calls: the real functions, interleaved, crashed and repeated."""

import os
import threading
from collections.abc import Sequence
from typing import Any

import pytest
from botocore.client import BaseClient
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from components.config import StackConfig
from handlers import imaging, output
from handlers.settings import Settings
from handlers.stack import RecordSettings
from tests.handlers import conftest
from tests.handlers.conftest import BUCKET, PICTURES, Stack
from tests.handlers.interleaving import NAMES, Change, Ending, Scheduler

pytestmark = pytest.mark.exhaustive

JPG, PNG = "master/cat.jpg", "master/cat.png"
EXAMPLES = int(os.environ.get("INTERLEAVINGS", "60"))
"""Set it to a few thousand to search for faults after changing the protocol."""

_changes = st.one_of(
    st.tuples(st.just("put"), st.sampled_from([JPG, JPG, PNG]), st.sampled_from([b"a", b"a", b"b", b"x", b"y"])),
    st.tuples(st.just("delete"), st.sampled_from([JPG, PNG]), st.just(b"")),
    st.tuples(st.just("hand"), st.sampled_from([JPG, PNG]), st.just(b"")),
)


def branch_settings(*, follow: bool) -> dict[str, Settings]:
    """Return the settings of each branch's worker."""
    settings = {}
    for name in NAMES:
        environment = {
            **conftest.environment(StackConfig(deletions="follow" if follow else "keep", output_formats={"webp": 80}))
        }
        found = Settings.from_environment({**environment, "BRANCH": name})
        record = RecordSettings(**{**vars(found.record), "branches": tuple(NAMES)})
        settings[name] = Settings(**{**vars(found), "record": record})
    return settings


def clear(stack: Stack) -> None:
    """Empty the stack for the next example."""
    for key in [*stack.outputs(), *stack.keys("master/")]:
        stack.s3.delete_object(Bucket=BUCKET, Key=key)
    stack.dynamodb.delete_item(TableName=PICTURES, Key={"name": {"S": "cat"}})
    stack.sent.clear()


def play(stack: Stack, changes: Sequence[Change], seed: int, *, follow: bool) -> Scheduler:
    """Run changes in an order drawn from a seed; fail where the final state is wrong."""
    settings = branch_settings(follow=follow)
    scheduler = Scheduler(stack, seed, crashes=2, duplicates=2, settings=settings)
    with pytest.MonkeyPatch.context() as patch:
        call: Any = BaseClient._make_api_call  # type: ignore[attr-defined]
        patch.setattr(BaseClient, "_make_api_call", scheduler.api(call))
        patch.setattr(imaging, "open_picture", lambda source, _limits, **_: source)
        patch.setattr(Settings, "from_environment", lambda: scheduler.current.settings)
        patch.setattr(RecordSettings, "from_environment", lambda: scheduler.current.settings.record)
        # One at a time, in any order: threads of the pool would not wait for turns.
        patch.setattr(output, "_side_by_side", lambda put, keys: list(map(put, scheduler.shuffled(keys))))
        send = conftest.FakeBus.put_events

        def put_events(bus: conftest.FakeBus, **what: Any) -> dict[str, Any]:
            scheduler.turn("PutEvents")
            return send(bus, **what)

        patch.setattr(conftest.FakeBus, "put_events", put_events)
        scheduler.play(changes)
    wrong = list(Ending(stack=stack, name="cat", follow=follow).faults())
    assert not wrong, "\n".join([*wrong, "after", *scheduler.trace])
    return scheduler


@hypothesis_settings(
    max_examples=EXAMPLES,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(_changes, min_size=1, max_size=6), st.integers(0, 2**32), st.booleans())
def test_the_final_state_is_right_in_any_order(
    stack: Stack,
    changes: list[Change],
    seed: int,
    follow: bool,  # noqa: FBT001
) -> None:
    """No mixed outputs, no blocked name, no stranded loser, nothing newer deleted, one event per settled generation."""
    clear(stack)
    play(stack, changes, seed, follow=follow)
    assert threading.active_count() < 50


SCENARIOS: dict[str, list[Change]] = {
    "two masters together": [("put", JPG, b"a"), ("put", PNG, b"b")],
    "two masters of the same bytes": [("put", JPG, b"a"), ("put", PNG, b"a")],
    "the owner is deleted": [("put", JPG, b"a"), ("put", PNG, b"b"), ("delete", JPG, b"")],
    "the other is deleted": [("put", JPG, b"a"), ("put", PNG, b"b"), ("delete", PNG, b"")],
    "the other is deleted and comes back": [
        ("put", JPG, b"a"),
        ("put", PNG, b"b"),
        ("delete", PNG, b""),
        ("put", PNG, b"b"),
    ],
    "changed and changed back": [("put", JPG, b"a"), ("put", JPG, b"b"), ("put", JPG, b"a")],
    "deleted and uploaded again": [("put", JPG, b"a"), ("delete", JPG, b""), ("put", JPG, b"a")],
    "good, then bad": [("put", JPG, b"a"), ("put", JPG, b"x")],
    "bad, then good": [("put", JPG, b"x"), ("put", JPG, b"a")],
    "half bad, then good": [("put", JPG, b"y"), ("put", JPG, b"a")],
    "smaller as WebP, then not": [("put", JPG, b"a"), ("put", JPG, b"b")],
    "by hand": [("put", JPG, b"a"), ("hand", JPG, b""), ("delete", JPG, b"")],
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_each_scenario_ends_correctly_in_many_orders(stack: Stack, name: str) -> None:
    """Scenarios that failed in drafts of the protocol end correctly in many orders, with crashes and duplicates."""
    for seed in range(max(12, EXAMPLES // 5)):
        clear(stack)
        play(stack, SCENARIOS[name], seed, follow=bool(seed % 2))
