"""What branches return: limits and room before it is made, and how files reach the bucket."""

import contextlib
import io
from dataclasses import replace

import pytest

from handlers import imaging, worker
from handlers.budget import Budget
from handlers.errors import ImageTooLargeError, NameTakenError
from handlers.imaging import Jpeg
from handlers.output import Files
from tests.handlers.conftest import Made, Stack, settings, working

KEYS = ["resized/cat/thumbnail.jpg", "resized/cat/medium.jpg"]


def test_a_master_over_the_limit_is_refused_before_it_is_read(stack: Stack) -> None:
    """The size that S3 tells is enough: no byte of the body is read."""
    body = io.BytesIO(b"12345")
    master = replace(stack.master("master/cat.png", b"12345"), body=body)
    with pytest.raises(ImageTooLargeError, match=r"5 bytes.* 4 .*maxBytes"):
        worker._output(master, working(lambda *_: Made()), settings(max_bytes=4))
    assert body.tell() == 0


def test_the_options_are_the_stacks() -> None:
    """Quality, background and salvage are passed on, and limits follow the function's memory."""
    changed = replace(settings(jpeg_quality=81, background="#010203", salvage=True, max_pixels=7), memory_mb=333)
    assert changed.output_options == {
        "quality": 81,
        "subsampling": "4:2:0",
        "background": (1, 2, 3),
        "salvage": True,
    }
    assert (changed.picture_limits.max_pixels, changed.picture_limits.memory_mb) == (7, 333)


def test_a_picture_waits_for_room_for_its_file_too(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked of the function's memory is the pixels' and three times the file's."""
    asked: list[int] = []

    def noted(_budget: Budget, need_bytes: int) -> contextlib.AbstractContextManager[None]:
        asked.append(need_bytes)
        return contextlib.nullcontext()

    monkeypatch.setattr(Budget, "room", noted)
    monkeypatch.setattr(imaging, "open_picture", lambda *_: None)
    worker._output(stack.master("master/cat.png", b"12345"), working(lambda *_: Made(), 1_000), settings())
    assert asked == [1_015]


def test_every_picture_is_written_with_its_headers(stack: Stack) -> None:
    """Outputs are JPEGs that browsers may keep, as long as the stack says."""
    master = stack.master("master/cat.png", b"12345", "0A")
    Files({key: Jpeg(b"jpeg") for key in KEYS}).write(master, settings(cache_control="no-store"))
    heads = [stack.get(key) for key in KEYS]
    assert {(head["ContentType"], head["CacheControl"]) for head in heads} == {("image/jpeg", "no-store")}


def test_an_output_is_marked_only_if_it_was_salvaged(stack: Stack) -> None:
    """A picture whose end is missing says so in its metadata."""
    pictures = {KEYS[0]: Jpeg(b"jpeg", salvaged=True), KEYS[1]: Jpeg(b"jpeg")}
    Files(pictures).write(stack.master("master/cat.png", b"12345"), settings())
    assert [stack.get(key)["Metadata"].get("salvaged") for key in KEYS] == ["true", None]


def test_the_log_has_bytes_and_warnings() -> None:
    """The bytes of all files, and each warning once."""
    pictures = {key: Jpeg(b"jpeg", warnings=("odd profile",)) for key in KEYS}
    assert Files(pictures).details == {"bytes_out": 8, "warnings": ["odd profile"]}


def test_a_superseded_master_writes_nothing(stack: Stack) -> None:
    """Outputs that a newer state has written stay, and the caller learns it."""
    old = stack.master("master/cat.png", b"old", "01")
    new = stack.master("master/cat.png", b"new", "02")
    Files({key: Jpeg(b"new") for key in KEYS}).write(new, settings())
    assert Files({key: Jpeg(b"old") for key in KEYS}).write(old, settings()) is False
    assert [stack.read(key) for key in KEYS] == [b"new", b"new"]


def test_where_the_first_name_is_taken_no_other_is_written(stack: Stack) -> None:
    """A loser does not leave half of its outputs."""
    Files({KEYS[0]: Jpeg(b"first")}).write(stack.master("master/cat.jpg", b"first", "01"), settings())
    with pytest.raises(NameTakenError):
        Files({key: Jpeg(b"other") for key in KEYS}).write(stack.master("master/cat.png", b"other", "02"), settings())
    assert stack.outputs() == [KEYS[0]]
