"""The project as a `pulumi new` template: its questions, and projects with another name."""

from pathlib import Path

import pytest
import yaml

from components.config import ConfigError, StackConfig
from components.stack_file import ROOT


def test_a_renamed_project_reads_keys_under_its_own_name() -> None:
    """The settings of a renamed project are under its own name."""
    assert StackConfig.parse({"mine:jpegQuality": "81"}, "mine").jpeg_quality == 81


def test_keys_under_the_old_name_are_refused() -> None:
    """Otherwise a renamed project would silently lose the settings of the shipped stack files."""
    with pytest.raises(
        ConfigError, match="pixelcascade:gps: expected mine:gps, because this project is called mine: rename the key"
    ):
        StackConfig.parse({"pixelcascade:gps": "true"}, "mine")


@pytest.mark.parametrize("file", sorted(ROOT.glob("Pulumi.*.yaml")), ids=lambda file: file.name)
def test_shipped_stack_files_work_under_any_name(file: Path) -> None:
    """Their keys have no project's name, and so get the one that `pulumi new` gave the project."""
    keys = yaml.safe_load(file.read_text())["config"]
    assert [key for key in keys if ":" in key and not key.startswith("aws:")] == []


def test_pulumi_new_asks_only_for_existing_settings() -> None:
    """Each question is for an existing key and offers its default."""
    questions = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["template"]["config"]
    ours = {key: asked["default"] for key, asked in questions.items() if ":" not in key}
    assert "aws:region" in questions
    assert StackConfig.parse({f"pixelcascade:{key}": text for key, text in ours.items()}) == StackConfig()
