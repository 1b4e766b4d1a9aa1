"""Tests: one folder per source package, plus whole-program, contract and end-to-end tests."""
