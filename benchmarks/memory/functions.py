"""The functions to measure: the rows of `components.branches` by task."""

from components.branches import BRANCHES, ImageBranch

FUNCTIONS: dict[str, ImageBranch] = {row.task: row for row in BRANCHES}
