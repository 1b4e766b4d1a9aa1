"""A program with two fan-outs, whose branches have the same names and the same workers."""

import pulumi

from components.branch import BranchSpec
from components.config import StackConfig
from components.fanout import Fanout, FanoutArgs
from components.lambda_package import LambdaPackage

config = StackConfig.load()
package = LambdaPackage("pixelcascade", config)

pictures = Fanout(
    "picture-uploaded",
    FanoutArgs(
        config=config,
        package=package,
        branches=[
            BranchSpec(name="indexing", handler="handlers.indexer.handler", memory_mb=512),
            BranchSpec(name="archiving", handler="handlers.archiver.handler", memory_mb=256),
        ],
    ),
)
# [second-fanout] as in the README
reports = Fanout(
    "report-requested",
    FanoutArgs(
        config=config,
        package=package,
        branches=[BranchSpec(name="indexing", handler="handlers.indexer.handler", memory_mb=256)],
    ),
)
pulumi.export("reports", reports.topic_arn)
# [/second-fanout]
