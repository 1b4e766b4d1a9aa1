"""Prints what the commands show when the table of branches has one more row."""

import sys
from collections import Counter
from pathlib import Path

from components import branches

branches.BRANCHES = (
    *branches.BRANCHES,
    branches.ImageBranch(
        name="inverting",
        handler="handlers.format_converter.handler",
        memory=512,
        task="invert",
        prefix="inverted/",
        key="converted_key",
    ),
)

# The commands read the table on import.
from benchmarks.memory.request import FUNCTIONS  # noqa: E402
from costs.command import estimate_command  # noqa: E402
from handlers.layout import Layout  # noqa: E402
from local.output_folder import FOLDERS  # noqa: E402
from ops.printing import print_totals  # noqa: E402
from ops.stack import DeployedStack  # noqa: E402
from tests.costs.measured import benchmark_file  # noqa: E402
from tests.costs.measured import row as measured  # noqa: E402

nothing: dict[str, str] = {}
stack = DeployedStack(
    client=str, bucket="", table="", topic="", queues=nothing, dead_letter_queues=nothing, layout=Layout(), sizes=()
)
print("stack:", *stack.prefixes())
print("local run:", *FOLDERS)
print("memory benchmark:", *FUNCTIONS)
print_totals(Counter({"masters": 1, "inverting done": 1, "unaccounted": 0}))
rows = [measured(task) for task in FUNCTIONS]
estimate_command(["--verbose", "--benchmark", str(benchmark_file(Path(sys.argv[1]), *rows))], standalone_mode=False)
