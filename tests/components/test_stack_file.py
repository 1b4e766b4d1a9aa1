"""Stack files, read as the Pulumi CLI passes them to the program."""

import re
from pathlib import Path

import pytest

from components.config import ConfigError, StackConfig
from components.stack_file import file_config, region_of, stack_config


def test_a_renamed_project_reads_its_own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys under the project's name and keys without a namespace are the program's; an empty file has none."""
    (tmp_path / "Pulumi.yaml").write_text("name: mine\nconfig: {}\n")
    monkeypatch.setattr("components.stack_file.ROOT", tmp_path)
    file = tmp_path / "Pulumi.dev.yaml"
    file.write_text("config:\n  mine:batchSize: 5\n  gps: true\n  aws:region: x\n")
    assert file_config(file) == {"pixelcascade:batchSize": "5", "pixelcascade:gps": "true", "aws:region": "x"}
    file.write_text("")
    assert file_config(file) == {}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("4:2:0", "4:2:0"),
        ('"4:4:4"', "4:4:4"),
        ("yes", "yes"),
        ("off", "off"),
        ("true", "true"),
        ("True", "true"),
        ("010", "10"),
        ("0x10", "16"),
        ("-7", "-7"),
        ("1e3", "1000.0"),
        ("1_000", "1_000"),
        ("[a=1, b]", '["a=1", "b"]'),
    ],
)
def test_values_are_read_as_yaml_1_2(tmp_path: Path, text: str, value: str) -> None:
    """The Pulumi CLI uses YAML 1.2; in 1.1 an unquoted 4:2:0 would be 14520, and off would be false."""
    file = tmp_path / "Pulumi.dev.yaml"
    file.write_text(f"config:\n  other:key: {text}\n")
    assert file_config(file)["other:key"] == value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("confg:\n  pixelcascade:batchSize: 5\n", "got confg (did you mean config?): rename or remove it"),
        ("pixelcascade:batchSize: 5\n", "got pixelcascade:batchSize: rename or remove it, or move it into config"),
        ("config: {}\n1: 2\n", "got 1: rename"),
    ],
)
def test_an_unknown_key_beside_the_config_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    """Settings under a misspelt `config`, or outside of it, would be ignored."""
    (tmp_path / "Pulumi.dev.yaml").write_text(text)
    with pytest.raises(ConfigError, match=re.escape(expected)):
        file_config(tmp_path / "Pulumi.dev.yaml")


def test_the_other_keys_of_a_stack_are_accepted(tmp_path: Path) -> None:
    """The Pulumi CLI keeps how secrets are encrypted, and environments, beside the config."""
    file = tmp_path / "Pulumi.dev.yaml"
    file.write_text("encryptionsalt: v1:a\nsecretsprovider: passphrase\nenvironment: [a]\nconfig: {other:key: 1}\n")
    assert file_config(file)["other:key"] == "1"


def test_an_encrypted_value_leaves_the_default(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Only the Pulumi CLI can decrypt what `pulumi config set --secret` writes, and the other settings count."""
    file = tmp_path / "Pulumi.dev.yaml"
    secure = "{secure: v1:a:b}"
    file.write_text(
        f"config:\n  pixelcascade:alarmEmail: {secure}\n  pixelcascade:corsOrigins: [{secure}]\n"
        f"  pixelcascade:batchSize: 5\n  aws:secretKey: {secure}\n"
    )
    config = StackConfig.parse(file_config(file))
    assert (config.alarm_email, config.cors_origins, config.batch_size) == ("", (), 5)
    expected = f"{file}: expected pixelcascade:{{}} in plain text, got an encrypted value: its default is used"
    assert caplog.messages == [expected.format(key) for key in ("alarmEmail", "corsOrigins")]


def test_a_merged_key_may_be_overridden(tmp_path: Path) -> None:
    """A key that a mapping has beside a merged one is there once."""
    file = tmp_path / "Pulumi.dev.yaml"
    file.write_text("config:\n  a:base: &base {other:key: 1}\n  <<: *base\n  other:key: 2\n")
    assert file_config(file)["other:key"] == "2"


NEW = """
name: mine
config:
  pulumi:tags:
    value:
      pulumi:template: pixelcascade
  aws:region: eu-west-1
  gps:
    type: boolean
    default: false
  alarmEmail:
    type: string
"""


