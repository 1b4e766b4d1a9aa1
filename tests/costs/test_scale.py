"""The scale sheet: the limits, the rates that reach them, and their order."""

import pytest

from components.branches import BRANCHES
from costs.scale import SNS_PUBLISHES_ELSEWHERE, Limit, beside, limits
from tests.costs.measured import estimate, full_batches


def limit(name: str, found: list[Limit]) -> Limit:
    """Return the limit whose name starts with `name`."""
    (one,) = [limit for limit in found if limit.name.startswith(name)]
    return one


def test_the_limit_reached_first_is_listed_first() -> None:
    """Ten concurrent batches, at 200 ms per picture, process fifty pictures a second."""
    found = limits(estimate())
    assert [each.per_second for each in found] == sorted(each.per_second for each in found)
    assert found[0].per_second == pytest.approx(50)
    assert found[0].moved_by == "maxConcurrency"


def test_every_limit_has_a_remedy_and_a_source() -> None:
    """Every limit says how to raise it and cites a source."""
    assert all(each.moved_by and each.source for each in limits(estimate()))


def test_more_concurrency_raises_a_branchs_limit() -> None:
    """Twice as many concurrent batches double a branch's rate."""
    ten, twenty = (limit("resizing", limits(estimate(max_concurrency=number))).per_second for number in (10, 20))
    assert twenty == pytest.approx(2 * ten)


def test_all_functions_share_the_accounts_concurrency() -> None:
    """50 ms of the publisher and 200 ms of each branch use the account's thousand concurrent executions."""
    picture_ms = 50 + 200 * len(BRANCHES)
    assert limit("Lambda: functions", limits(estimate())).per_second == pytest.approx(1_000_000 / picture_ms)


def test_s3_is_the_first_limit_with_high_concurrency() -> None:
    """With a thousand concurrent batches, S3's first partition is the first limit."""
    assert limits(estimate(max_concurrency=1000))[0].name == "S3: writes into a bucket not yet partitioned"


@pytest.mark.parametrize(("region", "per_second"), [("us-east-1", 30_000), ("eu-central-1", 1500)])
def test_the_topics_limit_depends_on_the_region(region: str, per_second: int) -> None:
    """SNS's quota depends on the region."""
    assert limit("SNS", limits(estimate(), region)).per_second == per_second


def test_an_unlisted_region_has_the_smallest_quota() -> None:
    """Regions that AWS does not list share the smallest quota."""
    assert limit("SNS", limits(estimate(), "eu-south-2")).per_second == SNS_PUBLISHES_ELSEWHERE


def test_sizes_share_the_write_rate_of_a_prefix() -> None:
    """With three sizes, a third of the pictures reach S3's write rate."""
    assert limit("S3: writes below resized/", limits(estimate())).per_second == pytest.approx(3500 / 3)


def test_larger_batches_need_fewer_invocations() -> None:
    """A batch of ten counts as one of ten thousand invocations a second."""
    assert [limit("Lambda: batches", limits(estimate(batch_size=size))).per_second for size in (1, 10)] == [
        10_000,
        100_000,
    ]


def test_limits_assume_full_batches() -> None:
    """Near a limit messages queue up, so batches are full whatever their average size."""
    single, full = (limits(estimate(full_batches(per_batch=number))) for number in (1, 10))
    assert single == full


@pytest.mark.parametrize(("concurrency", "wait"), [(2, "0 s"), (5, "0 s"), (305, "60 s")])
def test_a_burst_waits_until_the_mapping_has_scaled(concurrency: int, wait: str) -> None:
    """The mapping starts with five concurrent batches and adds three hundred per minute."""
    branch, *_ = beside(estimate(max_concurrency=concurrency))
    assert f"maxConcurrency {concurrency} is reached {wait} after" in branch
