"""PixelCascade: S3 -> job-publisher -> SNS -> three SQS queues -> three workers -> S3 and DynamoDB."""

import pulumi

from components.branches import BRANCHES
from components.config import StackConfig
from components.fanout import Fanout
from components.image_worker import ImageWorkers
from components.lambda_package import LambdaPackage
from components.picture_record import layout
from components.pipeline import image_fanout_args, publisher_args
from components.publisher import Publisher
from components.recipe import recipe
from components.storage import ImageBucket, MetadataTable, PictureTable
from components.watch import Watch

config = StackConfig.load()
package = LambdaPackage("pixelcascade", config)

images = ImageBucket("images", config)
metadata = MetadataTable("pixel-metadata", config)
pictures = PictureTable("pictures", config)
workers = ImageWorkers(config=config, bucket=images, table=metadata, pictures=pictures)

# format-conversion -> converted/, resizing -> resized/, metadata-extraction -> the table
fanout = Fanout("new-image-uploaded", image_fanout_args(config, package, workers))
publisher = Publisher("job-publisher", publisher_args(config, package, bucket=images, pictures=pictures, fanout=fanout))
Watch("watch", config, fanout, publisher)

pulumi.export("stack", pulumi.get_stack())
pulumi.export("bucket", images.name)
pulumi.export("topic", fanout.topic_arn)
pulumi.export("table", metadata.name)
pulumi.export("pictures", pictures.name)
pulumi.export("queues", fanout.queue_urls)
pulumi.export("deadLetterQueues", {**fanout.dead_letter_queue_urls, "job-publisher-failed": publisher.failed_queue_url})
pulumi.export("layout", layout(config))
pulumi.export("sizes", list(config.sizes))
pulumi.export("outputFormats", ["jpeg", *config.output_formats])
pulumi.export("recipes", {row.name: recipe(row, config) for row in BRANCHES})
pulumi.export("events", config.events)
pulumi.export("deletions", config.deletions)
pulumi.export("rejectedDays", config.rejected_days)
pulumi.export("uploadCommand", images.upload_command)
pulumi.export("uploaderPolicy", images.uploader_policy)
pulumi.export("cdnUrl", images.cdn and images.cdn.url)
