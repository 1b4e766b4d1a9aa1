"""Uploads wait for the publisher, but not for a job that will never come."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from handlers.layout import Layout
from handlers.reconcile import NAME_TAKEN
from local import pacing
from local.pacing import UploadPacer
from local.warming import PUBLISHERS
from ops.stack import DeployedStack
from tests.in_memory import account

KEY = "master/cat.png"


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[DeployedStack]:
    """Yield a stack in memory with a bucket and a topic, but without a publisher."""
    with account(monkeypatch, "images") as client:
        topic = client("sns").create_topic(Name="new-image-uploaded")["TopicArn"]
        yield DeployedStack(
            client=client,
            bucket="images",
            table="",
            topic=topic,
            queues={},
            dead_letter_queues={},
            layout=Layout(),
            sizes=(),
        )


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let time pass only while the pacer sleeps; return the sleeps, in seconds."""
    # Each poll is a call of moto.
    monkeypatch.setattr(pacing, "PATIENCE_S", 2.0)
    sleeps = [0.0]
    # Threads of other tests may sleep too.
    monkeypatch.setattr(pacing, "time", SimpleNamespace(sleep=sleeps.append, monotonic=lambda: waited_s(sleeps)))
    return sleeps


def waited_s(sleeps: list[float]) -> float:
    """Return the sum to the millisecond: how exact a sum of floats is depends on the version of Python."""
    return round(sum(sleeps), 3)


def publish(stack: DeployedStack) -> None:
    """Publish a job to the topic."""
    stack.client("sns").publish(TopicArn=stack.topic, Message="{}")


def busy(stack: DeployedStack) -> UploadPacer:
    """Return a pacer with as many unpublished uploads as it allows."""
    pacer = UploadPacer(stack)
    for _ in range(PUBLISHERS - 1):
        pacer.pace("master/before.png")
    return pacer


def test_an_upload_waits_for_a_job(stack: DeployedStack, patience: list[float]) -> None:
    """A published job ends the wait at once; without one it lasts as long as a publisher may be retried."""
    pacer = busy(stack)
    publish(stack)
    pacer.pace(KEY)
    assert sum(patience) == 0
    pacer.pace(KEY)
    assert pacing.PATIENCE_S <= waited_s(patience) <= pacing.PATIENCE_S + 2 * pacing.POLL_S


def test_a_master_whose_name_is_taken_is_not_waited_for(stack: DeployedStack, patience: list[float]) -> None:
    """It has a reason instead of a job, and later uploads still wait for theirs."""
    pacer = busy(stack)
    stack.client("s3").put_object(Bucket="images", Key=Layout().rejected_key(KEY, NAME_TAKEN), Body=b"{}")
    pacer.pace(KEY)
    assert waited_s(patience) == pytest.approx(pacing.JOB_S, abs=2 * pacing.POLL_S)
    pacer.pace("master/dog.png")
    assert sum(patience) >= pacing.PATIENCE_S


def test_a_publisher_that_fails_is_not_waited_for_again(stack: DeployedStack, patience: list[float]) -> None:
    """Only one upload waits in vain."""
    pacer = busy(stack)
    pacer.pace(KEY)
    waited = sum(patience)
    pacer.pace(KEY)
    pacer.drain()
    assert sum(patience) == waited
