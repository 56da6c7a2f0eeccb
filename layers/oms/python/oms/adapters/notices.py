"""Which notices were sent, in the reports table.

NOTICE#<order_id> / <event id>     state (sending, sent, skipped), at, reason of a skip
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from botocore.exceptions import ClientError

from oms.adapters import dynamodb as db
from oms.adapters.dynamodb import DynamoDB
from oms.settings import setting

SENDING, SENT, SKIPPED = "sending", "sent", "skipped"
# No invocation runs this long: who claimed the notice is dead.
CLAIM_LASTS = timedelta(minutes=1)


class BeingSent(Exception):
    """Another invocation has claimed the notice and may be sending it at this moment."""


class Notices:
    def __init__(self, client: DynamoDB, table: str) -> None:
        self._client = client
        self._table = table

    def claim(self, order_id: str, event_id: str, at: datetime) -> bool:
        """True: it is ours to send. False: it was sent, or skipped, before."""
        item = {**_key(order_id, event_id), "state": db.s(SENDING), "at": db.s(_stamp(at))}
        try:
            self._client.put_item(
                TableName=self._table,
                Item=item,
                ConditionExpression="attribute_not_exists(PK) OR (#s = :sending AND #at < :dead)",
                ExpressionAttributeNames={"#s": "state", "#at": "at"},
                ExpressionAttributeValues={
                    ":sending": db.s(SENDING),
                    ":dead": db.s(_stamp(at - CLAIM_LASTS)),
                },
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            return _claimed_by_other(error, event_id)
        return True

    def sent(self, order_id: str, event_id: str, at: datetime) -> None:
        self._end(order_id, event_id, at, state=db.s(SENT))

    def skipped(self, order_id: str, event_id: str, reason: str, at: datetime) -> None:
        self._end(order_id, event_id, at, state=db.s(SKIPPED), reason=db.s(reason))

    def release(self, order_id: str, event_id: str) -> None:
        """Nothing was sent: whoever comes next may claim it."""
        self._client.delete_item(TableName=self._table, Key=_key(order_id, event_id))

    def of(self, order_id: str) -> dict[str, str]:
        """Event id -> state."""
        rows = db.query(
            self._client,
            TableName=self._table,
            KeyConditionExpression="PK = :pk",
            ExpressionAttributeValues={":pk": db.s(f"NOTICE#{order_id}")},
        )
        return {db.text(row, "SK"): db.text(row, "state") for row in rows}

    def _end(self, order_id: str, event_id: str, at: datetime, **how: Any) -> None:
        item = {**_key(order_id, event_id), "at": db.s(_stamp(at)), **how}
        self._client.put_item(TableName=self._table, Item=item)


@cache
def notices() -> Notices:
    return Notices(db.client(), setting("REPORTS_TABLE"))


def _claimed_by_other(error: ClientError, event_id: str) -> bool:
    if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
        raise error
    old: Any = error.response.get("Item", {})
    if old.get("state") == db.s(SENDING):
        raise BeingSent(event_id) from None
    return False


def _key(order_id: str, event_id: str) -> db.Item:
    return db.key(f"NOTICE#{order_id}", event_id)


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds")
