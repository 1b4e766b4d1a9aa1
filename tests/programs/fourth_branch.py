"""The pipeline with a fourth branch, made by the marked lines alone."""

from components.branches import BRANCHES, ImageBranch
from components.config import StackConfig
from components.fanout import Fanout, FanoutArgs
from components.image_worker import ImageWorkers
from components.lambda_package import LambdaPackage
from components.storage import ImageBucket, MetadataTable

config = StackConfig.load()
images = ImageBucket("images", config)
workers = ImageWorkers(config=config, bucket=images, table=MetadataTable("pixel-metadata", config))

# [fourth-branch] as in the README
placeholders = ImageBranch(
    name="placeholders",
    handler="handlers.placeholder_maker.handler",
    memory=512,
    task="placeholders",
    prefix="placeholders/",
    key="placeholder_key",
)
# [/fourth-branch]
fanout = Fanout(
    "new-image-uploaded",
    FanoutArgs(
        config=config,
        package=LambdaPackage("pixelcascade", config),
        prefix="",
        branches=[workers.branch(row) for row in (*BRANCHES, placeholders)],
    ),
)
