"""Who owns an output: the first master of a name, and of its versions the newest, in whatever order."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from handlers.errors import NameTakenError
from handlers.ownership import MAX_TRIES, Claim, ContentionError, write_newest

OLD = Claim(key="master/cat.png", etag="old", sequencer="01")
NEW = Claim(key="master/cat.png", etag="new", sequencer="02")
OTHER = Claim(key="master/cat.jpg", etag="other", sequencer="03")


def by_hand(claim: Claim) -> Claim:
    """Return the claim of a job without a sequencer."""
    return Claim(key=claim.key, etag=claim.etag)


@dataclass
class Place:
    """What a store holds: whose output lies there, what writes expected, and the keys of those that succeeded."""

    owner: Claim | None = None
    writes: list[Claim | None] = field(default_factory=list)
    owners: list[str] = field(default_factory=list)


@dataclass
class MemorySlot:
    """A slot over a place; `by_bytes` tells states apart by the output's bytes alone, as S3 does."""

    place: Place
    by_bytes: bool = False
    seen: Claim | None = None
    step: Callable[[str], None] = lambda _: None

    def write(self, claim: Claim, expected: Claim | None) -> bool:
        """Write if the place is as last seen."""
        self.step("write")
        self.place.writes.append(expected)
        if self._state(self.place.owner) != self._state(self.seen if expected else None):
            return False
        self.place.owner = claim
        self.place.owners.append(claim.key)
        return True

    def owner(self, _claim: Claim) -> Claim | None:
        """Look, and remember what is there."""
        self.step("owner")
        self.seen = self.place.owner
        return self.seen

    def _state(self, claim: Claim | None) -> object:
        return claim.etag if claim and self.by_bytes else claim


def yes() -> bool:
    return True


def no() -> bool:
    return False


def never() -> bool:
    raise AssertionError("asked without need")


def test_an_empty_slot_is_taken_without_looking() -> None:
    """The first write is conditional on nothing being there, and needs no read before."""
    place = Place()
    assert write_newest(MemorySlot(place), OLD, never) is True
    assert (place.owner, place.writes) == (OLD, [None])


def test_a_newer_state_replaces_an_older() -> None:
    """The second event of a master wins over the first."""
    place = Place(OLD)
    assert write_newest(MemorySlot(place), NEW, yes) is True
    assert place.owner == NEW


def test_an_older_state_gives_way() -> None:
    """The first event, delivered after the second, writes nothing and is done."""
    place = Place(NEW)
    assert write_newest(MemorySlot(place), OLD, never) is False
    assert place.owner == NEW


def test_a_duplicate_writes_again() -> None:
    """The same job twice leaves the same owner: a first try may have been cut short."""
    place = Place(NEW)
    assert write_newest(MemorySlot(place), NEW, yes) is True
    assert place.owner == NEW


def test_another_masters_slot_is_never_taken() -> None:
    """A master whose name belongs to another is told whose, and what to do."""
    place = Place(OTHER)
    with pytest.raises(NameTakenError) as caught:
        write_newest(MemorySlot(place), NEW, never)
    assert place.owner == OTHER
    assert str(caught.value) == (
        "expected one master per name, got master/cat.png although master/cat.jpg owns the name: "
        "upload it under another name, or set naming to full"
    )


@pytest.mark.parametrize(("claim", "owner"), [(by_hand(NEW), OLD), (NEW, by_hand(OLD)), (by_hand(NEW), by_hand(OLD))])
def test_without_a_sequencer_the_master_in_the_bucket_decides(claim: Claim, owner: Claim) -> None:
    """Where either job has no sequencer, what is current in the bucket wins."""
    place = Place(owner)
    assert write_newest(MemorySlot(place), claim, yes) is True
    assert place.owner == claim


def test_without_a_sequencer_an_outdated_state_gives_way() -> None:
    """A job by hand whose master was replaced meanwhile writes nothing."""
    place = Place(NEW)
    assert write_newest(MemorySlot(place), by_hand(OLD), no) is False
    assert place.owner == NEW


def test_a_slot_that_was_emptied_meanwhile_is_taken() -> None:
    """An output deleted between the refusal and the look is written as if it never was."""
    place = Place(OLD)

    def delete(step: str) -> None:
        if step == "owner":
            place.owner = None

    assert write_newest(MemorySlot(place, step=delete), NEW, yes) is True
    assert place.writes == [None, None]


def test_a_slot_that_changed_after_the_look_is_looked_at_again() -> None:
    """A newer write that comes between a look and a write is found, and wins."""
    place, newest = Place(OLD), Claim(key=OLD.key, etag="newest", sequencer="03")

    def race(step: str) -> None:
        if step == "write" and len(place.writes) == 1:
            place.owner = newest

    assert write_newest(MemorySlot(place, step=race), NEW, yes) is False
    assert place.owner == newest


def test_a_master_replaced_during_the_write_is_tried_again() -> None:
    """A replaced output whose master is no longer current is worth another delivery."""
    with pytest.raises(ContentionError, match=r"master/cat\.png was replaced while its outputs were written"):
        write_newest(MemorySlot(Place(OLD)), NEW, no)


