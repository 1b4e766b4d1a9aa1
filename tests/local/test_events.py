"""Counts and times of a run's events."""

from datetime import UTC, datetime

from local.events import Notice, summary


def notice(key: str, second: int, what: str = "Picture complete", generation: int = 1) -> Notice:
    sent = datetime.fromtimestamp(1000 + second, UTC)
    return Notice(what=what, id=f"{key}/{generation}/{what}", key=key, sent=sent)


def test_events_are_counted_by_type_and_by_id() -> None:
    """A duplicate event counts twice but has one id."""
    found = summary([notice("a", 2), notice("a", 3), notice("b", 4, "Picture rejected")], {})
    assert (found["counts"], found["ids"]) == ({"Picture complete": 2, "Picture rejected": 1}, 2)


def test_a_pictures_time_is_that_of_its_first_event() -> None:
    """Times count from the upload; a picture that this run did not upload has none."""
    notices = [notice("a", 9), notice("a", 2), notice("b", 4), notice("c", 1)]
    found = summary(notices, {"a": 1000.0, "b": 1000.0})
    assert (found["p50_s"], found["p95_s"]) == (3.0, 4.0)


def test_without_events_there_are_no_times() -> None:
    """A stack without events has no times."""
    assert summary([], {}) == {"counts": {}, "ids": 0, "p50_s": None, "p95_s": None, "without": []}


def test_a_picture_without_an_event_is_listed() -> None:
    """Its users are not told that it is done."""
    assert summary([notice("a", 2)], {"b": 1000.0, "a": 1000.0})["without"] == ["b"]
