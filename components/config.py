"""Every setting of a stack: its key, default, unit and check, before any resource exists."""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import pulumi
from pulumi.runtime.config import CONFIG

from components.config_fields import flag, formats, key_prefix, matching, one_of, origins, several_of, sizes, whole
from components.contradictions import contradictions
from components.delivery import visibility_timeout_s
from components.errors import ArgumentError
from components.nearest import did_you_mean, is_misspelt

PROJECT = "pixelcascade"

KEY_ARN = r"arn:[\w-]+:kms:[\w-]+:\d{12}:key/[\w-]+"

# Source: RFC 9111, 5.2; without spaces in a directive, so that `max-age 60` is not taken for one.
DIRECTIVE = r"[A-Za-z][A-Za-z-]*(=[!-+\--~]+)?"
CACHE_CONTROL = rf"(?=.{{1,256}}$){DIRECTIVE}(, *{DIRECTIVE})*"

# What CloudWatch Logs takes. Source: its API reference, PutRetentionPolicy.
LOG_RETENTION_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557)

MB_PER_VCPU = 1769  # Source: Lambda's developer guide, "Configure Lambda function memory".

# Twice what a worker reserves and a record needs: with less, no record would ever start.
MIN_TIMEOUT_S = 10
MIN_PICTURE_MB = 256
"""With less, a function that decodes has no memory left for pictures."""

RUNTIMES = ("python3.13", "python3.14", "python3.12")
"""Those on Amazon Linux 2023, the default first. Source: Lambda's developer guide, "Lambda runtimes"."""

DEFAULT_INPUTS = ("jpeg", "png", "gif")
FURTHER_INPUTS = ("webp", "avif", "heic", "tiff")
"""Formats that are refused unless `inputFormats` names them; `handlers.imaging.formats` reads them."""


class ConfigError(ArgumentError):
    """The stack's settings cannot be deployed; the message names every key at fault."""


