"""The recipe of a branch: a short hash of all that decides how its outputs look."""

import hashlib
import json

from components.branches import ImageBranch
from components.config import StackConfig
from components.packaging.target import Target
from components.packaging.wheels import pins

IMAGING_VERSION = 1
"""Raised whenever `handlers.imaging` makes other outputs of the same master; a test holds it against the outputs."""

RESAMPLERS = ("cykooz-resizer", "pyvips-binary")
"""The packages of which one resamples, where the layer has it; else Pillow does."""

ADDED = {"output_formats", "placeholders"}
"""Settings that came after the first release: at their default they are left out, so that no output gets outdated."""

DIGITS = 10


def recipe(row: ImageBranch, config: StackConfig) -> str:
    """Return the recipe of a branch: what was made by another one is outdated."""
    pinned = pins(Target.of(config).requirements)
    resampler = next((pinned[name] for name in RESAMPLERS if name in pinned), "")
    settings = {name: value for name in row.settings if (value := getattr(config, name)) or name not in ADDED}
    decides = {
        "branch": row.name,
        "imaging": IMAGING_VERSION,
        "codecs": [config.imaging, pinned.get("pillow", ""), resampler],
        "settings": {name: dict(value) if name == "sizes" else value for name, value in settings.items()},
    }
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:DIGITS]
