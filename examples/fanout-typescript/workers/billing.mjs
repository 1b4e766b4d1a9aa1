// Bill the orders of a batch, and return the ids of the messages that failed: only those are delivered again.
export const handler = async (event) => {
  const failed = [];
  for (const record of event.Records) {
    try {
      const { order, amount } = JSON.parse(record.body);
      if (order === undefined || amount === undefined) throw new Error("expected order and amount");
      console.log(`order ${order}: ${amount} billed`);
    } catch (error) {
      console.log(`message ${record.messageId} failed: ${error}`);
      failed.push({ itemIdentifier: record.messageId });
    }
  }
  return { batchItemFailures: failed };
};
