"""The promises as plain functions, which Pulumi and pytest run alike."""
