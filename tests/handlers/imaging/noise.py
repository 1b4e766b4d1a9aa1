"""Noise, apart from the other pictures, because those are imported where memory is measured."""

import numpy as np
from PIL import Image


def noise(size: tuple[int, int], sigma: float, seed: int = 0) -> Image.Image:
    """Return Gaussian noise around 128, the same for each seed; `Image.effect_noise` takes five times as long."""
    width, height = size
    levels = np.random.default_rng(seed).standard_normal((height, width), dtype=np.float32) * sigma + 128
    return Image.fromarray(levels.clip(0, 255).astype(np.uint8))
