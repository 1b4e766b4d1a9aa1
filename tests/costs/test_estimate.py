"""The cost of a month: compared with manual calculations, with the program, and with the reference set-up."""

import dataclasses
from typing import Any

import pytest

from components import prices
from components.branches import BRANCHES
from components.prices import Price
from costs import logs
from costs import reference as reference_setup
from costs.bill import Line
from costs.calls import UPLOAD
from costs.estimate import BY_NAME, STACK, Estimate
from costs.reference import ReferenceSetup
from tests.costs.measured import durations, estimate, full_batches
from tests.recording import recorded


def count(found: Estimate, part: str, price: Price) -> float:
    """Return how many units of a price a part uses."""
    bill = found.bill()
    lines = [line for line in (*bill.work, *bill.keeping) if (line.part, line.price.name) == (part, price.name)]
    assert lines, f"{part} pays no {price.name}"
    return sum(line.count for line in lines)


def reference(**changes: Any) -> ReferenceSetup:
    """Return the reference set-up with the same workload."""
    return ReferenceSetup(workload=full_batches(**changes), durations=durations())


def test_gb_seconds_are_memory_times_billed_time() -> None:
    """A thousand pictures at 1 GB, each 100 ms plus ten megapixels of 10 ms, take 200 GB-seconds."""
    assert count(estimate(), "resizing", prices.LAMBDA_GB_SECOND["x86_64"]) == pytest.approx(200)
    assert count(estimate(), UPLOAD, prices.LAMBDA_GB_SECOND["x86_64"]) == pytest.approx(50)


def test_cold_starts_are_billed_by_their_share() -> None:
    """One in a hundred invocations takes a second longer: a thousand pictures in batches of ten take 1 s more."""
    cold = estimate(full_batches(cold_starts=0.01))
    assert count(cold, "resizing", prices.LAMBDA_GB_SECOND["x86_64"]) == pytest.approx(201)


def test_more_sizes_cost_more_writes_and_bytes() -> None:
    """Each size of each picture costs one PUT."""
    one, four = (estimate(sizes=dict.fromkeys(map(str, range(number)), 100)) for number in (1, 4))
    assert [count(found, "resizing", prices.S3_PUT) for found in (one, four)] == [1000, 4000]
    kept = [count(found, "resizing", prices.S3_GB_MONTH) for found in (one, four)]
    assert kept[1] == pytest.approx(4 * kept[0])


def test_more_pixels_of_sizes_take_longer() -> None:
    """JPEGs of quality 100 take 5 ms per megapixel; the benchmark's sizes had 1.008, this one has 12."""
    usual, large = estimate(resizing_memory_mb=1769), estimate(resizing_memory_mb=1769, sizes={"print": "4000x3000"})
    more_ms = large.billed_ms("resizing") - usual.billed_ms("resizing")
    assert more_ms == pytest.approx(5 * (12 - 1.008))


@pytest.mark.parametrize(
    ("size", "pixels"), [(100, 8000), ("100x50", 5000), ("100x100:inside", 8000), ("100x40:inside", 50 * 40)]
)
def test_pixels_follow_from_the_kind_of_size(size: int | str, pixels: int) -> None:
    """A crop fills its box; a size that fits inside keeps the ratio of 5:4."""
    assert estimate(sizes={"one": size}).output_pixels == pytest.approx(pixels)


def test_further_formats_cost_more_writes() -> None:
    """Each format of each size costs at most one PUT."""
    found = estimate(sizes={"small": 100, "large": 200}, output_formats={"webp": 80, "avif": 60})
    assert count(found, "resizing", prices.S3_PUT) == 6000


def test_salvage_reads_whole_masters_for_metadata() -> None:
    """A master of 3 MB takes seven range requests."""
    assert count(estimate(salvage=True), "metadata-extraction", prices.S3_GET) == 7000


def test_small_batches_cost_more_requests() -> None:
    """Single uploads are received, processed and deleted one by one."""
    single, full = (estimate(full_batches(per_batch=number)) for number in (1, 10))
    assert [count(found, "resizing", prices.LAMBDA_REQUEST) for found in (single, full)] == [1000, 100]
    assert count(single, "resizing", prices.SQS_REQUEST) > count(full, "resizing", prices.SQS_REQUEST)


def test_logs_without_system_lines_cost_less() -> None:
    """`systemLogs: false` saves the START, END and REPORT lines of each invocation."""
    on, off = (estimate(full_batches(per_batch=1), system_logs=value) for value in (True, False))
    saved = count(on, "resizing", prices.LOGS_GB) - count(off, "resizing", prices.LOGS_GB)
    assert saved == pytest.approx(1000 * logs.INVOCATION_BYTES / 2**30)


def test_logs_from_warnings_on_have_no_line_per_picture() -> None:
    """With `logLevel: WARNING` neither the publisher nor a worker logs a picture that succeeds."""
    info, warning = (estimate(log_level=level) for level in ("INFO", "WARNING"))
    for part, line_bytes in ((UPLOAD, logs.JOB_BYTES), ("resizing", logs.PICTURE_BYTES)):
        saved = count(info, part, prices.LOGS_GB) - count(warning, part, prices.LOGS_GB)
        assert saved == pytest.approx(1000 * line_bytes / 2**30)


def test_longer_log_retention_costs_more() -> None:
    """Storage is billed until the logs expire."""
    week, quarter = (estimate(log_retention_days=days) for days in (7, 90))
    ratio = count(quarter, "resizing", prices.LOGS_GB_MONTH) / count(week, "resizing", prices.LOGS_GB_MONTH)
    assert ratio == pytest.approx(90 / 7)


