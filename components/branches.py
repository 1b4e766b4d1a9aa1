"""The table of the pipeline's branches, which the program, ops, costs, the local run and the benchmarks read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from components.config import PROJECT, ConfigError, StackConfig, config_key


@dataclass(frozen=True, kw_only=True)
class ImageBranch:
    """One branch: its worker, and what the worker writes for each master.

    `memory` names the field of `StackConfig` that has the function's memory, `prefix` the one that has the key prefix
    of its files; both may be a value instead (MB; a prefix that ends in a slash). `key` names the method of
    `handlers.layout.Layout` that returns a file's key; with `per_size` it is called for each size. `records` is for
    the one worker that writes a picture's item into the metadata table. `task` is what the benchmarks call the worker's
    task. `settings` names the fields of `StackConfig` that decide how the outputs look: outputs made with other values
    are outdated.
    """

    name: str
    handler: str
    memory: str | int
    task: str
    settings: Sequence[str] = ()
    prefix: str | None = None
    key: str | None = None
    per_size: bool = False
    records: bool = False

    @property
    def module(self) -> str:
        """The worker's module: `handlers.pixel_resizer.handler` -> `pixel_resizer`."""
        return self.handler.split(".")[-2]

    @property
    def function_name(self) -> str:
        """The worker's logical name: `handlers.pixel_resizer.handler` -> `pixel-resizer`."""
        return self.module.replace("_", "-")

    @property
    def decodes(self) -> bool:
        """Whether the worker decodes pixels: every worker that writes files does."""
        return self.key is not None

    @property
    def memory_key(self) -> str:
        """The config key of the function's memory: `pixelcascade:resizingMemoryMb`.

        Raises: ConfigError, if the row fixes the memory.
        """
        if isinstance(self.memory, int):
            raise ConfigError(f"expected a branch whose memory is a setting, got {self.name} with {self.memory} MB")
        return f"{PROJECT}:{config_key(self.memory)}"

    def memory_mb(self, config: StackConfig) -> int:
        """Return the memory that a stack gives the function, in MB.

        With `salvage` a worker that records gets at least the converter's memory, because only decoding shows whether
        the end of a picture is damaged.
        """
        own = self.memory if isinstance(self.memory, int) else int(getattr(config, self.memory))
        return max(own, config.format_conversion_memory_mb if self.records and config.salvage else 0)

    def prefix_of(self, config: StackConfig) -> str | None:
        """Return the key prefix of the files in a stack, None for a branch without files."""
        return self._prefix_from(lambda field: getattr(config, field))

    def prefix_in(self, layout: Any) -> str | None:
        """Return the same for a deployed stack, from its `handlers.layout.Layout`."""
        return self._prefix_from(lambda field: getattr(layout, field.removesuffix("_prefix")))

    def _prefix_from(self, read: Callable[[str], str]) -> str | None:
        if self.prefix is None or self.prefix.endswith("/"):
            return self.prefix
        return read(self.prefix)

    def keys(self, layout: Any, master_key: str, sizes: Sequence[str]) -> list[str]:
        """Return the keys of a master's files, from a `handlers.layout.Layout` and the names of the stack's sizes.

        Raises: NameTooLongError.
        """
        if self.key is None:
            return []
        make = getattr(layout, self.key)
        return [make(master_key, size) for size in sizes] if self.per_size else [make(master_key)]

    def files_of(self, sizes: int) -> int:
        """Return how many files the branch writes per picture; `sizes` counts each size in each format."""
        return 0 if self.key is None else sizes if self.per_size else 1


_JPEG = ("jpeg_quality", "subsampling", "background", "salvage", "cache_control")

BRANCHES: tuple[ImageBranch, ...] = (
    ImageBranch(
        name="format-conversion",
        handler="handlers.format_converter.handler",
        memory="format_conversion_memory_mb",
        task="convert",
        settings=(*_JPEG, "reencode"),
        prefix="converted_prefix",
        key="converted_key",
    ),
    ImageBranch(
        name="resizing",
        handler="handlers.pixel_resizer.handler",
        memory="resizing_memory_mb",
        task="resize",
        settings=(*_JPEG, "sizes", "enlarge", "output_formats", "placeholders"),
        prefix="resized_prefix",
        key="resized_key",
        per_size=True,
    ),
    ImageBranch(
        name="metadata-extraction",
        handler="handlers.metadata_extractor.handler",
        memory="metadata_extraction_memory_mb",
        task="metadata",
        settings=("gps", "salvage"),
        records=True,
    ),
)
