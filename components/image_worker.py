"""The pipeline's workers: the permissions and settings of each."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from components import policies
from components.branches import BRANCHES, ImageBranch
from components.config import ConfigError, StackConfig
from components.picture_record import record_settings, record_statements
from components.recipe import recipe
from components.storage import ImageBucket, MetadataTable, PictureTable
from components.worker import BranchSpec

ALLOCATOR = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(32 * 1024 * 1024),
    "MALLOC_TRIM_THRESHOLD_": str(256 * 1024 * 1024),
}
"""glibc's settings, in bytes: it reuses a picture's memory for the next one instead of requesting zeroed pages from the
kernel each time, which saves a tenth of a batch's CPU time. It reads them when the process starts, before any handler.

The mmap threshold is above a picture's blocks (16 MB) and at most 32 MiB: Lambda's glibc 2.34 refuses more, while the
trim threshold alone switches the dynamic thresholds off. Source: mallopt(3), M_MMAP_THRESHOLD; glibc 2.34, malloc.c.
"""

LOCAL_RETRY_S = 3

LIMITS = ("max_pixels", "max_bytes", "max_scans", "max_segments", "max_frames")


@dataclass(frozen=True, kw_only=True)
class ImageWorkers:
    """Makes branches whose workers read masters from one bucket and write the reasons why they reject some.

    `rows` are all the branches that a picture has to wait for until it is complete.

    Raises: ConfigError, if two of them would overwrite each other's items.
    """

    config: StackConfig
    bucket: ImageBucket
    table: MetadataTable
    pictures: PictureTable
    rows: Sequence[ImageBranch] = BRANCHES

    def __post_init__(self) -> None:
        names = [row.name for row in self.rows if row.records]
        if len(names) > 1:
            raise ConfigError(
                f"expected one branch with records=True, got {' and '.join(names)}: the table has one item for each "
                f"picture, so they would overwrite each other's; add the fields to the worker of {names[0]}"
            )

    def branch(self, row: ImageBranch) -> BranchSpec:
        """Return the branch for a row of `components.branches`: its worker may write only what the row names.

        Raises: ConfigError, if its outputs would start the pipeline again.
        """
        prefix = row.prefix_of(self.config)
        self._check(row.name, prefix)
        return BranchSpec(
            name=row.name,
            function_name=row.function_name,
            handler=row.handler,
            memory_mb=row.memory_mb(self.config),
            statements=self._statements(row, prefix),
            environment={
                "BUCKET": self.bucket.name,
                "PICTURES_TABLE": self.pictures.name,
                "RECIPE": recipe(row, self.config),
                **worker_environment(self.config, pulumi.get_stack(), self.rows),
                **({"TABLE": self.table.name} if row.records else {}),
            },
            # For a job that was published by hand, the worker publishes the job of a generation for all branches.
            publishes=True,
        )

    def _check(self, name: str, prefix: str | None) -> None:
        master = self.config.master_prefix
        if prefix and (prefix.startswith(master) or master.startswith(prefix)):
            raise ConfigError(
                f"The branch {name}: expected a prefix apart from the trigger's, {master!r}, got {prefix!r}, where "
                "outputs would start the pipeline again: choose another."
            )

    def _statements(self, row: ImageBranch, prefix: str | None) -> list[pulumi.Input[policies.Statement]]:
        config, bucket_arn, reason = self.config, self.bucket.arn, f"/{row.name}.json"
        statements = [
            *record_statements(config, self.bucket, self.pictures, prefix, settle=True),
            bucket_arn.apply(lambda arn: policies.write_objects(arn, config.rejected_prefix, reason)),
            bucket_arn.apply(lambda arn: policies.delete_objects(arn, config.rejected_prefix, reason)),
        ]
        follow = config.deletions == "follow"
        if prefix:
            statements.append(bucket_arn.apply(lambda arn: policies.write_objects(arn, prefix)))
        if row.records:
            statements.append(self.table.arn.apply(policies.put_items))
        # Without `follow`, to remove an earlier state's file in a format that is not kept for this state.
        if prefix and (follow or (row.per_size and config.output_formats)):
            statements.append(bucket_arn.apply(lambda arn: policies.delete_objects(arn, prefix)))
        if row.records and follow:
            statements.append(self.table.arn.apply(policies.delete_items))
        return statements


def worker_environment(
    config: StackConfig, stack: str = "dev", rows: Sequence[ImageBranch] = BRANCHES
) -> dict[str, str]:
    """Return the environment that all image workers of a stack share."""
    return {"SETTINGS": json.dumps({**record_settings(config, stack, rows), **picture_settings(config)}), **ALLOCATOR}


def picture_settings(config: StackConfig) -> dict[str, Any]:
    """Return the settings for pictures, by the fields of `handlers.settings.Settings`."""
    return {
        "input_formats": list(config.input_formats),
        "jpeg_quality": config.jpeg_quality,
        "subsampling": config.subsampling,
        "background": list(bytes.fromhex(config.background.removeprefix("#"))),
        "sizes": dict(config.sizes),
        "output_formats": dict(config.output_formats),
        "placeholders": config.placeholders,
        "enlarge": config.enlarge,
        "reencode": config.reencode,
        "salvage": config.salvage,
        "gps": config.gps,
        "cache_control": config.cache_control,
        "visibility_timeout_s": retry_visibility_s(config),
        "limits": {name: getattr(config, name) for name in LIMITS},
    }


def retry_visibility_s(config: StackConfig) -> int:
    """Return the longest time until a failed message is delivered again: a few seconds in the local run."""
    return LOCAL_RETRY_S if config.package_for == "host" else config.visibility_timeout_s
