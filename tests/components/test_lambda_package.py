"""`LambdaPackage`: one archive and one layer for all functions."""

from components.config import StackConfig
from components.packaging.build import code_archive
from components.packaging.target import Target
from tests.recording import arn, recorded


def test_every_function_shares_one_archive_and_one_layer() -> None:
    """Four functions are one upload."""
    functions = recorded().mocks.of_type("Function")
    assert {found.inputs["code"].path for found in functions} == {
        str(code_archive(Target.of(StackConfig(package_for="host"))))
    }
    assert {tuple(found.inputs["layers"]) for found in functions} == {(arn("LayerVersion", "pixelcascade-layer"),)}


def test_the_layer_is_named_after_its_stack() -> None:
    """Two stacks in one account do not publish versions of one layer."""
    names = [
        recorded(stack).mocks.one("LayerVersion", "pixelcascade-layer").inputs["layerName"] for stack in ("dev", "prod")
    ]
    assert names == ["pixelcascade-dev", "pixelcascade-prod"]
