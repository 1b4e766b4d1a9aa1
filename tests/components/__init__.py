"""Tests of what is deployed, by recording mocks."""
