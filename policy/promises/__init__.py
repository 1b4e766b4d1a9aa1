"""The promises as plain functions, which both Pulumi and pytest run."""
