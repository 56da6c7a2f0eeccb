"""Policies in the orders table: documents that are data, in versions that never change.

POLICY#<name> / VERSION#<number>   a version: its document, who saved it and when
POLICY#<name> / CURRENT            the newest of them, once more: one read finds it
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Generic, TypeVar, cast

from oms.adapters.dynamodb import (
    DynamoDB,
    Item,
    Write,
    client,
    get_row,
    key,
    n,
    number,
    pack,
    s,
    text,
    transact,
    unpack,
)
from oms.contracts import codec
from oms.domain.errors import Conflict, NotFound, OmsError
from oms.settings import setting

T = TypeVar("T")

CURRENT = "CURRENT"
KNOWN_SECONDS = 60.0
NOBODY = "system"
MAX_BYTES = 390_000  # deflated: a row takes 400 KB


class PolicyTooLarge(OmsError):
    def __init__(self, size: int) -> None:
        super().__init__(f"the policy has {size:,} bytes; at most {MAX_BYTES:,} are kept")


@dataclass(frozen=True, slots=True)
class SavedPolicy(Generic[T]):
    """Version 0 is the default, which nobody saved."""

    document: T
    version: int = 0
    saved_by: str = NOBODY
    saved_at: datetime | None = None


class PoliciesTable:
    def __init__(
        self, client: DynamoDB, table: str, clock: Callable[[], float] | None = None
    ) -> None:
        self._client, self._table, self._clock = client, table, clock or time.monotonic
        self._known: dict[tuple[str, type[Any]], tuple[float, SavedPolicy[Any]]] = {}

    def current(self, name: str, kind: type[T]) -> tuple[T, int]:
        """The policy in force and its version, or `kind()` and 0 where none was saved.

        A minute may pass until a new version is seen everywhere.
        """
        known = self._known.get((name, kind))
        if known is None or self._clock() >= known[0]:
            known = (self._clock() + KNOWN_SECONDS, self._glance(name, kind))
            self._known[name, kind] = known
        return cast(T, known[1].document), known[1].version

    def _glance(self, name: str, kind: type[T]) -> SavedPolicy[T]:
        """Perhaps a moment old, at half the price."""
        row = get_row(self._client, self._table, _key(name, CURRENT), consistent=False)
        return _read(row, kind) if row else SavedPolicy(kind())

    def newest(self, name: str, kind: type[T]) -> SavedPolicy[T]:
        """As it is now."""
        row = get_row(self._client, self._table, _key(name, CURRENT))
        return _read(row, kind) if row else SavedPolicy(kind())

    def version(self, name: str, version: int, kind: type[T]) -> SavedPolicy[T]:
        if version == 0:
            return SavedPolicy(kind())
        if (row := get_row(self._client, self._table, _key(name, _sort(version)))) is None:
            raise NotFound("version", f"{version} of the policy {name}")
        return _read(row, kind)

    def save(
        self, name: str, document: object, *, expected: int | None, at: datetime, actor: str
    ) -> int:
        """As the next version; `Conflict` when the one in force is not the `expected` one, None:
        whichever it is."""
        if expected is None:
            expected = self.newest(name, type(document)).version
        saved = SavedPolicy(document, expected + 1, actor, at)
        transact(self._client, [self._turn(name, saved), self._version(name, saved)])
        self._known.pop((name, type(document)), None)
        return saved.version

    def _turn(self, name: str, saved: SavedPolicy[Any]) -> Write:
        """First, as it tells who was faster."""
        condition, values = "attribute_not_exists(PK)", {}
        if saved.version > 1:
            condition, values = "version = :seen", {":seen": n(saved.version - 1)}
        put = {
            "TableName": self._table,
            "Item": _row(name, CURRENT, saved),
            "ConditionExpression": condition,
            **({"ExpressionAttributeValues": values} if values else {}),
        }
        return Write({"Put": put}, lambda found: _overtaken(name, saved.version - 1, found))

    def _version(self, name: str, saved: SavedPolicy[Any]) -> Write:
        put = {
            "TableName": self._table,
            "Item": _row(name, _sort(saved.version), saved),
            "ConditionExpression": "attribute_not_exists(PK)",
        }
        return Write({"Put": put}, lambda found: _overtaken(name, saved.version - 1, found))


def _overtaken(name: str, expected: int, found: Item | None) -> Conflict:
    version = number(found, "version") if found else 0
    return Conflict(f"the policy {name} is at version {version}, not at {expected}")


def _key(name: str, sort: str) -> Item:
    return key(f"POLICY#{name}", sort)


def _sort(version: int) -> str:
    return f"VERSION#{version:09d}"


def _row(name: str, sort: str, saved: SavedPolicy[Any]) -> Item:
    assert saved.saved_at
    body = pack(codec.encode(saved.document))
    if (size := len(body.get("B", b""))) > MAX_BYTES:
        raise PolicyTooLarge(size)
    return {
        **_key(name, sort),
        "version": n(saved.version),
        "body": body,
        "saved_at": s(saved.saved_at.isoformat()),
        "saved_by": s(saved.saved_by),
    }


def _read(row: Item, kind: type[T]) -> SavedPolicy[T]:
    return SavedPolicy(
        codec.decode(unpack(row["body"]), kind),
        number(row, "version"),
        text(row, "saved_by"),
        datetime.fromisoformat(text(row, "saved_at")),
    )


@cache
def policies_table() -> PoliciesTable:
    return PoliciesTable(client(), setting("ORDERS_TABLE"))
