"""Contracts between the project's parts: entry points, environment variables, settings, and allowed imports."""

import ast
import dataclasses
import importlib
import importlib.metadata
import itertools
import json
import re
import sys
from collections import UserDict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from components import alarms, config_fields, picture_record
from components.branches import BRANCHES
from components.config import MIN_TIMEOUT_S, StackConfig
from components.image_worker import LIMITS, picture_settings, retry_visibility_s
from components.packaging.target import MACHINES, Target
from components.packaging.wheels import pins
from components.picture_record import layout
from components.stack_file import ROOT, stack_config
from handlers import metrics, reconcile, worker
from handlers.imaging import Limits, limits
from handlers.layout import Layout
from handlers.settings import Settings
from handlers.stack import RecordSettings
from tests.recording import STACKS, Recorded, queue_url, recorded

WORKERS = sorted(row.function_name for row in BRANCHES)
FUNCTIONS = ("job-publisher", *WORKERS)

# Variables that Lambda sets. Source: Lambda's developer guide, "Defined runtime environment variables".
SET_BY_LAMBDA = {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE"}


def function(name: str) -> Recorded:
    """Return a function of the program."""
    return recorded().mocks.one("Function", name)


# Entry points


def test_every_function_is_tested() -> None:
    """The tests below cover all functions of the program."""
    assert sorted(FUNCTIONS) == sorted(recorded().mocks.names("Function"))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_functions_handler_imports_and_is_callable(name: str) -> None:
    """The handler string in Lambda's configuration names a function of the package."""
    module, _, attribute = function(name).inputs["handler"].rpartition(".")
    assert callable(getattr(importlib.import_module(module), attribute))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_functions_handler_is_in_the_archive(name: str) -> None:
    """The handler's module is a file of the package."""
    module, _, _ = function(name).inputs["handler"].rpartition(".")
    assert (ROOT / module.replace(".", "/")).with_suffix(".py").is_file()


# Environment


class ReadNames(UserDict[str, str]):
    """An environment that records which of its variables are read, by `get` too."""

    def __init__(self, values: Mapping[str, str]) -> None:
        super().__init__(values)
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> str:
        found = super().__getitem__(name)
        self.names.add(name)
        return found


def variables(function: Recorded) -> dict[str, str]:
    found: dict[str, str] = function.inputs["environment"]["variables"]
    return found


def own_variables(function: Recorded) -> set[str]:
    """Return the variables of a function without those that its libraries and clients read."""
    others = ("POWERTOOLS_", "MALLOC_", "FUNCTION_TIMEOUT_S")
    return {name for name in variables(function) if not name.startswith(others)}


def deployed(function: Recorded) -> ReadNames:
    return ReadNames(
        {**variables(function), "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(int(function.inputs["memorySize"]))}
    )


@pytest.mark.parametrize("name", WORKERS)
def test_a_worker_reads_exactly_its_environment(name: str) -> None:
    """The components set exactly the variables that the worker reads."""
    environment = deployed(function(name))
    Settings.from_environment(environment)
    assert environment.names == own_variables(function(name)) | SET_BY_LAMBDA


def test_the_publisher_reads_exactly_its_environment() -> None:
    """The publisher reads exactly the variables that the components set for it."""
    environment = deployed(function("job-publisher"))
    RecordSettings.from_environment(environment)
    assert environment.names == own_variables(function("job-publisher"))


def test_no_other_module_reads_the_environment() -> None:
    """Only these modules read the environment, so the tests above cover all reads."""
    readers = {
        path.relative_to(ROOT / "handlers").as_posix()
        for path in sources("handlers")
        if re.search(r"\bos\.(environ|getenv)\b|\bfrom os import\b", path.read_text())
    }
    assert readers == {"clients.py", "settings.py", "stack.py", "start.py"}


# Each setting has the same meaning in the worker and in the stack's config.
CHANGED = {
    "inputFormats": '["webp", "png"]',
    "jpegQuality": "81",
    "subsampling": "4:4:4",
    "background": "#102030",
    "sizes": '["tiny=16"]',
    "outputFormats": '["jpeg", "avif=61"]',
    "placeholders": "true",
    "enlarge": "false",
    "reencode": "always",
    "salvage": "true",
    "gps": "true",
    "cacheControl": "no-store",
    "naming": "full",
    "masterPrefix": "m/",
    "convertedPrefix": "c/",
    "resizedPrefix": "r/",
    "rejectedPrefix": "x/",
    "events": "false",
    "deletions": "follow",
    "maxPixels": "1001",
    "maxBytes": "1002",
    "maxScans": "1003",
    "maxSegments": "1004",
    "maxFrames": "1005",
    "resizingMemoryMb": "1006",
}


CHANGED_LAYOUT = Layout(master="m/", converted="c/", resized="r/", rejected="x/", full_names=True)


def test_a_worker_parses_every_changed_setting() -> None:
    """Every changed picture setting reaches the worker with its value and type."""
    program = recorded("dev", **CHANGED)
    settings = Settings.from_environment(deployed(program.mocks.one("Function", "pixel-resizer")))
    assert settings == Settings(
        branch="resizing",
        queue_url=queue_url("resizing-queue"),
        table="",
        visibility_timeout_s=retry_visibility_s(StackConfig(package_for="host")),
        record=RecordSettings(
            bucket=program.outputs["bucket"],
            pictures_table=program.outputs["pictures"],
            topic_arn=program.outputs["topic"],
            layout=CHANGED_LAYOUT,
            stack="dev",
            branches=tuple(program.outputs["queues"]),
            events=False,
            follow=True,
        ),
        recipe=program.outputs["recipes"]["resizing"],
        input_formats=["webp", "png"],
        jpeg_quality=81,
        subsampling="4:4:4",
        background=(0x10, 0x20, 0x30),
        sizes={"tiny": 16},
        output_formats={"avif": 61},
        placeholders=True,
        enlarge=False,
        reencode="always",
        salvage=True,
        gps=True,
        cache_control="no-store",
        limits={"max_pixels": 1001, "max_bytes": 1002, "max_scans": 1003, "max_segments": 1004, "max_frames": 1005},
        memory_mb=1006,
    )
    assert (settings.bucket, settings.layout) == (program.outputs["bucket"], CHANGED_LAYOUT)


def test_policies_and_functions_share_the_name_taken_file() -> None:
    """The policies and the functions use the same file name for it."""
    assert f"/{reconcile.NAME_TAKEN}.json" == picture_record.NAME_TAKEN


def test_layout_and_config_have_the_same_defaults() -> None:
    """`handlers.layout.Layout` and the stack's config have the same defaults."""
    assert Layout(**layout(StackConfig())) == Layout()  # type: ignore[arg-type]


def test_limits_and_config_have_the_same_defaults() -> None:
    """`handlers.imaging.Limits` and the stack's config have the same defaults."""
    defaults = {name: getattr(StackConfig(), name) for name in LIMITS}
    assert Limits(**defaults) == Limits()


def test_every_setting_that_decides_outputs_reaches_the_workers() -> None:
    """Every setting in a branch's row reaches the workers, so none changes only the recipe."""
    named = {name for row in BRANCHES for name in row.settings}
    assert named <= picture_settings(StackConfig()).keys()


def test_every_limit_of_the_config_reaches_the_workers() -> None:
    """Every limit that the config and `Limits` share is passed to the workers."""
    of_a_picture = {field.name for field in dataclasses.fields(Limits)} & {
        f.name for f in dataclasses.fields(StackConfig)
    }
    assert of_a_picture == set(LIMITS)


def test_config_and_imaging_share_the_longest_side() -> None:
    """The config accepts sizes up to the largest side that the workers can write."""
    assert config_fields.MAX_SIDE_PX == limits.MAX_SIDE_PX


def test_alarms_watch_the_namespace_of_the_workers_metrics() -> None:
    """Alarms and dashboard read the namespace that the workers write to."""
    assert alarms.NAMESPACE == metrics.NAMESPACE


def test_the_shortest_time_out_leaves_time_for_records() -> None:
    """Half of the shortest time-out is enough time for a worker to write a record."""
    assert worker.RESERVE_S + worker.SHORTEST_RECORD_S <= MIN_TIMEOUT_S / 2


def test_every_stack_file_is_valid() -> None:
    """Every `Pulumi.*.yaml` passes the config's checks."""
    assert [StackConfig.parse(stack_config(stack)).jpeg_quality for stack in STACKS] == [100] * len(STACKS)


# Imports

PACKAGES = ("handlers", "components", "costs", "local", "ops", "benchmarks", "policy", "provider", "tests")
AWS = {"boto3", "botocore", "aws_lambda_powertools"}
# Modules that the reusable components must not import.
PICTURES = {f"components.{name}" for name in ("branches", "config", "lambda_package", "pipeline", "storage", "watch")}
# a folder or file, and the modules that it must not import, directly or indirectly
IMPORT_RULES = [
    ("handlers", {"pulumi", "pulumi_aws", "components", "costs", "local", "ops", "benchmarks", "policy", "tests"}),
    ("handlers/imaging", {*AWS, "logging", "handlers.storage", "handlers.settings", "handlers.worker"}),
    ("handlers/storage.py", {"PIL", "handlers.imaging"}),
    ("handlers/reconcile.py", {"PIL", "handlers.imaging"}),
    ("handlers/record.py", {"PIL", "handlers.imaging"}),
    ("handlers/job.py", {"PIL", "handlers.imaging", *AWS}),
    ("handlers/layout.py", {"PIL", "handlers.imaging", *AWS}),
    ("handlers/job_publisher.py", {"PIL", "handlers.imaging"}),
    ("components", {"handlers", "costs", "local", "ops", "benchmarks", "tests"}),
    ("costs", {"ops", "local", "benchmarks", "tests"}),
    ("ops", {"local", "benchmarks", "tests"}),
    ("local", {"benchmarks", "tests"}),
    ("components/policies.py", {"pulumi", "pulumi_aws"}),
    ("provider", {*PICTURES, "handlers", "costs", "local", "ops", "benchmarks", "policy", "tests"}),
    ("policy", {"components", "handlers", "costs", "local", "ops", "benchmarks", "tests"}),
    ("policy/promises", {"pulumi", "pulumi_aws", "pulumi_policy"}),
    ("__main__.py", {"handlers", "costs", "local", "ops", "benchmarks", "tests"}),
]


def sources(part: str, root: Path = ROOT) -> list[Path]:
    path = root / part
    return [path] if path.is_file() else sorted(path.rglob("*.py"))


def imports(path: Path, root: Path = ROOT, *, checked_types: bool = True) -> Iterator[str]:
    """Yield the full names of all imports in a file, at any level."""
    package = path.relative_to(root).parent.parts
    for node in _nodes(ast.parse(path.read_text()), checked_types=checked_types):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*above, *filter(None, [node.module])])
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and re.search(r"(^|\.)(import_module|__import__)$", ast.unparse(node.func)):
            yield ast.literal_eval(node.args[0])


