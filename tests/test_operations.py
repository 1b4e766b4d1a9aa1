"""docs/operations.md: a runbook for every alarm, with commands that exist."""

import re
from pathlib import Path

import pytest

from components.stack_file import ROOT
from ops.__main__ import main
from tests.headings import anchor
from tests.recording import STACKS, recorded

TEXT = (ROOT / "docs" / "operations.md").read_text()
ALARMS = TEXT.partition("\n## Alarms\n")[2].partition("\n## ")[0]
RUNBOOKS = dict(re.findall(r"^### (.+)\n((?:(?!^###).*\n?)*)", ALARMS, re.MULTILINE))


def linked_runbooks(stack: str) -> set[str]:
    """Return the runbooks that the alarms of a stack link to."""
    descriptions = [alarm.inputs["alarmDescription"] for alarm in recorded(stack).mocks.of_type("MetricAlarm")]
    return {re.findall(r"runbook: docs/operations\.md#([\w-]+)$", text)[0] for text in descriptions}


@pytest.mark.parametrize("stack", STACKS)
def test_alarms_and_runbooks_match(stack: str) -> None:
    """Each alarm's description links to a section, and each section is linked."""
    assert linked_runbooks(stack) == {anchor(heading) for heading in RUNBOOKS}


@pytest.mark.parametrize("heading", RUNBOOKS)
def test_a_runbook_has_its_three_parts(heading: str) -> None:
    """The three parts come in this order."""
    assert re.findall(r"^\*\*(It means|Look at|Do)\*\*", RUNBOOKS[heading], re.MULTILINE) == [
        "It means",
        "Look at",
        "Do",
    ]


@pytest.mark.parametrize("heading", RUNBOOKS)
def test_a_runbook_has_a_command(heading: str) -> None:
    """An operator finds a command to paste."""
    assert re.search(r"^```\n(?:python -m ops|pulumi|aws) ", RUNBOOKS[heading], re.MULTILINE)


def test_changes_outside_of_pulumi_are_undone_with_a_refresh() -> None:
    """Without `--refresh`, `pulumi up` does not see that a policy was changed by hand, and changes nothing."""
    restoring = re.findall(r"`(pulumi up[^`]*)`[^.`]* restore", ALARMS)
    assert restoring
    assert set(restoring) == {"pulumi up --refresh"}


def test_the_page_has_every_ops_command_with_valid_options() -> None:
    """The page uses every command of `python -m ops`, and only options that exist."""
    lines = re.findall(r"^python -m ops (\w+)(.*)$", TEXT, re.MULTILINE)
    assert {command for command, _ in lines} == main.commands.keys()
    for command, options in lines:
        known = {name for option in main.commands[command].params for name in option.opts}
        assert set(re.findall(r"--[\w-]+", options)) <= known


def test_every_named_queue_is_a_failure_queue() -> None:
    """Each `--queue` on the page, with a branch in place of BRANCH, is a failure queue."""
    queues = recorded().outputs["deadLetterQueues"]
    assert {queue.replace("BRANCH", "resizing") for queue in re.findall(r"--queue ([\w-]+)", TEXT)} <= queues.keys()


def test_every_named_setting_exists() -> None:
    """Each `pulumi config set` uses an existing key."""
    keys = re.findall(r"pulumi config set (\w+)", TEXT)
    assert keys
    assert all(re.search(rf"^  {key}:$", Path(ROOT / "Pulumi.yaml").read_text(), re.MULTILINE) for key in keys)


def test_every_named_resource_is_protected() -> None:
    """Each `pulumi state unprotect` names a protected resource of the production stack."""
    protected = {found.urn for found in recorded("prod").mocks.resources if found.protected}
    named_urns = set(re.findall(r"^pulumi state unprotect '(.+)'$", TEXT, re.MULTILINE))
    assert named_urns
    assert named_urns <= protected
