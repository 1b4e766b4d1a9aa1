"""The pipeline with a fourth branch, made by the marked lines alone."""

from components.config import StackConfig
from components.fanout import Fanout, FanoutArgs
from components.image_worker import ImageWorkers
from components.lambda_package import LambdaPackage
from components.storage import ImageBucket, MetadataTable

config = StackConfig.load()
images = ImageBucket("images", config)
metadata = MetadataTable("pixel-metadata", config)
workers = ImageWorkers(config=config, bucket=images)

fanout = Fanout(
    "new-image-uploaded",
    FanoutArgs(
        config=config,
        package=LambdaPackage("pixelcascade", config),
        prefix="",
        branches=[
            workers.branch(
                "format-conversion",
                handler="handlers.format_converter.handler",
                memory_mb=config.format_conversion_memory_mb,
                writes=config.converted_prefix,
            ),
            workers.branch(
                "resizing",
                handler="handlers.pixel_resizer.handler",
                memory_mb=config.resizing_memory_mb,
                writes=config.resized_prefix,
            ),
            workers.branch(
                "metadata-extraction",
                handler="handlers.metadata_extractor.handler",
                memory_mb=config.metadata_extraction_memory_mb,
                records=metadata,
            ),
            # [fourth-branch] as in the README
            workers.branch(
                "placeholders",
                handler="handlers.placeholder_maker.handler",
                memory_mb=512,
                writes="placeholders/",
            ),
            # [/fourth-branch]
        ],
    ),
)
