"""The unchanged program on one machine: `python -m local`."""
