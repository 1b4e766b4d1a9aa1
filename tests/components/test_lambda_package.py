"""`LambdaPackage`: one archive and one layer for all functions."""

from components.config import StackConfig
from components.packaging.build import code_archive
from components.packaging.target import Target
from tests.recording import arn, recorded


def test_all_functions_share_one_archive_and_one_layer() -> None:
    """Four functions share one upload."""
    functions = recorded().mocks.of_type("Function")
    assert {found.inputs["code"].path for found in functions} == {
        str(code_archive(Target.of(StackConfig(package_for="host"))))
    }
    assert {tuple(found.inputs["layers"]) for found in functions} == {(arn("LayerVersion", "pixelcascade-layer"),)}


def test_heic_adds_a_layer_to_every_function() -> None:
    """By default there is no HEIC layer, and adding it does not change the common layer."""
    found = recorded(inputFormats='["jpeg", "heic"]').mocks
    layers = [arn("LayerVersion", f"pixelcascade-{name}") for name in ("layer", "heic-layer")]
    assert {tuple(one.inputs["layers"]) for one in found.of_type("Function")} == {tuple(layers)}
    assert found.one("LayerVersion", "pixelcascade-heic-layer").inputs["layerName"] == "pixelcascade-heic-dev"
    usual = recorded().mocks.one("LayerVersion", "pixelcascade-layer").inputs["code"].path
    assert found.one("LayerVersion", "pixelcascade-layer").inputs["code"].path == usual


def test_the_layer_is_named_after_its_stack() -> None:
    """Two stacks in one account publish to layers of different names."""
    names = [
        recorded(stack).mocks.one("LayerVersion", "pixelcascade-layer").inputs["layerName"] for stack in ("dev", "prod")
    ]
    assert names == ["pixelcascade-dev", "pixelcascade-prod"]
