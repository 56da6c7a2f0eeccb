"""What subscribers are still to be told, what they were told of late, and what they never took.

DELIVERIES#<subscriber> / <delivery>   one row for an event and a subscriber, whatever happens.
                                       GSI1PK and `at` say where it is listed, if at all:
                                       DUE#<subscriber>    when it is to be sent
                                       DEAD#<subscriber>   since when it is not sent any more

`rev` counts the changes: each is under the condition that the row is as it was read. Rows are gone
after a month.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from botocore.exceptions import ClientError

from oms.adapters.dynamodb import (
    DynamoDB,
    Item,
    batch_get,
    client,
    get_row,
    key,
    n,
    number,
    pack,
    s,
    text,
    unpack,
)
from oms.adapters.stock_rows import stamp
from oms.contracts import codec
from oms.contracts.cursors import BadCursor, decode_cursor, encode_cursor
from oms.domain.errors import NotFound
from oms.domain.subscribers import KEEP, Delivery, DeliveryState
from oms.settings import setting

PAGE = 100
ABSENT = "attribute_not_exists(PK)"
LISTS = {DeliveryState.WAITING: "DUE", DeliveryState.DEAD: "DEAD"}
MAX_KEY = 200


@dataclass(frozen=True, slots=True)
class Queued:
    """A delivery as it was read. `envelope` is the event's, as JSON."""

    delivery: Delivery
    envelope: bytes
    rev: int = 1


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    deliveries: tuple[Delivery, ...]
    cursor: str | None


class Deliveries:
    def __init__(self, client: DynamoDB, table: str) -> None:
        self._client, self._table = client, table

    def put(self, delivery: Delivery, envelope: bytes) -> Queued | None:
        """None when it is new; else as it is, and as it stays."""
        row = _row(Queued(delivery, envelope))
        try:
            self._client.put_item(
                TableName=self._table,
                Item=row,
                ConditionExpression=ABSENT,
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            _pass_refused(error)
            answer: Any = error.response
            return self._found(delivery, answer.get("Item"))
        return None

    def get(self, subscriber_id: str, delivery_id: str) -> Queued:
        row = get_row(self._client, self._table, key(_pk(subscriber_id), delivery_id))
        if row is None:
            raise NotFound("delivery", delivery_id)
        return _read(row)

    def mark(self, read: Queued, changed: Delivery) -> bool:
        """False where it is not any more as it was read."""
        row = _row(Queued(changed, read.envelope, read.rev + 1))
        update = {name: row[name] for name in ("said", "rev", "expires_at")}
        listed = {name: row[name] for name in ("GSI1PK", "at") if name in row}
        said = ", ".join(f"#{name} = :{name}" for name in update | listed)
        names = {f"#{name}": name for name in update | listed}
        values = {f":{name}": value for name, value in (update | listed).items()}
        removed = "" if listed else " REMOVE GSI1PK, #at"
        try:
            self._client.update_item(
                TableName=self._table,
                Key=key(_pk(changed.subscriber_id), changed.delivery_id),
                UpdateExpression=f"SET {said}{removed}",
                ConditionExpression="#rev = :was",
                ExpressionAttributeNames=names | ({} if listed else {"#at": "at"}),
                ExpressionAttributeValues=values | {":was": n(read.rev)},
            )
        except ClientError as error:
            _pass_refused(error)
            return False
        return True

    def due(self, subscriber_id: str, now: datetime) -> Iterator[Queued]:
        """The longest due first, as they are now; read page by page."""
        start: Item | None = None
        while True:
            answer = self._listed(f"DUE#{subscriber_id}", PAGE, start, until=now)
            yield from (each for each in self._all(answer["Items"]) if each.delivery.is_due(now))
            if (start := answer.get("LastEvaluatedKey")) is None:
                return

    def next_due(self, subscriber_id: str) -> datetime | None:
        """When the first of those that wait is to be sent, for all that the index knows."""
        found = self._listed(f"DUE#{subscriber_id}", 1, None)["Items"]
        return datetime.fromisoformat(text(found[0], "at")) if found else None

    def log(self, subscriber_id: str, limit: int, cursor: str | None = None) -> DeliveryPage:
        """All, the latest events first."""
        pk = _pk(subscriber_id)
        start = _start(cursor, ("PK", "SK"), "PK", pk) if cursor else None
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression="PK = :pk",
            ExpressionAttributeValues={":pk": s(pk)},
            ScanIndexForward=False,
            ConsistentRead=True,
            Limit=limit,
            **({"ExclusiveStartKey": start} if start else {}),
        )
        found = tuple(_read(row).delivery for row in answer["Items"])
        return DeliveryPage(found, _cursor(answer.get("LastEvaluatedKey")))

    def listed(
        self, subscriber_id: str, state: DeliveryState, limit: int, cursor: str | None = None
    ) -> DeliveryPage:
        """Those that wait, or that are dead, the longest first. What has changed since it was
        listed is left out."""
        name = f"{LISTS[state]}#{subscriber_id}"
        start = _start(cursor, ("PK", "SK", "GSI1PK", "at"), "GSI1PK", name) if cursor else None
        answer = self._listed(name, limit, start)
        found = (each.delivery for each in self._all(answer["Items"]))
        right = tuple(each for each in found if each.state is state)
        return DeliveryPage(right, _cursor(answer.get("LastEvaluatedKey")))

    def _found(self, delivery: Delivery, row: Item | None) -> Queued:
        return _read(row) if row else self.get(delivery.subscriber_id, delivery.delivery_id)

    def _listed(
        self, name: str, limit: int, start: Item | None, until: datetime | None = None
    ) -> dict[str, Any]:
        return self._client.query(
            TableName=self._table,
            IndexName="GSI1",
            KeyConditionExpression="GSI1PK = :name AND #at <= :until",
            ExpressionAttributeNames={"#at": "at"},
            ExpressionAttributeValues={
                ":name": s(name),
                ":until": s(stamp(until) if until else "9"),
            },
            Limit=limit,
            **({"ExclusiveStartKey": start} if start else {}),
        )

    def _all(self, found: list[Item]) -> list[Queued]:
        """As they are now, in the order in which they were found."""
        keys = [{"PK": row["PK"], "SK": row["SK"]} for row in found]
        rows = batch_get(self._client, self._table, keys, ConsistentRead=True) if keys else ()
        read = {text(row, "SK"): _read(row) for row in rows}
        return [read[text(row, "SK")] for row in found if text(row, "SK") in read]


