"""What a package is built for: a runtime and a processor, or this machine."""

import platform
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pulumi

from components.config import StackConfig
from components.packaging import paths

MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}
ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "arm64": "arm64", "aarch64": "arm64"}

# The glibc of Amazon Linux 2023, on which all `RUNTIMES` run.
# Source: Lambda's developer guide, "Lambda runtimes"; Amazon Linux 2023's release notes.
GLIBC = (2, 34)
# Source: PEP 600 for the tags.
GLIBC_TAGS = ("manylinux_2_34", "manylinux_2_28", "manylinux_2_27", "manylinux_2_17", "manylinux2014")


class PackageError(pulumi.RunError):
    """The functions' package cannot be built; the message says what was tried and what helps.

    A `RunError`, because Pulumi prints its message alone, without a traceback.
    """


@dataclass(frozen=True)
class Target:
    """The runtime and processor that a package is for, with or without `bytecode`.

    `host` means this machine, `imaging` is the imaging library, `inputs` are the formats beyond the defaults that it
    decodes, `outputs` those beside JPEG that it encodes.
    """

    runtime: str
    architecture: str
    host: bool = False
    imaging: str = "pillow"
    bytecode: bool = True
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()

    @classmethod
    def of(cls, config: StackConfig) -> Self:
        """Return what a stack's functions run on; with `packageFor: host` that is this machine."""
        host = config.package_for == "host"
        here = f"python{sys.version_info.major}.{sys.version_info.minor}"
        return cls(
            here if host else config.runtime,
            this_architecture() if host else config.architecture,
            host,
            config.imaging,
            host or config.bytecode == "required",
            config.further_inputs,
            tuple(sorted(config.output_formats)),
        )

    def __str__(self) -> str:
        return f"{self.runtime} on {self.architecture}"

    @property
    def version(self) -> str:
        """Python's version, such as `3.13`."""
        return self.runtime.removeprefix("python")

    @property
    def machine(self) -> str:
        """The processor, as named in compiled files and wheels."""
        return MACHINES.get(self.architecture, self.architecture)

    @property
    def runs_here(self) -> bool:
        """Whether this machine could run the package, given a Python of its version."""
        return self.host or (sys.platform == "linux" and this_architecture() == self.architecture)

    @property
    def requirements(self) -> list[Path]:
        """The files that pin the packages: those for every platform, and those for this one on Linux, if any.

        The latter make Pillow faster, so Pillow-SIMD does not need them.
        """
        own = paths.HANDLERS / f"requirements-{self.architecture}.txt"
        linux = not self.host or sys.platform == "linux"
        wanted = linux and self.imaging == "pillow" and own.is_file()
        return [paths.HANDLERS / "requirements.txt", *([own] if wanted else [])]

    @property
    def heic(self) -> list[Path]:
        """The file that pins the HEIC decoder, which has a layer of its own; empty if no function decodes HEIC."""
        return [paths.HANDLERS / "requirements-heic.txt"] if "heic" in self.inputs else []

    def pip_options(self) -> list[str]:
        """Return the options that make pip choose this platform's wheels."""
        if self.host:
            return []
        platforms = [f"--platform={tag}_{self.machine}" for tag in GLIBC_TAGS]
        return [*platforms, "--implementation=cp", f"--python-version={self.version}"]


def this_architecture() -> str:
    """Return Lambda's name of this machine's processor, or the machine's own name if Lambda has no such processor."""
    return ARCHITECTURES.get(platform.machine().lower(), platform.machine())
