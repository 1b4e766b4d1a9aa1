"""What the estimate assumes about a stack, and how to change it."""

from collections.abc import Iterator

from components.branches import BRANCHES
from costs import encodings
from costs.calls import ITEM_WRITE_UNITS, UPLOAD, calls_in_a_row
from costs.durations import PUBLISHER_COMMAND
from costs.estimate import IDLE_POLLS, ITEM_BYTES, LOGS_COMPRESSED, Estimate
from costs.workload import Assumption


def measured(estimate: Estimate) -> Iterator[Assumption]:
    """Yield what was measured, and on what.

    Raises: DurationsError.
    """
    memory = ", ".join(f"{row.task} at {estimate.duration(row.name).memory_mb} MB" for row in BRANCHES)
    processors = f"measured on {estimate.durations.architecture}, the stack has {estimate.config.architecture}"
    yield Assumption("functions' time", memory, f"--benchmark, the nearest size, by its share of a vCPU; {processors}")
    gets, item = f"{estimate.header_gets:g} a picture", f"{ITEM_WRITE_UNITS:g} write units, {ITEM_BYTES:,} bytes"
    yield Assumption("GETs for metadata", gets, "three of four headers end within the first range; salvage reads all")
    yield Assumption("an item", item, "means of 24 camera photographs; each begun KB is a unit")
    yield Assumption(
        "a record",
        f"{estimate.record_bytes:,} bytes",
        "of a complete picture, as is counted for every write; rejected ones are smaller",
    )
    yield Assumption(
        "bytes a pixel of the sizes",
        ", ".join(f"{one.name} {one.bytes_per_pixel:.2f}" for one in estimate.outputs),
        f"`{encodings.COMMAND}`, nearest quality, 4:2:0; all kept, {encodings.HEIGHT_BY_WIDTH} as high as wide",
    )
    calls_made = f"{calls_in_a_row()[UPLOAD]:g} calls"
    yield Assumption(
        "job-publisher",
        f"{estimate.billed_ms(UPLOAD):,.0f} ms an upload",
        f"`{PUBLISHER_COMMAND}`, and {calls_made} that follow each other; --publisher-ms",
    )


TAKEN = (
    Assumption("a converted picture", "as large as its upload", "mean of 24 camera photographs"),
    Assumption("deliveries by SNS", "a request of SQS each", "SNS charges nothing, standard SQS pricing applies"),
    Assumption(
        "idle polling",
        f"{IDLE_POLLS:,} requests a queue",
        "five pollers, 20 s each; counted in full, although a busy queue has fewer",
    ),
    Assumption("logs", f"kept at {LOGS_COMPRESSED:.0%} of their size", "CloudWatch compresses them"),
    Assumption("not counted", "the masters' own PUT and storage", "the same with and without the pipeline"),
    Assumption("not counted either", "CloudFront, KMS, X-Ray, free tiers, older versions", "see their price pages"),
    Assumption(
        "other settings",
        "as the benchmark ran",
        "reencode, subsampling, placeholders, imaging: `python -m benchmarks memory --stack NAME`, then --benchmark",
    ),
)
"""The same for every stack."""
