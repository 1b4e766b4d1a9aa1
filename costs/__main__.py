"""`python -m costs`: a month's bill and the limits, from settings alone."""

from costs.command import estimate_command

if __name__ == "__main__":
    estimate_command(prog_name="python -m costs")
