"""The examples: the same fan-out from YAML, through the provider, and from Python."""

import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest import mock

import pulumi
import pytest
from pulumi.provider.experimental.component import ComponentProvider

from components.stack_file import ROOT
from provider.__main__ import COMPONENTS, NAME
from tests.provider.engine import ARCHIVE, SIGNATURE, Monitor, running_provider
from tests.provider.python_sdk import python_sdk
from tests.provider.yaml_program import plan
from tests.recording import Recording, arn, queue_url, record

EXAMPLES = ROOT / "examples"
NEEDS_CLI = pytest.mark.skipif(shutil.which("pulumi") is None, reason="needs the Pulumi CLI on PATH, and got none")


@pytest.fixture(scope="module", params=[False, True], ids=["update", "preview"])
def planned(request: pytest.FixtureRequest) -> tuple[Monitor, dict[str, Any]]:
    """Plan the YAML example as an update, and as a preview without known outputs."""
    with running_provider(preview=request.param) as engine:
        outputs = plan(engine, EXAMPLES / "fanout-yaml")
    return engine.monitor, outputs


@pytest.fixture(scope="module")
def from_yaml() -> tuple[Monitor, dict[str, Any]]:
    """Plan the YAML example as an update."""
    with running_provider() as engine:
        outputs = plan(engine, EXAMPLES / "fanout-yaml")
    return engine.monitor, outputs


@pytest.fixture(scope="module")
def from_python() -> Recording:
    """Run the Python example."""
    return run_python(EXAMPLES / "fanout-python")


def run_python(example: Path) -> Recording:
    """Run a Python example."""
    with python_sdk():
        return record({}, program=example / "__main__.py")


def plain(value: Any) -> Any:
    """Return inputs in a form that is the same for an archive and its wire format."""
    if isinstance(value, pulumi.FileArchive):
        return {SIGNATURE: ARCHIVE, "path": value.path}
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items() if key != "hash"}
    if isinstance(value, str) and value.startswith("{"):
        return json.loads(value)
    return [plain(item) for item in value] if isinstance(value, list) else value


def test_urns_are_unique(planned: tuple[Monitor, dict[str, Any]]) -> None:
    """All URNs differ, in an update and in a preview."""
    monitor, _ = planned
    assert len(monitor.resources) > 40
    assert [urn for urn, count in Counter(found.urn for found in monitor.resources).items() if count > 1] == []


def test_yaml_and_python_register_the_same_resources(
    from_yaml: tuple[Monitor, dict[str, Any]], from_python: Recording
) -> None:
    """Every AWS resource has the same type, name and inputs in both languages."""
    monitor, _ = from_yaml
    yaml = {(found.typ, found.name): plain(found.inputs) for found in monitor.resources if "aws:" in found.typ}
    python = {(found.typ, found.name): plain(found.inputs) for found in from_python.mocks.resources if found.custom}
    assert yaml.keys() == python.keys()
    for key, inputs in python.items():
        assert yaml[key] == inputs, key


def test_yaml_exports_the_topic_and_the_failure_queues(from_yaml: tuple[Monitor, dict[str, Any]]) -> None:
    """The program gets the topic and the failure queues."""
    _, outputs = from_yaml
    assert outputs["topic"] == arn("Topic", "order-placed")
    assert outputs["deadLetterQueues"]["shipping-undelivered"] == queue_url("order-placed-shipping-undelivered")
    assert len(outputs["deadLetterQueues"]) == 4


def test_python_exports_the_same_outputs(from_yaml: tuple[Monitor, dict[str, Any]], from_python: Recording) -> None:
    """Both programs export the topic and the failure queues."""
    assert from_python.outputs == from_yaml[1]


