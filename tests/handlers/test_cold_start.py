"""What a function imports before its first event: each module adds to every cold start."""

import json
import os
import re
import subprocess
import sys

import pytest

from handlers import start

HEAVY = {"boto3", "botocore.session", "PIL", "handlers.imaging", "cykooz_resizer", "PIL.ImageCms"}
HEAVY |= {"PIL.WebPImagePlugin", "PIL.AvifImagePlugin", "PIL._webp", "PIL._avif"}


def imported(module: str) -> set[str]:
    """Return the heavy modules that a new process has loaded after importing one of the functions."""
    code = f"import {module}, json, sys; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    return HEAVY & set(json.loads(done.stdout))


def test_the_publisher_imports_no_imaging() -> None:
    """The publisher loads neither Pillow nor imaging, and creates its clients at the first event."""
    assert imported("handlers.job_publisher") == set()


@pytest.mark.parametrize("module", ["pixel_resizer", "format_converter", "metadata_extractor"])
def test_a_worker_imports_only_what_every_picture_needs(module: str) -> None:
    """Clients, colour management and the resampler are loaded with the first picture that needs them."""
    assert imported(f"handlers.{module}") == {"PIL", "handlers.imaging"}


def test_a_worker_imports_no_further_formats_by_default() -> None:
    """Further formats are loaded only where the stack's config names them."""
    code = "import handlers.format_converter, json, sys; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    further = re.compile(r"webp|avif|av1|heif|heic|hevc|isobmff|formats\.tiff", re.IGNORECASE)
    assert [name for name in json.loads(done.stdout) if further.search(name)] == []


@pytest.mark.parametrize(
    ("variable", "state"), [("AWS_LAMBDA_FUNCTION_NAME", "False True True"), ("OTHER", "True True False")]
)
def test_on_lambda_garbage_collection_starts_with_the_first_client(variable: str, state: str) -> None:
    """On Lambda, garbage collection starts with the first client and skips older objects; elsewhere it is untouched."""
    code = (
        "import gc, handlers.pixel_resizer; before = gc.isenabled();"
        "from handlers import clients; clients.s3(); print(before, gc.isenabled(), gc.get_freeze_count() > 0)"
    )
    environment = {**os.environ, "AWS_DEFAULT_REGION": "eu-west-1", variable: "a name"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True, text=True)
    assert done.stdout.split() == state.split()


def test_only_the_first_invocation_logs_a_cold_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the first invocation of a process logs `cold_start`."""
    monkeypatch.setattr(start, "_cold", True)
    assert [start.described(), start.described()] == [{"cold_start": True}, {}]


def test_libraries_do_not_log_at_the_functions_level() -> None:
    """Where logs are JSON, Lambda sets the root logger to it, and botocore's DEBUG lines have the role's token."""
    code = (
        "import logging; logging.getLogger().setLevel('DEBUG');"
        "from handlers import clients, job_publisher, worker; clients.s3();"
        "print(*(logging.getLogger(name).isEnabledFor(logging.INFO) for name in ('botocore.auth', 'PIL.Image')),"
        "*(module.logger.isEnabledFor(logging.DEBUG) for module in (job_publisher, worker)))"
    )
    levels = dict.fromkeys(("POWERTOOLS_LOG_LEVEL", "AWS_LAMBDA_LOG_LEVEL"), "DEBUG")
    environment = {**os.environ, **levels, "AWS_LAMBDA_FUNCTION_NAME": "a name", "AWS_DEFAULT_REGION": "eu-west-1"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True, text=True)
    assert done.stdout.split() == ["False", "False", "True", "True"]
