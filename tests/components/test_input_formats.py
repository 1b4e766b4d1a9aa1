"""`inputFormats`: the accepted formats, their decoders, and the settings that exclude them."""

import pytest

from components.config import DEFAULT_INPUTS, FURTHER_INPUTS, ConfigError, StackConfig
from components.image_worker import picture_settings
from components.packaging import wheels
from components.packaging.target import Target
from handlers.imaging import formats

KEY = "pixelcascade:inputFormats"


def test_the_config_accepts_what_imaging_reads() -> None:
    """The config and the handlers each list the names, because neither imports the other."""
    assert DEFAULT_INPUTS == formats.DEFAULT_FORMATS
    assert tuple(formats.FURTHER) == FURTHER_INPUTS


def test_every_further_format_is_decoded_in_a_child_process() -> None:
    """The description of `inputFormats` says so: a decoder that crashes harms no other picture of its batch."""
    assert [name for name, load in formats.FURTHER.items() if not load().guarded] == []


def test_no_further_format_is_accepted_by_default() -> None:
    """Neither the layer nor the workers support other formats."""
    assert Target.of(StackConfig()).inputs == ()
    assert picture_settings(StackConfig())["input_formats"] == ["jpeg", "png", "gif"]


def test_a_further_format_reaches_the_layer_and_the_workers() -> None:
    """The layer keeps the format's decoder, and the workers accept the format."""
    config = StackConfig.parse({KEY: '["jpeg", "webp"]'})
    assert Target.of(config).inputs == ("webp",)
    assert Target.of(config) != Target.of(StackConfig())
    assert picture_settings(config)["input_formats"] == ["jpeg", "webp"]


@pytest.mark.parametrize("text", ["jpeg", "[]", '["bmp"]', '["jpeg", "jpeg"]', '[["jpeg"]]', '{"jpeg": 1}'])
def test_an_invalid_list_of_formats_is_refused(text: str) -> None:
    """The error names the key and the accepted formats."""
    with pytest.raises(ConfigError, match=r"inputFormats: expected a list of one or more of jpeg, png, gif"):
        StackConfig.parse({KEY: text})


def test_further_input_formats_are_refused_with_pillow_simd() -> None:
    """It is built without the libraries of further formats."""
    with pytest.raises(ConfigError, match=r"inputFormats: expected jpeg, png and gif for 'pillow-simd'.* got webp"):
        StackConfig.parse({KEY: '["jpeg", "webp"]', "pixelcascade:imaging": "pillow-simd"})


def test_a_layer_keeps_the_decoders_of_its_formats() -> None:
    """A library that two decoders share stays if either decoder does."""
    assert {"PIL/_webp.*", "PIL/_avif.*", "pillow.libs/libsharpyuv*"} <= set(wheels.unused_for(()))
    kept = set(wheels.unused_for(())) - set(wheels.unused_for(["webp"]))
    assert kept == {"PIL/_webp.*", "pillow.libs/libwebp*", "pillow.libs/libsharpyuv*"}
