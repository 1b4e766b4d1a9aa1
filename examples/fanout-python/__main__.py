"""A topic for placed orders, and two functions that each process every order."""

import pulumi
import pulumi_aws as aws
import pulumi_pixelcascade as pixelcascade

shipments = aws.dynamodb.Table(
    "shipments",
    attributes=[{"name": "order", "type": "S"}],
    hash_key="order",
    billing_mode="PAY_PER_REQUEST",
)
order_placed = pixelcascade.Fanout(
    "order-placed",
    functions={"code": pulumi.FileArchive("./workers"), "runtime": "python3.13"},
    branches=[
        {"name": "billing", "handler": "billing.handler"},
        {
            "name": "shipping",
            "handler": "shipping.handler",
            "timeout_seconds": 60,
            "environment": {"TABLE": shipments.name},
            "statements": [{"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": shipments.arn}],
        },
    ],
)
pulumi.export("topic", order_placed.topic_arn)
pulumi.export("deadLetterQueues", order_placed.dead_letter_queue_urls)
