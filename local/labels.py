"""What the report and the live page call a picture's files."""

from components.branches import BRANCHES, ImageBranch

FIRST_WITH_SIZES = next((row.name for row in BRANCHES if row.per_size), "")


def label(branch: ImageBranch, folder: str, size: str) -> str:
    """Return a file's label: the branch's folder, or the size, after the folder for a further branch with sizes."""
    if not branch.per_size:
        return folder
    return size if branch.name == FIRST_WITH_SIZES else f"{folder} {size}"
