"""The driver of the Pulumi CLI, against a fake CLI: the commands it runs, and how it reads their output.

Only `make test-engine` shows whether the real CLI accepts these commands and prints such output.
"""

import importlib.metadata
import json

import pytest

from tests.engine.cli import PulumiFailedError, counts, missing
from tests.engine.conftest import FakeCli

VERSION = importlib.metadata.version("pulumi_aws")
OPTIONS = " --stack dev --non-interactive --color never"
UPDATED = """Updating (dev):

 ~  aws:lambda:Function pixel-resizer updated (2s) [diff: ~memorySize]

Outputs:
    bucket: "images with 9 created in its name"

Resources:
    ~ 7 updated
    +-1 replaced
    8 changes. 97 unchanged

Duration: 12s
"""


def test_counts_are_read_from_the_summary_only() -> None:
    """Only the summary counts, because outputs may contain any text."""
    assert counts(UPDATED) == {"updated": 7, "replaced": 1, "unchanged": 97}


def test_a_kind_missing_from_the_summary_counts_as_zero() -> None:
    """The summary leaves out kinds of change that did not happen."""
    found = counts("Destroying (dev):\n\nResources:\n    - 105 deleted\n\nDuration: 3s\n")
    assert (found["deleted"], found["replaced"]) == (105, 0)


def test_each_command_names_the_stack_and_turns_prompts_off(cli: FakeCli) -> None:
    """The options name the stack and turn prompts off."""
    cli.answer({"stack output": (0, '{"bucket": "images"}')})
    stack = cli.stack()
    stack.init()
    stack.set({"jpegQuality": "90"})
    stack.up()
    stack.up(refresh=True)
    stack.expect_no_changes()
    assert stack.outputs() == {"bucket": "images"}
    stack.destroy()
    assert cli.calls() == [
        f"{command}{OPTIONS}"
        for command in (
            "stack init",
            "config set jpegQuality 90",
            "up --yes --skip-preview",
            "up --yes --skip-preview --refresh",
            "preview --expect-no-changes",
            "stack output --json",
            "destroy --yes",
        )
    ]


def test_the_resources_are_those_in_the_exported_state(cli: FakeCli) -> None:
    """A stack that was never updated or is destroyed has no resources."""
    cli.answer({"stack export": (0, '{"deployment": {"resources": [{"urn": "b"}, {"urn": "a"}]}}')})
    assert cli.stack().resources() == ["a", "b"]
    cli.answer({"stack export": (0, '{"deployment": {}}')})
    assert cli.stack().resources() == []


def test_a_failing_command_raises_with_its_output(cli: FakeCli) -> None:
    """The CLI's output contains the reason."""
    cli.answer({"destroy": (255, "resource is protected")})
    with pytest.raises(PulumiFailedError, match=r"destroy --yes .* exit 0, got 255:\nresource is protected"):
        cli.stack().destroy()


def test_the_skip_reason_says_where_to_get_the_cli(monkeypatch: pytest.MonkeyPatch) -> None:
    """The skip reason has a link to the installation."""
    monkeypatch.setenv("PATH", "")
    assert missing() == (
        "expected the Pulumi CLI on the PATH, got none: see https://www.pulumi.com/docs/iac/download-install/"
    )


@pytest.mark.parametrize(
    ("plugins", "reason"),
    [
        ([], f"expected plugin aws {VERSION}, got none: run `pulumi plugin install resource aws {VERSION}`"),
        (
            [{"name": "aws", "version": "6.0.0"}],
            f"expected plugin aws {VERSION}, got 6.0.0: run `pulumi plugin install resource aws {VERSION}`",
        ),
        ([{"name": "aws", "version": VERSION}, {"name": "random", "version": "4.0.0"}], ""),
    ],
)
def test_another_version_of_the_plugin_is_a_skip_reason(
    cli: FakeCli, plugins: list[dict[str, str]], reason: str
) -> None:
    """Without the pinned version, the CLI would download it in the middle of a test."""
    cli.answer({"plugin ls --json": (0, json.dumps(plugins))})
    assert missing() == reason
