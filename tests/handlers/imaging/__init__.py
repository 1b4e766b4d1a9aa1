"""Tests of `handlers.imaging`."""
