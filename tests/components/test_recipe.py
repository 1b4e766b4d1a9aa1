"""The recipe: which settings change it for which branch, and that it changes with the imaging version."""

import hashlib
import importlib.metadata
import platform
from dataclasses import replace

import pytest

from components.branches import BRANCHES
from components.config import StackConfig
from components.packaging.target import Target
from components.packaging.wheels import pins
from components.recipe import IMAGING_VERSION, RESAMPLERS, recipe
from handlers import imaging
from tests.handlers.pictures import picture

# Digests of the outputs per `IMAGING_VERSION`, on x86-64 with the packages pinned in handlers/requirements*.txt.
DIGESTS = {1: "7330c437", 2: "221d7fb1"}
CONVERSION, RESIZING, EXTRACTION = "format-conversion", "resizing", "metadata-extraction"


def changed(**settings: str) -> set[str]:
    """Return which of the three branches change their recipe with these settings."""
    before, after = StackConfig(), StackConfig.parse({f"pixelcascade:{key}": text for key, text in settings.items()})
    rows = [row for row in BRANCHES if row.name in {CONVERSION, RESIZING, EXTRACTION}]
    return {row.name for row in rows if recipe(row, before) != recipe(row, after)}


@pytest.mark.parametrize(
    ("settings", "branches"),
    [
        ({"jpegQuality": "80"}, {CONVERSION, RESIZING}),
        ({"sizes": '["thumbnail=64"]'}, {RESIZING}),
        ({"enlarge": "false"}, {RESIZING}),
        ({"outputFormats": '["jpeg", "webp=80"]'}, {RESIZING}),
        ({"reencode": "always"}, {CONVERSION}),
        ({"gps": "true"}, {EXTRACTION}),
        ({"salvage": "true"}, {CONVERSION, RESIZING, EXTRACTION}),
        ({"resizingMemoryMb": "3008"}, set()),
        ({"maxPixels": "1000"}, set()),
        ({"logLevel": "DEBUG"}, set()),
    ],
)
def test_a_setting_changes_only_the_recipes_it_affects(settings: dict[str, str], branches: set[str]) -> None:
    """Only the outputs that the setting affects become outdated."""
    assert changed(**settings) == branches


def test_a_new_setting_at_its_default_keeps_the_recipe() -> None:
    """A stack that does not use a new setting keeps its recipe."""
    (row,) = (row for row in BRANCHES if "output_formats" in row.settings)
    before = replace(row, settings=[name for name in row.settings if name != "output_formats"])
    after = replace(row, settings=[*row.settings, "log_level"])
    assert recipe(row, StackConfig()) == recipe(before, StackConfig()) == recipe(after, StackConfig())
    assert recipe(after, StackConfig(log_level="DEBUG")) != recipe(after, StackConfig())


@pytest.mark.parametrize("architecture", ["x86_64", "arm64"])
def test_a_recipe_depends_on_the_resampling_library(monkeypatch: pytest.MonkeyPatch, architecture: str) -> None:
    """Another resampling library, or another version of it, produces other outputs."""
    config = StackConfig(architecture=architecture)
    before = recipe(BRANCHES[0], config)
    found = pins(Target.of(config).requirements)
    resampler = next(name for name in RESAMPLERS if name in found)
    monkeypatch.setattr("components.recipe.pins", lambda _: {**found, resampler: "0"})
    assert recipe(BRANCHES[0], config) != before


def test_every_branch_has_its_own_recipe() -> None:
    """Recipes are ten characters long and differ between branches."""
    recipes = [recipe(row, StackConfig()) for row in BRANCHES]
    assert len(set(recipes)) == len(BRANCHES)
    assert {len(found) for found in recipes} == {10}


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the digest is of what x86-64 makes")
def test_changed_outputs_need_a_new_imaging_version() -> None:
    """A change to imaging's outputs must raise IMAGING_VERSION, so that existing outputs become outdated."""
    installed = {codec: importlib.metadata.version(codec) for codec in ("pillow", "cykooz-resizer")}
    digest = hashlib.sha256(str(installed).encode())
    for kind, mode in (("JPEG", "RGB"), ("JPEG", "CMYK"), ("PNG", "L"), ("PNG", "RGBA"), ("GIF", "P")):
        master = picture((320, 200), kind, mode)
        digest.update(imaging.convert(master, reencode="always", quality=90))
        for jpeg in imaging.resize(master, {"small": 64, "large": 500}).values():
            digest.update(jpeg)
    found = digest.hexdigest()[:8]
    assert found == DIGESTS[IMAGING_VERSION], "outputs changed: raise IMAGING_VERSION and add its digest"
