"""Subscribers, how they are, and the replays that they asked for, in the channels table.

SUBSCRIBERS / <subscriber>            the subscriber; beside it `failures` in a row and
                                      `failing_since`, of what it was sent
REPLAYS#<subscriber> / <replay>       a replay; `rev` counts its changes; gone after a month
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any

from botocore.exceptions import ClientError

from oms.adapters.dynamodb import (
    DynamoDB,
    Item,
    client,
    get_row,
    key,
    n,
    number,
    pack,
    query,
    s,
    text,
    unpack,
)
from oms.contracts import codec
from oms.domain.errors import NotFound
from oms.domain.subscribers import KEEP, Health, Replay, ReplayState, Subscriber
from oms.settings import setting

SUBSCRIBERS = "SUBSCRIBERS"
WELL = Health()


@dataclass(frozen=True, slots=True)
class Known:
    subscriber: Subscriber
    health: Health = WELL


class SubscribersTable:
    def __init__(self, client: DynamoDB, table: str) -> None:
        self._client, self._table = client, table

    def add(self, subscriber: Subscriber) -> bool:
        """False where there is one of this name."""
        where = key(SUBSCRIBERS, subscriber.subscriber_id)
        row = {**where, "body": pack(codec.encode(subscriber))}
        return self._is_met(
            self._client.put_item, Item=row, ConditionExpression="attribute_not_exists(PK)"
        )

    def get(self, subscriber_id: str) -> Known:
        if (found := self.find(subscriber_id)) is None:
            raise NotFound("subscriber", subscriber_id)
        return found

    def find(self, subscriber_id: str) -> Known | None:
        row = get_row(self._client, self._table, key(SUBSCRIBERS, subscriber_id))
        return _known(row) if row else None

    def all(self) -> list[Known]:
        """By their ids."""
        return list(map(_known, self._rows(SUBSCRIBERS)))

    def replace(self, subscriber: Subscriber, *, forget: bool = False) -> bool:
        """The last word counts. False where there is none; `forget` its failures."""
        said = "SET body = :body" + (" REMOVE failures, failing_since" if forget else "")
        return self._update(subscriber.subscriber_id, said, {":body": _body(subscriber)})

    def feel(self, subscriber_id: str, health: Health) -> bool:
        """How it is now, for whoever holds its lease."""
        if health.failing_since is None:
            return self._update(subscriber_id, "REMOVE failures, failing_since", {})
        values = {":n": n(health.failures), ":since": s(health.failing_since.isoformat())}
        said = "SET failures = :n, failing_since = :since"
        return self._update(subscriber_id, said, values)

    def disable(self, subscriber_id: str, why: str) -> bool:
        """False where it was gone, or disabled, or changed in this moment by somebody else."""
        known = self.find(subscriber_id)
        if known is None or not known.subscriber.enabled:
            return False
        off = replace(known.subscriber, enabled=False, why_disabled=why)
        values = {":body": _body(off), ":was": _body(known.subscriber)}
        return self._update(subscriber_id, "SET body = :body", values, "body = :was")

    def remove(self, subscriber_id: str) -> None:
        self._client.delete_item(TableName=self._table, Key=key(SUBSCRIBERS, subscriber_id))

    def add_replay(self, replay: Replay) -> bool:
        row = _replay_row(replay, 1)
        return self._is_met(
            self._client.put_item, Item=row, ConditionExpression="attribute_not_exists(PK)"
        )

    def replay(self, subscriber_id: str, replay_id: str) -> tuple[Replay, int]:
        """And its `rev`."""
        where = key(f"REPLAYS#{subscriber_id}", replay_id)
        if (row := get_row(self._client, self._table, where)) is None:
            raise NotFound("replay", replay_id)
        return _replay(row), number(row, "rev")

    def move_replay(self, replay: Replay, rev: int) -> bool:
        """False where another worker was faster."""
        return self._is_met(
            self._client.put_item,
            Item=_replay_row(replay, rev + 1),
            ConditionExpression="rev = :rev",
            ExpressionAttributeValues={":rev": n(rev)},
        )

    def replays(self, subscriber_id: str) -> list[Replay]:
        return list(map(_replay, self._rows(f"REPLAYS#{subscriber_id}")))

    def running(self, subscriber_id: str) -> list[Replay]:
        found = self.replays(subscriber_id)
        return [each for each in found if each.state is ReplayState.RUNNING]

    def _rows(self, partition: str) -> list[Item]:
        return list(
            query(
                self._client,
                TableName=self._table,
                KeyConditionExpression="PK = :pk",
                ExpressionAttributeValues={":pk": s(partition)},
                ConsistentRead=True,
            )
        )

    def _update(
        self, subscriber_id: str, said: str, values: Item, condition: str = "attribute_exists(PK)"
    ) -> bool:
        return self._is_met(
            self._client.update_item,
            Key=key(SUBSCRIBERS, subscriber_id),
            UpdateExpression=said,
            ConditionExpression=condition,
            **({"ExpressionAttributeValues": values} if values else {}),
        )

    def _is_met(self, write: Any, **request: Any) -> bool:
        try:
            write(TableName=self._table, **request)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return False
        return True


@cache
def subscribers_table() -> SubscribersTable:
    return SubscribersTable(client(), setting("CHANNELS_TABLE"))


def _body(subscriber: Subscriber) -> dict[str, Any]:
    return pack(codec.encode(subscriber))


def _known(row: Item) -> Known:
    subscriber = codec.decode(unpack(row["body"]), Subscriber)
    if "failures" not in row:
        return Known(subscriber)
    since = datetime.fromisoformat(text(row, "failing_since"))
    return Known(subscriber, Health(number(row, "failures"), since))


def _replay_row(replay: Replay, rev: int) -> Item:
    where = key(f"REPLAYS#{replay.subscriber_id}", replay.replay_id)
    until = n(int((replay.asked_at + KEEP).timestamp()))
    return {**where, "body": pack(codec.encode(replay)), "rev": n(rev), "expires_at": until}


def _replay(row: Item) -> Replay:
    return codec.decode(unpack(row["body"]), Replay)
