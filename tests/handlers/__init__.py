"""Tests of the code that runs on Lambda, with moto."""
