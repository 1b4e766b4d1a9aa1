"""The pipeline's components in another account and region than the stack's, by an explicit provider."""

import pulumi
import pulumi_aws as aws

from components.config import StackConfig
from components.fanout import Fanout
from components.image_worker import ImageWorkers
from components.lambda_package import LambdaPackage
from components.pipeline import image_fanout_args, publisher_args
from components.publisher import Publisher
from components.storage import ImageBucket, MetadataTable, PictureTable
from components.watch import Watch

config = StackConfig.load()
elsewhere = pulumi.ResourceOptions(provider=aws.Provider("elsewhere", region="us-west-2", profile="another-account"))
package = LambdaPackage("pixelcascade", config, elsewhere)

images = ImageBucket("images", config, elsewhere)
pictures = PictureTable("pictures", config, elsewhere)
workers = ImageWorkers(
    config=config, bucket=images, table=MetadataTable("pixel-metadata", config, elsewhere), pictures=pictures
)
fanout = Fanout("new-image-uploaded", image_fanout_args(config, package, workers), elsewhere)
publishing = publisher_args(config, package, bucket=images, pictures=pictures, fanout=fanout)
publisher = Publisher("job-publisher", publishing, elsewhere)
Watch("watch", config, fanout, publisher, elsewhere)