def copy_with_branch(example: str, file: str, after: str, folder: Path, end: str) -> Path:
    """Return a copy of an example with the branch that its README shows."""
    copy = Path(shutil.copytree(EXAMPLES / example, folder / example))
    (branch,) = re.findall(r"^```\w+\n(.*?)^```$", (copy / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    text = (copy / file).read_text()
    assert text.count(after) == 1
    (copy / file).write_text(text.replace(after, after + branch.rstrip() + end))
    return copy


def test_the_lines_from_the_yaml_readme_add_a_branch(tmp_path: Path) -> None:
    """The two lines from the README add a third branch."""
    with running_provider() as engine:
        outputs = plan(engine, copy_with_branch("fanout-yaml", "Pulumi.yaml", "      branches:\n", tmp_path, "\n"))
    assert outputs["deadLetterQueues"]["statistics"] == queue_url("order-placed-statistics-dead-letters")


def test_the_project_readme_quotes_the_yaml_example() -> None:
    """The project's README quotes the beginning of the example's fan-out."""
    (shown,) = re.findall(r"^```yaml\n(.*?)^```$", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    assert shown in (EXAMPLES / "fanout-yaml" / "Pulumi.yaml").read_text()


def test_the_line_from_the_python_readme_adds_a_branch(tmp_path: Path) -> None:
    """The line from the README adds a third branch."""
    mocks = run_python(copy_with_branch("fanout-python", "__main__.py", "    branches=[\n", tmp_path, ",\n")).mocks
    assert mocks.one("Function", "order-placed-statistics").inputs["handler"] == "statistics.handler"


@pytest.mark.parametrize("example", ["fanout-yaml", "fanout-python"])
def test_a_python_worker_reports_only_the_failed_message(example: str) -> None:
    """Given a good and a bad order, the worker reports only the bad one."""
    code = (
        "import json, billing\n"
        "records = [{'messageId': id, 'body': json.dumps(body)} for id, body in"
        " [('good', {'order': 1, 'amount': 2}), ('bad', {})]]\n"
        "print(json.dumps(billing.handler({'Records': records}, None)))"
    )
    folder = EXAMPLES / example / "workers"
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == {"batchItemFailures": [{"itemIdentifier": "bad"}]}


def test_the_typescript_example_matches_the_schema() -> None:
    """The package's schema has every argument and output that the example uses."""
    found = json.loads(ComponentProvider(COMPONENTS, NAME).schema or "")
    fanout = found["resources"]["pixelcascade:index:Fanout"]
    arguments = set(fanout["inputProperties"]).union(*(kind["properties"] for kind in found["types"].values()))
    program = (EXAMPLES / "fanout-typescript" / "index.ts").read_text()
    (call,) = re.findall(r"new pixelcascade\.Fanout\((.*?)\n\}\);", program, re.DOTALL)
    named = set(re.findall(r"\b([a-z]\w*): ", re.sub(r"\"[^\"]*\"", "", call)))
    assert {"branches", "code", "handler", "timeoutSeconds", "statements"} <= named <= arguments
    assert set(re.findall(r"orderPlaced\.(\w+)", program)) <= fanout["properties"].keys()


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js on PATH, and got none")
def test_a_javascript_worker_reports_only_the_failed_message() -> None:
    """The JavaScript worker follows the same contract."""
    code = (
        "import('./billing.mjs').then(async ({ handler }) => {"
        " const records = [['good', { order: 1, amount: 2 }], ['bad', {}]];"
        " const Records = records.map(([messageId, body]) => ({ messageId, body: JSON.stringify(body) }));"
        " console.log(JSON.stringify(await handler({ Records }))) })"
    )
    folder = EXAMPLES / "fanout-typescript" / "workers"
    done = subprocess.run(["node", "-e", code], cwd=folder, capture_output=True, text=True, check=True)  # noqa: S607
    assert json.loads(done.stdout.splitlines()[-1]) == {"batchItemFailures": [{"itemIdentifier": "bad"}]}


@pytest.mark.parametrize("page", sorted([*EXAMPLES.glob("*/README.md"), ROOT / "provider" / "README.md"]), ids=str)
def test_every_path_in_a_readme_exists(page: Path) -> None:
    """Every path that a README links or lists exists."""
    text = page.read_text()
    links = re.findall(r"\]\(([\w./-]+)\)", text) + re.findall(r"^\| `([\w./]+)` \|", text, re.MULTILINE)
    paths = [link for link in links if "/" in link or "." in link]
    assert paths
    assert [path for path in paths if not (page.parent / path).exists()] == []


@NEEDS_CLI
def test_the_typescript_example_compiles_and_previews(tmp_path: Path) -> None:
    """The example compiles with the generated SDK, and the engine can preview it."""
    root = tmp_path / "repository"
    ignored = shutil.ignore_patterns(".git", ".venv", ".cache", "build", "out")
    shutil.copytree(ROOT, root, ignore=ignored)
    example = root / "examples" / "fanout-typescript"
    for command in (
        "pulumi login --local",
        "pulumi package get-schema ../../provider",
        "pulumi package add ../../provider",
        "pulumi install",
        "npx tsc",
        "pulumi stack init dev",
        "pulumi preview",
    ):
        environment = {"PULUMI_CONFIG_PASSPHRASE": "", "PULUMI_HOME": str(tmp_path), "AWS_REGION": "eu-central-1"}
        with mock.patch.dict("os.environ", environment):
            done = subprocess.run(command.split(), cwd=example, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}: {done.stdout}\n{done.stderr}"
