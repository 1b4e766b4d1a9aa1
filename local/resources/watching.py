"""CloudWatch: log groups, alarms and the dashboard; the emulator stores alarms but does not evaluate them."""

from collections.abc import Mapping
from typing import Any

from local.emulator import Emulator


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
        AlarmDescription=inputs["alarmDescription"],
        ComparisonOperator=inputs["comparisonOperator"],
        Threshold=inputs["threshold"],
        EvaluationPeriods=int(inputs["evaluationPeriods"]),
        TreatMissingData=inputs["treatMissingData"],
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
    if "expression" in query:
        return {"Id": query["id"], "Expression": query["expression"], "ReturnData": query["returnData"]}
    metric = query["metric"]
    return {
        "Id": query["id"],
        "ReturnData": query["returnData"],
        "MetricStat": {
            "Metric": {
                "Namespace": metric["namespace"],
                "MetricName": metric["metricName"],
                "Dimensions": [{"Name": key, "Value": value} for key, value in metric["dimensions"].items()],
            },
            "Period": int(metric["period"]),
            "Stat": metric["stat"],
        },
    }
