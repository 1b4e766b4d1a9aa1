"""Tests of the deployed resources, with recording mocks."""
