"""The package `pixelcascade`, which Pulumi starts for a program that has added it with `pulumi package add`."""

import sys
from pathlib import Path

from pulumi.provider.experimental import component_provider_host

sys.path.insert(0, str(Path(__file__).parent.parent))  # Pulumi runs this folder, not the repository.

from components.branch import Branch
from components.fanout import Fanout
from components.function import Function
from components.publisher import Publisher

NAME, VERSION = "pixelcascade", "0.1.0"
COMPONENTS = [Branch, Fanout, Function, Publisher]

if __name__ == "__main__":
    component_provider_host(name=NAME, version=VERSION, components=COMPONENTS)
