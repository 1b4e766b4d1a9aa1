"""Bill each order."""

import json


def handler(event, _context):
    """Bill the orders of a batch, and return the ids of the messages that failed: only those are delivered again."""
    failed = []
    for record in event["Records"]:
        try:
            order = json.loads(record["body"])
            print(f"order {order['order']}: {order['amount']} billed")
        except Exception as error:
            print(f"message {record['messageId']} failed: {error!r}")
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}
