"""Where a stack stops growing: AWS's limits for one account and region, and the images per second that reach each."""

from collections.abc import Iterator
from dataclasses import dataclass

from components import prices
from ops.calls import ITEM_WRITE_UNITS, UPLOAD, calls
from ops.estimate import Estimate
from ops.stack import BRANCHES, RESIZING

# Defaults that AWS raises on request, but for those of S3 and of a mapping.
# Sources: Lambda's developer guide, "Lambda quotas", "Lambda scaling behavior" and "Configuring scaling behavior for
# SQS event source mappings"; SQS's, "Amazon SQS message quotas"; AWS's general reference, "Amazon SNS endpoints and
# quotas"; S3's user guide, "Optimizing Amazon S3 performance"; DynamoDB's developer guide, "Quotas in Amazon DynamoDB"
# and "DynamoDB on-demand capacity mode".
LAMBDA_CONCURRENCY, LAMBDA_RATE_BY_CONCURRENCY = 1000, 10
LAMBDA_GROWTH, LAMBDA_GROWTH_S = 1000, 10
MAPPING_START, MAPPING_GROWTH_A_MINUTE = 5, 300
SQS_IN_FLIGHT = 120_000
SNS_PUBLISHES = {
    "us-east-1": 30_000,
    **dict.fromkeys(("us-west-2", "eu-west-1"), 9000),
    **dict.fromkeys(("us-east-2", "us-west-1", "ap-south-1", "ap-northeast-2", "ap-southeast-1"), 1500),
    **dict.fromkeys(("ap-southeast-2", "ap-northeast-1", "eu-central-1"), 1500),
}
SNS_PUBLISHES_ELSEWHERE = 300
S3_WRITES, S3_READS = 3500, 5500
DYNAMODB_NEW_TABLE, DYNAMODB_TABLE = 4000, 40_000


@dataclass(frozen=True, kw_only=True)
class Limit:
    """A limit, the images per second that reach it, and what moves it."""

    name: str
    default: str
    per_second: float
    moved_by: str


def limits(estimate: Estimate, region: str = prices.REGION) -> list[Limit]:
    """Return every limit, the one that is reached first at the top.

    Raises: DurationsError.
    """
    found = [*_lambda(estimate), *_messages(estimate, region), *_s3(estimate), *_dynamodb()]
    return sorted(found, key=lambda limit: limit.per_second)


def growth(estimate: Estimate) -> list[str]:
    """Say how fast a stack that was idle comes to its full speed."""
    start, most = MAPPING_START, estimate.config.max_concurrency
    wait_s = max(0, most - start) / MAPPING_GROWTH_A_MINUTE * 60
    branch = f"A branch begins with {min(most, start)} batches at once and gets {MAPPING_GROWTH_A_MINUTE} more a minute"
    function = f"A function gets {LAMBDA_GROWTH:,} instances more every {LAMBDA_GROWTH_S} s"
    burst = 1000 * LAMBDA_GROWTH / estimate.billed_ms(UPLOAD)
    return [
        f"{branch}: maxConcurrency {most} is reached {wait_s:.0f} s after a burst begins.",
        f"{function}: job-publisher takes {burst:,.0f} images per second at once; more waits.",
    ]


def _lambda(estimate: Estimate) -> Iterator[Limit]:
    config, per_batch = estimate.config, estimate.workload.per_batch
    for branch in BRANCHES:
        yield Limit(
            name=f"{branch}: batches at once",
            default=f"{config.max_concurrency} (the stack's)",
            per_second=1000 * config.max_concurrency / estimate.billed_ms(branch),
            moved_by="maxConcurrency",
        )
    busy_ms = sum(estimate.billed_ms(part) for part in (UPLOAD, *BRANCHES))
    yield Limit(
        name="Lambda: functions running at once",
        default=f"{LAMBDA_CONCURRENCY:,} an account",
        per_second=1000 * LAMBDA_CONCURRENCY / busy_ms,
        moved_by="quota: Concurrent executions",
    )
    rate = LAMBDA_CONCURRENCY * LAMBDA_RATE_BY_CONCURRENCY
    yield Limit(
        name="Lambda: batches a second of one function",
        default=f"{rate:,} a second",
        per_second=rate * per_batch,
        moved_by="batchSize and batchWindowS; quota: Concurrent executions",
    )


def _messages(estimate: Estimate, region: str) -> Iterator[Limit]:
    publishes = SNS_PUBLISHES.get(region, SNS_PUBLISHES_ELSEWHERE)
    yield Limit(
        name=f"SNS: messages published in {region}",
        default=f"{publishes:,} a second",
        per_second=publishes,
        moved_by="quota: Publish API throttling",
    )
    slowest_ms = max(estimate.billed_ms(branch) for branch in BRANCHES)
    yield Limit(
        name="SQS: messages of one queue in flight",
        default=f"{SQS_IN_FLIGHT:,}",
        per_second=1000 * SQS_IN_FLIGHT / (estimate.workload.per_batch * slowest_ms),
        moved_by="batchSize; maxConcurrency x batchSize is all that can be",
    )


def _s3(estimate: Estimate) -> Iterator[Limit]:
    asked = calls(sizes=len(estimate.config.sizes), header_gets=estimate.header_gets)
    reads = sum(operations.get("GetObject", 0) for operations in asked.values())
    writes = 1 + sum(operations.get("PutObject", 0) for operations in asked.values())
    splits = "folders: S3 splits a bucket by prefix under steady load"
    yield Limit(
        name=f"S3: writes below {estimate.config.resized_prefix}",
        default=f"{S3_WRITES:,} a second and prefix",
        per_second=S3_WRITES / asked[RESIZING]["PutObject"],
        moved_by=f"fewer sizes; {splits}",
    )
    yield Limit(
        name="S3: writes into a bucket not yet split",
        default=f"{S3_WRITES:,} a second",
        per_second=S3_WRITES / writes,
        moved_by=splits,
    )
    yield Limit(
        name=f"S3: reads below {estimate.config.master_prefix}",
        default=f"{S3_READS:,} a second and prefix",
        per_second=S3_READS / reads,
        moved_by=splits,
    )


def _dynamodb() -> Iterator[Limit]:
    for name, units in (("a new table's writes", DYNAMODB_NEW_TABLE), ("a table's writes", DYNAMODB_TABLE)):
        yield Limit(
            name=f"DynamoDB: {name}",
            default=f"{units:,} units a second",
            per_second=units / ITEM_WRITE_UNITS,
            moved_by="warm throughput" if units == DYNAMODB_NEW_TABLE else "quota: Table-level write throughput",
        )
