"""Monitoring of a stack: the alarms, their recipients, and the dashboard."""

import json
import re
from typing import Any
from unittest import mock

import pytest

from components.config import ConfigError
from components.stack_file import stack_config
from tests.recording import ACCOUNT, FUNCTIONS, REGION, WORKERS, Recorded, physical, record, recorded, statements


def alarm(name: str, **settings: str) -> Recorded:
    """Return an alarm by name."""
    return recorded(**settings).mocks.one("MetricAlarm", f"{name}-alarm")


def metric(name: str) -> dict[str, Any]:
    """Return the only metric of an alarm."""
    (query,) = alarm(name).inputs["metricQueries"]
    found: dict[str, Any] = query["metric"]
    return found


def test_each_alarm_watches_one_value() -> None:
    """Exactly one of an alarm's metrics and expressions returns data, as CloudWatch requires."""
    for found in recorded().mocks.of_type("MetricAlarm"):
        assert [query["returnData"] for query in found.inputs["metricQueries"]].count(True) == 1, found.name


def test_each_alarm_names_project_and_stack() -> None:
    """Its email would not tell which of an account's stacks is meant."""
    descriptions = [found.inputs["alarmDescription"] for found in recorded("prod").mocks.of_type("MetricAlarm")]
    assert descriptions
    assert all(text.startswith("pixelcascade/prod: ") for text in descriptions)


@pytest.mark.parametrize("branch", WORKERS)
@pytest.mark.parametrize("queue", ["dead-letters", "undelivered"])
def test_a_dead_letter_sets_off_an_alarm(branch: str, queue: str) -> None:
    """A single message in a failure queue sets off the alarm."""
    assert metric(f"{branch}-{queue}-not-empty")["dimensions"] == {"QueueName": physical(f"{branch}-{queue}")}
    assert alarm(f"{branch}-{queue}-not-empty").inputs["threshold"] == 0


def test_an_upload_without_a_job_sets_off_an_alarm() -> None:
    """The publisher's own failure queue has an alarm too."""
    assert metric("job-publisher-failed-not-empty")["dimensions"] == {"QueueName": physical("job-publisher-failed")}


@pytest.mark.parametrize("branch", WORKERS)
def test_a_message_older_than_a_retry_sets_off_an_alarm(branch: str) -> None:
    """The alarm compares the oldest message's age with the queue's visibility time-out."""
    assert metric(f"{branch}-queue-too-old")["metricName"] == "ApproximateAgeOfOldestMessage"
    assert alarm(f"{branch}-queue-too-old", timeoutS="20").inputs["threshold"] == 120


@pytest.mark.parametrize("name", [*WORKERS, "job-publisher"])
@pytest.mark.parametrize(("what", "watched"), [("errors", "Errors"), ("throttles", "Throttles"), ("slow", "Duration")])
def test_every_function_has_alarms(name: str, what: str, watched: str) -> None:
    """Each function has alarms on errors, throttles and durations near the time-out."""
    assert metric(f"{name}-{what}")["metricName"] == watched
    assert metric(f"{name}-{what}")["dimensions"] == {"FunctionName": physical(WORKERS.get(name, name))}


def test_a_duration_near_the_time_out_sets_off_an_alarm() -> None:
    """The threshold is four fifths of the time-out, in milliseconds."""
    assert alarm("resizing-slow", timeoutS="20").inputs["threshold"] == 16_000


@pytest.mark.parametrize(("branch", "function"), WORKERS.items())
def test_a_high_share_of_rejections_sets_off_an_alarm(branch: str, function: str) -> None:
    """The alarm is on the share of pictures that a worker rejects, under the service name of its metrics."""
    share, *metrics = alarm(f"{branch}-rejected").inputs["metricQueries"]
    assert share["expression"] == "IF(images >= 10, rejected / images, 0)"
    assert [query["metric"]["dimensions"] for query in metrics] == [{"service": f"{function}-pixelcascade-dev"}] * 2


