// A topic for placed orders, and two functions that each process every order.

import * as aws from "@pulumi/aws";
import * as pixelcascade from "@pulumi/pixelcascade";
import * as pulumi from "@pulumi/pulumi";

const shipments = new aws.dynamodb.Table("shipments", {
  attributes: [{ name: "order", type: "S" }],
  hashKey: "order",
  billingMode: "PAY_PER_REQUEST",
});

const orderPlaced = new pixelcascade.Fanout("order-placed", {
  functions: { code: new pulumi.asset.FileArchive("./workers"), runtime: "nodejs22.x" },
  branches: [
    { name: "billing", handler: "billing.handler" },
    {
      name: "shipping",
      handler: "shipping.handler",
      timeoutSeconds: 60,
      environment: { TABLE: shipments.name },
      statements: [{ Effect: "Allow", Action: "dynamodb:PutItem", Resource: shipments.arn }],
    },
  ],
});

export const topic = orderPlaced.topicArn;
export const deadLetterQueues = orderPlaced.deadLetterQueueUrls;
