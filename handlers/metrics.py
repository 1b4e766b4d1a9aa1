"""What the functions count, in CloudWatch's embedded metric format."""

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit, single_metric
from aws_lambda_powertools.metrics.metric import SingleMetric

NAMESPACE = "PixelCascade"

metrics = Metrics(namespace=NAMESPACE)

REJECTED = {"rejected", "refused"}
# No picture was processed: these would distort the share of rejected pictures, and the durations.
IDLE = {"kept", "reconciled", "deleted"}


@dataclass(frozen=True, kw_only=True)
class Ended:
    """What became of a message: written, superseded, gone, rejected, refused, retry, kept, reconciled or deleted."""

    name: str
    duration_ms: float
    error: str = ""


def count(messages: Iterable[Ended]) -> None:
    """Count a batch's images, and rejected ones by error too; called by one thread, at the end of the batch."""
    counted = [message for message in messages if message.name not in IDLE]
    for message in counted:
        _count(message)
    if counted:
        metrics.flush_metrics()


def count_unsent() -> None:
    """Count a picture's event that EventBridge did not accept; any thread may call this."""
    metric = SingleMetric(namespace=NAMESPACE)
    metric.add_metric(name="UnsentEvent", unit=MetricUnit.Count, value=1)
    metric.add_dimension("service", metrics.service)
    # In one write, because other threads log meanwhile: `single_metric` prints, and `print` writes line and end apart.
    sys.stdout.write(json.dumps(metric.serialize_metric_set(), separators=(",", ":")) + "\n")


def _count(message: Ended) -> None:
    if message.name == "retry":
        metrics.add_metric(name="RetriedImage", unit=MetricUnit.Count, value=1)
        return
    metrics.add_metric(name="ImageDuration", unit=MetricUnit.Milliseconds, value=message.duration_ms)
    rejected = message.name in REJECTED
    metrics.add_metric(name="RejectedImage", unit=MetricUnit.Count, value=int(rejected))
    if rejected:
        reason = {"reason": message.error}
        with single_metric(
            name="RejectedImage", unit=MetricUnit.Count, value=1, namespace=NAMESPACE, default_dimensions=reason
        ) as metric:
            metric.add_dimension("service", metrics.service)
