"""The program's promises as a Pulumi policy pack; the rules are plain functions, which pytest runs too."""