@dataclass(frozen=True, kw_only=True)
class StackConfig:
    """One stack's settings, checked; a field `jpeg_quality` is the config key `jpegQuality`.

    `Pulumi.yaml` describes each key and repeats its default for the Pulumi CLI.
    """

    input_formats: Sequence[str] = several_of(*DEFAULT_INPUTS, *FURTHER_INPUTS, default=DEFAULT_INPUTS)
    jpeg_quality: int = whole(100, 1, 100)
    subsampling: str = one_of("4:2:0", "4:4:4")
    background: str = matching("#ffffff", r"#[0-9a-fA-F]{6}", 'a colour as "#rrggbb" (YAML needs the quotes)')
    sizes: Mapping[str, int | str] = sizes(thumbnail=100, medium=500, large=1000)
    output_formats: Mapping[str, int] = formats()
    placeholders: bool = flag(default=False)
    enlarge: bool = flag(default=True)
    reencode: str = one_of("when-needed", "always")
    salvage: bool = flag(default=False)
    gps: bool = flag(default=False)
    cache_control: str = matching(
        "public, max-age=86400", CACHE_CONTROL, "a Cache-Control header, such as public, max-age=86400"
    )

    naming: str = one_of("stem", "full")
    master_prefix: str = key_prefix("master/")
    converted_prefix: str = key_prefix("converted/")
    resized_prefix: str = key_prefix("resized/")
    rejected_prefix: str = key_prefix("rejected/")

    events: bool = flag(default=True)
    deletions: str = one_of("keep", "follow")

    max_pixels: int = whole(64_000_000, 1, 1_000_000_000)
    max_bytes: int = whole(50_000_000, 1, 1_000_000_000)
    max_scans: int = whole(100, 1, 10_000)
    max_segments: int = whole(512, 1, 100_000)
    max_frames: int = whole(10_000, 1, 1_000_000)

    publisher_memory_mb: int = whole(256, 128, 10_240)
    format_conversion_memory_mb: int = whole(1769, MIN_PICTURE_MB, 10_240)
    resizing_memory_mb: int = whole(1769, MIN_PICTURE_MB, 10_240)
    metadata_extraction_memory_mb: int = whole(256, 128, 10_240)
    timeout_s: int = whole(60, MIN_TIMEOUT_S, 900)
    batch_size: int = whole(10, 1, 10_000)
    batch_window_s: int = whole(0, 0, 300)
    max_concurrency: int = whole(10, 2, 1000)
    max_receives: int = whole(5, 1, 1000)

    runtime: str = one_of(*RUNTIMES)
    architecture: str = one_of("x86_64", "arm64")
    imaging: str = one_of("pillow", "pillow-simd")
    package_for: str = one_of("lambda", "host")
    bytecode: str = one_of("required", "off")
    tls_only: bool = flag(default=True)
    bucket: str = matching(
        "",
        r"|[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
        "an existing bucket's name, of lower-case letters, digits, dots and dashes, or nothing",
    )
    cors_origins: Sequence[str] = origins()
    cdn: bool = flag(default=False)
    versioning: bool = flag(default=False)
    noncurrent_days: int = whole(30, 1, 3650)
    rejected_days: int = whole(0, 0, 3650)
    force_destroy: bool = flag(default=False)
    protect_data: bool = flag(default=False)
    kms_key: str = matching("", rf"|create|{KEY_ARN}", "a KMS key's ARN, create for a new key, or nothing")
    master_kms_key: str = matching("", rf"|{KEY_ARN}", "a KMS key's ARN, or nothing")
    alarm_email: str = matching("", r"|[^@\s]+@[^@\s]+", "an email address, or nothing")
    alarm_topic: str = matching("", r"|arn:[\w-]+:sns:[\w-]+:\d{12}:[\w-]+", "a topic's ARN, or nothing")
    tracing: bool = flag(default=False)
    log_retention_days: int = one_of(*LOG_RETENTION_DAYS, default=14)
    log_level: str = one_of("DEBUG", "INFO", "WARNING", default="INFO")
    system_logs: bool = flag(default=True)

    @classmethod
    def load(cls) -> Self:
        """Read and check the running stack's settings.

        Raises: ConfigError, which names every key that is unknown or wrong.
        """
        return cls.parse(CONFIG.get() or pulumi.runtime.config.get_config_env(), pulumi.get_project())

    @classmethod
    def parse(cls, values: Mapping[str, str], project: str = PROJECT) -> Self:
        """Check `values`, keyed `pixelcascade:jpegQuality` or by the project's name; other owners' keys are ignored.

        Raises: ConfigError, which names every key that is unknown or wrong.
        """
        problems, settings = [], {}
        for full_key, text in values.items():
            owner, _, key = full_key.partition(":")
            if owner in {project, PROJECT}:
                try:
                    settings[field_name(key)] = cls._setting(owner, key, text, project)
                except ValueError as error:
                    problems.append(f"{full_key}: {error}")
            elif key in cls._fields() and is_misspelt(owner, (project, PROJECT)):
                problems.append(f"{full_key}: expected {project}:{key}: rename the key")
        if not problems:
            config = cls(**settings)
            problems = [
                f"{' and '.join(f'{PROJECT}:{key}' for key in found.keys)}: {found.message}"
                for found in contradictions(config)
            ]
        if problems:
            raise ConfigError("The stack's configuration is not valid.\n" + "\n".join(f"  {p}" for p in problems))
        return config

    @classmethod
    def _fields(cls) -> dict[str, Mapping[str, Any]]:
        """Return what each config key accepts."""
        return {config_key(field.name): field.metadata for field in dataclasses.fields(cls)}

    @classmethod
    def _setting(cls, owner: str, key: str, text: str, project: str) -> Any:
        """Return the value of one key's text.

        Raises: ValueError, which says what was expected and what to do.
        """
        if owner != project:
            # In a stack file that came with a project made by `pulumi new` under another name.
            raise ValueError(f"expected {project}:{key}, because this project is called {project}: rename the key")
        settings = cls._fields()
        if key not in settings:
            near = did_you_mean(key, settings, most=1)
            raise ValueError(f"expected a key of docs/configuration.md, got {key}{near}: rename or remove it")
        try:
            return settings[key]["check"](text)
        except ValueError as error:
            expected, *detail = error.args
            element = f"--path '{key}[0]'" if settings[key]["listed"] else key
            raise ValueError(
                f"expected {expected}, got {', where '.join([repr(text), *detail])}: set it with "
                f"`pulumi config set {element} VALUE`"
            ) from error

    @property
    def visibility_timeout_s(self) -> int:
        """For how many seconds a work queue hides a received message; see `components.delivery`."""
        return visibility_timeout_s(self.timeout_s, self.batch_window_s)

    @property
    def sized_files(self) -> int:
        """The most files that the sizes of a picture become: one in each format."""
        return len(self.sizes) * (1 + len(self.output_formats))

    @property
    def further_inputs(self) -> tuple[str, ...]:
        """Formats beyond the defaults that masters may have, in a fixed order."""
        return tuple(name for name in FURTHER_INPUTS if name in self.input_formats)


def config_key(field_name: str) -> str:
    """Return a field's config key: `max_pixels` -> `maxPixels`."""
    head, *tail = field_name.split("_")
    return head + "".join(word.capitalize() for word in tail)


def field_name(key: str) -> str:
    """Return a config key's field: `maxPixels` -> `max_pixels`."""
    return re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", key)
