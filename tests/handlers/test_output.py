"""Branch outputs: limits and memory before they are made, and how they are written to the bucket."""

import contextlib
import io
import threading
from dataclasses import replace
from typing import Any

import pytest

from handlers import imaging
from handlers.attributes import attribute, value_of
from handlers.budget import Budget
from handlers.errors import ImageTooLargeError
from handlers.imaging import Jpeg
from handlers.imaging.further import FORMATS
from handlers.marks import Mark
from handlers.output import Files, Item
from handlers.record import Outcome
from handlers.storage import Place
from handlers.work import _output
from tests.handlers.conftest import TABLE, FakeOutput, Stack, settings, work_with

FILES = ["resized/{name}/thumbnail.jpg", "resized/{name}/medium.jpg"]
KEYS = ["resized/cat/thumbnail.jpg", "resized/cat/medium.jpg"]


def test_a_master_over_the_limit_is_refused_before_it_is_read(stack: Stack) -> None:
    """S3's size is checked, and no byte of the body is read."""
    body = io.BytesIO(b"12345")
    master = replace(stack.master("master/cat.png", b"12345"), body=body)
    with pytest.raises(ImageTooLargeError, match=r"at most 4 bytes .maxBytes., got 5"):
        _output(master, work_with(lambda *_: FakeOutput()), settings(max_bytes=4), early=False, isolated=False)
    assert body.tell() == 0


def test_options_and_limits_come_from_the_settings() -> None:
    """Quality, background and salvage are the stack's, and the limits use the function's memory."""
    changed = replace(settings(jpeg_quality=81, background="#010203", salvage=True, max_pixels=7), memory_mb=333)
    assert changed.output_options == {
        "quality": 81,
        "subsampling": "4:2:0",
        "background": (1, 2, 3),
        "salvage": True,
    }
    assert (changed.picture_limits.max_pixels, changed.picture_limits.memory_mb) == (7, 333)


@pytest.mark.parametrize(("need_bytes", "expected"), [(1_000, 1_010), (0, 0)])
def test_the_reserved_memory_includes_the_file(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, need_bytes: int, expected: int
) -> None:
    """The memory reserved is that of the pixels plus twice the file; a short file that is not decoded needs none."""
    reserved: list[int] = []

    def recording(_budget: Budget, need_bytes: int, *, pictures: int) -> contextlib.AbstractContextManager[None]:
        reserved.append(need_bytes)
        assert pictures == (need_bytes > 0)
        return contextlib.nullcontext()

    monkeypatch.setattr(Budget, "room", recording)
    monkeypatch.setattr(imaging, "open_picture", lambda *_, **__: None)
    _output(
        stack.master("master/cat.png", b"12345"),
        work_with(lambda *_: FakeOutput(), need_bytes),
        settings(),
        early=False,
        isolated=True,
    )
    assert reserved == [expected]


def write(*files: str, generation: int = 1, key: str = "master/cat.png", **changes: Any) -> Outcome | None:
    mark = Mark(key=key, etag="e", generation=generation)
    return Files({file: Jpeg(b"\xff\xd8jpeg") for file in files}).write(mark, settings(**changes))


def test_every_picture_is_written_with_its_headers(stack: Stack) -> None:
    """Each object's headers have its content type, caching and the master's state."""
    assert write(*FILES, cache_control="no-store")
    assert stack.outputs() == sorted(KEYS)
    for key in KEYS:
        found = stack.get(key)
        assert (found["ContentType"], found["CacheControl"]) == ("image/jpeg", "no-store")
        assert found["Metadata"] == {"key": "master/cat.png", "etag": "e", "generation": "1"}


