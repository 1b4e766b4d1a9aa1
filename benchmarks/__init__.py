"""Measure and compare PixelCascade: `python -m benchmarks`."""
