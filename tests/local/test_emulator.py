"""What of the environment the emulator and its clients pass over."""

import pytest

from local import emulator
from local.emulator import Emulator


@pytest.mark.parametrize(
    "environment",
    [
        {"HTTP_PROXY": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9", "ALL_PROXY": "http://127.0.0.1:9"},
        {"AWS_PROFILE": "nonsense", "AWS_DEFAULT_PROFILE": "nonsense"},
        {"AWS_CONFIG_FILE": "broken", "AWS_SHARED_CREDENTIALS_FILE": "broken"},
    ],
)
def test_neither_a_proxy_nor_a_profile_matters(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]
) -> None:
    """The emulator is asked directly, with its own credentials."""
    folder = tmp_path_factory.mktemp("environment")
    (folder / "broken").write_text("no configuration")
    monkeypatch.chdir(folder)
    monkeypatch.setattr(emulator, "START_TIMEOUT_S", 20)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with Emulator("us-east-1") as running:
        assert running.client("sts").get_caller_identity()["Account"] == "000000000000"
        assert running.client("s3").list_buckets()["Buckets"] == []
