"""The masters that a load run uploads."""

import io
from collections import Counter

import pytest
from PIL import Image

from benchmarks.masters import EVERY, FAULTS, KILLER_COUNT, KINDS, SIZES, picture, uploads
from benchmarks.sabotage import KILLERS


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", SIZES)
def test_a_picture_is_whole_and_unique(kind: str, size: tuple[int, int]) -> None:
    """The text that makes a picture unique does not change any pixel."""
    one, other = (picture(kind, size, text) for text in ("one", "other"))
    assert one != other
    first, second = (Image.open(io.BytesIO(body)) for body in (one, other))
    assert first.size == second.size == size
    assert first.convert("RGB").tobytes() == second.convert("RGB").tobytes()


def test_the_number_of_masters_is_as_requested() -> None:
    """The count includes twins and killers."""
    assert len(list(uploads(200, set(FAULTS), seed=1))) == 200


def test_paths_and_contents_of_masters_are_unique() -> None:
    """All paths and all contents are unique."""
    planned = list(uploads(200, set(FAULTS), seed=1))
    assert len({upload.path for upload in planned}) == 200
    contents = [body for upload in planned for body in upload.contents]
    assert len(set(contents)) == len(contents)


def test_without_faults_every_master_is_plain() -> None:
    """No master is replaced, deleted, a killer or a twin."""
    planned = list(uploads(200, set(), seed=1))
    assert all(len(upload.contents) == 1 and not upload.deleted and not upload.kills for upload in planned)
    assert len({upload.path.rpartition(".")[0] for upload in planned}) == 200


def test_each_fault_has_its_masters() -> None:
    """There are a fixed few killers, and a share of every other fault."""
    planned = list(uploads(400, set(FAULTS), seed=1))
    stems = Counter(upload.path.rpartition(".")[0] for upload in planned)
    assert sum(upload.kills for upload in planned) == KILLER_COUNT * len(KILLERS)
    for count, fault in (
        (sum(len(upload.contents) == 2 for upload in planned), "reupload"),
        (sum(upload.deleted for upload in planned), "delete"),
        (sum(count == 2 for count in stems.values()), "twins"),
    ):
        assert count == pytest.approx(400 / EVERY[fault], abs=4)


def test_a_seed_makes_the_masters_reproducible() -> None:
    """The same seed gives the same masters in the same order; another seed gives others."""
    one, same, other = (list(uploads(50, set(FAULTS), seed=seed)) for seed in (1, 1, 2))
    assert one == same
    assert one != other
