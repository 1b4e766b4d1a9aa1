"""Tests of the estimated bill and limits."""
