"""The wire format of a job, and the keys in S3's events."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.errors import InvalidJobError
from handlers.job import Job, masters_of
from handlers.layout import MAX_KEY_BYTES
from handlers.record import next_generation


def event(*keys: str, **entity: Any) -> dict[str, Any]:
    records = [{"s3": {"bucket": {"name": "images"}, "object": {"key": key, **entity}}} for key in keys]
    return {"Records": records}


# A job's message


def test_a_job_survives_the_round_trip() -> None:
    """A job survives the round trip through its message."""
    job = Job(bucket="b", key="master/käse +1.png", etag="e", name="käse +1", generation=1, branches=("resizing",))
    assert Job.from_json(job.to_json()) == job


def test_unset_fields_are_left_out_of_the_message() -> None:
    """Unset fields are left out of the message, not sent as null."""
    assert json.loads(Job(bucket="b", key="k").to_json()) == {"bucket": "b", "key": "k"}


def test_a_job_by_hand_needs_only_bucket_and_key() -> None:
    """A job published by hand needs two fields."""
    assert Job.from_json('{"bucket": "b", "key": "k"}') == Job(bucket="b", key="k")


def test_a_message_from_an_older_stack_is_a_job_by_hand() -> None:
    """A message from an older stack, with a sequencer and no generation, is read as a job by hand."""
    text = '{"bucket": "b", "key": "k", "etag": "e", "size": 3, "sequencer": "0A", "version_id": "v"}'
    assert Job.from_json(text) == Job(bucket="b", key="k", etag="e")


def test_unknown_fields_are_ignored() -> None:
    """Unknown fields are ignored, so that a later version's message can be read."""
    assert Job.from_json('{"bucket": "b", "key": "k", "colour": "red", "etag": null}') == Job(bucket="b", key="k")


@pytest.mark.parametrize(
    ("text", "got"),
    [
        ("", "got a message that cannot be read as JSON"),
        ("{", "got a message that cannot be read as JSON"),
        ("[" * 100_000, "got a message that cannot be read as JSON"),
        ('{"a":' * 100_000, "got a message that cannot be read as JSON"),
        ("[]", "got a JSON list"),
        ("null", "got a JSON NoneType"),
        ('"key"', "got a JSON str"),
        ("{}", "got only []"),
        ('{"bucket": "b"}', "got only ['bucket']"),
        ('{"bucket": "b", "key": ""}', "got only ['bucket', 'key']"),
        ('{"bucket": "b", "key": null}', "got only ['bucket', 'key']"),
        ('{"bucket": "b", "key": 7}', "got key 7"),
        ('{"bucket": ["b"], "key": "k"}', "got bucket ['b']"),
        ('{"bucket": "b", "key": "k", "etag": "e", "generation": "7"}', "got generation '7'"),
        ('{"bucket": "b", "key": "k", "etag": "e", "generation": true}', "got generation True"),
        ('{"bucket": "b", "key": "k", "etag": "e", "generation": 0}', "got generation 0"),
        (f'{{"bucket": "b", "key": "k", "etag": "e", "generation": {2**53}}}', "got generation 9007199254740992"),
        ('{"bucket": "b", "key": "k", "generation": 7}', "got a generation without etag"),
        ('{"bucket": "b", "key": "k", "branches": "resizing"}', "got branches 'resizing'"),
        ('{"bucket": "b", "key": "k", "branches": [7]}', "got branches [7]"),
        ('{"bucket": "b", "key": "k", "deleted": 1}', "got deleted 1"),
        ('{"bucket": "b", "key": "master/\\ud800.jpg"}', r"got key 'master/\ud800.jpg'"),
        ('{"bucket": "\\udfff", "key": "k"}', r"got bucket '\udfff'"),
        ('{"bucket": "b", "key": "k", "etag": "a\\nb"}', r"got etag 'a\nb'"),
        ('{"bucket": "b", "key": "k", "etag": "€"}', "got etag '€'"),
        ('{"bucket": "b", "key": "k", "etag": "\\ud800"}', r"got etag '\ud800'"),
        ('{"bucket": "b", "key": "k", "name": "\\ud800"}', r"got name '\ud800'"),
    ],
)
def test_an_invalid_message_is_refused(text: str, got: str) -> None:
    """The error says what was expected, and what the message contains."""
    with pytest.raises(InvalidJobError) as caught:
        Job.from_json(text)
    assert str(caught.value).startswith("expected ")
    assert got in str(caught.value)


