"""What branches return: limits and room before it is made, and how files reach the bucket."""

import contextlib
import io
from dataclasses import replace
from typing import Any

import pytest

from handlers import imaging, worker
from handlers.budget import Budget
from handlers.errors import ImageTooLargeError
from handlers.imaging import Jpeg
from handlers.marks import Mark
from handlers.output import Files
from tests.handlers.conftest import Made, Stack, settings, working

FILES = ["resized/{name}/thumbnail.jpg", "resized/{name}/medium.jpg"]
KEYS = ["resized/cat/thumbnail.jpg", "resized/cat/medium.jpg"]


def test_a_master_over_the_limit_is_refused_before_it_is_read(stack: Stack) -> None:
    """The size that S3 tells is enough: no byte of the body is read."""
    body = io.BytesIO(b"12345")
    master = replace(stack.master("master/cat.png", b"12345"), body=body)
    with pytest.raises(ImageTooLargeError, match=r"at most 4 bytes .maxBytes., got 5"):
        worker._output(master, working(lambda *_: Made()), settings(max_bytes=4), early=False, isolated=False)
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
    monkeypatch.setattr(imaging, "open_picture", lambda *_, **__: None)
    worker._output(
        stack.master("master/cat.png", b"12345"),
        working(lambda *_: Made(), 1_000),
        settings(),
        early=False,
        isolated=True,
    )
    assert asked == [1_015]


def write(*files: str, generation: int = 1, key: str = "master/cat.png", **changes: Any) -> bool:
    mark = Mark(key=key, etag="e", generation=generation)
    return Files({file: Jpeg(b"\xff\xd8jpeg") for file in files}).write(mark, settings(**changes))


def test_every_picture_is_written_with_its_headers(stack: Stack) -> None:
    """Type, caching and the master's state are in each object's headers."""
    assert write(*FILES, cache_control="no-store") is True
    assert stack.outputs() == sorted(KEYS)
    for key in KEYS:
        found = stack.get(key)
        assert (found["ContentType"], found["CacheControl"]) == ("image/jpeg", "no-store")
        assert found["Metadata"] == {"key": "master/cat.png", "etag": "e", "generation": "1"}


def test_two_generations_never_have_the_same_bytes(stack: Stack) -> None:
    """S3 compares outputs by ETag, which tells bytes alone: each generation has a comment of its own."""
    etags = set()
    for generation in (1, 2):
        write(FILES[0], generation=generation)
        etags.add(stack.get(KEYS[0])["ETag"])
    assert len(etags) == 2
    assert b"PixelCascade generation 2" in stack.read(KEYS[0])


def test_an_output_is_marked_only_if_it_was_salvaged(stack: Stack) -> None:
    """A picture whose end is missing says so; others have no such mark."""
    pictures = {FILES[0]: Jpeg(b"\xff\xd8", salvaged=True), FILES[1]: Jpeg(b"\xff\xd8")}
    Files(pictures).write(Mark(key="master/cat.png", etag="e"), settings())
    assert [stack.get(key)["Metadata"].get("salvaged") for key in KEYS] == ["true", None]


def test_the_log_has_bytes_and_warnings() -> None:
    """What all files weigh, and each warning once."""
    pictures = {file: Jpeg(b"jpeg", warnings=("odd profile",)) for file in FILES}
    assert Files(pictures).details == {"bytes_out": 8, "warnings": ["odd profile"]}


def test_the_record_has_each_files_size(stack: Stack) -> None:
    """Width, height and the bytes that are in the bucket, by a key that stands for any name."""
    files, mark = Files({FILES[0]: Jpeg(b"\xff\xd8jpeg", (100, 75))}), Mark(key="master/cat.png", etag="e")
    files.write(mark, settings())
    outcome = files.outcome(mark, settings())
    size_bytes = len(stack.read(KEYS[0]))
    assert outcome.outputs == {FILES[0]: {"width": 100, "height": 75, "bytes": size_bytes}}
    assert (outcome.state, outcome.recipe) == ("written", "recipe")


def test_an_older_generation_writes_nothing(stack: Stack) -> None:
    """Where one file has a newer generation, the branch's work was superseded."""
    write(*FILES, generation=2)
    before = [stack.read(key) for key in KEYS]
    assert write(*FILES, generation=1) is False
    assert [stack.read(key) for key in KEYS] == before
