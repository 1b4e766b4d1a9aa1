"""`python -m benchmarks`: one command per question."""

import click

from benchmarks.conformance import conformance
from benchmarks.load import load


@click.group()
def main() -> None:
    """Measure PixelCascade and compare it with its peers."""


main.add_command(conformance)
main.add_command(load)

if __name__ == "__main__":
    main()