def test_a_failed_notification_sets_off_an_alarm() -> None:
    """An alarm watches the topic's failed deliveries."""
    assert metric("topic-undelivered")["dimensions"] == {"TopicName": physical("new-image-uploaded")}


def test_a_lost_job_sets_off_an_alarm() -> None:
    """An alarm watches jobs that SNS could not even put into the queue of undelivered jobs."""
    assert metric("topic-lost")["metricName"] == "NumberOfNotificationsFailedToRedriveToDlq"
    assert metric("topic-lost")["dimensions"] == {"TopicName": physical("new-image-uploaded")}


@pytest.mark.parametrize(
    ("what", "watched"), [("dropped", "AsyncEventsDropped"), ("lost", "DestinationDeliveryFailures")]
)
def test_a_dropped_event_sets_off_an_alarm(what: str, watched: str) -> None:
    """Alarms watch events that Lambda dropped, and failed events that it could not put into the queue."""
    assert metric(f"job-publisher-events-{what}")["metricName"] == watched
    assert metric(f"job-publisher-events-{what}")["dimensions"] == {"FunctionName": physical("job-publisher")}


def test_unsent_events_set_off_an_alarm() -> None:
    """One alarm sums the events that all functions failed to send; a stack without events has no such alarm."""
    total, *metrics = alarm("events-unsent").inputs["metricQueries"]
    assert total["expression"] == "SUM(FILL(METRICS(), 0))"
    services = [f"{function}-pixelcascade-dev" for function in FUNCTIONS]
    assert [query["metric"]["dimensions"] for query in metrics] == [{"service": service} for service in services]
    assert {query["metric"]["metricName"] for query in metrics} == {"UnsentEvent"}
    names = {found.name for found in recorded(events="false").mocks.resources}
    assert "events-unsent-alarm" not in names


@pytest.mark.parametrize(
    ("what", "watched"), [("failed", "FailedInvocations"), ("lost", "InvocationsFailedToBeSentToDlq")]
)
def test_a_failed_rule_sets_off_an_alarm(what: str, watched: str) -> None:
    """The rule of an adopted bucket has the same alarms as a topic."""
    (query,) = alarm(f"job-publisher-rule-{what}", bucket="theirs", forceDestroy="false").inputs["metricQueries"]
    assert query["metric"]["metricName"] == watched
    assert query["metric"]["dimensions"] == {"RuleName": physical("job-publisher-rule")}


def test_a_single_throttle_sets_off_no_alarm() -> None:
    """A throttled batch is retried; more than ten throttles in five minutes set off the alarm."""
    assert alarm("resizing-throttles").inputs["threshold"] == 10


@pytest.mark.parametrize(
    ("settings", "warned"),
    [
        ({"protectData": "true"}, True),
        ({"protectData": "true", "alarmEmail": "you@example.com"}, False),
        ({"protectData": "false"}, False),
    ],
)
def test_protected_data_without_recipients_gets_a_warning(settings: dict[str, str], warned: bool) -> None:  # noqa: FBT001
    """With `protectData` and no recipient, Pulumi prints a warning that names both keys."""
    settings = {"forceDestroy": "false", **settings}
    config = stack_config("dev") | {f"pixelcascade:{key}": value for key, value in settings.items()}
    with mock.patch("pulumi.warn") as warn:
        record(config)
    assert any("alarmEmail or alarmTopic" in call.args[0] for call in warn.call_args_list) == warned


def test_the_dashboards_name_includes_the_region() -> None:
    """The name includes the region, because dashboard names are unique across regions."""
    assert recorded().mocks.one("Dashboard", "watch-dashboard").inputs["dashboardName"] == f"pixelcascade-dev-{REGION}"


def test_alarms_have_no_actions_by_default() -> None:
    """Without an address or a topic the alarms have no actions."""
    assert {tuple(found.inputs["alarmActions"]) for found in recorded().mocks.of_type("MetricAlarm")} == {()}


