"""The copy of the project for the Pulumi CLI."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from components.config import StackConfig
from components.stack_file import ROOT, file_config, stack_config
from local.emulator import Emulator
from tests.engine.conftest import FakeCli
from tests.engine.project import PORT as LOCAL_PORT
from tests.engine.project import emulated, link_project, stack_like
from tests.engine.test_engine import CHANGED

PORT = 45_660


def test_the_copy_imports_its_own_sources(tmp_path: Path) -> None:
    """The program in the copy imports the copy's modules and reads its stack files."""
    link_project(tmp_path)
    code = "from components.stack_file import ROOT; print(ROOT)"
    command = [str(tmp_path / "venv" / "bin" / "python"), "-c", code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert Path(done.stdout.strip()) == tmp_path
    assert Path(sys.prefix).samefile(tmp_path / "venv")
    assert sorted(path.name for path in tmp_path.glob("Pulumi*.yaml")) == ["Pulumi.yaml"]


@pytest.mark.parametrize("stack", ["local", "dev", "prod"])
def test_a_stack_keeps_its_settings_and_uses_the_emulator(stack: str) -> None:
    """Protection is the stack's own; the endpoints are the emulator's."""
    found = emulated(stack, PORT)
    assert found["packageFor"] == "host"
    assert found.get("protectData", False) is (stack == "prod")
    (endpoints,) = found["aws:endpoints"]
    assert set(endpoints.values()) == {f"http://127.0.0.1:{PORT}"}


def test_the_program_accepts_the_written_stack_file(tmp_path: Path, cli: FakeCli) -> None:
    """The file is written before `stack init`, which adds the stack's salt to it."""
    emulator = Emulator("us-east-1", PORT)
    try:
        stack = stack_like("prod", tmp_path, emulator)
    finally:
        emulator.stop()
    assert StackConfig.parse(file_config(tmp_path / "Pulumi.prod.yaml")).protect_data
    assert cli.calls() == ["stack init --stack prod --non-interactive --color never"]
    assert stack.environment["PULUMI_BACKEND_URL"] == f"file://{tmp_path}/backend"
    assert stack.environment["AWS_ENDPOINT_URL"] == f"http://127.0.0.1:{PORT}"


def test_each_of_the_seven_settings_changes_the_config() -> None:
    """Each setting differs from its current value, and the program accepts it."""
    before = StackConfig.parse(stack_config("local"))
    for key, value in CHANGED.items():
        assert StackConfig.parse(stack_config("local", {f"pixelcascade:{key}": value})) != before
    assert len(CHANGED) == 7


def test_all_local_endpoints_have_the_port_that_is_replaced() -> None:
    """All endpoints in Pulumi.local.yaml have the port that the copy replaces."""
    local = yaml.safe_load((ROOT / "Pulumi.local.yaml").read_text())["config"]
    assert {address.rpartition(":")[2] for address in local["aws:endpoints"][0].values()} == {str(LOCAL_PORT)}
