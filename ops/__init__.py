"""Commands that inspect and repair a running stack, on AWS or on this machine."""