def _nodes(tree: ast.AST, *, checked_types: bool) -> Iterator[ast.AST]:
    """Walk a tree, with the bodies of `if TYPE_CHECKING:` only on request."""
    yield tree
    if isinstance(tree, ast.If) and ast.unparse(tree.test).endswith("TYPE_CHECKING") and not checked_types:
        return
    for child in ast.iter_child_nodes(tree):
        yield from _nodes(child, checked_types=checked_types)


def violations(part: str, forbidden: Iterable[str], root: Path = ROOT) -> list[str]:
    """Return the import paths that lead from the files of a place to a forbidden module."""
    found = []
    chains = [[path] for path in sources(part, root)]
    seen = {chain[0] for chain in chains}
    while chains:
        chain = chains.pop()
        for name in imports(chain[-1], root):
            if any(f"{name}.".startswith(f"{module}.") for module in forbidden):
                found.append(" -> ".join([*(step.relative_to(root).as_posix() for step in chain), name]))
            for file in _files(name, root):
                if file not in seen:
                    seen.add(file)
                    chains.append([*chain, file])
    return found


def _files(name: str, root: Path) -> Iterator[Path]:
    """Yield the project's files that an import executes: the module and its parent packages."""
    parts = name.split(".")
    if parts[0] not in PACKAGES:
        return
    for length in range(1, len(parts) + 1):
        path = root.joinpath(*parts[:length])
        yield from (file for file in (path / "__init__.py", path.with_suffix(".py")) if file.is_file())


