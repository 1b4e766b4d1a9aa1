"""Fan-outs in a program that uses only this project's components."""

import pulumi

from components.fanout import Fanout
from components.function import FunctionSettings

functions = FunctionSettings(code=pulumi.FileArchive("./workers"), runtime="nodejs22.x", timeout_seconds=20)


def reserve(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
    """Give every function a reserved concurrency, as a team's own transformation might."""
    if args.type_ != "aws:lambda/function:Function":
        return None
    return pulumi.ResourceTransformationResult({**args.props, "reserved_concurrent_executions": 20}, args.opts)


Fanout(
    "placed",
    {
        "functions": functions,
        "branches": [
            {"name": "billing", "handler": "index.bill", "publishes": True},
            {
                "name": "shipping",
                "handler": "index.ship",
                "timeout_seconds": 60,
                "statements": [{"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": "arn:aws:dynamodb:::t"}],
            },
        ],
        "delivery": {"batch_window_seconds": 5, "max_receives": 7},
        "create_key": True,
        "alarms": {"topic_arns": ["arn:aws:sns:eu-central-1:123456789012:on-call"]},
        "tags": {"team": "orders"},
    },
    pulumi.ResourceOptions(transformations=[reserve], aliases=[pulumi.Alias(name="order")]),
)
returned = Fanout(
    "returned",
    {
        "topic_arn": "arn:aws:sns:eu-central-1:123456789012:returned-orders",
        "branches": [
            {
                "name": "refunds",
                "existing_function": {
                    "arn": "arn:aws:lambda:eu-central-1:123456789012:function:refund:live",
                    "role_name": "refund-role",
                    "timeout_seconds": 100,
                },
            }
        ],
        "alarms": {"enabled": False},
        "tls_only": False,
    },
)
pulumi.export("refunds", returned.function_names["refunds"])
