"""End to end: the whole program in an emulator, with IAM enforced."""
