"""PixelCascade: S3 -> job-publisher -> SNS -> three SQS queues -> three workers -> S3 and DynamoDB."""

import pulumi

from components.branches import BRANCHES
from components.config import StackConfig
from components.fanout import Fanout, FanoutArgs
from components.image_worker import ImageWorkers, layout
from components.lambda_package import LambdaPackage
from components.publisher import Publisher, PublisherArgs
from components.storage import ImageBucket, MetadataTable
from components.watch import Watch, WatchArgs

config = StackConfig.load()
package = LambdaPackage("pixelcascade", config)

images = ImageBucket("images", config)
metadata = MetadataTable("pixel-metadata", config)
workers = ImageWorkers(config=config, bucket=images, table=metadata)

fanout = Fanout(
    "new-image-uploaded",
    FanoutArgs(
        config=config,
        package=package,
        prefix="",
        # format-conversion -> converted/, resizing -> resized/, metadata-extraction -> the table
        branches=[workers.branch(row) for row in BRANCHES],
    ),
)
publisher = Publisher("job-publisher", PublisherArgs(config=config, package=package, bucket=images, fanout=fanout))
Watch("watch", WatchArgs(config=config, fanout=fanout, publisher=publisher))

pulumi.export("bucket", images.name)
pulumi.export("topic", fanout.topic_arn)
pulumi.export("table", metadata.name)
pulumi.export("queues", fanout.queues)
pulumi.export("deadLetterQueues", {**fanout.dead_letter_queues, "job-publisher-failed": publisher.failed.url})
pulumi.export("layout", layout(config))
pulumi.export("sizes", list(config.sizes))
pulumi.export("uploadCommand", images.upload_command)