def test_a_generation_may_not_be_far_ahead_of_the_clock() -> None:
    """Outputs of such a generation could not be replaced by an upload until the clock has reached it."""
    fields = {"bucket": "b", "key": "k", "etag": "e", "deleted": True}
    hour_ms = 3_600_000
    ahead = next_generation(0) + hour_ms
    assert Job.from_json(json.dumps({**fields, "generation": ahead})).generation == ahead
    with pytest.raises(InvalidJobError, match=r"at most a day ahead of the clock, in milliseconds, got generation"):
        Job.from_json(json.dumps({**fields, "generation": ahead + 24 * hour_ms}))


@pytest.mark.parametrize("name", ["bucket", "key", "name"])
def test_a_text_longer_than_an_s3_key_is_refused(name: str) -> None:
    """At most 1,024 bytes of UTF-8 are accepted; the error shortens a longer text."""
    fits = {"bucket": "b", "key": "k", name: "ä" * (MAX_KEY_BYTES // 2)}
    assert getattr(Job.from_json(json.dumps(fits)), name) == fits[name]
    with pytest.raises(InvalidJobError, match=rf"at most 1,024 bytes, got {name} 'ä+\.\.\.ä+x' of 1,025"):
        Job.from_json(json.dumps({**fits, name: fits[name] + "x"}))


@pytest.mark.parametrize("value", [["x"] * 10_000, {"x" * 10_000: 1}, "x" * 10_000, [[[[[[[[["x"]]]]]]]]]])
def test_the_error_is_short_even_for_a_long_message(value: Any) -> None:
    """The error's length does not grow with the message's."""
    for message in ({"bucket": value, "key": "k"}, {"bucket": "b", "key": value}, dict.fromkeys(map(str, value))):
        with pytest.raises(InvalidJobError) as caught:
            Job.from_json(json.dumps(message))
        assert len(str(caught.value)) < 1_000


anything = st.text(st.characters()) | st.none() | st.integers() | st.lists(st.text())


@given(
    st.text()
    | st.dictionaries(st.sampled_from(["bucket", "key", "etag", "generation", "branches"]), anything).map(json.dumps)
)
def test_any_text_is_a_job_or_raises_invalid_job_error(text: str) -> None:
    """A message raises nothing but InvalidJobError, and a job's key is at most as long as S3 allows."""
    try:
        job = Job.from_json(text)
    except InvalidJobError:
        return
    assert len(job.key.encode()) <= MAX_KEY_BYTES


# S3's events


@pytest.mark.parametrize(
    ("encoded", "key"),
    [
        ("master/cat.png", "master/cat.png"),
        ("master/my+cat.png", "master/my cat.png"),
        ("master/1%2B1.png", "master/1+1.png"),
        ("master/100%25.png", "master/100%.png"),
        ("master/k%C3%A4se/%E7%8C%AB.png", "master/käse/猫.png"),
        ("master/a%2520b.png", "master/a%20b.png"),
    ],
)
def test_a_key_is_decoded_once(encoded: str, key: str) -> None:
    """Keys in S3's events are URL-encoded: `+` is a space, `%2B` a plus sign."""
    assert [found for _, found in masters_of(event(encoded))] == [key]


def test_keys_from_eventbridge_are_not_decoded() -> None:
    """Keys in events from EventBridge are not encoded."""
    detail = {"bucket": {"name": "images"}, "object": {"key": "master/1+1 = 100%.png"}}
    assert list(masters_of({"source": "aws.s3", "detail": detail})) == [("images", "master/1+1 = 100%.png")]


def test_folder_markers_are_skipped() -> None:
    """Folder markers, which consoles create as keys that end in a slash, are skipped."""
    assert list(masters_of(event("master/2024/", "master/2024/cat.png"))) == [("images", "master/2024/cat.png")]


def test_each_record_of_an_event_gives_a_master() -> None:
    """Each record of an event gives a master."""
    assert len(list(masters_of(event(*(f"master/{number}.png" for number in range(25)))))) == 25


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"Records": [{}]},
        {"Records": [{"s3": None}]},
        {"Event": "s3:TestEvent"},
        {"detail": {}},
        event(None),  # type: ignore[arg-type]
        {"detail": {"bucket": {"name": "images"}, "object": {"key": 7}}},
    ],
)
def test_an_event_without_a_bucket_and_a_key_is_refused(wrong: dict[str, Any]) -> None:
    """An event without a bucket and a key is an error, not an empty list."""
    with pytest.raises(InvalidJobError, match=r"expected an S3 event with bucket and key, got \{"):
        list(masters_of(wrong))
