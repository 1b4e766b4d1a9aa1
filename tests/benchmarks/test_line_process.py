"""A program that answers line by line, and how its end is reported."""

import pytest

from benchmarks.line_process import ChildDiedError, LineProcess


def shell(lines: str) -> LineProcess:
    """Start a shell that says that it is ready, and then runs some lines."""
    return LineProcess(["/bin/sh", "-c", f"echo ready\n{lines}"])


def test_a_program_answers_each_question() -> None:
    """It gets a line of JSON, and its own line is the answer."""
    with shell('while read -r line; do echo "[$line]"; done') as program:
        assert program.greeting == "ready"
        assert [program.ask({"number": number}, 60) for number in (1, 2)] == [[{"number": 1}], [{"number": 2}]]


@pytest.mark.parametrize(
    ("lines", "wait_s", "message"),
    [
        ("read -r line; exec sleep 60", 0.1, r"exceeded the time-out of 0\.1 s"),
        ("read -r line; kill -9 $$", 60, "out of memory"),
        ("read -r line; echo why >&2; exit 3", 60, "ended with 3: why"),
        ("exit 3", 60, "ended with 3"),
    ],
    ids=["stall", "killed", "error", "gone"],
)
def test_the_end_of_a_program_is_reported(lines: str, wait_s: float, message: str) -> None:
    """The error says whether it stalled, was killed, or failed, and what it printed."""
    with shell(lines) as program, pytest.raises(ChildDiedError, match=message):
        program.ask({}, wait_s)


def test_a_traceback_is_reported_by_its_last_line() -> None:
    """The message is one line of a report, and the whole output stays at hand."""
    lines = "read -r line; printf 'Traceback:\\n  frame\\nError: why\\n' >&2; exit 1"
    with shell(lines) as program, pytest.raises(ChildDiedError) as caught:
        program.ask({}, 60)
    assert str(caught.value) == "it ended with 1: Error: why"
    assert caught.value.output == "Traceback:\n  frame\nError: why"
