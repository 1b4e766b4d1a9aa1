"""AWS's prices of everything that the pipeline uses, in US dollars.

List prices of us-east-1, first tier, from AWS's public price pages of January 2025. Other regions differ by some ten
per cent. Free tiers are left out, as in an account that has used them up.
"""

from typing import Self

REGION, READ = "us-east-1", "January 2025"

MILLION = 1_000_000


_PAGES = {
    "S3": "Amazon S3 pricing, S3 Standard",
    "data transfer": "Amazon S3 pricing, Data transfer",
    "SNS": "Amazon SNS pricing, Standard topics",
    "SQS": "Amazon SQS pricing, Standard queues",
    "Lambda": "AWS Lambda pricing",
    "DynamoDB": "Amazon DynamoDB pricing",
    "EventBridge": "Amazon EventBridge pricing, Event buses",
    "CloudWatch": "Amazon CloudWatch pricing",
}
"""The price page of each service, and its part."""


class Price(float):
    """The price of one unit in US dollars: a number with its name and its source.

    `service` is the heading on AWS's bill, `unit` what is counted, `source` the price page and its section.
    """

    service: str
    unit: str
    source: str

    def __new__(cls, dollars: float, service: str, unit: str, section: str) -> Self:
        """Make a price from the US dollars for one unit."""
        price = super().__new__(cls, dollars)
        price.service, price.unit, price.source = service, unit, f"{_PAGES[service]}, {section}"
        return price

    @property
    def name(self) -> str:
        """A unique name; two prices may be the same number."""
        return f"{self.service}, {self.unit}"


S3_GET = Price(0.0004 / 1000, "S3", "GET or HEAD", "Requests & data retrievals")
S3_PUT = Price(0.005 / 1000, "S3", "PUT", "Requests & data retrievals")
S3_GB_MONTH = Price(0.023, "S3", "GB kept a month", "Storage, first 50 TB")
TRANSFER_GB = Price(0.09, "data transfer", "GB sent to the internet", "first 10 TB")
SNS_PUBLISH = Price(0.50 / MILLION, "SNS", "message published", "Publish")
SNS_TO_SQS = Price(0.0, "SNS", "delivery to a queue", "deliveries to SQS")
SQS_REQUEST = Price(0.40 / MILLION, "SQS", "request", "first 100 billion")
LAMBDA_REQUEST = Price(0.20 / MILLION, "Lambda", "invocation", "Requests")
LAMBDA_GB_SECOND = {
    "x86_64": Price(0.0000166667, "Lambda", "GB-second", "Duration, x86, first 6 billion GB-seconds"),
    "arm64": Price(0.0000133334, "Lambda", "GB-second on arm64", "Duration, Arm, first 7.5 billion GB-seconds"),
}
DYNAMODB_WRITE = Price(0.625 / MILLION, "DynamoDB", "write unit", "On-demand capacity, write request units")
DYNAMODB_READ = Price(0.125 / MILLION, "DynamoDB", "read unit", "On-demand capacity, read request units")
DYNAMODB_GB_MONTH = Price(0.25, "DynamoDB", "GB kept a month", "Data storage, beyond the first 25 GB")
DYNAMODB_BACKUP_GB_MONTH = Price(
    0.20, "DynamoDB", "GB backed up a month", "Continuous backups (point-in-time recovery)"
)
EVENTS = Price(1.00 / MILLION, "EventBridge", "event", "custom and opt-in events")
LOGS_GB = Price(0.50, "CloudWatch", "GB of logs", "Logs, Collect (data ingestion), Standard")
LOGS_GB_MONTH = Price(0.03, "CloudWatch", "GB of logs kept a month", "Logs, Store (archival)")
METRIC_MONTH = Price(0.30, "CloudWatch", "metric a month", "Custom metrics, first 10,000")
ALARM_MONTH = Price(0.10, "CloudWatch", "alarm's metric a month", "Alarms, standard resolution")
DASHBOARD_MONTH = Price(3.00, "CloudWatch", "dashboard a month", "Dashboards")

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
