"""`StackConfig`: every key with its default, its check and its error."""

import dataclasses
import json
from typing import Any

import pulumi
import pytest
import yaml

from components.config import MIN_PICTURE_MB, ConfigError, StackConfig, config_key
from components.stack_file import ROOT
from handlers.imaging.limits import pixels_that_fit

DECLARED: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
FIELDS = {config_key(field.name): field for field in dataclasses.fields(StackConfig)}
TYPES = {
    "integer": {"int"},
    "boolean": {"bool"},
    "string": {"str"},
    "array": {"Mapping[str, int | str]", "Mapping[str, int]", "Sequence[str]"},
}


def parse(**settings: str) -> StackConfig:
    return StackConfig.parse({f"pixelcascade:{key}": text for key, text in settings.items()})


def problems(**settings: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse(**settings)
    return [line.strip() for line in str(caught.value).splitlines()[1:]]


def test_the_project_file_declares_every_key() -> None:
    """Pulumi.yaml and StackConfig have the same keys."""
    assert DECLARED.keys() == FIELDS.keys()


@pytest.mark.parametrize("key", DECLARED)
def test_the_project_file_repeats_each_default(key: str) -> None:
    """The default of a key in Pulumi.yaml is StackConfig's default."""
    default = DECLARED[key]["default"]
    text = default if isinstance(default, str) else json.dumps(default)
    assert getattr(parse(**{key: text}), FIELDS[key].name) == getattr(StackConfig(), FIELDS[key].name)


@pytest.mark.parametrize("key", DECLARED)
def test_the_project_file_gives_each_key_its_type(key: str) -> None:
    """The type of a key in Pulumi.yaml matches the type of its field."""
    assert _type_name(FIELDS[key].type) in TYPES[DECLARED[key]["type"]]


@pytest.mark.parametrize("key", DECLARED)
def test_the_project_file_describes_each_key(key: str) -> None:
    """Every key has a description in Pulumi.yaml."""
    assert DECLARED[key]["description"]


def test_an_empty_configuration_has_the_defaults() -> None:
    """An empty configuration is valid."""
    assert StackConfig.parse({}) == StackConfig()


def test_keys_of_other_projects_are_ignored() -> None:
    """`aws:region` belongs to the provider."""
    assert StackConfig.parse({"aws:region": "eu-central-1"}) == StackConfig()


@pytest.mark.parametrize("owner", ["pixelcasade", "PixelCascade", "pixel-cascade"])
def test_a_key_under_a_misspelt_project_is_refused(owner: str) -> None:
    """The setting would be ignored; a key of another name there is somebody else's."""
    with pytest.raises(ConfigError, match=f"{owner}:maxPixels: expected pixelcascade:maxPixels: rename the key"):
        StackConfig.parse({f"{owner}:maxPixels": "5"})
    assert StackConfig.parse({f"{owner}:other": "5"}) == StackConfig()


def test_a_setting_of_another_program_is_ignored() -> None:
    """A program that uses the components may have a setting of the same name."""
    assert StackConfig.parse({"orders:bucket": "mine", "aws:runtime": "x", "cascade:bucket": "x"}) == StackConfig()
    assert StackConfig.parse({"images:bucket": "mine"}, "my-images") == StackConfig()


@pytest.mark.parametrize(
    ("key", "near"),
    [
        ("jpegQualty", " (did you mean jpegQuality?)"),
        ("JPEGQUALITY", " (did you mean jpegQuality?)"),
        ("retention", " (did you mean logRetentionDays?)"),
        ("email", " (did you mean alarmEmail?)"),
        ("colour", ""),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest(key: str, near: str) -> None:
    """The error names the unknown key, the nearest known one in any case or by a part, and where all others are."""
    assert problems(**{key: "90"}) == [
        f"pixelcascade:{key}: expected a key of docs/configuration.md, got {key}{near}: rename or remove it"
    ]


# key, value, what the error expects
WRONG = [
    ("jpegQuality", "0", "a whole number from 1 to 100"),
    ("jpegQuality", "101", "a whole number from 1 to 100"),
    ("jpegQuality", "high", "a whole number from 1 to 100"),
    ("jpegQuality", "85.5", "a whole number from 1 to 100"),
    ("jpegQuality", "", "a whole number from 1 to 100"),
    ("jpegQuality", "\u0668\u0665", "a whole number from 1 to 100"),
    ("jpegQuality", "85\n", "a whole number from 1 to 100"),
    ("maxConcurrency", "1", "a whole number from 2 to 1000"),
    ("timeoutS", "9", "a whole number from 10 to 900"),
    ("timeoutS", "901", "a whole number from 10 to 900"),
    ("enlarge", "yes", "true or false"),
    ("gps", "True", "true or false"),
    ("reencode", "never", "one of when-needed, always"),
    ("naming", "hash", "one of stem, full"),
    ("runtime", "python3.9", "one of python3.13, python3.14, python3.12"),
    ("architecture", "riscv", "one of x86_64, arm64"),
    ("logRetentionDays", "2", "one of 1, 3, 5, 7,"),
    ("background", "white", 'a colour as "#rrggbb" (YAML needs the quotes)'),
    ("background", "#fff", 'a colour as "#rrggbb" (YAML needs the quotes)'),
    ("background", "null", "(YAML needs the quotes)"),
    ("cacheControl", "no-store\r\nX: y", "a Cache-Control header, such as"),
    ("cacheControl", "3600", "a Cache-Control header, such as"),
    ("cacheControl", "max-age 3600", "a Cache-Control header, such as"),
    ("cacheControl", '["no-store"]', "a Cache-Control header, such as"),
    ("cacheControl", "a" * 257, "a Cache-Control header, such as"),
    ("masterPrefix", "master", "a key prefix that ends in a slash"),
    ("masterPrefix", "/", "a key prefix that ends in a slash"),
    ("convertedPrefix", "", "a key prefix that ends in a slash"),
    ("convertedPrefix", "con*/", "a key prefix that ends in a slash"),
    ("sizes", "thumbnail", "a list of different sizes"),
    ("sizes", "[]", "a list of different sizes"),
    ("sizes", '{"thumbnail": 100}', "a list of different sizes"),
    ("sizes", '["thumbnail"]', "'thumbnail' is not one"),
    ("sizes", '["thumbnail=0"]', "'thumbnail=0' is not one"),
    ("sizes", '["thumbnail=65501"]', "'thumbnail=65501' is not one"),
    ("sizes", '["a/b=100"]', "'a/b=100' is not one"),
    ("sizes", '["thumbnail=100", "thumbnail=200"]', "'thumbnail' is given twice"),
    ("corsOrigins", '["https://a.b", "https://a.b"]', "where 'https://a.b' is given twice: set it"),
    ("inputFormats", '["jpeg", "jpeg"]', "where 'jpeg' is given twice: set it"),
    ("outputFormats", "webp", 'a list of "jpeg", then any of webp=QUALITY, avif=QUALITY'),
    ("outputFormats", "[]", 'a list of "jpeg"'),
    ("outputFormats", '["webp=80"]', "'webp=80' is first"),
    ("outputFormats", '["jpeg=80"]', "'jpeg=80' is first"),
    ("outputFormats", '["jpeg", "jpeg"]', "'jpeg' is not one"),
    ("outputFormats", '["jpeg", "webp"]', "'webp' is not one"),
    ("outputFormats", '["jpeg", "webp=0"]', "'webp=0' is not one"),
    ("outputFormats", '["jpeg", "avif=101"]', "'avif=101' is not one"),
    ("outputFormats", '["jpeg", "webp=80", "webp=70"]', "'webp' is given twice"),
]


@pytest.mark.parametrize(("key", "got", "expected"), WRONG)
def test_a_wrong_value_is_refused_with_what_is_expected(key: str, got: str, expected: str) -> None:
    """The error gives the key, the expected value, the actual value and the fix."""
    (problem,) = problems(**{key: got})
    assert problem.startswith(f"pixelcascade:{key}: expected ")
    assert expected in problem
    assert f", got {got!r}" in problem
    element = f"--path '{key}[0]'" if DECLARED[key]["type"] == "array" else key
    assert problem.endswith(f": set it with `pulumi config set {element} VALUE`")


@pytest.mark.parametrize(
    "header", ["no-store", "public, max-age=31536000, immutable", "s-maxage=60,stale-while-revalidate=5", "a" * 256]
)
def test_a_header_of_directives_is_accepted(header: str) -> None:
    """Directives may have values, and may be unknown."""
    assert parse(cacheControl=header).cache_control == header


@pytest.mark.parametrize(("key", "least", "most"), [("jpegQuality", 1, 100), ("timeoutS", 10, 900)])
def test_both_ends_of_a_range_are_accepted(key: str, least: int, most: int) -> None:
    """The smallest and the largest value are accepted."""
    taken = [getattr(parse(**{key: str(value)}), FIELDS[key].name) for value in (least, most)]
    assert taken == [least, most]


@pytest.mark.parametrize("prefix", ["master/", "master/small/"])
@pytest.mark.parametrize("key", ["convertedPrefix", "resizedPrefix", "rejectedPrefix"])
def test_an_output_prefix_under_the_trigger_is_refused(key: str, prefix: str) -> None:
    """Such an output would start the pipeline again; the error names both keys."""
    (problem,) = problems(**{key: prefix})
    assert key in problem
    assert "masterPrefix" in problem
    assert repr(prefix) in problem
    assert "change one (an output below the trigger's prefix would start the pipeline again)" in problem


def test_a_trigger_prefix_under_an_output_is_refused() -> None:
    """Outputs under `converted/` could otherwise be written under the trigger's prefix."""
    (problem,) = problems(masterPrefix="converted/new/")
    assert "pixelcascade:convertedPrefix and pixelcascade:masterPrefix: expected prefixes that do not" in problem


def test_two_outputs_under_one_prefix_are_refused() -> None:
    """Two kinds of outputs under one prefix could overwrite each other."""
    (problem,) = problems(resizedPrefix="converted/")
    assert "pixelcascade:convertedPrefix and pixelcascade:resizedPrefix" in problem


def test_prefixes_that_only_share_letters_are_accepted() -> None:
    """`master-small/` is not under `master/`."""
    assert parse(convertedPrefix="master-small/").converted_prefix == "master-small/"


def test_a_large_batch_without_a_window_is_refused() -> None:
    """More than ten messages in a batch need a window, as in Lambda."""
    (problem,) = problems(batchSize="11")
    assert problem == (
        "pixelcascade:batchSize: expected at most 10 without a window, got 11 with batchWindowS 0: "
        "set batchWindowS to 1 or more"
    )


def test_a_large_batch_with_a_window_is_accepted() -> None:
    """More than ten messages in a batch are accepted with a window."""
    assert parse(batchSize="11", batchWindowS="1").batch_size == 11


def test_a_log_level_that_drops_the_metrics_is_refused() -> None:
    """Without system logs Lambda filters by level, and metric lines have no level."""
    (problem,) = problems(logLevel="WARNING", systemLogs="false")
    assert problem.startswith("pixelcascade:logLevel: expected DEBUG or INFO without systemLogs, got 'WARNING'")


def test_pillow_simd_on_arm_is_refused() -> None:
    """Pillow-SIMD needs AVX2, which arm64 does not have."""
    (problem,) = problems(imaging="pillow-simd", architecture="arm64")
    assert problem == (
        "pixelcascade:imaging: expected architecture x86_64 for 'pillow-simd', which needs AVX2, got 'arm64': "
        "change one"
    )


def test_an_alarm_email_beside_an_alarm_topic_is_refused() -> None:
    """If both are set, the address would be ignored silently."""
    (problem,) = problems(alarmEmail="a@example.org", alarmTopic="arn:aws:sns:eu-west-1:123456789012:alarms")
    assert "alarmEmail and pixelcascade:alarmTopic: expected one of them, got both" in problem


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("alarmEmail", "a@example.org"),
        ("alarmTopic", "arn:aws:sns:eu-west-1:123456789012:alarms"),
        ("protectData", "true"),
        ("forceDestroy", "true"),
        ("logLevel", "WARNING"),
        ("systemLogs", "false"),
        ("batchSize", "10"),
        ("imaging", "pillow-simd"),
        ("architecture", "arm64"),
        ("bucket", "mine"),
        ("versioning", "true"),
        ("rejectedDays", "1"),
        ("corsOrigins", '["https://www.example.com"]'),
        ("cdn", "true"),
    ],
)
def test_each_of_the_settings_that_exclude_each_other_is_accepted_alone(key: str, value: str) -> None:
    """Only together can they not be deployed."""
    assert parse(**{key: value})


def test_protected_data_that_destroy_may_delete_are_refused() -> None:
    """One key keeps the data from `pulumi destroy`, the other lets it delete them."""
    (problem,) = problems(protectData="true", forceDestroy="true")
    assert "protectData and pixelcascade:forceDestroy: expected one of them, got both: set " in problem


@pytest.mark.parametrize("key", ["formatConversionMemoryMb", "resizingMemoryMb"])
def test_too_little_memory_to_decode_pictures_is_refused(key: str) -> None:
    """With less than 256 MB a function would reject nearly every picture as too large."""
    assert problems(**{key: "255"})
    assert pixels_that_fit(MIN_PICTURE_MB) > 5_000_000


def test_all_problems_are_reported_at_once() -> None:
    """Three wrong keys give three lines."""
    found = problems(jpegQuality="0", enlarge="yes", colour="red")
    assert {line.split(":")[1] for line in found} == {"jpegQuality", "enlarge", "colour"}


def test_the_error_prints_without_a_traceback() -> None:
    """Pulumi prints only the message of a RunError."""
    assert issubclass(ConfigError, pulumi.RunError)


def test_visibility_is_six_time_outs_plus_the_window() -> None:
    """The visibility time-out is six function time-outs plus the batch window."""
    assert parse(timeoutS="30", batchWindowS="7").visibility_timeout_s == 6 * 30 + 7


def test_sizes_are_parsed_into_widths_by_name() -> None:
    """Sizes are parsed into widths by name."""
    assert parse(sizes='["tiny=1", "vast=65500"]').sizes == {"tiny": 1, "vast": 65500}


def test_further_formats_are_parsed_into_qualities_by_name() -> None:
    """The JPEG has its own quality setting, and by default there are no further formats."""
    assert parse(outputFormats='["jpeg", "avif=1", "webp=100"]').output_formats == {"avif": 1, "webp": 100}
    assert parse(outputFormats='["jpeg"]') == StackConfig()


def test_further_output_formats_are_refused_with_pillow_simd() -> None:
    """It is built without the libraries of further formats."""
    (problem,) = problems(imaging="pillow-simd", outputFormats='["jpeg", "webp=80"]')
    assert "expected imaging 'pillow' for webp" in problem


def _type_name(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation).rpartition("abc.")[2]
