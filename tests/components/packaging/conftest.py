"""Fixtures of the packaging tests: an empty cache and a copy of the sources for each test."""

import shutil
from pathlib import Path

import pytest

from components.packaging import paths


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the test its own empty cache."""
    cache = tmp_path / "cache"
    monkeypatch.setattr(paths, "CACHE", cache)
    return cache


@pytest.fixture
def source_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty_cache: Path) -> Path:
    """Give the test a copy of `handlers` that it may change."""
    assert not empty_cache.exists()
    handlers = tmp_path / "handlers"
    shutil.copytree(paths.HANDLERS, handlers, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(paths, "HANDLERS", handlers)
    return handlers