def test_an_email_address_gets_its_own_topic() -> None:
    """An address gets its own topic with an email subscription, and every alarm notifies that topic."""
    mocks = recorded(alarmEmail="you@example.com").mocks
    subscription = mocks.one("TopicSubscription", "watch-alarms-email").inputs
    assert (subscription["protocol"], subscription["endpoint"]) == ("email", "you@example.com")
    assert {tuple(found.inputs["alarmActions"]) for found in mocks.of_type("MetricAlarm")} == {(subscription["topic"],)}


def test_only_this_accounts_alarms_may_publish() -> None:
    """The topic policy allows CloudWatch for this account only, and denies requests without TLS."""
    policy = recorded(alarmEmail="you@example.com").mocks.one("TopicPolicy", "watch-alarms-policy").inputs["policy"]
    publish, deny = statements(policy)
    assert (publish["Principal"], publish["Action"]) == ({"Service": "cloudwatch.amazonaws.com"}, "sns:Publish")
    assert publish["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    assert (deny["Effect"], deny["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


def test_an_existing_alarm_topic_is_used() -> None:
    """An existing topic is used instead of a new one."""
    topic = "arn:aws:sns:eu-central-1:123456789012:mine"
    mocks = recorded(alarmTopic=topic).mocks
    assert mocks.names("Topic") == ["new-image-uploaded"]
    assert {tuple(found.inputs["alarmActions"]) for found in mocks.of_type("MetricAlarm")} == {(topic,)}


@pytest.mark.parametrize(("key", "value"), [("alarmEmail", "not an address"), ("alarmTopic", "mine")])
def test_an_invalid_recipient_is_refused(key: str, value: str) -> None:
    """An invalid address or topic is an error that names the key."""
    with pytest.raises(ConfigError, match=f"pixelcascade:{key}: expected .*, got '{value}'"):
        recorded(**{key: value})


def widgets(**settings: str) -> dict[str, dict[str, Any]]:
    """Return the dashboard's widgets by title."""
    body = json.loads(recorded(**settings).mocks.one("Dashboard", "watch-dashboard").inputs["dashboardBody"])
    return {widget["properties"]["title"]: widget["properties"] for widget in body["widgets"]}


def test_the_dashboard_has_its_widgets() -> None:
    """It shows uploads, rates, latency per worker, backlog, rejections by reason, failures and cost."""
    assert list(widgets()) == [
        "Uploads",
        "Pictures done or rejected, per worker",
        *(f"{function}-pixelcascade-dev: milliseconds per picture" for function in WORKERS.values()),
        "Backlog: messages waiting",
        "Rejections by reason",
        "Errors and throttles",
        "Notifications that failed",
        "Cost of the functions' Lambda time",
    ]


def test_latency_is_shown_as_percentiles() -> None:
    """The median and the tails are separate lines."""
    lines = widgets()["pixel-resizer-pixelcascade-dev: milliseconds per picture"]["metrics"]
    assert [line[-1]["stat"] for line in lines] == ["p50", "p95", "p99"]


def cost(**settings: str) -> list[float]:
    """Return the cost of a millisecond of each function as the dashboard computes it, in US dollars."""
    (total,), *_ = widgets(**settings)["Cost of the functions' Lambda time"]["metrics"]
    assert "e-" not in total["expression"]
    return [float(price) for price in re.findall(r"time\d \* ([\d.]+)", total["expression"])]


def test_the_cost_follows_each_functions_memory() -> None:
    """All functions are billed by the GB-second. Source: AWS's price list, Lambda on x86."""
    functions = [recorded().mocks.one("Function", name) for name in (*WORKERS.values(), "job-publisher")]
    per_gb_ms = 0.0000166667 / 1000
    assert cost() == pytest.approx([per_gb_ms * found.inputs["memorySize"] / 1024 for found in functions])


def test_the_cost_follows_the_architecture() -> None:
    """A GB-second on arm64 costs a fifth less."""
    assert sum(cost(architecture="arm64")) == pytest.approx(0.8 * sum(cost()), rel=1e-4)
