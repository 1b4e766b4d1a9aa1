"""A program with two fan-outs, whose branches have the same names and the same workers."""

import pulumi

from components.config import StackConfig
from components.fanout import Fanout
from components.lambda_package import LambdaPackage
from components.pipeline import fanout_args
from components.worker import BranchSpec

config = StackConfig.load()
package = LambdaPackage("pixelcascade", config)

pictures = Fanout(
    "picture-uploaded",
    fanout_args(
        config,
        package,
        branches=[
            {"name": "indexing", "handler": "handlers.indexer.handler", "memory_mb": 512},
            {"name": "archiving", "handler": "handlers.archiver.handler", "memory_mb": 256},
        ],
    ),
)
# [second-fanout] as in the README
branches = [BranchSpec(name="indexing", handler="handlers.indexer.handler", memory_mb=256)]
reports = Fanout("report-requested", fanout_args(config, package, branches))
pulumi.export("reports", reports.topic_arn)
# [/second-fanout]
