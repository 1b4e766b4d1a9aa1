"""`ImageWorkers`: a worker's permissions and environment; `tests/test_contracts.py` checks how the worker reads it."""

import json
from typing import Any
from unittest import mock

import pytest

from components.branches import BRANCHES, ImageBranch
from components.config import ConfigError, StackConfig
from components.image_worker import ALLOCATOR, ImageWorkers, worker_environment
from components.picture_record import layout
from tests.recording import allowed, arn, physical, recorded

BUCKET = arn("Bucket", "images")


def environment(name: str, **settings: str) -> dict[str, Any]:
    variables: dict[str, Any] = recorded(**settings).mocks.one("Function", name).inputs["environment"]["variables"]
    return variables


def s3_pairs(name: str, **settings: str) -> set[tuple[str, str]]:
    policy = recorded(**settings).mocks.one("RolePolicy", f"{name}-policy").inputs["policy"]
    return {pair for pair in allowed(policy) if pair[0].startswith("s3:")}


def test_a_worker_may_write_only_under_its_own_prefix() -> None:
    """The resizer reads masters, and writes its sizes and its own rejections."""
    assert s3_pairs("pixel-resizer") == {
        ("s3:ListBucket", BUCKET),
        ("s3:GetObject", f"{BUCKET}/master/*"),
        ("s3:GetObject", f"{BUCKET}/converted/*"),
        ("s3:GetObject", f"{BUCKET}/resized/*"),
        ("s3:PutObject", f"{BUCKET}/resized/*"),
        *REASONS,
    }


REASONS = {
    (f"s3:{action}", f"{BUCKET}/rejected/*/{by}.json")
    for action in ("GetObject", "PutObject", "DeleteObject")
    for by in ("resizing", "name-taken")
}


def test_workers_may_delete_outputs_only_with_deletions_follow() -> None:
    """By default no worker may delete an output; with `deletions: follow` each worker may delete its own."""
    follow = {"deletions": "follow"}
    deleting = {
        (name, pair)
        for name in ("format-converter", "pixel-resizer", "metadata-extractor")
        for pair in s3_pairs(name, **follow) - s3_pairs(name)
    }
    assert deleting == {
        ("format-converter", ("s3:DeleteObject", f"{BUCKET}/converted/*")),
        ("pixel-resizer", ("s3:DeleteObject", f"{BUCKET}/resized/*")),
    }
    policy = recorded(**follow).mocks.one("RolePolicy", "metadata-extractor-policy").inputs["policy"]
    assert ("dynamodb:DeleteItem", arn("Table", "pixel-metadata")) in allowed(policy)


def test_the_resizer_may_delete_outputs_with_further_formats() -> None:
    """With further formats the resizer may delete files of an earlier state; other workers get no new permission."""
    further = {"outputFormats": '["jpeg", "webp=80"]'}
    assert s3_pairs("pixel-resizer", **further) - s3_pairs("pixel-resizer") == {
        ("s3:DeleteObject", f"{BUCKET}/resized/*")
    }
    assert s3_pairs("format-converter", **further) == s3_pairs("format-converter")
    both = s3_pairs("pixel-resizer", deletions="follow", **further)
    assert both == s3_pairs("pixel-resizer", deletions="follow")


def test_a_worker_without_events_may_not_send_any() -> None:
    """A worker that sends no events gets no permission to send them."""
    policy = recorded(events="false").mocks.one("RolePolicy", "pixel-resizer-policy").inputs["policy"]
    assert "events:PutEvents" not in policy


def test_permissions_follow_the_stacks_prefixes() -> None:
    """The policies use the stack's configured prefixes."""
    resources = {resource for _, resource in s3_pairs("pixel-resizer", masterPrefix="in/", resizedPrefix="out/")}
    assert resources == {
        BUCKET,
        f"{BUCKET}/in/*",
        f"{BUCKET}/out/*",
        f"{BUCKET}/converted/*",
        f"{BUCKET}/rejected/*/resizing.json",
        f"{BUCKET}/rejected/*/name-taken.json",
    }


def test_a_worker_with_records_gets_the_metadata_table() -> None:
    """The extractor's environment holds the table's physical name."""
    assert environment("metadata-extractor")["TABLE"] == physical("pixel-metadata")


def test_a_worker_without_records_gets_no_metadata_table() -> None:
    """The resizer's environment has no metadata table, and its policy does not name one."""
    policy = recorded().mocks.one("RolePolicy", "pixel-resizer-policy").inputs["policy"]
    assert "TABLE" not in environment("pixel-resizer")
    assert "pixel-metadata" not in policy


def test_the_environment_has_the_workers_bucket() -> None:
    """A worker refuses jobs for other buckets."""
    assert environment("pixel-resizer")["BUCKET"] == physical("images")


@pytest.mark.parametrize("prefix", ["master/", "master/small/"])
def test_a_branch_that_would_trigger_itself_is_refused(prefix: str) -> None:
    """The check that the config applies to its own prefixes also covers the prefix of a new branch."""
    workers = ImageWorkers(
        config=StackConfig(), bucket=mock.Mock(arn=None), table=mock.Mock(arn=None), pictures=mock.Mock(arn=None)
    )
    row = ImageBranch(name="new", handler="handlers.new.handler", memory=128, task="new", prefix=prefix)
    with pytest.raises(ConfigError, match=f"The branch new: expected a prefix apart from .*, got '{prefix}'"):
        workers.branch(row)


def test_a_second_branch_with_records_is_refused() -> None:
    """The metadata table has one item per picture: the branch that ends last would overwrite the other's."""
    row = ImageBranch(name="new", handler="handlers.new.handler", memory=128, task="new", records=True)
    deployed = mock.Mock(arn=None)
    with pytest.raises(ConfigError, match="expected one branch with records=True, got metadata-extraction and new:"):
        ImageWorkers(config=StackConfig(), bucket=deployed, table=deployed, pictures=deployed, rows=(*BRANCHES, row))


def test_every_value_of_the_environment_is_a_string() -> None:
    """Lambda accepts only strings."""
    assert {type(value) for value in worker_environment(StackConfig()).values()} == {str}


def test_limits_follow_the_settings() -> None:
    """A limit changed in the stack's config reaches the worker."""
    limits = json.loads(environment("pixel-resizer", maxPixels="1000", maxScans="7")["SETTINGS"])["limits"]
    assert limits == {
        "max_pixels": 1000,
        "max_bytes": 50_000_000,
        "max_scans": 7,
        "max_segments": 512,
        "max_frames": 10_000,
    }


def test_names_are_full_with_naming_full() -> None:
    """`naming: full` keeps the extension in the names of outputs."""
    assert [layout(StackConfig(naming=naming))["full_names"] for naming in ("stem", "full")] == [False, True]


def test_every_worker_has_the_allocator_settings() -> None:
    """Every image worker starts with the allocator settings, among them a single arena for all threads."""
    for name in ("format-converter", "pixel-resizer", "metadata-extractor"):
        assert ALLOCATOR.items() <= environment(name).items()
    assert environment("pixel-resizer")["MALLOC_ARENA_MAX"] == "1"
