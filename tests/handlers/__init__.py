"""Tests of what runs on Lambda, with moto."""
