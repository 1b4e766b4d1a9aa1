"""The wire format of a job, S3's keys, and every key that the pipeline reads or writes."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.errors import InvalidJobError, NameTooLongError
from handlers.job import MAX_GENERATION, MAX_KEY_BYTES, Job, Layout, masters_of

LAYOUT, FULL = Layout(), Layout(full_names=True)
keys = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=300)


def event(*keys: str, **entity: Any) -> dict[str, Any]:
    records = [{"s3": {"bucket": {"name": "images"}, "object": {"key": key, **entity}}} for key in keys]
    return {"Records": records}


# A job's message


def test_a_job_survives_its_message() -> None:
    """What is sent is what is read."""
    job = Job(
        bucket="b", key="master/käse +1.png", etag="e", size=3, name="käse +1", generation=7, branches=("resizing",)
    )
    assert Job.from_json(job.to_json()) == job


def test_what_a_job_does_not_know_is_not_in_its_message() -> None:
    """A message holds no nulls."""
    assert json.loads(Job(bucket="b", key="k").to_json()) == {"bucket": "b", "key": "k"}


def test_a_job_by_hand_needs_only_bucket_and_key() -> None:
    """Anyone may publish a job with two fields."""
    assert Job.from_json('{"bucket": "b", "key": "k"}') == Job(bucket="b", key="k")


def test_a_job_of_before_the_records_is_one_by_hand() -> None:
    """A message in flight from an older stack has a sequencer and no generation."""
    text = '{"bucket": "b", "key": "k", "etag": "e", "sequencer": "0A", "version_id": "v"}'
    assert Job.from_json(text) == Job(bucket="b", key="k", etag="e")


def test_fields_that_no_job_has_are_passed_over() -> None:
    """A later version's message is still a job."""
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
        ('{"bucket": "b", "key": "k", "size": "3"}', "got size '3'"),
        ('{"bucket": "b", "key": "k", "size": true}', "got size True"),
        ('{"bucket": "b", "key": "k", "etag": "e", "generation": "7"}', "got generation '7'"),
        ('{"bucket": "b", "key": "k", "etag": "e", "generation": true}', "got generation True"),
        ('{"bucket": "b", "key": "k", "etag": "e", "generation": 0}', "got generation 0"),
        (f'{{"bucket": "b", "key": "k", "etag": "e", "generation": {MAX_GENERATION + 1}}}', "got generation 90071"),
        ('{"bucket": "b", "key": "k", "generation": 7}', "got a generation without etag"),
        ('{"bucket": "b", "key": "k", "branches": "resizing"}', "got branches 'resizing'"),
        ('{"bucket": "b", "key": "k", "branches": [7]}', "got branches [7]"),
        ('{"bucket": "b", "key": "k", "deleted": 1}', "got deleted 1"),
        ('{"bucket": "b", "key": "master/\\ud800.jpg"}', r"got key 'master/\ud800.jpg'"),
        ('{"bucket": "\\udfff", "key": "k"}', r"got bucket '\udfff'"),
        ('{"bucket": "b", "key": "k", "etag": "\\ud800"}', r"got etag '\ud800'"),
        ('{"bucket": "b", "key": "k", "name": "\\ud800"}', r"got name '\ud800'"),
    ],
)
def test_a_message_that_is_no_job_is_refused(text: str, got: str) -> None:
    """The error says what was expected and what was got."""
    with pytest.raises(InvalidJobError) as caught:
        Job.from_json(text)
    assert str(caught.value).startswith("expected ")
    assert got in str(caught.value)