@pytest.mark.parametrize(("part", "forbidden"), IMPORT_RULES, ids=[part for part, _ in IMPORT_RULES])
def test_no_module_imports_a_forbidden_one(part: str, forbidden: set[str]) -> None:
    """The design's dependency rules hold for direct and indirect imports."""
    assert sources(part)
    assert violations(part, forbidden) == []


def test_every_class_name_is_unique() -> None:
    """A class name identifies one class in the whole project."""
    files_by_name: dict[str, list[Path]] = {}
    for package in ("benchmarks", "components", "costs", "handlers", "local", "ops", "policy"):
        for file in (ROOT / package).rglob("*.py"):
            for node in ast.parse(file.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.ClassDef):
                    files_by_name.setdefault(node.name, []).append(file)
    assert len(files_by_name) > 100
    assert {name: files for name, files in files_by_name.items() if len(files) > 1} == {}


def test_every_output_of_a_component_has_a_docstring() -> None:
    """A string below the annotation describes each output of every component."""
    outputs: dict[str, bool] = {}
    for file in (ROOT / "components").rglob("*.py"):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and "pulumi.ComponentResource" in map(ast.unparse, node.bases):
                for line, below in itertools.pairwise(node.body):
                    if isinstance(line, ast.AnnAssign):
                        described = isinstance(below, ast.Expr) and isinstance(ast.literal_eval(below.value), str)
                        outputs[f"{node.name}.{ast.unparse(line.target)}"] = described
    assert {"Branch.queue_url", "Watch.dashboard_name"} <= outputs.keys()
    assert [name for name, described in outputs.items() if not described] == []


