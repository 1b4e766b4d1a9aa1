"""The labels of a picture's files."""

import dataclasses

from components.branches import BRANCHES
from local.labels import label


def test_no_two_files_of_a_picture_have_one_label() -> None:
    """The report stores files by label, so a second branch with sizes must not take the first one's."""
    resizing = next(row for row in BRANCHES if row.per_size)
    second = dataclasses.replace(resizing, name="tinting", prefix="tinted/")
    converting = next(row for row in BRANCHES if row.key and not row.per_size)
    files = [(converting, "converted"), (resizing, "resized"), (second, "tinted")]
    assert [label(branch, folder, "small") for branch, folder in files] == ["converted", "small", "tinted small"]
