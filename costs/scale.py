"""Where a stack stops growing: AWS's limits for one account and region, and the images per second that reach each."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from components import prices
from components.branches import BRANCHES
from costs.calls import ITEM_WRITE_UNITS, UPLOAD, calls, write_units
from costs.estimate import PARTS, Estimate

# AWS's defaults; all but those of S3 and of a mapping are raised on request. Each limit names the page that has it: of
# the service's own guide or, for SNS, of AWS's general reference.
LAMBDA_CONCURRENCY, LAMBDA_RATE_BY_CONCURRENCY = 1000, 10
LAMBDA_GROWTH, LAMBDA_GROWTH_S = 1000, 10
MAPPING_START, MAPPING_GROWTH_A_MINUTE, MAPPING_MOST = 5, 300, 1250
SQS_IN_FLIGHT = 120_000
SNS_PUBLISHES = {
    "us-east-1": 30_000,
    **dict.fromkeys(("us-west-2", "eu-west-1"), 9000),
    **dict.fromkeys(("us-east-2", "us-west-1", "ap-south-1", "ap-northeast-2", "ap-southeast-1"), 1500),
    **dict.fromkeys(("ap-southeast-2", "ap-northeast-1", "eu-central-1"), 1500),
}
SNS_PUBLISHES_ELSEWHERE = 300
S3_WRITES, S3_READS = 3500, 5500
DYNAMODB_NEW_TABLE, DYNAMODB_TABLE, DYNAMODB_ITEM = 4000, 40_000, 1000


@dataclass(frozen=True, kw_only=True)
class Limit:
    """A limit, the images per second that reach it, what raises it, and the page of AWS's documentation about it."""

    name: str
    default: str
    per_second: float
    moved_by: str
    source: str


def limits(estimate: Estimate, region: str = prices.REGION) -> list[Limit]:
    """Return every limit, the one that is reached first at the beginning.

    At a limit messages wait, so batches are as full as the stack's settings allow.

    Raises: DurationsError.
    """
    busy = replace(estimate, workload=replace(estimate.workload, per_batch=estimate.config.batch_size))
    found = [*_lambda(busy), *_messages(busy, region), *_s3(busy), *_dynamodb(busy.config.sized_files)]
    return sorted(found, key=lambda limit: limit.per_second)


def beside(estimate: Estimate) -> list[str]:
    """Return the limits that are not rates: how fast an idle stack scales up, and how often one name may be written.

    Sources: Lambda's developer guide, "Configuring scaling behavior for SQS event source mappings" and "Lambda scaling
    behavior"; DynamoDB's, "Best practices for designing and using partition keys effectively".
    """
    start, most = MAPPING_START, estimate.config.max_concurrency
    wait_s = max(0, most - start) / MAPPING_GROWTH_A_MINUTE * 60
    branch = f"A branch begins with {min(most, start)} batches at once and gets {MAPPING_GROWTH_A_MINUTE} more a minute"
    function = f"A function gets {LAMBDA_GROWTH:,} instances more every {LAMBDA_GROWTH_S} s"
    burst = 1000 * LAMBDA_GROWTH / estimate.billed_ms(UPLOAD)
    return [
        f"{branch}, {MAPPING_MOST:,} at most: maxConcurrency {most} is reached {wait_s:.0f} s after a burst begins.",
        f"{function}: job-publisher takes {burst:,.0f} images per second at once; the rest waits.",
        f"One item takes {DYNAMODB_ITEM:,} write units a second: only a master uploaded over and over reaches that.",
    ]


