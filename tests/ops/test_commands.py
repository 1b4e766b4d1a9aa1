"""Groups of commands, which import only the command that is called."""

import subprocess
import sys

import pytest

MISSPELT = """
import sys
from {package}.__main__ import main
try:
    main([{misspelt!r}], standalone_mode=False)
except Exception as error:
    print(error.message, {slow!r} in sys.modules)
"""


@pytest.mark.parametrize(
    ("package", "misspelt", "slow"),
    [("ops", "redriv", "boto3"), ("benchmarks", "latncy", "PIL"), ("local", "rum", "boto3")],
)
def test_a_misspelt_command_is_refused_at_once(package: str, misspelt: str, slow: str) -> None:
    """The error suggests a command, and is printed before any command is imported."""
    code = MISSPELT.format(package=package, misspelt=misspelt, slow=slow)
    command = [sys.executable, "-c", code]
    printed = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    assert printed.startswith(f"No such command '{misspelt}' (did you mean ")
    assert printed.endswith(") False\n")
