"""A Pulumi policy pack for programs with a fan-out; it needs only this folder."""
