"""A stack's dashboard: a pure function from names to CloudWatch's JSON."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from components.alarms import NAMESPACE, PERIOD_S
from components.prices import LAMBDA_GB_SECOND, LAMBDA_REQUEST

WIDTH, HEIGHT = 12, 6  # The grid is 24 units wide. Source: CloudWatch's API reference, "Dashboard body structure".


def body(
    *,
    region: str,
    publisher: str,
    topic: str,
    functions: Mapping[str, str],
    memory_mb: Sequence[int],
    publisher_memory_mb: int,
    queues: Sequence[str],
    architecture: str,
) -> str:
    """Return the dashboard of a stack, from physical names.

    `functions` are the workers, by the service name in their metrics; `memory_mb` is the memory of each.
    """
    names = list(functions.values())
    widgets = [
        _chart("Uploads", region, [["AWS/Lambda", "Invocations", "FunctionName", publisher]]),
        _chart(
            "Pictures done or rejected, per worker",
            region,
            [[NAMESPACE, "ImageDuration", "service", service, {"stat": "SampleCount"}] for service in functions],
        ),
        *(_latency(service, region) for service in functions),
        _chart(
            "Backlog: messages waiting",
            region,
            [["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", queue] for queue in queues],
            stat="Maximum",
        ),
        _rejections(region, list(functions)),
        _chart(
            "Errors and throttles",
            region,
            [["AWS/Lambda", metric, "FunctionName", name] for name in names for metric in ("Errors", "Throttles")],
        ),
        _chart("Notifications that failed", region, [["AWS/SNS", "NumberOfNotificationsFailed", "TopicName", topic]]),
        _cost(region, [*zip(names, memory_mb, strict=True), (publisher, publisher_memory_mb)], architecture),
    ]
    return json.dumps({"widgets": [{**widget, **_place(number)} for number, widget in enumerate(widgets)]})


def _latency(service: str, region: str) -> dict[str, Any]:
    metric = [NAMESPACE, "ImageDuration", "service", service]
    lines = [[*metric, {"stat": percentile}] for percentile in ("p50", "p95", "p99")]
    return _chart(f"{service}: milliseconds per picture", region, lines)


def _rejections(region: str, services: Sequence[str]) -> dict[str, Any]:
    schema = f"{{{NAMESPACE},service,reason}}"
    queries = [f'{schema} MetricName="RejectedImage" service="{service}"' for service in services]
    searches = [
        [{"expression": f"SEARCH('{query}', 'Sum', {PERIOD_S})", "id": f"rejected{number}"}]
        for number, query in enumerate(queries)
    ]
    return _chart("Rejections by reason", region, searches)


def _cost(region: str, functions: Sequence[tuple[str, int]], architecture: str) -> dict[str, Any]:
    """Return the chart of the functions' cost: billed time at their memory, and requests."""
    lines: list[list[Any]] = []
    terms = []
    for number, (function, memory_mb) in enumerate(functions):
        time, calls = f"time{number}", f"calls{number}"
        lines.append(["AWS/Lambda", "Duration", "FunctionName", function, {"id": time, "visible": False}])
        lines.append(["AWS/Lambda", "Invocations", "FunctionName", function, {"id": calls, "visible": False}])
        # As decimals: AWS does not document whether metric math reads numbers such as 2e-07.
        per_ms, per_call = LAMBDA_GB_SECOND[architecture] * memory_mb / 1024 / 1000, LAMBDA_REQUEST
        terms.append(f"{time} * {per_ms:.15f} + {calls} * {per_call:.10f}")
    total = {"expression": " + ".join(terms), "id": "dollars", "label": f"US dollars per {PERIOD_S} s, estimated"}
    return _chart("Cost of the functions' Lambda time", region, [[total], *lines])


def _chart(title: str, region: str, metrics: Sequence[Sequence[Any]], stat: str = "Sum") -> dict[str, Any]:
    properties = {"title": title, "region": region, "metrics": metrics, "stat": stat, "period": PERIOD_S}
    return {"type": "metric", "properties": {**properties, "view": "timeSeries"}}


def _place(number: int) -> dict[str, int]:
    """Return where the n-th widget goes: two in a row."""
    return {"x": number % 2 * WIDTH, "y": number // 2 * HEIGHT, "width": WIDTH, "height": HEIGHT}
