"""Pillow-SIMD: which machines can build it, and the error on all others; `make package` tests the build itself."""

import re
import sys

import pytest

from components.packaging import simd
from components.packaging.target import PackageError, Target

CHOICES = ("pillow", "pillow-simd")
SIMD = Target("python3.13", "x86_64", imaging="pillow-simd")


def refused(target: Target = SIMD) -> str:
    with pytest.raises(PackageError) as caught:
        simd._builder(target)
    return str(caught.value)


def test_another_system_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names this machine, the required one, and both alternatives."""
    monkeypatch.setattr(sys, "platform", "darwin")
    message = refused()
    assert "got darwin on " in message
    assert (
        "expected linux on x86_64, got darwin on x86_64: deploy from such a machine, or `pulumi config set imaging"
        in message
    )


def test_another_processor_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pillow-SIMD cannot be cross-compiled."""
    monkeypatch.setattr(simd, "this_architecture", lambda: "arm64")
    assert "expected linux on x86_64, got linux on arm64" in refused()


def test_a_machine_without_the_runtimes_python_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiled modules work with one version of Python only."""
    monkeypatch.setattr(simd, "interpreter", lambda _: None)
    assert "expected a python3.13 on the PATH, got" in refused()


def test_missing_headers_are_reported_with_their_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error includes an apt-get command to paste."""
    monkeypatch.setattr(simd, "_compiles", lambda header: header == "zlib.h")
    monkeypatch.setattr(simd, "compiler", lambda: "cc")
    with pytest.raises(PackageError, match="`apt-get install libjpeg62-turbo-dev liblcms2-dev`"):
        simd._check_headers()


def test_a_machine_without_a_compiler_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The compiler is checked before the headers."""
    monkeypatch.setenv("PATH", "")
    with pytest.raises(PackageError, match="got no `cc`; install a C compiler"):
        simd._check_headers()


@pytest.mark.parametrize("pins", [simd.SOURCE, simd.BUILD_PINS, simd.REPAIR_PINS], ids=["source", "build", "repair"])
def test_what_is_built_and_what_builds_it_has_a_hash(pins: str) -> None:
    """A package index could otherwise hand out tools that change the layer."""
    assert all(re.fullmatch(r"\S+==\S+ --hash=sha256:[0-9a-f]{64}", line) for line in pins.splitlines())


def test_the_other_resampler_is_left_out() -> None:
    """Pillow-SIMD resamples fast itself, and the other resampler would take precedence."""
    both = [[file.name for file in Target("python3.13", "x86_64", imaging=name).requirements] for name in CHOICES]
    assert both == [["requirements.txt", "requirements-x86_64.txt"], ["requirements.txt"]]
