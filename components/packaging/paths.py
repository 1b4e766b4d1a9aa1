"""Paths of the package's sources and of the cache of built archives."""

from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
HANDLERS = ROOT / "handlers"
CACHE = ROOT / ".cache" / "packages"
LOCK = Path(__file__).parent / "wheels.sha256"
