"""The record of a picture: one item per name, which says which master owns the name and which state is wanted.

Every write has a condition. `docs/architecture.md` has the protocol, "The life of a picture".
"""

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self, cast

from handlers.attributes import attribute, attributes, values_of
from handlers.layout import NAME

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

State = Literal["received", "complete", "rejected", "deleted"]

TOMBSTONE_DAYS = 15
"""How long a deleted picture's record keeps its generation: longer than a dead letter is kept, which is 14 days."""


MAX_MESSAGE = 200
"""Characters of a reason that a record keeps, because the price of an update depends on the size of the item."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The outcome of one branch: `written`, with outputs and the recipe, or `rejected`, with the reason.

    `outputs` has width and height in pixels and bytes by key, in which `{name}` stands for the picture's name, as in
    `resized/{name}/large.jpg`. `not_kept` has the bytes of files that were no smaller than their JPEG, or 0 for one
    that its format cannot hold. `placeholder` has the picture's `thumbhash` and `colour`, if the stack wants them.
    """

    state: Literal["written", "rejected"]
    outputs: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    not_kept: Mapping[str, int] = field(default_factory=dict)
    placeholder: Mapping[str, str] = field(default_factory=dict)
    recipe: str = ""
    error: str = ""
    message: str = ""

    @property
    def bytes_out(self) -> int:
        """The bytes of all outputs."""
        return sum(size["bytes"] for size in self.outputs.values())

    def facts(self) -> dict[str, Any]:
        """Return the fields that are not empty."""
        return {name: value for name, value in vars(self).items() if value}

    def named(self, name: str) -> dict[str, Any]:
        """Return these fields, with the files' full keys."""
        facts = self.facts()
        for files in facts.keys() & {"outputs", "not_kept"}:
            facts[files] = {key.replace(NAME, name, 1): about for key, about in facts[files].items()}
        return facts


class MasterState(NamedTuple):
    """The state of a master: the ETag of its bytes, and the focal point in its metadata."""

    etag: str
    focal_point: str = ""


@dataclass(frozen=True, kw_only=True)
class Record:
    """A picture's record.

    `key`, `etag` and `focal_point` are the wanted state of the master, `generation` counts its changes, and `previous`
    is the key that owned the name before. `reasons`: whether reasons of earlier generations may exist. Times are in
    RFC 3339.
    """

    name: str
    key: str
    etag: str
    generation: int
    state: State
    branches: Mapping[str, Outcome] = field(default_factory=dict)
    focal_point: str = ""
    previous: str = ""
    reasons: bool = False
    received_at: str = ""
    settled_at: str = ""

    @property
    def lives(self) -> bool:
        """Whether the name has an owner."""
        return self.state != "deleted"

    @property
    def settled(self) -> bool:
        """Whether every branch has finished with a living master."""
        return self.state in {"complete", "rejected"}

    @property
    def verdict(self) -> Literal["complete", "rejected"]:
        """The picture's state by the outcomes of all branches."""
        rejected = any(outcome.state == "rejected" for outcome in self.branches.values())
        return "rejected" if rejected else "complete"

    @property
    def master(self) -> MasterState:
        """The wanted state of the master."""
        return MasterState(self.etag, self.focal_point)

    def next(self, key: str, master: MasterState, state: State, keep: Collection[str] = ()) -> Self:
        """Return the record of the next generation, which keeps the outcomes of some branches."""
        changed = self.key != key
        return replace(
            self,
            key=key,
            etag=master.etag,
            focal_point=master.focal_point,
            generation=next_generation(self.generation),
            state=state,
            branches={branch: found for branch, found in self.branches.items() if branch in keep},
            previous=self.key if changed else self.previous,
            reasons=changed or self.state != "complete",
            received_at=now(),
            settled_at=now() if state == "deleted" else "",
        )

    def as_item(self, *, expires: bool = False) -> dict[str, Any]:
        """Return the record as an item, which DynamoDB removes after `TOMBSTONE_DAYS` if it `expires`."""
        facts = {name: value for name, value in vars(self).items() if value}
        facts["generation"] = self.generation
        facts["branches"] = {name: outcome.facts() for name, outcome in self.branches.items()}
        if expires:
            facts["expires"] = int(time.time()) + TOMBSTONE_DAYS * 24 * 3600
        return attributes(facts)

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Self:
        """Read an item; attributes that a newer version added are ignored."""
        facts = values_of(_fields_of(cls, item))
        branches = {name: Outcome(**_fields_of(Outcome, found)) for name, found in facts.pop("branches", {}).items()}
        return cls(**facts, branches=branches)


def _fields_of(kind: type[Record | Outcome], values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in kind.__dataclass_fields__ if name in values}


def first(name: str, key: str, master: MasterState) -> Record:
    """Return the first record of a name."""
    return Record(
        name=name,
        key=key,
        etag=master.etag,
        focal_point=master.focal_point,
        generation=next_generation(0),
        state="received",
        received_at=now(),
    )


def next_generation(generation: int) -> int:
    """Return one more, or the clock's milliseconds if they are more: an expired record must not restart the count."""
    return max(generation + 1, time.time_ns() // 1_000_000)


def now() -> str:
    """Return the time in RFC 3339, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True, kw_only=True)
class Records:
    """The table of the records."""

    dynamodb: "DynamoDBClient"
    table: str

    def read(self, name: str) -> Record | None:
        """Return a picture's record as it is now."""
        found = self.dynamodb.get_item(TableName=self.table, Key=_key(name), ConsistentRead=True)
        return Record.from_item(found["Item"]) if "Item" in found else None

    def put(self, record: Record, read: Record | None, *, expires: bool = False) -> bool:
        """Write a record if the generation has not changed since it was read; return whether it was written."""
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(generation)"}
        if read is not None:
            condition = {
                "ConditionExpression": "generation = :read",
                "ExpressionAttributeValues": {":read": {"N": str(read.generation)}},
            }
        try:
            self.dynamodb.put_item(TableName=self.table, Item=record.as_item(expires=expires), **condition)
        except self.dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def settle(self, record: Record, branch: str, outcome: Outcome) -> tuple[bool, Record | None]:
        """Write a branch's outcome if the record still waits for it; return whether it was, and the record."""
        return self._update(
            record,
            "SET branches.#branch = :outcome",
            {"#branch": branch},
            {":outcome": attribute(outcome.facts())},
        )

    def finish(self, record: Record, state: State) -> None:
        """Set the state of a record that has all outcomes, unless another worker has set it."""
        self._update(
            record, "SET #state = :settled, settled_at = :now", {}, {":settled": {"S": state}, ":now": {"S": now()}}
        )

    def _update(
        self, record: Record, update: str, names: Mapping[str, str], values: Mapping[str, Any]
    ) -> tuple[bool, Record | None]:
        try:
            answer = self.dynamodb.update_item(
                TableName=self.table,
                Key=_key(record.name),
                UpdateExpression=update,
                ConditionExpression="generation = :generation AND #key = :key AND #state = :received",
                ExpressionAttributeNames={"#key": "key", "#state": "state", **names},
                ExpressionAttributeValues={
                    ":generation": {"N": str(record.generation)},
                    ":key": {"S": record.key},
                    ":received": {"S": "received"},
                    **values,
                },
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except self.dynamodb.exceptions.ConditionalCheckFailedException as error:
            old = cast("dict[str, Any]", error.response).get("Item")
            return False, Record.from_item(old) if old else None
        return True, Record.from_item(answer["Attributes"])


def _key(name: str) -> dict[str, Any]:
    return {"name": {"S": name}}
