"""pixel-resizer: from a message to the sizes in the bucket."""

import io
from typing import Any

import pytest
from PIL import Image

from components.config import StackConfig
from handlers import imaging, pixel_resizer
from handlers.imaging.further import FORMATS
from handlers.imaging.limits import OUTPUT_BYTES_PER_PIXEL, RASTER_BYTES_PER_PIXEL
from tests.handlers.conftest import (
    BRANCH,
    BUCKET,
    Context,
    Stack,
    configure,
    environment,
    failures,
    job,
    settings,
    sqs_event,
)
from tests.handlers.pictures import opened, picture


def run(*jobs: object) -> list[str]:
    return failures(pixel_resizer.handler(sqs_event(*jobs), Context()))  # type: ignore[arg-type]


def sizes(stack: Stack) -> dict[str, tuple[int, int]]:
    return {key: opened(stack.read(key)).size for key in stack.outputs()}


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((4000, 3000), [(1000, 750), (500, 375), (100, 75)]),
        ((300, 400), [(1000, 1333), (500, 667), (100, 133)]),
        ((10, 10), [(1000, 1000), (500, 500), (100, 100)]),
    ],
)
def test_a_picture_is_resized_to_three_jpegs(
    stack: Stack, size: tuple[int, int], expected: list[tuple[int, int]]
) -> None:
    """Sizes are widths; the height follows the aspect ratio, and small masters are enlarged."""
    stack.upload("master/2024/cat.png", picture(size))
    assert run(job("master/2024/cat.png")) == []
    names = ("large", "medium", "thumbnail")
    assert sizes(stack) == {f"resized/2024/cat/{name}.jpg": size for name, size in zip(names, expected, strict=True)}


