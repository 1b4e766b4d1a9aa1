"""The program under the Pulumi CLI and its engine."""
