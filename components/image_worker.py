"""The branches of this program: what an image worker may do, and what it is told by its environment."""

import json
from dataclasses import dataclass

import pulumi

from components import policies
from components.branch import BranchSpec
from components.config import ConfigError, StackConfig
from components.storage import ImageBucket, MetadataTable

ALLOCATOR = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(32 * 1024 * 1024),
    "MALLOC_TRIM_THRESHOLD_": str(256 * 1024 * 1024),
}
"""Settings of glibc, in bytes: it keeps a picture's memory for the next one, instead of asking the kernel for zeroed
pages each time. A batch takes a tenth less CPU time. They are read when the process starts, before any handler.

The mmap threshold is above a picture's blocks (16 MB) and at most 32 MiB: Lambda's glibc 2.34 refuses more, while the
trim threshold alone switches the dynamic thresholds off. Source: mallopt(3), M_MMAP_THRESHOLD; glibc 2.34, malloc.c.
"""

LIMITS = ("max_pixels", "max_bytes", "max_scans", "max_segments", "max_frames")


@dataclass(frozen=True, kw_only=True)
class ImageWorkers:
    """Makes branches whose workers read masters from one bucket and write down what they reject."""

    config: StackConfig
    bucket: ImageBucket

    def branch(
        self,
        name: str,
        *,
        handler: str,
        memory_mb: int,
        writes: str | None = None,
        records: MetadataTable | None = None,
    ) -> BranchSpec:
        """Return a branch whose worker writes below the prefix `writes`, and items into the table `records`.

        Raises: ConfigError, where what it writes would start the pipeline again.
        """
        config, bucket_arn = self.config, self.bucket.arn
        if writes and (writes.startswith(config.master_prefix) or config.master_prefix.startswith(writes)):
            raise ConfigError(
                f"The branch {name}: got writes={writes!r}, allowed is a prefix apart from the trigger's, "
                f"{config.master_prefix!r}, where outputs would start the pipeline again; choose another."
            )
        ours = [config.master_prefix, config.rejected_prefix, *([writes] if writes else [])]
        statements = [
            bucket_arn.apply(lambda arn: policies.tell_missing(arn, ours)),
            bucket_arn.apply(lambda arn: policies.read_objects(arn, config.master_prefix)),
            bucket_arn.apply(lambda arn: policies.write_objects(arn, config.rejected_prefix, f"/{name}.json")),
        ]
        environment: dict[str, pulumi.Input[str]] = {
            "BUCKET": self.bucket.name,
            **picture_environment(config),
            **ALLOCATOR,
        }
        if writes:
            statements.append(bucket_arn.apply(lambda arn: policies.write_objects(arn, writes)))
        if records:
            statements.append(records.arn.apply(policies.put_items))
            environment["TABLE"] = records.name
        return BranchSpec(
            name=name, handler=handler, memory_mb=memory_mb, statements=statements, environment=environment
        )


def picture_environment(config: StackConfig) -> dict[str, str]:
    """Return what every image worker is told; `handlers.settings` reads it."""
    return {
        "LAYOUT": json.dumps(layout(config)),
        "JPEG_QUALITY": str(config.jpeg_quality),
        "BACKGROUND": config.background,
        "SIZES": json.dumps(dict(config.sizes)),
        "ENLARGE": json.dumps(config.enlarge),
        "REENCODE": config.reencode,
        "SALVAGE": json.dumps(config.salvage),
        "GPS": json.dumps(config.gps),
        "CACHE_CONTROL": config.cache_control,
        "LIMITS": json.dumps({name: getattr(config, name) for name in LIMITS}),
    }


def layout(config: StackConfig) -> dict[str, str | bool]:
    """Return where things lie in the bucket, as `handlers.job.Layout` takes it."""
    return {
        "master": config.master_prefix,
        "converted": config.converted_prefix,
        "resized": config.resized_prefix,
        "rejected": config.rejected_prefix,
        "full_names": config.naming == "full",
    }
