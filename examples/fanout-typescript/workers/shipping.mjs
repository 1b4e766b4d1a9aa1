import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";

const client = new DynamoDBClient({});

// Store the orders of a batch, and return the ids of the messages that failed: only those are delivered again.
export const handler = async (event) => {
  const failed = [];
  for (const record of event.Records) {
    try {
      const { order } = JSON.parse(record.body);
      await client.send(new PutItemCommand({ TableName: process.env.TABLE, Item: { order: { S: order } } }));
    } catch (error) {
      console.log(`message ${record.messageId} failed: ${error}`);
      failed.push({ itemIdentifier: record.messageId });
    }
  }
  return { batchItemFailures: failed };
};
