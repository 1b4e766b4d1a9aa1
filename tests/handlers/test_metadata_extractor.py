"""metadata-extractor: from a message to an item in the table."""

from datetime import UTC
from typing import Any

import pytest
from PIL import Image

from handlers import metadata_extractor
from tests.handlers.conftest import BRANCH, BUCKET, Context, Stack, configure, failures, job, sqs_event
from tests.handlers.pictures import picture

KEY = "master/2024/my cat.PNG"


def run(*jobs: object) -> list[str]:
    return failures(metadata_extractor.handler(sqs_event(*jobs), Context()))  # type: ignore[arg-type]


def item(stack: Stack, name: str = "2024/my cat") -> dict[str, Any]:
    found = stack.item(name)
    assert found, f"there is no item {name}"
    return found


def test_an_item_has_six_strings_of_metadata(stack: Stack) -> None:
    """Width, height, format, file size, file name and S3's modification time are strings in a map."""
    body = picture((400, 300), "PNG")
    stack.upload(KEY, body)
    assert run(job(KEY)) == []
    modified = stack.get(KEY)["LastModified"].astimezone(UTC)
    assert item(stack)["metadata"] == {
        "M": {
            "width": {"S": "400"},
            "height": {"S": "300"},
            "format": {"S": "PNG"},
            "file_size": {"S": str(len(body))},
            "file_name": {"S": "my cat.PNG"},
            "last_modified": {"S": modified.isoformat().replace("+00:00", "Z")},
        }
    }


def test_an_item_names_its_master(stack: Stack) -> None:
    """Name, bucket, key, ETag, generation and recipe are attributes beside the map."""
    etag = stack.upload(KEY, picture(kind="PNG"))
    run(job(KEY))
    found = item(stack)
    assert [found[name] for name in ("name", "bucket", "key", "etag", "generation", "recipe")] == [
        {"S": "2024/my cat"},
        {"S": BUCKET},
        {"S": KEY},
        {"S": etag},
        {"N": "1"},
        {"S": "recipe"},
    ]


def test_an_item_has_typed_extras(stack: Stack) -> None:
    """Mode, frames, orientation and transparency have DynamoDB types of their own."""
    stack.upload("master/cat.jpg", picture())
    run(job("master/cat.jpg"))
    found = item(stack, "cat")
    assert (found["mode"], found["has_alpha"]) == ({"S": "RGB"}, {"BOOL": False})
    assert (found["frames"], found["orientation"]) == ({"N": "1"}, {"N": "1"})


def test_nothing_is_written_to_the_bucket(stack: Stack) -> None:
    """Metadata is stored in the table only, not in the bucket."""
    stack.upload(KEY, picture(kind="PNG"))
    run(job(KEY))
    assert stack.outputs() == []


@pytest.mark.parametrize("gps", [True, False])
def test_the_position_is_recorded_only_with_gps(
    stack: Stack,
    monkeypatch: pytest.MonkeyPatch,
    gps: bool,  # noqa: FBT001
) -> None:
    """The GPS position is recorded only with `gps`."""
    configure(monkeypatch, gps=gps)
    exif = Image.Exif()
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 30.0, 0.0), 3: "E", 4: (13.0, 24.0, 0.0)})
    stack.upload("master/cat.jpg", picture(exif=exif))
    run(job("master/cat.jpg"))
    assert ("gps" in item(stack, "cat")) is gps


def test_a_bad_file_is_rejected_and_not_redelivered(stack: Stack) -> None:
    """The reason is written, no item is, and the message is not redelivered."""
    stack.upload(KEY, b"no picture")
    assert run(job(KEY)) == []
    assert stack.item("2024/my cat") is None
    assert stack.rejection(f"rejected/2024/my cat.PNG/{BRANCH}.json")["error"] == "NotAnImageError"


def test_the_item_is_that_of_the_newest_generation(stack: Stack) -> None:
    """The item is that of the newest state, in whatever order the jobs come."""
    old = stack.receive("master/cat.jpg", picture((40, 30)), generation=1)
    run(old)
    new = stack.receive("master/cat.jpg", picture((80, 60)), generation=2)
    assert run(new, old) == []
    assert item(stack, "cat")["metadata"]["M"]["width"] == {"S": "80"}
    assert item(stack, "cat")["generation"] == {"N": "2"}


@pytest.mark.parametrize(("cut", "mark"), [(0, None), (2000, {"BOOL": True})])
def test_a_salvaged_picture_is_marked(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, cut: int, mark: dict[str, bool] | None
) -> None:
    """With `salvage`, the item marks truncated pictures only."""
    configure(monkeypatch, salvage=True)
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1769")
    body = picture((400, 300))
    stack.upload("master/cat.jpg", body[: len(body) - cut])
    assert run(job("master/cat.jpg")) == []
    assert item(stack, "cat").get("salvaged") == mark


def test_without_salvage_only_the_header_is_read(stack: Stack) -> None:
    """A truncated picture whose header is whole has an item."""
    body = picture((400, 300))
    stack.upload("master/cat.jpg", body[:-2000])
    assert run(job("master/cat.jpg")) == []
    assert "salvaged" not in item(stack, "cat")
