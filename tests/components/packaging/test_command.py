"""`python -m components.packaging`, which `make package` runs."""

import re
import sys

import pytest

from components.packaging.__main__ import main
from components.packaging.archive import sha256
from components.packaging.build import build
from components.packaging.target import Target
from tests.pythons import needs_python


def run(monkeypatch: pytest.MonkeyPatch, *options: str) -> int:
    monkeypatch.setattr(sys, "argv", ["packaging", *options])
    return main()


@needs_python("3.12")
@pytest.mark.parametrize("python", ["3.12", "python3.12"])
def test_the_last_line_holds_hashes_and_sizes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], python: str
) -> None:
    """It describes the archives to upload, for the given runtime and processor."""
    assert run(monkeypatch, "--architecture=arm64", f"--python={python}") == 0
    *_, last = capsys.readouterr().out.splitlines()
    made = build(Target("python3.12", "arm64"))
    code, layer = (f"sha256={sha256(path)} bytes={path.stat().st_size}" for path in (made.code, made.layer))
    assert last == f"code {code} layer {layer}"


@needs_python("3.13")
def test_every_check_is_printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Size, glibc and imports each have a line, whether or not the package was cached."""
    assert run(monkeypatch) == 0
    output = capsys.readouterr().out
    assert re.search(r"^unzipped: [\d,]+ bytes with the code, of 262,144,000 that Lambda allows$", output, re.MULTILINE)
    assert re.search(r"^glibc: needs 2\.\d+, the runtime has 2\.34$", output, re.MULTILINE)
    assert re.search(r"^imports: ", output, re.MULTILINE)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--python=3.9", "argument --python: expected one of python3.13, python3.14, python3.12, got '3.9'"),
        ("--architecture=riscv", "argument --architecture: expected one of x86_64, arm64, got 'riscv'"),
        ("--imaging=opencv", "argument --imaging: expected one of pillow, pillow-simd, got 'opencv'"),
    ],
)
def test_an_invalid_option_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], option: str, message: str
) -> None:
    """The command applies the checks of the settings, and names the option."""
    with pytest.raises(SystemExit, match="2"):
        run(monkeypatch, option)
    assert message in capsys.readouterr().err


def test_an_impossible_target_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Options that are valid but exclude each other are refused as in a stack."""
    assert run(monkeypatch, "--imaging=pillow-simd", "--architecture=arm64") == 1
    assert "pixelcascade:imaging: expected architecture x86_64" in capsys.readouterr().err
