"""What Lambda needs to run the functions: an archive of `handlers`, and one or two layers with its packages.

They are built when the program runs, for the functions' platform on any machine, and are byte for byte the same
for the same inputs, so that nothing is updated needlessly.
"""

from pathlib import Path

import pulumi
import pulumi_aws as aws

from components.config import StackConfig
from components.names import joined_name
from components.packaging.build import build
from components.packaging.target import Target


class LambdaPackage(pulumi.ComponentResource):
    """The code of all functions and the layers that they share."""

    code: pulumi.Archive
    """The archive of the package `handlers`."""
    layer_arns: list[pulumi.Output[str]]
    """The ARNs of the layers' versions: the layer of all functions and, for HEIC, the one that decodes it."""
    runtime: str
    """The runtime that the layers' packages are built for."""

    def __init__(self, name: str, config: StackConfig, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pixelcascade:index:LambdaPackage", name, None, opts)
        target = Target.of(config)
        package = build(target)
        self.runtime = target.runtime
        self.code = pulumi.FileArchive(str(package.code))
        self._architecture = config.architecture
        self.layer_arns = [self._layer(f"{name}-layer", joined_name(name, pulumi.get_stack()), package.layer)]
        if package.heic:
            heic = self._layer(f"{name}-heic-layer", joined_name(name, "heic", pulumi.get_stack()), package.heic)
            self.layer_arns.append(heic)
        self.register_outputs({"layer_arns": self.layer_arns})

    def _layer(self, name: str, layer_name: str, archive: Path) -> pulumi.Output[str]:
        """Upload a layer, and return the ARN of its version."""
        layer = aws.lambda_.LayerVersion(
            name,
            layer_name=layer_name,
            code=pulumi.FileArchive(str(archive)),
            compatible_runtimes=[self.runtime],
            compatible_architectures=[self._architecture],
            opts=pulumi.ResourceOptions(parent=self),
        )
        return layer.arn
