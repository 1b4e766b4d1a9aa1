"""Tests of how the functions' package is built."""
