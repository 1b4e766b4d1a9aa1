"""Tests of the pages in a real browser; they are skipped where none is installed."""