def test_the_project_config_is_read_as_by_the_cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`pulumi new` writes keys of other namespaces, values beside defaults, and settings without a default."""
    (tmp_path / "Pulumi.yaml").write_text(NEW)
    (tmp_path / "Pulumi.dev.yaml").write_text('config:\n  mine:gps: "true"\n  mine:batchSize: "2"\n')
    monkeypatch.setattr("components.stack_file.ROOT", tmp_path)
    config = file_config(tmp_path / "Pulumi.dev.yaml")
    assert config == {
        "pulumi:tags": '{"pulumi:template": "pixelcascade"}',
        "aws:region": "eu-west-1",
        "pixelcascade:gps": "true",
        "pixelcascade:batchSize": "2",
    }
    assert StackConfig.parse(config).batch_size == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"config: [1, 2]\n", r"expected config to be a mapping of keys to values, got \[1, 2\]"),
        (b"config: 0\n", "expected config to be a mapping of keys to values, got 0"),
        (b"foo\n", "expected a mapping with a key config, got 'foo'"),
        (b"a: b: c\n", "expected YAML in UTF-8, got a file that is not: mapping values are not allowed here"),
        (
            b"config:\n  a: \xff\n",
            "expected YAML in UTF-8, got a file that is not: 'utf-8' codec can't decode byte 0xff",
        ),
        (b"config:\n  a: \x07\n", "expected YAML in UTF-8, got a file that is not: unacceptable character"),
        (b"config:\n  a: 2020-13-45\n", "expected YAML in UTF-8, got a file that is not: month must be in 1..12"),
        (b"config:\n  a: 1\n  b: 2\n  a: 3\n", "expected a once, got it on lines 2 and 4: remove one"),
        (b"config:\n  a: 1\nconfig:\n  b: 1\n", "expected config once, got it on lines 1 and 3: remove one"),
        (
            b"config:\n  gps: true\n  pixelcascade:gps: false\n",
            "pixelcascade:gps once, got gps and pixelcascade:gps: remove",
        ),
        (b"config:\n  a: 2020-12-24\n", "pixelcascade:a: expected a value that JSON can hold, got datetime"),
    ],
)
def test_a_malformed_file_is_refused(tmp_path: Path, text: bytes, message: str) -> None:
    """Each kind of malformed file gives a one-line error."""
    file = tmp_path / "Pulumi.bad.yaml"
    file.write_bytes(text)
    with pytest.raises(ConfigError, match=message) as caught:
        file_config(file)
    assert "\n" not in str(caught.value)


def test_an_unreadable_file_is_refused(tmp_path: Path) -> None:
    """A folder stands in for an unreadable file, because root can read every file."""
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        file_config(tmp_path)


@pytest.mark.parametrize(
    ("config", "environment", "region"),
    [
        ({"aws:region": "eu-west-1"}, {"AWS_REGION": "eu-west-2"}, "eu-west-1"),
        ({}, {"AWS_REGION": "eu-west-2", "AWS_DEFAULT_REGION": "eu-west-3"}, "eu-west-2"),
        ({}, {"AWS_DEFAULT_REGION": "eu-west-3"}, "eu-west-3"),
        ({}, {}, "us-east-1"),
    ],
)
def test_the_region_comes_from_file_environment_or_default(
    monkeypatch: pytest.MonkeyPatch, config: dict[str, str], environment: dict[str, str], region: str
) -> None:
    """The file comes first, then the environment, then the default."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert region_of(config) == region


def test_an_invalid_region_is_refused() -> None:
    """Host names contain the region, so it must be well-formed."""
    with pytest.raises(ConfigError, match="expected a region such as us-east-1, got 'here, there': set aws:region"):
        region_of({"aws:region": "here, there"})


def test_a_stacks_name_may_hold_dots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pulumi accepts `v1.2`, and the error for a name without a file suggests it in full."""
    monkeypatch.setattr("components.stack_file.ROOT", tmp_path)
    (tmp_path / "Pulumi.v1.2.yaml").touch()
    with pytest.raises(ConfigError, match=re.escape("expected one of the stacks v1.2, got 'v1.3'")):
        stack_config("v1.3")
