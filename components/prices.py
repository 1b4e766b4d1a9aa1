"""What AWS asks for what the pipeline uses, in US dollars.

Source: the price lists of S3, SNS, SQS, Lambda and DynamoDB for us-east-1, read in January 2025. Other regions differ
by some ten per cent; free tiers are not counted.
"""

S3_LIST = 0.005 / 1000
S3_GET = 0.0004 / 1000
S3_PUT = 0.005 / 1000
SNS_PUBLISH = 0.50 / 1_000_000
SNS_TO_SQS = 0.0
SQS_REQUEST = 0.40 / 1_000_000
LAMBDA_REQUEST = 0.20 / 1_000_000
LAMBDA_GB_SECOND = {"x86_64": 0.0000166667, "arm64": 0.0000133334}
DYNAMODB_WRITE = 0.625 / 1_000_000
DYNAMODB_READ = 0.125 / 1_000_000
