"""Each stack file: its number of resources, what a destroyed stack leaves behind, and where its calls go."""

import json
import re

import pulumi
import pytest
import yaml

from components.config import StackConfig
from components.stack_file import ROOT, stack_config
from tests.recording import STACKS, physical, recorded

NUMBERS = {"dev": 117, "prod": 118, "local": 112}


def test_each_stack_has_its_number_of_resources() -> None:
    """The number includes components."""
    found = {stack: len(recorded(stack).mocks.resources) for stack in STACKS}
    assert found == NUMBERS, "after an intended change: enter the numbers found in NUMBERS"


def test_destroying_dev_leaves_nothing() -> None:
    """Nothing is protected or retained, the bucket is emptied, and no log is written outside of the stack."""
    program = recorded("dev").mocks
    assert [found.name for found in program.resources if found.protected or found.retained] == []
    assert program.one("Bucket", "images").inputs["forceDestroy"] is True
    groups = {physical(found.name) for found in program.of_type("LogGroup")}
    assert {found.inputs["loggingConfig"]["logGroup"] for found in program.of_type("Function")} == groups


def test_destroying_prod_leaves_the_data() -> None:
    """The bucket, its settings and the tables are protected, and retained even if they leave the program."""
    program = recorded("prod").mocks
    kept = {found.name for found in program.resources if found.protected and found.retained}
    settings = {found.name for found in program.resources if found.inputs.get("bucket") == physical("images")}
    assert kept == {"images", "pixel-metadata", "pictures"} | settings - {"job-publisher-trigger"}
    assert len(kept) == 9
    assert program.one("Bucket", "images").inputs["forceDestroy"] is False


def test_force_destroy_is_off_by_default() -> None:
    """`forceDestroy` is off by default, and on in the development stacks."""
    forced = [stack for stack in STACKS if recorded(stack).mocks.one("Bucket", "images").inputs["forceDestroy"]]
    assert (StackConfig().force_destroy, forced) == (False, ["dev", "local"])


@pytest.mark.parametrize("stack", STACKS)
def test_every_resource_gets_the_stacks_tags(stack: str) -> None:
    """The stack file gives the tags to the default provider, which creates every resource."""
    tags = json.loads(stack_config(stack)["aws:defaultTags"])["tags"]
    assert tags == {"project": "pixelcascade", "stack": stack}
    assert {found.name: found.provider for found in recorded(stack).mocks.resources if found.provider} == {}


def test_the_local_stack_points_every_service_to_the_emulator() -> None:
    """With the Pulumi CLI the local stack must never call AWS."""
    (endpoints,) = json.loads(stack_config("local")["aws:endpoints"])
    types = {found.typ.split(":")[1].split("/")[0] for found in recorded("local", kmsKey="create").mocks.resources}
    services = {name for name in types if name not in {"index", "pulumi"}} | {"sts", "logs"}
    assert endpoints == dict.fromkeys(services, "http://127.0.0.1:4566")


def test_unknown_settings_stop_the_program_before_any_resource() -> None:
    """An unknown key is an error that names it."""
    with pytest.raises(
        pulumi.RunError,
        match=r"jpegQualty: expected a key of .*, got jpegQualty \(did you mean jpegQuality\?\): rename",
    ):
        recorded("dev", jpegQualty="90")


def test_the_commented_settings_of_prod_are_valid() -> None:
    """The commented lines in Pulumi.prod.yaml are valid settings."""
    lines = (ROOT / "Pulumi.prod.yaml").read_text().splitlines()
    shown = yaml.safe_load("\n".join(line.partition("# ")[2] for line in lines if re.match(r"  # \w+: ", line)))
    settings = {key: text if isinstance(text, str) else json.dumps(text) for key, text in shown.items()}
    assert len(settings) == 7
    assert recorded("prod", **settings).outputs["deletions"] == "follow"
