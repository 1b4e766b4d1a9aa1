"""The type of an option that names a file to write."""

import tempfile
from pathlib import Path
from typing import Any

import click


class OutputFile(click.Path):
    """A file to write, in a writable folder; checked before a run that takes minutes."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path."""
        file = Path(str(super().convert(value, param, ctx)))
        if not file.parent.is_dir():
            self.fail(f"expected a file in a folder that exists, got {str(file)!r}: make {file.parent}", param, ctx)
        if not file.exists():  # For a file that exists, such as /dev/null, the folder does not matter.
            try:
                tempfile.TemporaryFile(dir=file.parent).close()
            except OSError as error:
                expected = "expected a file in a folder that can be written"
                self.fail(
                    f"{expected}, got {str(file)!r} ({error.strerror}): change the folder or its mode", param, ctx
                )
        return file
