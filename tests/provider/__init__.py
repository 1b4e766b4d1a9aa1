"""Tests of the package for other languages and of the examples."""