def test_a_month_without_uploads_is_not_free() -> None:
    """Alarms, metrics, dashboard and polling cost the same for one picture as for a million."""
    one, million = (estimate(full_batches(images=images)).bill() for images in (1, 1e6))
    fixed = [[line for line in bill.work if line.part == STACK] for bill in (one, million)]
    assert fixed[0] == fixed[1]
    assert sum(line.dollars for line in fixed[0]) > 0


@pytest.mark.parametrize("settings", [{}, {"events": False}, {"bucket": "theirs", "force_destroy": False}], ids=str)
def test_the_bill_has_as_many_alarms_as_the_program(settings: dict[str, Any]) -> None:
    """Each metric that an alarm watches is billed."""
    keys = {"force_destroy": "forceDestroy"}
    program = recorded(**{keys.get(key, key): str(value).lower() for key, value in settings.items()})
    alarms = program.mocks.of_type("MetricAlarm")
    metrics = [query for alarm in alarms for query in alarm.inputs["metricQueries"] if "metric" in query]
    assert count(estimate(**settings), STACK, prices.ALARM_MONTH) == len(metrics)


def test_the_bill_has_as_many_dashboards_as_the_program() -> None:
    """Each stack has one dashboard."""
    assert count(estimate(), STACK, prices.DASHBOARD_MONTH) == len(recorded().mocks.of_type("Dashboard"))


def test_memory_is_what_the_program_deploys() -> None:
    """The estimate uses the memory settings that the functions are deployed with."""
    names = {UPLOAD: "job-publisher", "format-conversion": "format-converter", "resizing": "pixel-resizer"}
    names["metadata-extraction"] = "metadata-extractor"
    keys = ("publisher", "format_conversion", "resizing", "metadata_extraction")
    chosen: dict[str, Any] = {f"{key}_memory_mb": 500 + number for number, key in enumerate(keys)}
    found = estimate(**chosen)
    settings = {
        "".join([key.split("_")[0], *map(str.title, key.split("_")[1:])]): str(mb) for key, mb in chosen.items()
    }
    program = recorded(**settings).mocks
    for part, name in names.items():
        assert found.memory_mb(part) == program.one("Function", name).inputs["memorySize"]


def test_every_price_is_on_a_bill() -> None:
    """Every price but that of transfer is on a bill for x86-64 or arm64, because unused prices get out of date."""
    bills = [estimate(architecture=name, protect_data=True).bill() for name in prices.LAMBDA_GB_SECOND]
    paid = {line.price.name for bill in bills for line in (*bill.work, *bill.keeping)}
    assert paid | {prices.TRANSFER_GB.name} == {price.name for price in prices.TABLE}


def test_protected_tables_pay_for_their_backups() -> None:
    """`protectData` switches point-in-time recovery on, which is billed by the tables' size."""
    protected = estimate(protect_data=True, force_destroy=False)
    for part in (UPLOAD, "metadata-extraction"):
        kept_gb = count(protected, part, prices.DYNAMODB_GB_MONTH)
        assert count(protected, part, prices.DYNAMODB_BACKUP_GB_MONTH) == kept_gb > 0
    assert not any(line.price is prices.DYNAMODB_BACKUP_GB_MONTH for line in estimate().bill().keeping)


def test_every_part_is_on_the_bill() -> None:
    """Upload, branches and stack all have a cost."""
    work = estimate().bill().work
    assert {line.part for line in work if line.dollars > 0} == {UPLOAD, *BY_NAME, STACK}


def test_the_reference_set_ups_time_scales_with_megapixels() -> None:
    """1,123 ms are measured for 6.5 megapixels on one core; the fixed 100 ms at 1,024 MB are scaled to 1,769 MB."""
    fixed_ms = 100 * 1024 / 1769
    assert reference(megapixels=6.5).billed_ms("resizing") == pytest.approx(1123 + fixed_ms)
    assert reference(megapixels=13).billed_ms("format-conversion") == pytest.approx(966 + fixed_ms)


def test_the_reference_set_up_has_no_monitoring_and_keeps_its_logs() -> None:
    """It has no alarm, metric or dashboard, and its logs never expire, so they cost more each month."""
    bill = reference().bill(keeping=[])
    watching = {prices.ALARM_MONTH.name, prices.METRIC_MONTH.name, prices.DASHBOARD_MONTH.name}
    assert watching.isdisjoint(line.price.name for line in bill.work)
    assert [line.price.name for line in bill.keeping] == [prices.LOGS_GB_MONTH.name]


def test_both_set_ups_store_the_same_outputs() -> None:
    """The comparison assumes the same stored outputs, because those of the reference set-up are not known."""
    kept = [Line(part="resizing", count=1, price=prices.S3_GB_MONTH)]
    assert kept[0] in reference().bill(keeping=kept).keeping


def test_a_further_branch_is_not_the_reference_set_ups(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has three workers, and neither calls nor files of a branch that a stack adds."""
    further = dataclasses.replace(BRANCHES[0], name="inverting", task="invert")
    monkeypatch.setattr(reference_setup, "BRANCHES", (*BRANCHES, further))
    bill = reference().bill(keeping=[Line(part="inverting", count=1, price=prices.S3_GB_MONTH)])
    assert "inverting" not in {line.part for line in (*bill.work, *bill.keeping)}


def test_a_stack_without_events_pays_for_none() -> None:
    """With `events: false` the bill has no EventBridge line."""
    bills = [estimate(events=events).bill() for events in (True, False)]
    assert [any(line.price is prices.EVENTS for line in bill.work) for bill in bills] == [True, False]


def test_an_existing_bucket_pays_for_the_event_of_each_object() -> None:
    """It sends EventBridge the upload and every file that is made of it."""
    files = sum(row.files_of(sizes=3) for row in BRANCHES)
    assert count(estimate(bucket="theirs", events=False), UPLOAD, prices.EVENTS) == 1000 * (1 + files)
