"""A Pulumi policy pack for programs with a fan-out: this folder is all that it needs."""
