"""Running the program without the Pulumi CLI: what one run leaves behind is not in the next."""

from pathlib import Path
from typing import Any

import pytest
from pulumi.runtime.mocks import MockCallArgs, MockResourceArgs, Mocks

from components.config import ConfigError
from local.program import file_config, region_of, run_program

FAILING = """
import pulumi_aws as aws
refused = aws.sns.Topic("refused")
pending = [aws.sqs.Queue(f"queue-{number}", tags={"topic": refused.arn}) for number in range(20)]
"""
SOUND = """
import pulumi, pulumi_aws as aws
pulumi.export("topic", aws.sns.Topic("taken").arn)
"""


class Refusing(Mocks):
    """Makes everything but what is called "refused"."""

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        """Return the inputs, and an ARN."""
        if args.name == "refused":
            raise ValueError(f"{args.name} was not made")
        return args.name, {**args.inputs, "arn": f"arn of {args.name}"}

    def call(self, _args: MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        """Know nothing."""
        return {}, []


def test_a_program_runs_after_one_that_failed(tmp_path: Path) -> None:
    """What waited for the resource that was refused is not waited for again."""
    failing, sound = tmp_path / "failing.py", tmp_path / "sound.py"
    failing.write_text(FAILING)
    sound.write_text(SOUND)
    for _ in range(3):
        with pytest.raises(ValueError, match="refused was not made"):
            run_program(Refusing(), stack="local", config={}, program=failing)
        assert run_program(Refusing(), stack="local", config={}, program=sound) == {"topic": "arn of taken"}


def test_a_project_of_another_name_has_its_own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its keys, and those without a name, are the program's; an empty file has none."""
    (tmp_path / "Pulumi.yaml").write_text("name: mine\nconfig: {}\n")
    monkeypatch.setattr("local.program.ROOT", tmp_path)
    file = tmp_path / "Pulumi.dev.yaml"
    file.write_text("config:\n  mine:batchSize: 5\n  gps: true\n  aws:region: x\n")
    assert file_config(file) == {"pixelcascade:batchSize": "5", "pixelcascade:gps": "true", "aws:region": "x"}
    file.write_text("")
    assert file_config(file) == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"config: [1, 2]\n", r"with config: \[1, 2\]; allowed is a mapping"),
        (b"config: 0\n", "with config: 0; allowed is a mapping"),
        (b"foo\n", "with 'foo'; allowed is a mapping"),
        (b"a: b: c\n", "no YAML in UTF-8: mapping values are not allowed here"),
        (b"config:\n  a: \xff\n", "no YAML in UTF-8: 'utf-8' codec can't decode byte 0xff"),
        (b"config:\n  a: \x07\n", "no YAML in UTF-8: unacceptable character"),
        (b"config:\n  a: 2020-13-45\n", "no YAML in UTF-8: month must be in 1..12"),
        (b"config:\n  a: 2020-12-24\n", "got pixelcascade:a: datetime.*allowed is what JSON can hold"),
    ],
)
def test_a_file_that_is_no_stacks_is_named(tmp_path: Path, text: bytes, words: str) -> None:
    """Whatever is wrong with it, it is one error of one line."""
    file = tmp_path / "Pulumi.bad.yaml"
    file.write_bytes(text)
    with pytest.raises(ConfigError, match=words) as caught:
        file_config(file)
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A folder stands for a file without permission: root may read every file."""
    with pytest.raises(ConfigError, match="which cannot be read: Is a directory; let this user read it"):
        file_config(tmp_path)


@pytest.mark.parametrize(
    ("config", "environment", "region"),
    [
        ({"aws:region": "eu-west-1"}, {"AWS_REGION": "eu-west-2"}, "eu-west-1"),
        ({}, {"AWS_REGION": "eu-west-2", "AWS_DEFAULT_REGION": "eu-west-3"}, "eu-west-2"),
        ({}, {"AWS_DEFAULT_REGION": "eu-west-3"}, "eu-west-3"),
        ({}, {}, "us-east-1"),
    ],
)
def test_a_file_without_a_region_has_the_environments(
    monkeypatch: pytest.MonkeyPatch, config: dict[str, str], environment: dict[str, str], region: str
) -> None:
    """The file comes first, then the environment, then a default."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert region_of(config) == region


def test_what_is_no_region_is_named() -> None:
    """A region goes into the names of hosts."""
    with pytest.raises(ConfigError, match="got region 'here, there', allowed is one such as us-east-1; set aws:region"):
        region_of({"aws:region": "here, there"})