@cache
def deliveries() -> Deliveries:
    return Deliveries(client(), setting("CHANNELS_TABLE"))


def _pk(subscriber_id: str) -> str:
    return f"DELIVERIES#{subscriber_id}"


def _row(queued: Queued) -> Item:
    delivery = queued.delivery
    kept_until = (delivery.finished_at or delivery.since) + KEEP
    return {
        **key(_pk(delivery.subscriber_id), delivery.delivery_id),
        **_place(delivery),
        "said": pack(codec.encode(delivery)),
        "envelope": pack(queued.envelope),
        "rev": n(queued.rev),
        "expires_at": n(int(kept_until.timestamp())),
    }


def _place(delivery: Delivery) -> Item:
    """Where it is listed."""
    if (name := LISTS.get(delivery.state)) is None:
        return {}
    at = delivery.finished_at or delivery.due_at
    return {"GSI1PK": s(f"{name}#{delivery.subscriber_id}"), "at": s(stamp(at))}


def _read(row: Item) -> Queued:
    delivery = codec.decode(unpack(row["said"]), Delivery)
    return Queued(delivery, unpack(row["envelope"]), number(row, "rev"))


def _pass_refused(error: ClientError) -> None:
    if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
        raise error


def _cursor(last: Mapping[str, Mapping[str, str]] | None) -> str | None:
    return encode_cursor({name: last[name]["S"] for name in last}) if last else None


def _start(cursor: str, names: tuple[str, ...], listed: str, wanted: str) -> Item:
    """Of this list, and of no other."""
    given = decode_cursor(cursor)
    if given.keys() != set(names) or given[listed] != wanted or not all(given.values()):
        raise BadCursor
    if any(len(value.encode()) > MAX_KEY for value in given.values()):
        raise BadCursor
    return {name: s(value) for name, value in given.items()}
