"""AWS's prices of everything that the pipeline uses, in US dollars.

List prices of us-east-1, first tier, from AWS's public price pages of January 2025. Other regions differ by some ten
per cent. Free tiers are left out, as in an account that has used them up.
"""

from typing import Self

REGION, READ = "us-east-1", "January 2025"

MILLION = 1_000_000


class Price(float):
    """The price of one unit in US dollars: a number with its name and its source.

    `service` is the heading on AWS's bill, `unit` what is counted, `source` the price page and its section.
    """

    service: str
    unit: str
    source: str

    def __new__(cls, dollars: float, *, service: str, unit: str, source: str) -> Self:
        """Make a price from the US dollars for one unit."""
        price = super().__new__(cls, dollars)
        price.service, price.unit, price.source = service, unit, source
        return price

    @property
    def name(self) -> str:
        """A unique name; two prices may be the same number."""
        return f"{self.service}, {self.unit}"


def _s3(dollars: float, unit: str, section: str = "Requests & data retrievals") -> Price:
    return Price(dollars, service="S3", unit=unit, source=f"Amazon S3 pricing, S3 Standard, {section}")


def _lambda(dollars: float, unit: str, section: str) -> Price:
    return Price(dollars, service="Lambda", unit=unit, source=f"AWS Lambda pricing, {section}")


def _dynamodb(dollars: float, unit: str, section: str) -> Price:
    return Price(dollars, service="DynamoDB", unit=unit, source=f"Amazon DynamoDB pricing, {section}")


def _cloudwatch(dollars: float, unit: str, section: str) -> Price:
    return Price(dollars, service="CloudWatch", unit=unit, source=f"Amazon CloudWatch pricing, {section}")


S3_GET = _s3(0.0004 / 1000, "GET or HEAD")
S3_PUT = _s3(0.005 / 1000, "PUT")
S3_GB_MONTH = _s3(0.023, "GB kept a month", "Storage, first 50 TB")
TRANSFER_GB = Price(
    0.09,
    service="data transfer",
    unit="GB sent to the internet",
    source="Amazon S3 pricing, Data transfer, first 10 TB",
)
SNS_PUBLISH = Price(
    0.50 / MILLION, service="SNS", unit="message published", source="Amazon SNS pricing, Standard topics, Publish"
)
SNS_TO_SQS = Price(
    0.0, service="SNS", unit="delivery to a queue", source="Amazon SNS pricing, Standard topics, deliveries to SQS"
)
SQS_REQUEST = Price(
    0.40 / MILLION, service="SQS", unit="request", source="Amazon SQS pricing, Standard queues, first 100 billion"
)
LAMBDA_REQUEST = _lambda(0.20 / MILLION, "invocation", "Requests")
LAMBDA_GB_SECOND = {
    "x86_64": _lambda(0.0000166667, "GB-second", "Duration, x86, first 6 billion GB-seconds"),
    "arm64": _lambda(0.0000133334, "GB-second on arm64", "Duration, Arm, first 7.5 billion GB-seconds"),
}
DYNAMODB_WRITE = _dynamodb(0.625 / MILLION, "write unit", "On-demand capacity, write request units")
DYNAMODB_READ = _dynamodb(0.125 / MILLION, "read unit", "On-demand capacity, read request units")
DYNAMODB_GB_MONTH = _dynamodb(0.25, "GB kept a month", "Data storage, beyond the first 25 GB")
DYNAMODB_BACKUP_GB_MONTH = _dynamodb(0.20, "GB backed up a month", "Continuous backups (point-in-time recovery)")
EVENTS = Price(
    1.00 / MILLION,
    service="EventBridge",
    unit="event",
    source="Amazon EventBridge pricing, Event buses, custom and opt-in events",
)
LOGS_GB = _cloudwatch(0.50, "GB of logs", "Logs, Collect (data ingestion), Standard")
LOGS_GB_MONTH = _cloudwatch(0.03, "GB of logs kept a month", "Logs, Store (archival)")
METRIC_MONTH = _cloudwatch(0.30, "metric a month", "Custom metrics, first 10,000")
ALARM_MONTH = _cloudwatch(0.10, "alarm's metric a month", "Alarms, standard resolution")
DASHBOARD_MONTH = _cloudwatch(3.00, "dashboard a month", "Dashboards")

TABLE = (
    S3_GET,
    S3_PUT,
    S3_GB_MONTH,
    TRANSFER_GB,
    SNS_PUBLISH,
    SNS_TO_SQS,
    SQS_REQUEST,
    LAMBDA_REQUEST,
    *LAMBDA_GB_SECOND.values(),
    DYNAMODB_WRITE,
    DYNAMODB_READ,
    DYNAMODB_GB_MONTH,
    DYNAMODB_BACKUP_GB_MONTH,
    EVENTS,
    LOGS_GB,
    LOGS_GB_MONTH,
    METRIC_MONTH,
    ALARM_MONTH,
    DASHBOARD_MONTH,
)
