"""Where the package's sources are, and where what was built is kept."""

from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
HANDLERS = ROOT / "handlers"
CACHE = ROOT / ".cache" / "packages"
LOCK = Path(__file__).parent / "wheels.sha256"
