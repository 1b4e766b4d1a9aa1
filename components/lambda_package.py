"""What Lambda needs to run the functions: an archive of `handlers` and a layer of its packages.

Both are built when the program runs, for the function's platform whatever machine deploys, and
byte for byte the same for the same inputs, so that nothing is updated without need.
"""

import pulumi
import pulumi_aws as aws

from components.config import StackConfig
from components.packaging.build import build
from components.packaging.target import PackageError, Target

__all__ = ["LambdaPackage", "PackageError"]


class LambdaPackage(pulumi.ComponentResource):
    """The code of all functions and the layer that they share."""

    code: pulumi.Archive
    """The archive of the package `handlers`."""
    layer_arn: pulumi.Output[str]
    """The ARN of the layer's version."""
    runtime: str
    """The runtime that the layer's packages are for."""

    def __init__(self, name: str, config: StackConfig, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pixelcascade:index:LambdaPackage", name, None, opts)
        target = Target.of(config)
        package = build(target)
        self.runtime = target.runtime
        self.code = pulumi.FileArchive(str(package.code))
        layer = aws.lambda_.LayerVersion(
            f"{name}-layer",
            layer_name=f"{name}-{pulumi.get_stack()}",
            code=pulumi.FileArchive(str(package.layer)),
            compatible_runtimes=[target.runtime],
            compatible_architectures=[config.architecture],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.layer_arn = layer.arn
        self.register_outputs({"layer_arn": self.layer_arn})
