"""Record what has to be shipped."""

import json
import os

import boto3


def handler(event, _context):
    """Store the orders of a batch, and return the ids of the messages that failed: only those are delivered again."""
    table = boto3.resource("dynamodb").Table(os.environ["TABLE"])
    failed = []
    for record in event["Records"]:
        try:
            table.put_item(Item={"order": json.loads(record["body"])["order"]})
        except Exception as error:
            print(f"message {record['messageId']} failed: {error!r}")
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}