def _lambda(estimate: Estimate) -> Iterator[Limit]:
    config, per_batch = estimate.config, estimate.workload.per_batch
    for row in BRANCHES:
        yield Limit(
            name=f"{row.name}: batches at once",
            default=f"{config.max_concurrency} (the stack's setting)",
            per_second=1000 * config.max_concurrency / estimate.billed_ms(row.name),
            moved_by="maxConcurrency",
            source="the stack's settings",
        )
    busy_ms = sum(estimate.billed_ms(part) for part in PARTS)
    yield Limit(
        name="Lambda: functions running at once",
        default=f"{LAMBDA_CONCURRENCY:,} an account",
        per_second=1000 * LAMBDA_CONCURRENCY / busy_ms,
        moved_by="quota: Concurrent executions",
        source="Lambda quotas",
    )
    rate = LAMBDA_CONCURRENCY * LAMBDA_RATE_BY_CONCURRENCY
    yield Limit(
        name="Lambda: batches a second of one worker",
        default=f"{rate:,} a second",
        per_second=rate * per_batch,
        moved_by="batchSize, batchWindowS; the quota above",
        source="Lambda quotas",
    )


def _messages(estimate: Estimate, region: str) -> Iterator[Limit]:
    publishes = SNS_PUBLISHES.get(region, SNS_PUBLISHES_ELSEWHERE)
    yield Limit(
        name=f"SNS: messages published in {region}",
        default=f"{publishes:,} a second",
        per_second=publishes,
        moved_by="quota: Publish API throttling",
        source="Amazon SNS endpoints and quotas",
    )
    slowest_ms = max(estimate.billed_ms(row.name) for row in BRANCHES)
    yield Limit(
        name="SQS: messages of one queue in flight",
        default=f"{SQS_IN_FLIGHT:,}",
        per_second=1000 * SQS_IN_FLIGHT / (estimate.workload.per_batch * slowest_ms),
        moved_by="out of reach: maxConcurrency x batchSize is the most in flight",
        source="Amazon SQS message quotas",
    )


def _s3(estimate: Estimate) -> Iterator[Limit]:
    asked = calls(sizes=estimate.config.sized_files, header_gets=estimate.header_gets)
    reads = sum(operations.get("GetObject", 0) + operations.get("HeadObject", 0) for operations in asked.values())
    writes = 1 + sum(operations.get("PutObject", 0) for operations in asked.values())
    splits, page = "more folders, because S3 scales by prefix", "Optimizing Amazon S3 performance"
    most = max(BRANCHES, key=lambda row: row.files_of(estimate.config.sized_files))
    yield Limit(
        name=f"S3: writes below {most.prefix_of(estimate.config)}",
        default=f"{S3_WRITES:,} a second and prefix",
        per_second=S3_WRITES / asked[most.name]["PutObject"],
        moved_by=f"sizes; {splits}",
        source=page,
    )
    yield Limit(
        name="S3: writes into a bucket not yet partitioned",
        default=f"{S3_WRITES:,} a second",
        per_second=S3_WRITES / writes,
        moved_by=splits,
        source=page,
    )
    yield Limit(
        name=f"S3: reads below {estimate.config.master_prefix}",
        default=f"{S3_READS:,} a second and prefix",
        per_second=S3_READS / reads,
        moved_by=splits,
        source=page,
    )


def _dynamodb(sizes: int) -> Iterator[Limit]:
    record = sum(
        count * write_units(part, operation, sizes)
        for part, operations in calls(sizes=sizes).items()
        for operation, count in operations.items()
        if operation == "UpdateItem" or (operation, part) == ("PutItem", UPLOAD)
    )
    for table, units in (("the metadata table", ITEM_WRITE_UNITS), ("the pictures table", record)):
        yield Limit(
            name=f"DynamoDB: writes of {table}, new",
            default=f"{DYNAMODB_NEW_TABLE:,} units a second",
            per_second=DYNAMODB_NEW_TABLE / units,
            moved_by="the table's warm throughput",
            source="DynamoDB on-demand capacity mode",
        )
        yield Limit(
            name=f"DynamoDB: writes of {table}",
            default=f"{DYNAMODB_TABLE:,} units a second",
            per_second=DYNAMODB_TABLE / units,
            moved_by="quota: Table-level write throughput",
            source="Quotas in Amazon DynamoDB",
        )
