"""The recipe of a branch: a short hash of everything that decides how its outputs look."""

import hashlib
import json

from components.branches import ImageBranch
from components.config import StackConfig
from components.packaging.target import Target
from components.packaging.wheels import pins

IMAGING_VERSION = 2
"""Raised when `handlers.imaging` makes other outputs from ordinary masters, which a test compares. A fix for rare ones
does not raise it, because all outputs of every stack would count as outdated."""

RESAMPLERS = ("cykooz-resizer", "pyvips-binary")
"""The packages that resample, if the layer has one of them; otherwise Pillow does."""

FIRST_RELEASE = {
    "jpeg_quality",
    "subsampling",
    "background",
    "salvage",
    "cache_control",
    "reencode",
    "sizes",
    "enlarge",
    "gps",
}
"""The settings of the first release. Later ones are left out at their default, so that no output gets outdated."""

DIGITS = 10


def recipe(row: ImageBranch, config: StackConfig) -> str:
    """Return the recipe of a branch: outputs made with another one are outdated."""
    pinned = pins(Target.of(config).requirements)
    resampler = next((pinned[name] for name in RESAMPLERS if name in pinned), "")
    settings = {name: getattr(config, name) for name in row.settings if _counts(name, config)}
    decides = {
        "branch": row.name,
        "imaging": IMAGING_VERSION,
        "codecs": [config.imaging, pinned.get("pillow", ""), resampler],
        "settings": {name: dict(value) if name == "sizes" else value for name, value in settings.items()},
    }
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:DIGITS]


def _counts(name: str, config: StackConfig) -> bool:
    return name in FIRST_RELEASE or getattr(config, name) != getattr(StackConfig(), name)