@pytest.mark.usefixtures("stack")
def test_the_files_of_a_picture_are_written_in_parallel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each write waits for the other, which one after the other would never end."""
    both = threading.Barrier(2)
    monkeypatch.setattr(Place, "write", lambda *_, **__: both.wait(timeout=10) >= 0)
    assert write(*FILES)


def test_two_generations_have_different_etags(stack: Stack) -> None:
    """Each generation has its own comment, because S3's conditions compare ETags, which depend on bytes alone."""
    etags = set()
    for generation in (1, 2):
        write(FILES[0], generation=generation)
        etags.add(stack.get(KEYS[0])["ETag"])
    assert len(etags) == 2
    assert b"PixelCascade generation 2" in stack.read(KEYS[0])


def test_an_output_is_marked_only_if_it_was_salvaged(stack: Stack) -> None:
    """Only a salvaged output has the mark in its metadata."""
    pictures = {FILES[0]: Jpeg(b"\xff\xd8", salvaged=True), FILES[1]: Jpeg(b"\xff\xd8")}
    Files(pictures).write(Mark(key="master/cat.png", etag="e"), settings())
    assert [stack.get(key)["Metadata"].get("salvaged") for key in KEYS] == ["true", None]


def test_the_log_has_each_warning_once() -> None:
    """A warning that two files of a picture share is logged once."""
    pictures = {file: Jpeg(b"jpeg", warnings=("odd profile",)) for file in FILES}
    assert Files(pictures).details == {"warnings": ["odd profile"]}


def test_the_record_has_each_files_size(stack: Stack) -> None:
    """The record has each file's width, height and stored bytes, by a key with a placeholder for the name."""
    files, mark = Files({FILES[0]: Jpeg(b"\xff\xd8jpeg", (100, 75))}), Mark(key="master/cat.png", etag="e")
    outcome = files.write(mark, settings())
    assert outcome
    size_bytes = len(stack.read(KEYS[0]))
    assert outcome.outputs == {FILES[0]: {"width": 100, "height": 75, "bytes": size_bytes}}
    assert (outcome.state, outcome.recipe, outcome.bytes_out) == ("written", "recipe", size_bytes)


def test_an_older_generation_writes_nothing(stack: Stack) -> None:
    """Outputs of a newer generation stay, and the write returns None."""
    write(*FILES, generation=2)
    before = [stack.read(key) for key in KEYS]
    assert write(*FILES, generation=1) is None
    assert [stack.read(key) for key in KEYS] == before


def test_an_item_of_an_older_generation_is_not_written(stack: Stack) -> None:
    """The item of a newer generation stays, and the write returns None, as for files."""

    def write_item(generation: int) -> Outcome | None:
        item = Item(fields={"width": generation}, details={})
        return item.write(Mark(key="master/cat.png", etag="e", generation=generation), settings())

    assert write_item(2) == Outcome(state="written", recipe="recipe")
    assert write_item(1) is None
    found = stack.dynamodb.get_item(TableName=TABLE, Key={"name": {"S": "cat"}})["Item"]
    assert found["width"] == {"N": "2"}


def with_further(size_bytes: int, name: str = "webp", **about: Any) -> Files:
    """Return a JPEG of 1,000 bytes with a file of `size_bytes` in a further format."""
    further = FORMATS[name](b"RIFF----WEBP".ljust(size_bytes, b"-") if size_bytes else b"", (100, 75))
    return Files({FILES[0]: Jpeg(b"\xff\xd8".ljust(1000, b"-"), (100, 75), further={name: further}, **about)})


def write_further(size_bytes: int, generation: int = 1, **about: Any) -> Outcome | None:
    files, mark = with_further(size_bytes, **about), Mark(key="master/cat.png", etag="e", generation=generation)
    return files.write(mark, settings())


@pytest.mark.parametrize("name", FORMATS)
def test_a_smaller_file_in_a_further_format_is_kept(stack: Stack, name: str) -> None:
    """The file is stored beside its JPEG with its own content type and the same metadata; the record has its size."""
    outcome = write_further(500, name=name, salvaged=True)
    key = f"resized/cat/thumbnail.{name}"
    assert outcome
    assert stack.outputs() == sorted([KEYS[0], key])
    found, jpeg = stack.get(key), stack.get(KEYS[0])
    assert (found["ContentType"], found["Metadata"]) == (f"image/{name}", jpeg["Metadata"])
    assert found["CacheControl"] == jpeg["CacheControl"]
    size = {"width": 100, "height": 75, "bytes": len(stack.read(key))}
    assert outcome.outputs[f"resized/{{name}}/thumbnail.{name}"] == size
    assert outcome.not_kept == {}


