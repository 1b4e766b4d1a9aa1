"""CloudWatch: log groups, alarms and the dashboard; the emulator stores alarms but does not evaluate them."""

from collections.abc import Mapping
from typing import Any

from local.emulator import Emulator
from local.resources.arguments import arguments


def log_group(emulator: Emulator, name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Make a log group."""
    logs = emulator.client("logs")
    logs.create_log_group(logGroupName=name)
    logs.put_retention_policy(logGroupName=name, retentionInDays=int(inputs["retentionInDays"]))
    (group,) = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return {"id": name, "name": name, "arn": group["arn"].removesuffix(":*")}


def alarm(emulator: Emulator, name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Make an alarm."""
    emulator.client("cloudwatch").put_metric_alarm(
        AlarmName=name,
        **arguments(inputs, "alarmDescription", "comparisonOperator", "evaluationPeriods", "treatMissingData"),
        Threshold=inputs["threshold"],
        AlarmActions=inputs.get("alarmActions", []),
        OKActions=inputs.get("okActions", []),
        Metrics=[_query(query) for query in inputs["metricQueries"]],
    )
    return {"id": name, "name": name}


def dashboard(emulator: Emulator, _name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Make a dashboard."""
    name = inputs["dashboardName"]
    emulator.client("cloudwatch").put_dashboard(DashboardName=name, DashboardBody=inputs["dashboardBody"])
    return {"id": name, "dashboardName": name}


CREATORS = {
    "aws:cloudwatch/dashboard:Dashboard": dashboard,
    "aws:cloudwatch/logGroup:LogGroup": log_group,
    "aws:cloudwatch/metricAlarm:MetricAlarm": alarm,
}


def _query(query: Mapping[str, Any]) -> dict[str, Any]:
    found = arguments(query, "id", "expression", "returnData")
    if metric := query.get("metric"):
        dimensions = [{"Name": key, "Value": value} for key, value in metric["dimensions"].items()]
        measured = {**arguments(metric, "namespace", "metricName"), "Dimensions": dimensions}
        found["MetricStat"] = {"Metric": measured, **arguments(metric, "period", "stat")}
    return found
