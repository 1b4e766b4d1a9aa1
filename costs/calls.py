"""The AWS requests that one picture causes if nothing fails; a test counts the real ones."""

import math
from collections.abc import Collection, Iterator, Mapping

from components import prices
from components.branches import BRANCHES, ImageBranch
from components.prices import Price
from costs.bill import Line
from handlers.master import FIRST_BYTES, MOST_BYTES

UPLOAD = "upload"

HEADER_GETS = 1.25
"""GETs until the metadata worker has a header: one for three of four cameras, see `handlers.master.FIRST_BYTES`."""

ITEM_WRITE_UNITS = 1.5
"""Write units (1 KB begun) of one item: the mean of the 24 photographs of docs/performance.md."""

SQS_BATCH = 10

PRICES: Mapping[str, Price] = {
    "PublishBatch": prices.SNS_PUBLISH,
    "GetObject": prices.S3_GET,
    "PutObject": prices.S3_PUT,
    "HeadObject": prices.S3_GET,
    "PutItem": prices.DYNAMODB_WRITE,
    "UpdateItem": prices.DYNAMODB_WRITE,
    "GetItem": prices.DYNAMODB_READ,
    "PutEvents": prices.EVENTS,
}

WRITE_UNIT_BYTES = 1024
ITEM_OVERHEAD_BYTES = 100
"""What AWS adds to each item that it stores. Source: DynamoDB's developer guide, "Estimating a table's size"."""


def record_bytes(sizes: int) -> int:
    """Return the bytes of a complete picture's record; `sizes` counts each size in each format."""
    return 146 + sum(52 + 57 * row.files_of(sizes) for row in BRANCHES)


def write_units(part: str, operation: str, sizes: int) -> float:
    """Return the write units of one call: 1 KB begun; the publisher's new record is small."""
    if operation == "UpdateItem":
        return math.ceil(record_bytes(sizes) / WRITE_UNIT_BYTES)
    return ITEM_WRITE_UNITS if operation == "PutItem" and part != UPLOAD else 1


def calls(*, sizes: int, header_gets: float = HEADER_GETS) -> Mapping[str, Mapping[str, float]]:
    """Return how often each operation is called for one picture, by part: `upload`, the publisher, then the branches.

    A write is conditional, and the condition costs nothing: what is there is only read after a write is refused. The
    branch that ends last sends the event and sets the record's state; each is counted with a share of that.
    """
    last = 1 / len(BRANCHES)
    settling = {"UpdateItem": 1 + last, "PutEvents": last}
    return {
        UPLOAD: {"GetItem": 1, "HeadObject": 4, "PutItem": 1, "PublishBatch": 1},
        **{row.name: {**_calls(row, sizes, header_gets), **settling} for row in BRANCHES},
    }


def calls_in_a_row(*, header_gets: float = HEADER_GETS) -> Mapping[str, float]:
    """Return by part how many of one picture's calls wait for each other; a branch's files go side by side.

    A branch has the update of the record, and a share of the event and of the record's state.
    """
    branches = {row.name: (header_gets if row.records else 1) + 2 + 2 / len(BRANCHES) for row in BRANCHES}
    return {UPLOAD: sum(calls(sizes=1)[UPLOAD].values()), **branches}


def ranges(read_bytes: float) -> int:
    """Return how many GETs `handlers.master.RangedBody` makes until so many bytes are read."""
    count, length, fetched = 1, FIRST_BYTES, FIRST_BYTES
    while fetched < read_bytes:
        length = min(2 * length, MOST_BYTES)
        count, fetched = count + 1, fetched + length
    return count


def request_lines(
    images: float,
    *,
    sizes: int,
    per_batch: float,
    header_gets: float = HEADER_GETS,
    redone: Collection[str] | None = None,
) -> Iterator[Line]:
    """Yield what pictures cost in requests, from the event on; `per_batch` is how many messages are in one batch.

    With `redone`, only these branches work again on pictures that have a record. A message is delivered to each queue,
    which SNS does for nothing and SQS counts as a request; ten at a time are received, and deleted. Sources: SNS's
    price page, "Notification deliveries"; SQS's API reference, ReceiveMessage.
    """
    for part, operations in calls(sizes=sizes, header_gets=header_gets).items():
        if redone is None or part in {UPLOAD, *redone}:
            for operation, count in operations.items():
                units = write_units(part, operation, sizes)
                yield Line(part=part, count=images * count * units, price=PRICES[operation])
    yield from message_lines(images, per_batch)


def message_lines(images: float, per_batch: float) -> Iterator[Line]:
    """Yield what the messages of pictures cost, from the topic to the workers' invocations."""
    for row in BRANCHES:
        yield Line(part=row.name, count=images, price=prices.SNS_TO_SQS)
        yield Line(part=row.name, count=images * (1 + 2 / min(per_batch, SQS_BATCH)), price=prices.SQS_REQUEST)
        yield Line(part=row.name, count=images / per_batch, price=prices.LAMBDA_REQUEST)


def _calls(row: ImageBranch, sizes: int, header_gets: float) -> Mapping[str, float]:
    if row.records:
        return {"GetObject": header_gets, "PutItem": 1}
    return {"GetObject": 1, "PutObject": row.files_of(sizes)}
