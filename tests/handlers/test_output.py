"""What the workers share: limits, options, and the way of pictures into the bucket."""

from dataclasses import replace

import pytest

from handlers import output
from handlers.errors import ImageTooLargeError, NameTakenError
from handlers.imaging import Jpeg
from tests.handlers.conftest import Stack, settings

KEYS = ["resized/cat/thumbnail.jpg", "resized/cat/medium.jpg"]


def test_a_master_over_the_limit_is_refused_before_it_is_read(stack: Stack) -> None:
    """The size that S3 tells is enough: no byte of the body is read."""
    master = stack.master("master/cat.png", b"12345")
    with pytest.raises(ImageTooLargeError, match=r"5 bytes.* 4 .*maxBytes"):
        output.options(master, settings(max_bytes=4))
    assert master.body.read() == b"12345"


def test_the_options_are_the_stacks(stack: Stack) -> None:
    """Quality, background and salvage are passed on, and limits follow the function's memory."""
    master = stack.master("master/cat.png", b"12345")
    told = replace(settings(jpeg_quality=81, background="#010203", salvage=True, max_pixels=7), memory_mb=333)
    options = output.options(master, told)
    limits, _ = options.pop("limits"), options.pop("admit")
    assert options == {"quality": 81, "background": (1, 2, 3), "salvage": True}
    assert (limits.max_pixels, limits.memory_mb) == (7, 333)


def test_a_picture_is_let_in_with_its_file(stack: Stack) -> None:
    """What is asked of the function's memory is the pixels' and three times the file's."""
    asked: list[int] = []
    master = replace(stack.master("master/cat.png", b"12345"), admit=asked.append)
    output.options(master, settings())["admit"](1_000)
    assert asked == [1_015]


def test_every_picture_is_written_with_its_headers(stack: Stack) -> None:
    """Outputs are JPEGs that browsers may keep, as long as the stack says."""
    master = stack.master("master/cat.png", b"12345", "0A")
    output.write(master, settings(cache_control="no-store"), {key: Jpeg(b"jpeg") for key in KEYS})
    heads = [stack.get(key) for key in KEYS]
    assert {(head["ContentType"], head["CacheControl"]) for head in heads} == {("image/jpeg", "no-store")}


def test_an_output_is_marked_only_if_it_was_salvaged(stack: Stack) -> None:
    """A picture whose end is missing says so in its metadata."""
    pictures = {KEYS[0]: Jpeg(b"jpeg", salvaged=True), KEYS[1]: Jpeg(b"jpeg")}
    output.write(stack.master("master/cat.png", b"12345"), settings(), pictures)
    assert [stack.get(key)["Metadata"].get("salvaged") for key in KEYS] == ["true", None]


def test_what_is_worth_a_log_is_returned(stack: Stack) -> None:
    """Bytes in and out, whether it was written, and each warning once."""
    pictures = {key: Jpeg(b"jpeg", warnings=("odd profile",)) for key in KEYS}
    details = output.write(stack.master("master/cat.png", b"12345"), settings(), pictures)
    assert (details["written"], details["bytes_in"], details["bytes_out"]) == (True, 5, 8)
    assert list(details["warnings"]) == ["odd profile"]


def test_a_superseded_master_writes_nothing(stack: Stack) -> None:
    """Outputs that a newer state has written stay, and that is told."""
    old = stack.master("master/cat.png", b"old", "01")
    new = stack.master("master/cat.png", b"new", "02")
    output.write(new, settings(), {key: Jpeg(b"new") for key in KEYS})
    assert output.write(old, settings(), {key: Jpeg(b"old") for key in KEYS})["written"] is False
    assert [stack.read(key) for key in KEYS] == [b"new", b"new"]


def test_where_the_first_name_is_taken_no_other_is_written(stack: Stack) -> None:
    """A loser does not leave half of its outputs."""
    output.write(stack.master("master/cat.jpg", b"first", "01"), settings(), {KEYS[0]: Jpeg(b"first")})
    with pytest.raises(NameTakenError):
        output.write(stack.master("master/cat.png", b"other", "02"), settings(), {key: Jpeg(b"other") for key in KEYS})
    assert stack.outputs() == [KEYS[0]]


def test_a_picture_leaves_its_place_before_it_is_written(stack: Stack) -> None:
    """While it waits for S3, another may be decoded."""
    found: list[list[str]] = []
    master = replace(stack.master("master/cat.png", b"12345"), leave=lambda: found.append(stack.outputs()))
    output.write(master, settings(), {key: Jpeg(b"jpeg") for key in KEYS})
    assert found == [[]]
