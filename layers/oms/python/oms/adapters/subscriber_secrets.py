"""What messages to subscribers are signed with, each sealed with a key of its own.

SECRETS#<subscriber> / <when it was made>#<digits>   `ends_at` once there is a newer one, and
                                                     `expires_at` removes it
"""

from __future__ import annotations

import os
from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from oms.adapters import aws
from oms.adapters.dynamodb import (
    DynamoDB,
    Item,
    Write,
    client,
    key,
    n,
    query,
    s,
    text,
    transact,
)
from oms.adapters.stock_rows import instant, stamp
from oms.adapters.vault import Vault
from oms.domain.errors import Refused
from oms.domain.subscribers import MOST_SECRETS
from oms.settings import setting

PURPOSE = {"purpose": "webhooks"}
SECRET, PREFIX, BYTES = "secret", "whsec_", 32


@dataclass(frozen=True, slots=True)
class SecretInfo:
    """Of a secret that is valid; `ends_at` None: until there is a newer one."""

    made_at: datetime
    ends_at: datetime | None


class TooManySecrets(Refused):
    def __init__(self) -> None:
        super().__init__(f"{MOST_SECRETS} secrets are valid already; one of them has to end first")


class SubscriberSecrets:
    def __init__(self, client: DynamoDB, table: str, vault: Vault) -> None:
        self._client, self._table, self._vault = client, table, vault

    def rotate(self, subscriber_id: str, now: datetime, overlap: timedelta) -> str:
        """A new one, told here and never again; those before it end after the overlap.

        Raises TooManySecrets, Refused where one of them has just been removed."""
        valid = [row for row in self._rows(subscriber_id) if not _is_over(row, now)]
        if len(valid) >= MOST_SECRETS and overlap:
            raise TooManySecrets
        secret = PREFIX + b64encode(os.urandom(BYTES)).decode()
        end = now + overlap
        ending = [self._ending(row, end) for row in valid if _ends_after(row, end)]
        transact(self._client, [self._new(subscriber_id, secret, now), *ending])
        return secret

    def valid(self, subscriber_id: str, now: datetime) -> tuple[str, ...]:
        """The newest first."""
        rows = [row for row in self._rows(subscriber_id) if not _is_over(row, now)]
        return tuple(self._opened(subscriber_id, row) for row in reversed(rows))

    def infos(self, subscriber_id: str, now: datetime) -> list[SecretInfo]:
        rows = (row for row in self._rows(subscriber_id) if not _is_over(row, now))
        return [SecretInfo(_made_at(row), _end(row)) for row in rows]

    def forget(self, subscriber_id: str) -> None:
        for row in self._rows(subscriber_id):
            where = {"PK": row["PK"], "SK": row["SK"]}
            self._client.delete_item(TableName=self._table, Key=where)

    def _new(self, subscriber_id: str, secret: str, now: datetime) -> Write:
        name = f"{stamp(now)}#{os.urandom(4).hex()}"
        bound = _bound(subscriber_id, name)
        item = {
            **key(_pk(subscriber_id), name),
            **self._vault.seal(SECRET, bound, secret.encode()),
        }
        return Write({"Put": {"TableName": self._table, "Item": item}})

    def _ending(self, row: Item, at: datetime) -> Write:
        update = {
            "TableName": self._table,
            "Key": {"PK": row["PK"], "SK": row["SK"]},
            "UpdateExpression": "SET ends_at = :at, expires_at = :seconds",
            "ConditionExpression": "attribute_exists(PK)",
            "ExpressionAttributeValues": {
                ":at": s(stamp(at)),
                ":seconds": n(int(at.timestamp()) + 60),
            },
        }
        return Write({"Update": update}, lambda _: Refused("the secrets were changed meanwhile"))

    def _rows(self, subscriber_id: str) -> list[Item]:
        """Oldest first."""
        return list(
            query(
                self._client,
                TableName=self._table,
                KeyConditionExpression="PK = :pk",
                ExpressionAttributeValues={":pk": s(_pk(subscriber_id))},
                ConsistentRead=True,
            )
        )

    def _opened(self, subscriber_id: str, row: Item) -> str:
        bound = _bound(subscriber_id, text(row, "SK"))
        return self._vault.unseal(SECRET, bound, row).decode()


@cache
def subscriber_secrets() -> SubscriberSecrets:
    kms = aws.client("kms", read_timeout=5, attempts=3)
    table = setting("CHANNELS_TABLE")
    vault = Vault(client(), kms, table, setting("VAULT_KEY_ID"), PURPOSE)
    return SubscriberSecrets(client(), table, vault)


def _pk(subscriber_id: str) -> str:
    return f"SECRETS#{subscriber_id}"


def _made_at(row: Item) -> datetime:
    return instant(text(row, "SK").partition("#")[0])


def _bound(subscriber_id: str, name: str) -> bytes:
    return f"{subscriber_id}\x1f{name}".encode()


def _end(row: Item) -> datetime | None:
    return instant(text(row, "ends_at")) if "ends_at" in row else None


def _is_over(row: Item, now: datetime) -> bool:
    end = _end(row)
    return end is not None and end <= now


def _ends_after(row: Item, at: datetime) -> bool:
    end = _end(row)
    return end is None or end > at
