"""Creates each resource type of the program in the emulator, as the AWS provider does on AWS.

A creator takes the emulator, the resource's physical name and its inputs, and returns its outputs;
`id` among them is what Pulumi calls the resource's id.
"""

from collections.abc import Callable, Mapping
from typing import Any

from local.emulator import Emulator
from local.resources import compute, messaging, serving, storage, watching

Creator = Callable[[Emulator, str, Mapping[str, Any]], dict[str, Any]]

CREATORS: dict[str, Creator] = (
    storage.CREATORS | messaging.CREATORS | compute.CREATORS | watching.CREATORS | serving.CREATORS
)
