"""Looking after a running stack, on AWS or on this machine."""
