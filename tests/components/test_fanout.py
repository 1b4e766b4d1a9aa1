"""`Fanout`: any number of branches on a topic, any number of fan-outs in a program."""

import re
from pathlib import Path
from unittest import mock

import pulumi
import pytest

from components.config import ConfigError, StackConfig
from components.lambda_package import LambdaPackage
from components.pipeline import fanout_args
from components.stack_file import ROOT
from components.worker import BranchSpec
from tests.recording import arn, queue_url, recorded, statements

PROGRAMS = ROOT / "tests" / "programs"
TWO = PROGRAMS / "two_fanouts.py"
FOURTH = PROGRAMS / "fourth_branch.py"


def marked(program: Path, name: str) -> str:
    """Return the lines between a program's markers."""
    match = re.search(rf"^ *# \[{name}\].*?\n(.*?)^ *# \[/{name}\]\n", program.read_text(), re.DOTALL | re.MULTILINE)
    assert match, f"{program.name} has no lines marked {name}"
    return match[1]


def test_a_fan_out_creates_one_topic() -> None:
    """Three branches share one topic."""
    assert recorded().mocks.names("Topic") == ["new-image-uploaded"]


def test_the_topic_denies_plain_http() -> None:
    """The topic's policy denies publishing without TLS, and allows nothing."""
    policy = recorded().mocks.one("TopicPolicy", "new-image-uploaded-policy")
    assert policy.inputs["arn"] == arn("Topic", "new-image-uploaded")
    assert [found["Effect"] for found in statements(policy.inputs["policy"])] == ["Deny"]


def test_nothing_uses_the_topic_before_its_policy() -> None:
    """Branches and publisher depend on the policy, so that no message is sent without TLS in between."""
    policy = recorded().mocks.one("TopicPolicy", "new-image-uploaded-policy")
    users = [*recorded().mocks.of_type("TopicSubscription"), recorded().mocks.one("Function", "job-publisher")]
    assert [user.name for user in users if not recorded().depends(user, on=policy)] == []


def test_nothing_is_published_before_every_branch_is_subscribed() -> None:
    """The publisher gets the topic once all queues are subscribed, because SNS discards what nobody subscribes to."""
    publisher = recorded().mocks.one("Function", "job-publisher")
    missed = [
        found.name
        for found in recorded().mocks.of_type("TopicSubscription")
        if not recorded().depends(publisher, on=found)
    ]
    assert missed == []


def test_the_topic_has_no_policy_where_plain_http_is_allowed() -> None:
    """Where plain HTTP is allowed, the topic keeps SNS's default policy."""
    assert recorded("local").mocks.of_type("TopicPolicy") == []


def test_branches_of_one_name_in_two_fan_outs_have_unique_urns() -> None:
    """A URN does not include the parent's name, so branch names start with the fan-out's name."""
    urns = [resource.urn for resource in recorded(program=TWO).mocks.resources]
    assert len(urns) == len(set(urns))


def test_each_fan_out_has_its_own_queues() -> None:
    """Each branch has its own queue in each fan-out."""
    queues = [name for name in recorded(program=TWO).mocks.names("Queue") if name.endswith("-queue")]
    assert queues == [
        "picture-uploaded-archiving-queue",
        "picture-uploaded-indexing-queue",
        "report-requested-indexing-queue",
    ]


@pytest.mark.parametrize("fanout", ["picture-uploaded", "report-requested"])
def test_a_branch_subscribes_to_its_own_topic(fanout: str) -> None:
    """A branch is subscribed to its own fan-out's topic, and to no other."""
    subscription = recorded(program=TWO).mocks.one("TopicSubscription", f"{fanout}-indexing-subscription")
    assert subscription.inputs["topic"] == arn("Topic", fanout)


def test_each_fan_out_has_its_own_functions() -> None:
    """An entry point that two fan-outs use is deployed twice, under two names."""
    names = recorded(program=TWO).mocks.names("Function")
    assert names == ["picture-uploaded-archiver", "picture-uploaded-indexer", "report-requested-indexer"]


def test_a_handler_without_a_module_is_refused() -> None:
    """Lambda would fail at the first message only."""
    package, spec = mock.create_autospec(LambdaPackage), BranchSpec(name="indexing", handler="handlers.indexer.handler")
    missing = "indexing: expected the module handlers/indexer.py for handlers.indexer.handler, got no such file: add it"
    with pytest.raises(ConfigError, match=re.escape(missing)):
        fanout_args(StackConfig(), package, [spec])


def test_a_handler_from_elsewhere_needs_no_module_here() -> None:
    """It comes with the branch's own code, or from a layer."""
    package = mock.MagicMock(LambdaPackage, code=None, layer_arns=[], runtime="")
    own = BranchSpec(name="own", handler="handlers.indexer.handler", code=pulumi.FileArchive("."), runtime="python3.13")
    layer = BranchSpec(name="layer", handler="datadog_lambda.handler.handler")
    assert len(fanout_args(StackConfig(), package, [own, layer])["branches"]) == 2


def test_a_second_fan_out_exports_its_topic() -> None:
    """The program can publish to the second topic."""
    assert recorded(program=TWO).outputs["reports"] == arn("Topic", "report-requested")


def test_a_fourth_branch_takes_fewer_than_ten_lines() -> None:
    """The README's example is short."""
    assert len(marked(FOURTH, "fourth-branch").splitlines()) < 10


def test_a_fourth_branch_is_deployed_like_the_others() -> None:
    """The README's row adds one function, three queues, one subscription and one mapping."""
    mocks, kinds = recorded(program=FOURTH).mocks, ("Function", "Queue", "TopicSubscription", "EventSourceMapping")
    counts = {kind: len([name for name in mocks.names(kind) if name.startswith("watermark")]) for kind in kinds}
    assert counts == {"Function": 1, "Queue": 3, "TopicSubscription": 1, "EventSourceMapping": 1}


def test_a_fourth_branchs_queue_is_subscribed_to_the_topic() -> None:
    """The new branch has its own subscription and dead-letter queue."""
    mocks = recorded(program=FOURTH).mocks
    assert mocks.one("TopicSubscription", "watermarking-subscription").inputs["endpoint"] == arn(
        "Queue", "watermarking-queue"
    )
    assert mocks.one("RedrivePolicy", "watermarking-redrive").inputs["queueUrl"] == queue_url("watermarking-queue")


@pytest.mark.parametrize(("program", "name"), [(FOURTH, "fourth-branch"), (TWO, "second-fanout")])
def test_the_readme_shows_the_tested_lines(program: Path, name: str) -> None:
    """The README's code matches the tested program line by line, without the comma that follows a row in a table."""
    blocks = re.findall(r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    wanted = _unindented(marked(program, name)).removesuffix(",")
    assert any(wanted in _unindented(block) for block in blocks)


def _unindented(lines: str) -> str:
    return "\n".join(line.strip() for line in lines.splitlines())
