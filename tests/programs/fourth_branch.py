"""The pipeline with a fourth branch, added by the marked lines only, unless the table has it already."""

from components.branches import BRANCHES, ImageBranch
from components.config import StackConfig
from components.fanout import Fanout
from components.image_worker import ImageWorkers
from components.lambda_package import LambdaPackage
from components.pipeline import image_fanout_args
from components.storage import ImageBucket, MetadataTable, PictureTable

config = StackConfig.load()
images = ImageBucket("images", config)
metadata, pictures = MetadataTable("pixel-metadata", config), PictureTable("pictures", config)

table = (
    *(row for row in BRANCHES if row.name != "watermarking"),
    # [fourth-branch] as in the README
    ImageBranch(
        name="watermarking",
        handler="handlers.watermarker.handler",
        memory=512,
        task="watermark",
        settings=("jpeg_quality", "background"),
        prefix="watermarked/",
        key="watermarked_key",
    ),
    # [/fourth-branch]
)
workers = ImageWorkers(config=config, bucket=images, table=metadata, pictures=pictures, rows=table)
fanout = Fanout("new-image-uploaded", image_fanout_args(config, LambdaPackage("pixelcascade", config), workers))
