"""Tests: a folder beside each of the source, and whole-program, contract and end-to-end tests."""