@pytest.mark.parametrize("name", FORMATS)
def test_two_generations_of_a_further_format_have_different_etags(stack: Stack, name: str) -> None:
    """Each generation's file has its own comment, like the JPEG."""
    etags = set()
    for generation in (1, 2):
        write_further(500, generation, name=name)
        etags.add(stack.get(f"resized/cat/thumbnail.{name}")["ETag"])
    assert len(etags) == 2


@pytest.mark.parametrize(("size_bytes", "most_bytes"), [(2000, 2100), (999, 1100), (0, 0)])
def test_a_file_that_is_not_smaller_than_its_jpeg_is_not_kept(stack: Stack, size_bytes: int, most_bytes: int) -> None:
    """Sizes include the comments; the record has the file's bytes, or 0 if the format cannot hold the picture."""
    outcome = write_further(size_bytes)
    assert outcome
    assert stack.outputs() == [KEYS[0]]
    assert outcome.outputs.keys() == {FILES[0]}
    (found,) = outcome.not_kept.items()
    assert found[0] == "resized/{name}/thumbnail.webp"
    assert size_bytes <= found[1] <= most_bytes


def test_a_file_as_large_as_its_jpeg_is_not_kept(stack: Stack) -> None:
    """Both sizes include the comments."""
    files, mark = with_further(500, name="avif"), Mark(key="master/cat.png", etag="e", generation=1)
    (jpeg,) = files.jpegs.values()
    comment = f"PixelCascade generation {mark.generation}"
    longer = len(jpeg.with_comment(comment)) - len(jpeg.further["avif"].with_comment(comment))
    outcome = with_further(500 + longer, name="avif").write(mark, settings())
    assert outcome
    assert stack.outputs() == [KEYS[0]]
    assert list(outcome.not_kept.values()) == [len(stack.read(KEYS[0]))]


def test_an_older_webp_is_removed_if_the_new_one_is_not_kept(stack: Stack) -> None:
    """The older WebP is removed, because it would show another picture than the JPEG."""
    write_further(500, generation=1)
    write_further(2000, generation=2)
    assert stack.outputs() == [KEYS[0]]


def test_a_file_that_the_pipeline_did_not_write_is_kept(stack: Stack) -> None:
    """A file that the pipeline did not write is kept."""
    stack.upload("resized/cat/thumbnail.webp")
    write_further(2000)
    assert stack.outputs() == [KEYS[0], "resized/cat/thumbnail.webp"]


def test_a_superseded_write_leaves_no_webp(stack: Stack) -> None:
    """A superseded write leaves no WebP, although no newer WebP exists to refuse it."""
    write_further(2000, generation=2)
    assert write_further(500, generation=1) is None
    assert stack.outputs() == [KEYS[0]]


def test_a_superseded_write_leaves_the_newer_webp_unchanged(stack: Stack) -> None:
    """The newer generation's file is unchanged."""
    write_further(500, generation=2)
    before = stack.read("resized/cat/thumbnail.webp")
    assert write_further(400, generation=1) is None
    assert stack.read("resized/cat/thumbnail.webp") == before


@pytest.mark.usefixtures("stack")
def test_an_outcome_survives_the_round_trip() -> None:
    """An outcome survives the round trip through DynamoDB, and `named` puts the name into its keys."""
    outcome = write_further(2000)
    assert outcome
    assert Outcome(**value_of(attribute(outcome.facts()))) == outcome
    assert outcome.named("cat")["not_kept"].keys() == {"resized/cat/thumbnail.webp"}
