"""Names and keys of a master's files."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.errors import InvalidJobError, NameTooLongError
from handlers.layout import MAX_KEY_BYTES, Layout

LAYOUT, FULL = Layout(), Layout(full_names=True)
keys = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=300)


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("master/cat.png", "cat"),
        ("master/2024/cat.png", "2024/cat"),
        ("master/v1.2/cat.png", "v1.2/cat"),
        ("master/v1.2/cat", "v1.2/cat"),
        ("master/cat.tar.gz", "cat.tar"),
        ("master/cat", "cat"),
        ("master/.hidden", ".hidden"),
        ("master/a/.hidden", "a/.hidden"),
        ("master/.hidden.png", ".hidden"),
        ("master/CAT.PNG", "CAT"),
        ("master/ends with.", "ends with"),
        ("master/master/cat.png", "master/cat"),
        ("master//cat.png", "/cat"),
        ("master/../cat.png", "../cat"),
        ("master/käse +1.png", "käse +1"),
    ],
)
def test_a_name_is_the_key_without_prefix_and_extension(key: str, name: str) -> None:
    """Folders are kept, and only the last extension is dropped."""
    assert LAYOUT.name(key) == name


def test_a_full_name_keeps_its_extension() -> None:
    """With `naming: full`, two masters with one stem have two names."""
    assert {FULL.converted_key("master/cat.png"), FULL.converted_key("master/cat.jpg")} == {
        "converted/cat.png.jpg",
        "converted/cat.jpg.jpg",
    }


def test_output_keys_follow_from_the_masters_key() -> None:
    """The keys of a master's outputs follow from its own key."""
    key = "master/2024/cat.png"
    assert [LAYOUT.converted_key(key), LAYOUT.resized_key(key, "large"), LAYOUT.rejected_key(key, "resizing")] == [
        "converted/2024/cat.jpg",
        "resized/2024/cat/large.jpg",
        "rejected/2024/cat.png/resizing.json",
    ]


def test_a_refused_message_is_stored_by_its_id() -> None:
    """A refused message's reason is stored by message id, because its key is not trusted."""
    assert LAYOUT.refused_key("id-7", "resizing") == "rejected/.messages/id-7/resizing.json"


@pytest.mark.parametrize(
    "key", ["cat.png", "masters/cat.png", "master/", "master/2024/", "", "/master/cat.png", "Master/a"]
)
def test_a_key_outside_the_master_prefix_is_refused(key: str) -> None:
    """Only objects below the master prefix are accepted."""
    with pytest.raises(InvalidJobError, match="expected an object below master/"):
        LAYOUT.path(key)


@pytest.mark.parametrize("name", ["converted_key", "resized_key"])
def test_a_key_whose_output_keys_are_too_long_is_rejected(name: str) -> None:
    """The error counts bytes, not characters, and says what to do."""
    key = "master/" + "ä" * 509 + ".png"
    arguments = ["large"] if name == "resized_key" else []
    with pytest.raises(
        NameTooLongError, match=r"at most 1024 bytes, got 10\d\d: upload the master under a shorter key"
    ):
        getattr(LAYOUT, name)(key, *arguments)


def test_an_output_key_of_the_maximum_length_is_accepted() -> None:
    """An output key of exactly 1,024 bytes is accepted."""
    key = "master/" + "a" * (MAX_KEY_BYTES - len("converted/.jpg")) + ".x"
    assert len(LAYOUT.converted_key(key)) == MAX_KEY_BYTES


@given(keys.filter(lambda path: not path.endswith("/")))
def test_a_rejection_key_always_fits(path: str) -> None:
    """The rejection's key fits, however long the master's key is, and ends with the branch."""
    key = LAYOUT.rejected_key("master/" + path, "metadata-extraction")
    assert len(key.encode()) <= MAX_KEY_BYTES
    assert key.startswith("rejected/")
    assert key.endswith("/metadata-extraction.json")


@pytest.mark.parametrize("letter", ["a", "ä", "\N{GRINNING FACE}"])
def test_a_rejection_key_of_the_longest_key_fits(letter: str) -> None:
    """A path is cut only as far as necessary, and not within a character."""
    path = letter * ((MAX_KEY_BYTES - len("master/")) // len(letter.encode()))
    key = LAYOUT.rejected_key("master/" + path, "metadata-extraction")
    assert MAX_KEY_BYTES - len(letter.encode()) < len(key.encode()) <= MAX_KEY_BYTES
    assert key.startswith(f"rejected/{letter}")


def test_two_long_keys_have_different_rejection_keys() -> None:
    """Two long keys that share a beginning have different rejection keys."""
    long = "master/" + "ä" * 508
    assert LAYOUT.rejected_key(long + "a", "b") != LAYOUT.rejected_key(long + "b", "b")


def test_a_key_that_fits_is_not_shortened() -> None:
    """A key that fits is not shortened."""
    path = "a" * (MAX_KEY_BYTES - len("rejected//b.json"))
    assert LAYOUT.rejected_key(f"master/{path}", "b") == f"rejected/{path}/b.json"
