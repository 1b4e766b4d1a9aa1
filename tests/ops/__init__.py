"""The commands that look after a stack."""