def test_a_slot_that_never_stands_still_is_left_to_a_later_delivery() -> None:
    """After so many refusals the job goes back to its queue: that is no fault of the image."""
    place = Place(OLD)

    def change(step: str) -> None:
        if step == "write":
            place.owner = Claim(key=OLD.key, etag=f"e{len(place.writes)}", sequencer="01")

    with pytest.raises(ContentionError, match=f"changed {MAX_TRIES} times"):
        write_newest(MemorySlot(place, step=change), NEW, yes)
    assert len(place.writes) == MAX_TRIES


# Workers side by side


class Turns:
    """Runs pieces of work in threads, one step at a time, in a given order; so every interleaving can be had."""

    def __init__(self) -> None:
        self._mine = threading.local()

    def start(self, work: Callable[[], None]) -> Iterator[None]:
        """Return an iterator whose every `next` lets `work` run to its next step."""
        go, done, ended = threading.Semaphore(0), threading.Semaphore(0), threading.Event()
        failures: list[BaseException] = []

        def run() -> None:
            self._mine.mine, self._mine.others = go, done
            go.acquire()
            try:
                work()
            except BaseException as error:  # noqa: BLE001 it is raised again by whoever takes the turns
                failures.append(error)
            ended.set()
            done.release()

        threading.Thread(target=run, daemon=True).start()
        while not ended.is_set():
            go.release()
            done.acquire()
            if failures:
                raise failures[0]
            yield

    def pause(self, _step: str = "") -> None:
        """Wait for this work's next turn."""
        self._mine.others.release()
        self._mine.mine.acquire()


@dataclass
class Bucket:
    """The masters: for each key the state that it has now."""

    now: dict[str, str] = field(default_factory=dict)
    uploads: int = 0


@dataclass(frozen=True)
class Upload:
    """One state of a master, and how many jobs its event becomes; `hand` adds one without a sequencer."""

    key: str
    etag: str
    jobs: int
    hand: bool


def uploads(*keys: str) -> st.SearchStrategy[list[Upload]]:
    one = st.builds(
        Upload, key=st.sampled_from(keys), etag=st.sampled_from("xyz"), jobs=st.integers(1, 2), hand=st.booleans()
    )
    return st.lists(one, min_size=2, max_size=3)


def play(turns: Turns, given_uploads: list[Upload], data: st.DataObject, *, by_bytes: bool) -> tuple[Bucket, Place]:
    """Upload, and see to every job, a step at a time in an order that `data` chooses; jobs that fail come again."""
    bucket, place = Bucket(), Place()
    waiting = list(given_uploads)
    running: list[Iterator[None]] = []

    def see_to(key: str, sequencer: str | None) -> None:
        for _ in range(MAX_TRIES):  # Deliveries, until one succeeds.
            turns.pause()
            claim = Claim(key=key, etag=bucket.now[key], sequencer=sequencer)

            def is_current(claim: Claim = claim) -> bool:
                turns.pause()
                return bucket.now[key] == claim.etag

            try:
                write_newest(MemorySlot(place, by_bytes=by_bytes, step=turns.pause), claim, is_current)
            except ContentionError:
                continue
            except NameTakenError:
                assert place.owner
                assert place.owner.key != key
            return
        raise AssertionError("the job never came to its end")

    while waiting or running:
        choice = data.draw(st.integers(0, len(running) - (not waiting)))
        if choice == len(running):
            upload = waiting.pop(0)
            bucket.uploads += 1
            bucket.now[upload.key] = upload.etag
            sequencers = [f"{bucket.uploads:02X}"] * upload.jobs + [None] * upload.hand
            running += [turns.start(lambda key=upload.key, s=s: see_to(key, s)) for s in sequencers]  # type: ignore[misc]
        elif next(running[choice], StopIteration) is StopIteration:
            running.pop(choice)
    return bucket, place


many = hypothesis_settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("by_bytes", [False, True], ids=["by-owner", "by-bytes"])
@many
@given(uploads("master/cat.png"), st.data())
def test_the_newest_version_wins_in_every_order(by_bytes: bool, versions: list[Upload], data: st.DataObject) -> None:  # noqa: FBT001
    """However the deliveries of one master's versions interleave, its outputs end as the newest version's."""
    bucket, place = play(Turns(), versions, data, by_bytes=by_bytes)
    assert place.owner is not None
    assert place.owner.etag == bucket.now["master/cat.png"]


@pytest.mark.parametrize("by_bytes", [False, True], ids=["by-owner", "by-bytes"])
@many
@given(uploads("master/cat.png", "master/cat.jpg"), st.data())
def test_two_masters_of_a_name_have_one_owner(by_bytes: bool, masters: list[Upload], data: st.DataObject) -> None:  # noqa: FBT001
    """However two masters of one name interleave, the first to write owns the outputs, in its newest version."""
    bucket, place = play(Turns(), masters, data, by_bytes=by_bytes)
    assert place.owner is not None
    assert set(place.owners) == {place.owner.key}
    assert place.owner.etag == bucket.now[place.owner.key]
