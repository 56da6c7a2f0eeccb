"""The fulfillment network in DynamoDB: locations and the carriers' cards, each with a version."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any

from oms.adapters.dynamodb import DynamoDB, Item, Write, client, get_row, n, query, s, transact
from oms.adapters.network_rows import (
    CARDS,
    LOCATIONS,
    MEASURED,
    card_body,
    card_key,
    changed_row,
    location_key,
    location_row,
    measured_row,
    past_card_key,
    read_card,
    read_location,
    read_measured,
    version_of,
)
from oms.domain.errors import Contended, NotFound, OmsError, Refused
from oms.domain.inventory import UnknownLocation
from oms.domain.locations import Location
from oms.domain.network.lanes import Measured
from oms.domain.network.openness import changes
from oms.domain.network.rates import Card, Tables
from oms.settings import setting

ROUNDS = 5  # of a change that others overtook
MAX_CARD_BYTES = 390_000  # deflated: a row takes 400 KB


class UnknownCard(NotFound):
    def __init__(self, carrier: str, version: int | None = None) -> None:
        super().__init__("card of", carrier if version is None else f"{carrier} {version}")


class CardTooLarge(OmsError):
    def __init__(self, carrier: str, size: int) -> None:
        super().__init__(f"the card of {carrier} has {size:,} bytes; at most {MAX_CARD_BYTES:,}")


class _Overtaken(Refused):
    """Somebody else has written the row since it was read."""


class NetworkTable:
    def __init__(self, client: DynamoDB, table_name: str) -> None:
        self._client, self._table = client, table_name

    def locations(self) -> tuple[Location, ...]:
        """In the order of their ids."""
        return tuple(map(read_location, self._of(LOCATIONS)))

    def location(self, location_id: str) -> Location:
        if (row := self._row(location_key(location_id))) is None:
            raise UnknownLocation(location_id)
        return read_location(row)

    def put_location(self, location: Location) -> None:
        """As it is, whatever it was; nobody is told."""
        self._client.put_item(TableName=self._table, Item=location_row(location))

    def change_location(
        self,
        location_id: str,
        change: Callable[[Location | None], Location],
        *,
        at: datetime,
        actor: str,
    ) -> Location:
        """Write what `change` makes of the location (None: there is none yet), and tell of it.

        What changes nothing writes nothing: the same again is told once.
        """
        for _ in range(ROUNDS):
            row = self._row(location_key(location_id))
            old = read_location(row) if row else None
            new = change(old)
            if new == old:
                return new
            try:
                transact(self._client, self._location_writes(row, old, new, at, actor))
            except _Overtaken:
                continue
            return new
        raise Contended(f"others were faster than {location_id}, {ROUNDS} times")

    def tables(self) -> Tables:
        """Where no carrier has a card, nothing is measured either."""
        cards = self.cards()
        return Tables(cards, self.measured() if cards else ())

    def measured(self) -> tuple[Measured, ...]:
        return tuple(each for row in self._of(MEASURED) for each in read_measured(row))

    def learn(self, measured: Iterable[Measured], at: datetime) -> int:
        """In the place of what was measured before, of every carrier; how many lanes are known."""
        found: dict[str, list[Measured]] = {row["SK"]["S"]: [] for row in self._of(MEASURED)}
        for each in measured:
            found.setdefault(each.lane.carrier, []).append(each)
        for carrier, lanes in found.items():
            row = measured_row(carrier, tuple(lanes), at)
            self._client.put_item(TableName=self._table, Item=row)
        return sum(map(len, found.values()))

    def cards(self) -> tuple[Card, ...]:
        return tuple(map(read_card, self._of(CARDS)))

    def card(self, carrier: str, version: int | None = None) -> Card:
        """The newest, or the one that a decision has named."""
        key = card_key(carrier) if version is None else past_card_key(carrier, version)
        if (row := self._row(key)) is None:
            raise UnknownCard(carrier, version)
        return read_card(row)

    def change_card(self, carrier: str, change: Callable[[Card | None], Card]) -> Card:
        """Write what `change` makes of the carrier's card as its next version; old ones are kept.

        What changes nothing is no new version.
        """
        for _ in range(ROUNDS):
            row = self._row(card_key(carrier))
            old = read_card(row) if row else None
            version = old.version if old else 0
            new = replace(change(old), carrier=carrier, version=version)
            if new == old:
                return new
            try:
                transact(self._client, self._card_writes(row, replace(new, version=version + 1)))
            except _Overtaken:
                continue
            return replace(new, version=version + 1)
        raise Contended(f"others were faster than {carrier}, {ROUNDS} times")

    def _location_writes(
        self, row: Item | None, old: Location | None, new: Location, at: datetime, actor: str
    ) -> list[Write]:
        version = version_of(row or {}) + 1
        told = (changed_row(each, version, at, actor) for each in changes(old, new, at))
        return [self._put(location_row(new, version), row), *map(self._event, told)]

    def _card_writes(self, row: Item | None, card: Card) -> list[Write]:
        body = card_body(card)
        if (size := len(body["body"].get("B", b""))) > MAX_CARD_BYTES:
            raise CardTooLarge(card.carrier, size)
        past = {**past_card_key(card.carrier, card.version), **body}
        kept = Write({"Put": {"TableName": self._table, "Item": past}})
        return [self._put({**card_key(card.carrier), **body}, row), kept]

    def _put(self, new: Item, old: Item | None) -> Write:
        """Over the row that was read, and over no other."""
        put: dict[str, Any] = {"TableName": self._table, "Item": new}
        if old is None:
            put["ConditionExpression"] = "attribute_not_exists(PK)"
        elif version := version_of(old):
            put["ConditionExpression"] = "version = :version"
            put["ExpressionAttributeValues"] = {":version": n(version)}
        else:
            put["ConditionExpression"] = "attribute_exists(PK) AND attribute_not_exists(version)"
        return Write({"Put": put}, lambda _: _Overtaken())

    def _event(self, row: Item) -> Write:
        return Write({"Put": {"TableName": self._table, "Item": row}})

    def _row(self, key: Item) -> Item | None:
        return get_row(self._client, self._table, key)

    def _of(self, partition: str) -> list[Item]:
        request = {
            "TableName": self._table,
            "KeyConditionExpression": "PK = :pk",
            "ExpressionAttributeValues": {":pk": s(partition)},
            "ConsistentRead": True,
        }
        return list(query(self._client, **request))


@cache
def network_table() -> NetworkTable:
    return NetworkTable(client(), setting("STOCK_TABLE"))
