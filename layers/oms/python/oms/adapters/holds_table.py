"""Cart holds in the stock table, each written with the units that it takes or gives back.

HOLD#<id> / HOLD       the hold; `version` is the condition of every write, `orders` are those that
                       were placed with it
DUE#…                  its deadline, in the agenda
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import cache, partial
from typing import Any

from oms.adapters.agenda import Agenda, agenda
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
from oms.adapters.freed_stock import freed_writes
from oms.adapters.orders_table import Taking
from oms.adapters.stock_table import StockTable, stock_table
from oms.contracts import codec
from oms.domain.agenda import DueKind
from oms.domain.availability import Floors
from oms.domain.errors import Conflict
from oms.domain.inventory import StockChange
from oms.domain.stock_holds import (
    MAX_ORDERS,
    HoldChanged,
    HoldNotUsable,
    HoldState,
    HoldTooLarge,
    StockHold,
    StockHoldNotFound,
    Where,
    carry,
    check_size,
    movements,
)
from oms.settings import setting

FREED = "a cart hold let go"
VERSION_SEEN = "version = :seen"


class HeldBefore(Exception):
    """The same hold was asked for before, in the same words."""

    def __init__(self, hold: StockHold) -> None:
        super().__init__(hold.hold_id)
        self.hold = hold


class HoldsTable:
    def __init__(self, client: DynamoDB, table: str, stock: StockTable, agenda: Agenda) -> None:
        self._client, self._table = client, table
        self._stock, self._agenda = stock, agenda

    def find(self, hold_id: str) -> StockHold | None:
        row = self._get(hold_id)
        return _read(row) if row else None

    def get(self, hold_id: str) -> StockHold:
        if (hold := self.find(hold_id)) is None:
            raise StockHoldNotFound(hold_id)
        return hold

    def held(self, hold_id: str) -> dict[Where, int]:
        """Units by stock item and location that an order with this hold has to itself."""
        hold = self.find(hold_id) if hold_id else None
        return hold.held if hold is not None and hold.is_held else {}

    def asked_before(self, hold_id: str, fingerprint: str) -> StockHold | None:
        """The hold that was asked for in the same words; `Conflict` if the words were others."""
        row = self._get(hold_id)
        if row is None:
            return None
        if isinstance(error := _there_already(fingerprint, row), Conflict):
            raise error
        return _read(row)

    def begin(self, hold: StockHold, fingerprint: str, floors: Floors | None = None) -> None:
        """Take its units, all or none; `HeldBefore` when it is there already."""
        check_size(None, hold)
        put: dict[str, Any] = {"TableName": self._table, "Item": _row(hold, fingerprint)}
        put["ConditionExpression"] = "attribute_not_exists(PK)"
        due = self._agenda.writes(DueKind.EXPIRE_HOLD, hold.hold_id, hold.due_at)
        kept = Write({"Put": put}, partial(_there_already, fingerprint))
        taken = self._moves(None, hold, hold.created_at, floors)
        transact(self._client, [kept, *taken, *due])

    def save(
        self, before: StockHold, after: StockHold, at: datetime, floors: Floors | None = None
    ) -> StockHold:
        """What it takes more, gives back, and when it is looked at next; `HoldChanged` when
        somebody else has written it."""
        check_size(before, after)
        writes = [
            self._update(before, after),
            *self._moves(before, after, at, floors),
            *self._deadlines(before, after),
        ]
        transact(self._client, writes)
        return after

    def noting(self, hold_id: str, channel: str, order_id: str) -> Write:
        """Of an order's placement: refused unless the hold can be carried into it."""
        update = {
            "TableName": self._table,
            "Key": _key(hold_id),
            "UpdateExpression": "ADD orders :orders, version :one",
            "ConditionExpression": "#state = :held AND channel = :channel AND "
            "(attribute_not_exists(orders) OR size(orders) < :most)",
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": {
                ":orders": {"SS": [order_id]},
                ":one": n(1),
                ":held": s(HoldState.HELD),
                ":channel": s(channel),
                ":most": n(MAX_ORDERS),
            },
        }
        return Write({"Update": update}, partial(_not_usable, hold_id, channel))

    def taking(
        self, hold_id: str, floors: Floors | None = None, otherwise: Taking | None = None
    ) -> Taking:
        """How an order that was placed with the hold takes its units: from it where it ships from;
        what it has not there, and all when it has ended, as `otherwise` does (from the levels).

        The hold is read when the units are about to be taken, and must not change until they are:
        `HoldChanged` asks for another try.
        """
        plain = otherwise or partial(self._stock.writes, floors=floors)
        return partial(self._taken, hold_id, plain)

    def let_go(self, hold_id: str, at: datetime) -> None:
        """Give it up: for an order too large to take its units out of it in one transaction."""
        hold = self.find(hold_id)
        if hold is not None and hold.is_held:
            self.save(hold, hold.ended(HoldState.RELEASED), at)

    def _get(self, hold_id: str) -> Item | None:
        return get_row(self._client, self._table, _key(hold_id))

    def _taken(self, hold_id: str, plain: Taking, change: StockChange) -> list[Write]:
        hold = self.find(hold_id)
        if hold is None or not hold.is_held:
            return [*plain(change)]
        carriage = carry(hold, change)
        if not carriage.fits:
            raise HoldTooLarge(f"{hold_id} is too large to be carried at once")
        moved, left = carriage.moved, carriage.left
        after = hold.carried(change.cause.partition("#")[0], left, change.at)
        return [
            self._update(hold, after),
            *self._stock.writes(*moved),
            *(plain(carriage.allocated) if carriage.allocated.items else ()),
            *freed_writes(self._table, moved, FREED),
            *self._deadlines(hold, after),
        ]

    def _moves(
        self, before: StockHold | None, after: StockHold, at: datetime, floors: Floors | None
    ) -> list[Write]:
        moved = movements(before, after, at)
        freed = freed_writes(self._table, moved, FREED)
        return [*self._stock.writes(*moved, floors=floors), *freed]

    def _deadlines(self, before: StockHold, after: StockHold) -> list[Write]:
        """A hold is looked at once, as long as it has units."""
        due = after.due_at if after.units else None
        if due == before.due_at:
            return []
        hold_id, kind = after.hold_id, DueKind.EXPIRE_HOLD
        gone = self._agenda.removal(kind, hold_id, before.due_at)
        return [*gone, *(self._agenda.writes(kind, hold_id, due) if due else [])]

    def _update(self, before: StockHold, after: StockHold) -> Write:
        update = {
            "TableName": self._table,
            "Key": _key(after.hold_id),
            "UpdateExpression": "SET version = :version, #state = :state, body = :body",
            "ConditionExpression": VERSION_SEEN,
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": {
                ":seen": n(before.version),
                ":version": n(after.version),
                ":state": s(after.state),
                ":body": _body(after),
            },
        }
        return Write({"Update": update}, lambda _: HoldChanged(after.hold_id))


