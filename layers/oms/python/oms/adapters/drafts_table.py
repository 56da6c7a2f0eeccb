"""Drafts of orders in the orders table: they reserve nothing, and nobody reads one without KMS.

DRAFT#<id> / DRAFT   what was said so far, sealed with a key of its own; `version`, who and when;
                     `order_id`, once it was placed; `expires_at` removes it. GSI1PK = DRAFTS
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from oms.adapters import aws
from oms.adapters.dynamodb import (
    DynamoDB,
    Item,
    Write,
    batch_get,
    client,
    get_row,
    key,
    n,
    number,
    s,
    text,
    transact,
)
from oms.adapters.order_rows import ABSENT, instant
from oms.adapters.person_keys import person_keys
from oms.adapters.vault import Vault
from oms.contracts.cursors import BadCursor, decode_cursor, encode_cursor
from oms.domain.errors import Conflict, NotFound, OmsError
from oms.settings import setting

PURPOSE = {"purpose": "draft"}
LISTED = "DRAFTS"
SEALED = "sealed"
KEPT_FOR = timedelta(days=30)  # since it was last changed
MAX_BYTES = 350_000  # deflated: a row takes 400 KB


class DraftTooLarge(OmsError):
    def __init__(self, size: int) -> None:
        super().__init__(f"the draft has {size:,} bytes when packed; at most {MAX_BYTES:,}")


@dataclass(frozen=True, slots=True)
class Draft:
    """`said` is as much of an order as was said so far; empty where drafts are only listed."""

    draft_id: str
    version: int
    created_by: str
    created_at: datetime
    updated_by: str
    updated_at: datetime
    order_id: str = ""
    asked: str = ""
    said: Mapping[str, Any] = field(default_factory=dict)

    @property
    def expires_at(self) -> datetime:
        return self.updated_at + KEPT_FOR

    def changed(self, said: Mapping[str, Any], at: datetime, actor: str) -> Draft:
        return replace(self, said=said, version=self.version + 1, updated_at=at, updated_by=actor)


@dataclass(frozen=True, slots=True)
class DraftPage:
    """Newest first."""

    drafts: tuple[Draft, ...]
    cursor: str | None


class DraftsTable:
    def __init__(self, client: DynamoDB, table: str, vault: Vault) -> None:
        self._client, self._table, self._vault = client, table, vault

    def add(self, draft: Draft) -> tuple[Draft, bool]:
        """The draft, or the one of the same id that the same was asked for; whether it is new."""
        try:
            transact(self._client, [self._put(draft, ABSENT)])
        except Conflict:
            known = self.get(draft.draft_id, draft.created_at)
            if known.asked != draft.asked:
                raise
            return known, False
        return draft, True

    def get(self, draft_id: str, now: datetime) -> Draft:
        row = get_row(self._client, self._table, _key(draft_id))
        if row is None or (draft := _read(row)).expires_at <= now:
            raise NotFound("draft", draft_id)
        octets = self._vault.unseal(SEALED, draft_id.encode(), row)
        return replace(draft, said=json.loads(zlib.decompress(octets)))

    def save(self, draft: Draft) -> None:
        """In the place of the version before; `Conflict` when that is not what is there."""
        values = {":seen": n(draft.version - 1)}
        transact(self._client, [self._put(draft, "version = :seen AND order_id = :no", values)])

    def remove(self, draft_id: str) -> None:
        self._client.delete_item(TableName=self._table, Key=_key(draft_id))

    def placing(self, draft: Draft, order_id: str) -> Write:
        """For the transaction that places it: only as it was seen."""
        update = {
            "TableName": self._table,
            "Key": _key(draft.draft_id),
            "UpdateExpression": "SET order_id = :order",
            "ConditionExpression": "version = :seen",
            "ExpressionAttributeValues": {":order": s(order_id), ":seen": n(draft.version)},
        }
        return Write({"Update": update}, lambda found: _changed(draft.draft_id, found))

    def page(self, limit: int, cursor: str | None = None) -> DraftPage:
        """Without what is said in them. The index is a moment late."""
        start = {"ExclusiveStartKey": _start(cursor)} if cursor else {}
        answer = self._client.query(
            TableName=self._table,
            IndexName="GSI1",
            KeyConditionExpression="GSI1PK = :pk",
            ExpressionAttributeValues={":pk": s(LISTED)},
            ScanIndexForward=False,
            Limit=limit,
            **start,
        )
        last = answer.get("LastEvaluatedKey")
        return DraftPage(self._many(answer["Items"]), _cursor(last) if last else None)

    def _many(self, found: Sequence[Item]) -> tuple[Draft, ...]:
        keys = [{"PK": item["PK"], "SK": item["SK"]} for item in found]
        drafts = map(_read, batch_get(self._client, self._table, keys))
        newest_first = sorted(drafts, key=lambda each: (each.created_at, each.draft_id))
        return tuple(reversed(newest_first))

    def _put(self, draft: Draft, condition: str, values: Item | None = None) -> Write:
        if values is not None:
            values |= {":no": s("")}
        put = {
            "TableName": self._table,
            "Item": self._row(draft),
            "ConditionExpression": condition,
            **({"ExpressionAttributeValues": values} if values else {}),
        }
        return Write({"Put": put}, lambda found: _changed(draft.draft_id, found))

    def _row(self, draft: Draft) -> Item:
        octets = zlib.compress(json.dumps(draft.said, ensure_ascii=False).encode(), 9)
        if len(octets) > MAX_BYTES:
            raise DraftTooLarge(len(octets))
        return {
            **_key(draft.draft_id),
            **self._vault.seal(SEALED, draft.draft_id.encode(), octets),
            "GSI1PK": s(LISTED),
            "at": s(instant(draft.created_at)),
            "version": n(draft.version),
            "created_by": s(draft.created_by),
            "created_at": s(draft.created_at.isoformat()),
            "updated_by": s(draft.updated_by),
            "updated_at": s(draft.updated_at.isoformat()),
            "order_id": s(draft.order_id),
            "asked": s(draft.asked),
            "expires_at": n(int(draft.expires_at.timestamp())),
        }


def _changed(draft_id: str, found: Item | None) -> OmsError:
    if found is None:
        return NotFound("draft", draft_id)
    if order_id := text(found, "order_id"):
        return Conflict(f"{draft_id} was placed as {order_id}")
    return Conflict(f"{draft_id} is at version {number(found, 'version')}")


def _key(draft_id: str) -> Item:
    return key(f"DRAFT#{draft_id}", "DRAFT")


def _read(row: Item) -> Draft:
    return Draft(
        draft_id=text(row, "PK").removeprefix("DRAFT#"),
        version=number(row, "version"),
        created_by=text(row, "created_by"),
        created_at=datetime.fromisoformat(text(row, "created_at")),
        updated_by=text(row, "updated_by"),
        updated_at=datetime.fromisoformat(text(row, "updated_at")),
        order_id=text(row, "order_id"),
        asked=text(row, "asked"),
    )


def _cursor(last: Item) -> str:
    return encode_cursor({"PK": text(last, "PK"), "at": text(last, "at")})


def _start(cursor: str) -> Item:
    given = decode_cursor(cursor)
    if given.keys() != {"PK", "at"} or not given["PK"].startswith("DRAFT#") or not given["at"]:
        raise BadCursor
    where = {"PK": given["PK"], "SK": "DRAFT", "GSI1PK": LISTED, "at": given["at"]}
    return {name: s(value) for name, value in where.items()}


@cache
def drafts_table() -> DraftsTable:
    kms = aws.client("kms", read_timeout=5, attempts=3)
    table = setting("ORDERS_TABLE")
    sealing = Vault(client(), kms, table, setting("VAULT_KEY_ID"), PURPOSE, person_keys())
    return DraftsTable(client(), table, sealing)
