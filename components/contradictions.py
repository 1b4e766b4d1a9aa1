"""Settings that are each valid but cannot be deployed together."""

from collections.abc import Iterator
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

from components.delivery import MAX_BATCH_WITHOUT_WINDOW

if TYPE_CHECKING:
    from components.config import StackConfig


class Contradiction(NamedTuple):
    """Config keys that exclude each other, and what was expected."""

    keys: tuple[str, ...]
    message: str


def contradictions(config: "StackConfig") -> Iterator[Contradiction]:
    """Yield each combination of settings that cannot be deployed."""
    yield from _prefixes(config)
    if config.imaging == "pillow-simd":
        yield from _simd(config)
    if config.alarm_email and config.alarm_topic:
        yield Contradiction(
            ("alarmEmail", "alarmTopic"),
            "expected one of them, got both: remove one, or subscribe the address to the topic",
        )
    if config.protect_data and config.force_destroy:
        yield Contradiction(
            ("protectData", "forceDestroy"),
            "expected one of them, got both: set forceDestroy to false to keep the data, or protectData to false to be "
            "able to delete them",
        )
    if config.bucket:
        yield from _foreign_bucket(config)
    if config.log_level == "WARNING" and not config.system_logs:
        # Lambda's filter treats lines without a level, such as those of the metrics, as level INFO.
        yield Contradiction(
            ("logLevel",),
            "expected DEBUG or INFO without systemLogs, got 'WARNING', which would drop the metrics too: change one",
        )
    if config.batch_size > MAX_BATCH_WITHOUT_WINDOW and config.batch_window_s < 1:
        yield Contradiction(
            ("batchSize",),
            f"expected at most {MAX_BATCH_WITHOUT_WINDOW} without a window, got {config.batch_size} with batchWindowS "
            f"{config.batch_window_s}: set batchWindowS to 1 or more",
        )


def _prefixes(config: "StackConfig") -> Iterator[Contradiction]:
    prefixes = {
        "convertedPrefix": config.converted_prefix,
        "masterPrefix": config.master_prefix,
        "rejectedPrefix": config.rejected_prefix,
        "resizedPrefix": config.resized_prefix,
    }
    for (key, prefix), (other, other_prefix) in combinations(prefixes.items(), 2):
        if prefix.startswith(other_prefix) or other_prefix.startswith(prefix):
            yield Contradiction(
                (key, other),
                f"expected prefixes that do not begin with each other, got {prefix!r} and {other_prefix!r}: change one "
                "(an output below the trigger's prefix would start the pipeline again)",
            )


def _simd(config: "StackConfig") -> Iterator[Contradiction]:
    """Yield settings that pillow-simd cannot fulfil, because it is built with few libraries."""
    if config.architecture == "arm64":
        yield Contradiction(
            ("imaging",),
            "expected architecture x86_64 for 'pillow-simd', which needs AVX2, got 'arm64': change one",
        )
    if config.further_inputs:
        yield Contradiction(
            ("inputFormats",),
            "expected jpeg, png and gif for 'pillow-simd', which is built without other decoders, got "
            f"{', '.join(config.further_inputs)}: remove them, or set imaging to pillow",
        )
    if config.output_formats:
        yield Contradiction(
            ("outputFormats",),
            f"expected imaging 'pillow' for {' and '.join(config.output_formats)}, which 'pillow-simd' is built "
            "without, got 'pillow-simd': change one",
        )


def _foreign_bucket(config: "StackConfig") -> Iterator[Contradiction]:
    """Yield settings of a bucket that the stack does not own, each with the command that applies it by hand."""
    lifecycle = "aws s3api put-bucket-lifecycle-configuration --lifecycle-configuration file://rules.json --bucket"
    versioning = "aws s3api put-bucket-versioning --versioning-configuration Status=Enabled --bucket"
    cors = "aws s3api put-bucket-cors --cors-configuration file://cors.json --bucket"
    settings = (
        ("versioning", config.versioning, f"{versioning} {config.bucket}"),
        ("rejectedDays", config.rejected_days > 0, f"{lifecycle} {config.bucket}"),
        ("corsOrigins", bool(config.cors_origins), f"{cors} {config.bucket}"),
        ("cdn", config.cdn, f"aws s3api put-bucket-policy --policy file://policy.json --bucket {config.bucket}"),
        ("forceDestroy", config.force_destroy, f"pulumi destroy && aws s3 rb --force s3://{config.bucket}"),
    )
    for key, asked, command in settings:
        if asked:
            yield Contradiction(
                (key,),
                f"expected no setting of {config.bucket}, a bucket that the stack does not own, got one: remove it, or "
                f"apply it by hand with `{command}`",
            )
