"""MiniStack with more patience for the functions' logs; run as a script instead of `python -m ministack`.

After a call it waits 50 ms for the first line of the function's log. On a busy machine the line comes later, and is
then held back until the same process's next call, which may never come.
"""

import runpy

from ministack.core.lambda_runtime import Worker

FIRST_LINE_S, NEXT_LINE_S, MOST_S = 0.5, 0.005, 0.75
"""How long to wait for the first line, for each further one, and in all."""

if __name__ == "__main__":
    Worker._drain_stderr_bounded.__defaults__ = (FIRST_LINE_S, NEXT_LINE_S, MOST_S)  # noqa: SLF001
    runpy.run_module("ministack", run_name="__main__", alter_sys=True)