def test_sizes_come_from_the_config(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """The outputs have the sizes in the config, and `enlarge: false` keeps a small master's size."""
    for name, value in environment(StackConfig(sizes={"tiny": 16, "vast": 2000}, enlarge=False)).items():
        monkeypatch.setenv(name, value)
    stack.upload("master/cat.jpg", picture((40, 30)))
    run(job("master/cat.jpg"))
    assert sizes(stack) == {"resized/cat/tiny.jpg": (16, 12), "resized/cat/vast.jpg": (40, 30)}


@pytest.mark.parametrize(
    ("focal_point", "colour"), [("0,0.5", "red"), ("1,0.5", "blue"), ("", "red and blue"), ("here", "red and blue")]
)
def test_a_crop_is_made_around_the_masters_focal_point(
    stack: Stack,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    focal_point: str,
    colour: str,
) -> None:
    """The focal point comes from the master's metadata, else it is the centre; an invalid one leaves a warning."""
    for name, value in environment(StackConfig(sizes={"square": "100x100", "within": "60x60:inside"})).items():
        monkeypatch.setenv(name, value)
    image = Image.new("RGB", (400, 100), "red")
    image.paste("blue", (200, 0, 400, 100))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    metadata = {"focal-point": focal_point} if focal_point else {}
    stack.s3.put_object(Bucket=BUCKET, Key="master/cat.png", Body=buffer.getvalue(), Metadata=metadata)
    run(job("master/cat.png"))
    assert sizes(stack) == {"resized/cat/square.jpg": (100, 100), "resized/cat/within.jpg": (60, 15)}
    left, right = (opened(stack.read("resized/cat/square.jpg")).getpixel((x, 50)) for x in (5, 95))
    assert [nearest(left), nearest(right)] == (["red", "blue"] if "and" in colour else [colour, colour])
    warnings = [warning for record in caplog.records for warning in getattr(record, "warnings", [])]
    assert any("the focal point was ignored" in warning for warning in warnings) == (focal_point == "here")


def nearest(pixel: object) -> str:
    assert isinstance(pixel, tuple)
    return "red" if pixel[0] > pixel[2] else "blue"


def test_every_size_has_its_headers_and_names_its_master(stack: Stack) -> None:
    """Each object's headers have its content type, caching and master."""
    etag = stack.upload("master/cat.jpg", picture())
    run(job("master/cat.jpg"))
    heads = [stack.get(key) for key in stack.outputs()]
    assert len(heads) == 3
    for head in heads:
        assert (head["ContentType"], head["CacheControl"]) == ("image/jpeg", "public, max-age=86400")
        assert head["Metadata"] == {"key": "master/cat.jpg", "etag": etag, "generation": "1", "recipe": "recipe"}


def test_a_rotated_picture_is_upright(stack: Stack) -> None:
    """Widths apply to the picture turned upright by its EXIF orientation."""
    exif = Image.Exif()
    exif[0x0112] = 6
    stack.upload("master/cat.jpg", picture((400, 200), exif=exif))
    run(job("master/cat.jpg"))
    assert sizes(stack)["resized/cat/thumbnail.jpg"] == (100, 200)


def test_a_key_whose_output_keys_are_too_long_is_rejected(stack: Stack) -> None:
    """A master whose output keys are too long for S3 is rejected."""
    key = "master/" + "x" * 1010 + ".jpg"
    stack.upload(key, picture())
    assert run(job(key)) == []
    (written,) = stack.outputs()
    assert stack.rejection(written)["error"] == "NameTooLongError"
    assert written.endswith(f"/{BRANCH}.json")


def test_a_very_tall_picture_is_made_narrower(stack: Stack) -> None:
    """A picture of 30 x 3,000 fits into 1,000 x 10,000 instead of being rejected."""
    stack.upload("master/tall.png", picture((30, 3000), "PNG"))
    assert run(job("master/tall.png")) == []
    assert opened(stack.read("resized/tall/large.jpg")).size == (100, 10_000)


def test_further_formats_are_stored_beside_the_jpegs(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files smaller than their JPEG are stored beside it, and the record lists all files, kept or not."""
    configure(monkeypatch, output_formats={"webp": 80, "avif": 60}, sizes={"small": 40, "large": 400})
    stack.upload("master/cat.jpg", picture((400, 300)))
    assert run(job("master/cat.jpg")) == []
    record = stack.record("master/cat.jpg")
    assert record
    outcome = record.branches[BRANCH]
    files = {f"resized/{{name}}/{size}.{name}" for size in ("small", "large") for name in ("jpg", "webp", "avif")}
    assert outcome.outputs.keys() | outcome.not_kept.keys() == files
    assert [key.replace("{name}", "cat") for key in sorted(outcome.outputs)] == stack.outputs()
    assert "resized/cat/large.webp" in stack.outputs()


def test_memory_for_the_file_is_taken_once(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """S3 says how long the file is."""
    master, sizes_bytes = picture((400, 300)), []
    open_picture = imaging.open_picture

    def opened_picture(*arguments: Any, size_bytes: int, **options: Any) -> imaging.Picture:
        sizes_bytes.append(size_bytes)
        return open_picture(*arguments, size_bytes=size_bytes, **options)

    monkeypatch.setattr(imaging, "open_picture", opened_picture)
    stack.upload("master/cat.jpg", master)
    assert run(job("master/cat.jpg")) == []
    assert sizes_bytes == [len(master)]


def test_the_memory_needed_includes_the_encoders() -> None:
    """The memory that a picture needs includes its encoders'."""
    opened_picture = imaging.open_picture(picture((400, 300)), imaging.Limits())
    plain, further = (
        pixel_resizer.bytes_needed(opened_picture, settings(sizes={"large": 400}, output_formats=formats))
        for formats in ({}, {"avif": 60})
    )
    encoder = 400 * 300 * FORMATS["avif"].encoder_bytes_per_pixel
    assert further == 400 * 300 * (RASTER_BYTES_PER_PIXEL + OUTPUT_BYTES_PER_PIXEL) + encoder > plain


def test_encoder_memory_is_not_added_to_decoder_memory() -> None:
    """A large master with small sizes needs no more memory with them: decoding is over when encoding starts."""
    opened_picture = imaging.open_picture(picture((4000, 3000)), imaging.Limits())
    plain, further = (
        pixel_resizer.bytes_needed(opened_picture, settings(sizes={"large": 400}, output_formats=formats))
        for formats in ({}, {"avif": 60})
    )
    assert further == plain


def test_a_redelivered_picture_gets_further_formats(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a second delivery the encoders load in the child process, within its memory limit."""
    configure(monkeypatch, output_formats={"webp": 80, "avif": 60})
    stack.upload("master/cat.jpg", picture((1200, 900)))
    event = sqs_event(job("master/cat.jpg"), deliveries=2)
    assert failures(pixel_resizer.handler(event, Context())) == []
    record = stack.record("master/cat.jpg")
    assert record
    # What the child wrote to moto is lost with it; the parent updates the record.
    assert {f"resized/{{name}}/large.{name}" for name in FORMATS} <= record.branches[BRANCH].outputs.keys()