@cache
def holds_table() -> HoldsTable:
    return HoldsTable(client(), setting("STOCK_TABLE"), stock_table(), agenda())


def _key(hold_id: str) -> Item:
    return key(f"HOLD#{hold_id}", "HOLD")


def _body(hold: StockHold) -> Any:
    """What conditions ask for are attributes of their own, and so are the orders."""
    plain = replace(hold, state=HoldState.HELD, version=1, orders=())
    return pack(codec.encode(plain))


def _row(hold: StockHold, fingerprint: str) -> Item:
    return {
        **_key(hold.hold_id),
        "state": s(hold.state),
        "version": n(hold.version),
        "channel": s(hold.channel),
        "fingerprint": s(fingerprint),
        "body": _body(hold),
    }


def _read(row: Item) -> StockHold:
    return replace(
        codec.decode(unpack(row["body"]), StockHold),
        state=HoldState(text(row, "state")),
        version=number(row, "version"),
        orders=tuple(sorted(row["orders"]["SS"])) if "orders" in row else (),
    )


def _there_already(fingerprint: str, row: Item | None) -> Exception:
    if row is None or text(row, "fingerprint") != fingerprint:
        return Conflict("this hold was asked for before, in other words")
    return HeldBefore(_read(row))


def _not_usable(hold_id: str, channel: str, row: Item | None) -> Exception:
    hold = _read(row) if row else None
    if hold is None or hold.channel != channel:
        return HoldNotUsable(hold_id, f"is no hold of {channel}")
    if hold.is_held:
        return HoldNotUsable(hold_id, f"was tried with {MAX_ORDERS} orders already")
    return HoldNotUsable(hold_id, f"is {hold.state}")
