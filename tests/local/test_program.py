"""Running the program without the Pulumi CLI: a failed run does not affect the next."""

import re
from pathlib import Path
from typing import Any

import pytest
from pulumi.runtime.mocks import MockCallArgs, MockResourceArgs, Mocks

from local.errors import LocalError
from local.program import run_program

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
    """Mocks that create every resource but the one called "refused"."""

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        """Return the inputs and an ARN."""
        if args.name == "refused":
            raise ValueError(f"{args.name} was not made")
        return args.name, {**args.inputs, "arn": f"arn of {args.name}"}

    def call(self, _args: MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        """Return no result."""
        return {}, []


def test_a_program_runs_after_one_that_failed(tmp_path: Path) -> None:
    """The second run does not wait for outputs that depended on the refused resource."""
    failing, sound = tmp_path / "failing.py", tmp_path / "sound.py"
    failing.write_text(FAILING)
    sound.write_text(SOUND)
    for _ in range(3):
        with pytest.raises(ValueError, match="refused was not made"):
            run_program(Refusing(), stack="local", config={}, program=failing)
        assert run_program(Refusing(), stack="local", config={}, program=sound) == {"topic": "arn of taken"}


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("1 / 0", "line 1, in <module>\n    1 / 0\nZeroDivisionError: division by zero"),
        ("def (", "line 1\n    def (\nSyntaxError: invalid syntax"),
        ("import sys; sys.exit(3)", "line 1, in <module>\n    import sys; sys.exit(3)\nSystemExit: 3"),
    ],
)
def test_a_program_with_a_bug_is_named_by_its_own_lines(tmp_path: Path, code: str, said: str) -> None:
    """The message has none of the lines that lead to the program, and a program that ends Python is not silent."""
    program = tmp_path / "buggy.py"
    program.write_text(code)
    with pytest.raises(LocalError) as failure:
        run_program(Refusing(), stack="local", config={}, program=program)
    text = re.sub(r"\n *[~^]+(?=\n)", "", str(failure.value))  # Not every version of Python has these lines.
    assert text == f'expected a program that runs to its end, got:\n  File "{program}", {said}'