def test_the_program_itself_imports_no_provider() -> None:
    """`__main__.py` leaves AWS resources to the components."""
    assert {name.split(".")[0] for name in imports(ROOT / "__main__.py")} == {"pulumi", "components"}


PLANTED = [
    "import boto3",
    "import boto3.session as session",
    "from boto3 import client",
    "from boto3.dynamodb.types import TypeSerializer",
    "def f():\n    import boto3",
    "import typing\nif typing.TYPE_CHECKING:\n    import boto3",
    "import importlib\nimportlib.import_module('boto3')",
    "__import__('boto3')",
    "from handlers import planted",
    "from handlers.planted import anything",
    "import handlers.planted",
    "from .. import planted",
    "from ..planted import anything",
    "from ..other import anything",
]


@pytest.mark.parametrize("line", PLANTED)
def test_a_forbidden_import_is_found(line: str, tmp_path: Path) -> None:
    """The check finds every form of import, direct and indirect."""
    files = {
        "handlers/__init__.py": "",
        "handlers/planted.py": "import boto3",
        "handlers/other.py": "from . import planted",
        "handlers/imaging/__init__.py": "",
        "handlers/imaging/convert.py": line,
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert violations("handlers/imaging", {"boto3"}, tmp_path)


def test_a_module_with_the_same_prefix_is_not_forbidden(tmp_path: Path) -> None:
    """`boto3_stubs` is not `boto3`."""
    (tmp_path / "file.py").write_text("import boto3_stubs\nfrom . import boto3x")
    assert violations("file.py", {"boto3"}, tmp_path) == []


def test_the_layer_has_every_package_the_functions_import() -> None:
    """Every package that `handlers` imports at run time is pinned in its requirements."""
    imported = {name.split(".")[0] for path in sources("handlers") for name in imports(path, checked_types=False)}
    owners = importlib.metadata.packages_distributions()
    foreign = {name for name in imported - {"handlers"} if name not in sys.stdlib_module_names}
    # A package that is not installed is pinned under its import name.
    needed = {owners.get(name, [name])[0].casefold() for name in foreign}
    targets = [Target("python3.13", machine, inputs=("heic",)) for machine in MACHINES]
    pinned = pins(file for target in targets for file in (*target.requirements, *target.heic)).keys()
    assert needed
    assert {name.replace("_", "-") for name in needed} - pinned == set()


def test_the_tests_use_the_layers_package_versions() -> None:
    """The tests run with the same versions as the layer."""
    pins = re.findall(r"^([\w.-]+)==(\S+)$", (ROOT / "handlers" / "requirements.txt").read_text(), re.MULTILINE)
    installed: dict[str, Any] = {name: importlib.metadata.version(name) for name, _ in pins}
    assert json.dumps(installed) == json.dumps(dict(pins))
