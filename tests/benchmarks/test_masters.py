"""What a load run uploads."""

import io
from collections import Counter

import pytest
from PIL import Image

from benchmarks.masters import EVERY, FAULTS, KILLER_COUNT, KINDS, SIZES, picture, uploads
from benchmarks.sabotage import KILLERS


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", SIZES)
def test_a_picture_is_whole_and_like_no_other(kind: str, size: tuple[int, int]) -> None:
    """The words that tell pictures apart are where no pixel shows them."""
    one, other = (picture(kind, size, words) for words in ("one", "other"))
    assert one != other
    first, second = (Image.open(io.BytesIO(body)) for body in (one, other))
    assert first.size == second.size == size
    assert first.convert("RGB").tobytes() == second.convert("RGB").tobytes()


def test_there_are_as_many_masters_as_were_asked_for() -> None:
    """Twins and killers count."""
    assert len(list(uploads(200, set(FAULTS), seed=1))) == 200


def test_no_two_masters_have_one_path_or_one_content() -> None:
    """Each is told from all others."""
    planned = list(uploads(200, set(FAULTS), seed=1))
    assert len({upload.path for upload in planned}) == 200
    contents = [body for upload in planned for body in upload.contents]
    assert len(set(contents)) == len(contents)


def test_without_faults_nothing_is_done_to_a_master() -> None:
    """Neither replaced nor deleted, no killer, no twin."""
    planned = list(uploads(200, set(), seed=1))
    assert all(len(upload.contents) == 1 and not upload.deleted and not upload.kills for upload in planned)
    assert len({upload.path.rpartition(".")[0] for upload in planned}) == 200


def test_each_fault_has_its_masters() -> None:
    """Killers are a handful, the others a share."""
    planned = list(uploads(400, set(FAULTS), seed=1))
    stems = Counter(upload.path.rpartition(".")[0] for upload in planned)
    assert sum(upload.kills for upload in planned) == KILLER_COUNT * len(KILLERS)
    for count, fault in (
        (sum(len(upload.contents) == 2 for upload in planned), "reupload"),
        (sum(upload.deleted for upload in planned), "delete"),
        (sum(count == 2 for count in stems.values()), "twins"),
    ):
        assert count == pytest.approx(400 / EVERY[fault], abs=4)


def test_a_seed_decides() -> None:
    """The same seed gives the same masters in the same order, another seed others."""
    one, same, other = (list(uploads(50, set(FAULTS), seed=seed)) for seed in (1, 1, 2))
    assert one == same
    assert one != other
