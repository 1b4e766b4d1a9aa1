"""format-converter: from a message to a JPEG in the bucket."""

import pytest

from handlers import format_converter
from tests.handlers.conftest import BRANCH, Context, Stack, failures, job, sqs_event
from tests.handlers.pictures import clear, opened, picture


def run(*jobs: object) -> list[str]:
    return failures(format_converter.handler(sqs_event(*jobs), Context()))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "mode"), [("JPEG", "RGB"), ("JPEG", "CMYK"), ("PNG", "RGB"), ("PNG", "L"), ("GIF", "P")]
)
def test_a_picture_is_converted_to_one_jpeg_of_its_size(stack: Stack, kind: str, mode: str) -> None:
    """JPEG, PNG and GIF become `converted/<name>.jpg`, with their size."""
    stack.upload("master/2024/my cat.x", picture((400, 300), kind, mode))
    assert run(job("master/2024/my cat.x")) == []
    assert stack.outputs() == ["converted/2024/my cat.jpg"]
    image = opened(stack.read("converted/2024/my cat.jpg"))
    assert (image.size, image.mode in {"RGB", "L"}) == ((400, 300), True)


def test_an_output_has_its_headers_and_names_its_master(stack: Stack) -> None:
    """The object's headers have its content type, caching and master."""
    etag = stack.upload("master/cat.png", picture(kind="PNG"))
    run(job("master/cat.png"))
    found = stack.get("converted/cat.jpg")
    assert (found["ContentType"], found["CacheControl"]) == ("image/jpeg", "public, max-age=86400")
    assert found["Metadata"] == {"key": "master/cat.png", "etag": etag, "generation": "1", "recipe": "recipe"}


def test_transparency_becomes_white(stack: Stack) -> None:
    """A fully transparent picture becomes white, not black."""
    stack.upload("master/clear.png", clear())
    run(job("master/clear.png"))
    assert opened(stack.read("converted/clear.jpg")).convert("RGB").getpixel((4, 4)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("body", "error"),
    [(b"no picture", "NotAnImageError"), (b"", "NotAnImageError"), (picture()[:-2000], "BrokenImageError")],
)
def test_a_bad_file_is_rejected_and_not_redelivered(stack: Stack, body: bytes, error: str) -> None:
    """The reason is written, no output is, and the message is not redelivered."""
    stack.upload("master/cat.jpg", body)
    assert run(job("master/cat.jpg")) == []
    assert stack.outputs() == [f"rejected/cat.jpg/{BRANCH}.json"]
    assert stack.rejection(f"rejected/cat.jpg/{BRANCH}.json")["error"] == error


def test_a_key_whose_output_key_is_too_long_is_rejected(stack: Stack) -> None:
    """The JPEG's key may be longer than its master's; then the master is rejected, and not delivered again."""
    key = "master/" + "x" * 1013 + ".jpg"
    stack.upload(key, picture())
    assert run(job(key)) == []
    (written,) = stack.outputs()
    assert stack.rejection(written)["error"] == "NameTooLongError"


def test_a_bad_picture_does_not_affect_the_rest_of_its_batch(stack: Stack) -> None:
    """The rest of the batch is converted despite a bad picture."""
    stack.upload("master/a.jpg", picture())
    stack.upload("master/b.jpg", b"no picture")
    stack.upload("master/c.jpg", picture())
    assert run(job("master/a.jpg"), job("master/b.jpg"), job("master/c.jpg")) == []
    assert stack.keys("converted/") == ["converted/a.jpg", "converted/c.jpg"]


def test_a_second_delivery_leaves_the_same_output(stack: Stack) -> None:
    """A message delivered twice leaves the same output."""
    stack.upload("master/cat.jpg", picture())
    run(job("master/cat.jpg"))
    first = stack.read("converted/cat.jpg")
    assert run(job("master/cat.jpg")) == []
    assert (stack.outputs(), stack.read("converted/cat.jpg")) == (["converted/cat.jpg"], first)
