"""Which report mails were sent to whom, in the reports table.

MAILED#<digest of mail, days and address> / MAILED     state (sending, sent), at
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

from botocore.exceptions import ClientError

from oms.adapters import dynamodb as db
from oms.adapters.dynamodb import DynamoDB, Item

KEPT = timedelta(days=100)
CLAIM_LASTS = timedelta(minutes=10)  # no call runs so long: who has claimed it is dead


class MailClaims:
    def __init__(self, client: DynamoDB, table: str) -> None:
        self._client, self._table = client, table

    def claim(self, key: str, at: datetime) -> bool:
        """True: it is ours to send."""
        try:
            self._client.put_item(
                TableName=self._table,
                Item=_row(key, "sending", at),
                ConditionExpression="attribute_not_exists(PK) OR (#s = :sending AND #at < :dead)",
                ExpressionAttributeNames={"#s": "state", "#at": "at"},
                ExpressionAttributeValues={
                    ":sending": db.s("sending"),
                    ":dead": db.s(_stamp(at - CLAIM_LASTS)),
                },
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return False
        return True

    def sent(self, key: str, at: datetime) -> None:
        self._client.put_item(TableName=self._table, Item=_row(key, "sent", at))

    def release(self, key: str) -> None:
        self._client.delete_item(TableName=self._table, Key=_key(key))


def _key(key: str) -> Item:
    """Addresses are nowhere in the clear."""
    return db.key(f"MAILED#{hashlib.sha256(key.encode()).hexdigest()[:40]}", "MAILED")


def _row(key: str, state: str, at: datetime) -> Item:
    return {
        **_key(key),
        "state": db.s(state),
        "at": db.s(_stamp(at)),
        "expires_at": db.n(int((at + KEPT).timestamp())),
    }


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")