@pytest.mark.parametrize("name", ["bucket", "key", "etag", "name"])
def test_a_text_longer_than_any_of_s3s_is_refused(name: str) -> None:
    """1,024 bytes are allowed, counted as UTF-8; the error does not repeat them all."""
    fits = {"bucket": "b", "key": "k", name: "ä" * (MAX_KEY_BYTES // 2)}
    assert getattr(Job.from_json(json.dumps(fits)), name) == fits[name]
    with pytest.raises(InvalidJobError, match=rf"at most 1,024 bytes, got {name} 'ä+\.\.\.ä+x' of 1,025"):
        Job.from_json(json.dumps({**fits, name: fits[name] + "x"}))


@pytest.mark.parametrize("value", [["x"] * 10_000, {"x" * 10_000: 1}, "x" * 10_000, [[[[[[[[["x"]]]]]]]]]])
def test_an_error_is_short_however_long_the_message(value: Any) -> None:
    """What goes into the log and the reason does not grow with what somebody sent."""
    for message in ({"bucket": value, "key": "k"}, {"bucket": "b", "key": value}, dict.fromkeys(map(str, value))):
        with pytest.raises(InvalidJobError) as caught:
            Job.from_json(json.dumps(message))
        assert len(str(caught.value)) < 1_000


anything = st.text(st.characters()) | st.none() | st.integers() | st.lists(st.text())


@given(
    st.text()
    | st.dictionaries(st.sampled_from(["bucket", "key", "etag", "generation", "branches"]), anything).map(json.dumps)
)
def test_any_text_is_a_job_or_is_refused(text: str) -> None:
    """No message raises anything but InvalidJobError, and a job's key is one that S3 could hold."""
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
    """S3 encodes keys in events: `+` is a space, `%2B` a plus sign."""
    assert [found for _, found in masters_of(event(encoded))] == [key]


def test_eventbridges_keys_are_as_they_are() -> None:
    """The same event by way of EventBridge has its key in plain letters."""
    detail = {"bucket": {"name": "images"}, "object": {"key": "master/1+1 = 100%.png"}}
    assert list(masters_of({"source": "aws.s3", "detail": detail})) == [("images", "master/1+1 = 100%.png")]


def test_a_marker_for_a_folder_is_no_master() -> None:
    """Consoles make empty objects that end in a slash."""
    assert list(masters_of(event("master/2024/", "master/2024/cat.png"))) == [("images", "master/2024/cat.png")]


def test_an_event_of_many_objects_names_many() -> None:
    """Each record is a master."""
    assert len(list(masters_of(event(*(f"master/{number}.png" for number in range(25)))))) == 25


@pytest.mark.parametrize(
    "wrong", [{}, {"Records": [{}]}, {"Records": [{"s3": None}]}, {"Event": "s3:TestEvent"}, {"detail": {}}]
)
def test_an_event_that_is_not_s3s_is_refused(wrong: dict[str, Any]) -> None:
    """An event without a bucket and a key is an error, never silently nothing."""
    with pytest.raises(InvalidJobError, match="expected an S3 event notification"):
        list(masters_of(wrong))


# Names


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
    """Folders are kept, and only the file's last extension goes."""
    assert LAYOUT.name(key) == name


def test_a_full_name_keeps_its_extension() -> None:
    """With `naming: full` two masters of one stem have two names."""
    assert {FULL.converted_key("master/cat.png"), FULL.converted_key("master/cat.jpg")} == {
        "converted/cat.png.jpg",
        "converted/cat.jpg.jpg",
    }


def test_outputs_lie_below_their_prefixes() -> None:
    """A master's outputs are found from its key alone."""
    key = "master/2024/cat.png"
    assert [LAYOUT.converted_key(key), LAYOUT.resized_key(key, "large"), LAYOUT.rejected_key(key, "resizing")] == [
        "converted/2024/cat.jpg",
        "resized/2024/cat/large.jpg",
        "rejected/2024/cat.png/resizing.json",
    ]


def test_a_refused_message_has_a_place_of_its_own() -> None:
    """A message without a trusted key is filed by its id."""
    assert LAYOUT.refused_key("id-7", "resizing") == "rejected/.messages/id-7/resizing.json"


@pytest.mark.parametrize(
    "key", ["cat.png", "masters/cat.png", "master/", "master/2024/", "", "/master/cat.png", "Master/a"]
)
def test_a_key_that_is_no_masters_is_refused(key: str) -> None:
    """Only objects below the master prefix are worked on."""
    with pytest.raises(InvalidJobError, match="expected an object below master/"):
        LAYOUT.path(key)


@pytest.mark.parametrize("name", ["converted_key", "resized_key"])
def test_a_key_whose_outputs_s3_could_not_hold_is_rejected(name: str) -> None:
    """The error counts bytes, not letters, and says what to do."""
    key = "master/" + "ä" * 509 + ".png"
    arguments = ["large"] if name == "resized_key" else []
    with pytest.raises(
        NameTooLongError, match=r"at most 1024 bytes, got 10\d\d: upload the master under a shorter key"
    ):
        getattr(LAYOUT, name)(key, *arguments)


def test_the_longest_key_that_fits_is_taken() -> None:
    """1,024 bytes are allowed."""
    key = "master/" + "a" * (MAX_KEY_BYTES - len("converted/.jpg")) + ".x"
    assert len(LAYOUT.converted_key(key)) == MAX_KEY_BYTES


@given(keys.filter(lambda path: not path.endswith("/")))
def test_a_reason_to_reject_can_always_be_written(path: str) -> None:
    """However long a key is, its rejection's key fits and is the branch's."""
    key = LAYOUT.rejected_key("master/" + path, "metadata-extraction")
    assert len(key.encode()) <= MAX_KEY_BYTES
    assert key.startswith("rejected/")
    assert key.endswith("/metadata-extraction.json")


def test_two_long_keys_have_two_reasons() -> None:
    """A key that was cut is told from others by a hash."""
    long = "master/" + "ä" * 508
    assert LAYOUT.rejected_key(long + "a", "b") != LAYOUT.rejected_key(long + "b", "b")


def test_a_reason_of_a_short_key_names_it() -> None:
    """A key that fits is not cut."""
    path = "a" * (MAX_KEY_BYTES - len("rejected//b.json"))
    assert LAYOUT.rejected_key(f"master/{path}", "b") == f"rejected/{path}/b.json"
