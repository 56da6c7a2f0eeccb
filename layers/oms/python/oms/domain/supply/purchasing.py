"""Purchase orders: what a supplier will bring, by when, and how much of it has come.

Of a line, `quantity = received + called_off + expected`, always. What comes beyond that is
`surplus`: it is there, so it is received, as any delivery that nobody had announced.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from oms.domain.errors import IllegalTransition
from oms.domain.inventory import MovementKind, StockChange
from oms.domain.supply.expecting import (
    Accepted,
    ExpectedSupply,
    Step,
    TooMany,
    cause_of,
    items_of,
    lines_named,
    moves,
    received,
)


class PurchaseStatus(StrEnum):
    ORDERED = "ordered"
    PARTIALLY_RECEIVED = "partially_received"
    RECEIVED = "received"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class PurchaseLine:
    """`item` is the stock item that the SKU is, where it has another name."""

    sku: str
    quantity: int
    expected_on: date
    item: str = ""
    received: int = 0
    surplus: int = 0
    called_off: int = 0

    @property
    def expected(self) -> int:
        return self.quantity - self.received - self.called_off

    @property
    def stock_item(self) -> str:
        return self.item or self.sku


@dataclass(frozen=True, slots=True)
class PurchaseOrder:
    purchase_order_id: str
    supplier: str
    location: str
    lines: tuple[PurchaseLine, ...]
    created_at: datetime
    version: int = 1
    reason: str = ""

    @property
    def identity(self) -> str:
        return self.purchase_order_id

    @property
    def reference(self) -> str:
        """Of no other document, also where a transfer has the same id."""
        return f"purchase/{self.purchase_order_id}"

    @property
    def status(self) -> PurchaseStatus:
        came = any(line.received or line.surplus for line in self.lines)
        if any(line.expected for line in self.lines):
            return PurchaseStatus.PARTIALLY_RECEIVED if came else PurchaseStatus.ORDERED
        return PurchaseStatus.RECEIVED if came else PurchaseStatus.CANCELLED

    @property
    def supply(self) -> tuple[tuple[str, ExpectedSupply], ...]:
        """By stock item."""
        return tuple(
            (
                line.stock_item,
                ExpectedSupply(line.expected_on, self.location, line.expected, self.reference),
            )
            for line in self.lines
            if line.expected
        )

    def ordered(self) -> Step[PurchaseOrder]:
        """All that it orders is expected."""
        return Step(self, self._moves(MovementKind.EXPECTED, self._expected(), self.created_at))

    def receive(
        self, quantities: Mapping[str, int], at: datetime, reason: str = ""
    ) -> Step[PurchaseOrder]:
        """Goods by SKU: short, whole, or more than was ordered."""
        if self.status is PurchaseStatus.CANCELLED:
            raise IllegalTransition(self.identity, self.status, "receive anything")
        named = lines_named(self.identity, self.lines, quantities)
        accepted = tuple(_accepted(line, quantities[line.sku]) for line in named)
        after = self._next(_taken_in(self.lines, accepted))
        expected = {each.sku: each.quantity for each in accepted}
        surplus = {each.sku: each.surplus for each in accepted}
        changes = (
            *after._moves(MovementKind.ARRIVED, expected, at, reason),
            *after._moves(MovementKind.RECEIVED, surplus, at, reason or "more than was ordered"),
        )
        return Step(after, changes, received(changes), accepted)

    def cancel(self, at: datetime, reason: str) -> Step[PurchaseOrder]:
        """Before anything has come; told twice, it is cancelled once."""
        if self.status is PurchaseStatus.CANCELLED:
            return Step(self)
        if self.status is not PurchaseStatus.ORDERED:
            raise IllegalTransition(self.identity, self.status, "be cancelled, but closed")
        return self.call_off({}, at, reason)

    def call_off(
        self, quantities: Mapping[str, int], at: datetime, reason: str
    ) -> Step[PurchaseOrder]:
        """These units will not come any more; without any, nothing that has not come yet."""
        lines_named(self.identity, self.lines, quantities)
        expected = self._expected()
        gone = dict(quantities) or {sku: left for sku, left in expected.items() if left}
        for sku, quantity in gone.items():
            if quantity > expected[sku]:
                raise TooMany(self.identity, sku, quantity, expected[sku])
        if not gone:
            return Step(self)
        lines = (
            replace(line, called_off=line.called_off + gone.get(line.sku, 0)) for line in self.lines
        )
        after = replace(self._next(lines), reason=reason)
        return Step(after, after._moves(MovementKind.UNEXPECTED, gone, at, reason))

    def reschedule(self, days: Mapping[str, date]) -> Step[PurchaseOrder]:
        """Another day by SKU, for what has not come yet."""
        lines_named(self.identity, self.lines, days)
        lines = tuple(
            replace(line, expected_on=days.get(line.sku, line.expected_on)) for line in self.lines
        )
        return Step(self if lines == self.lines else self._next(lines))

    def _next(self, lines: Iterable[PurchaseLine]) -> PurchaseOrder:
        return replace(self, lines=tuple(lines), version=self.version + 1)

    def _expected(self) -> dict[str, int]:
        return {line.sku: line.expected for line in self.lines}

    def _moves(
        self, kind: MovementKind, quantities: Mapping[str, int], at: datetime, reason: str = ""
    ) -> tuple[StockChange, ...]:
        items = items_of(self.lines, self.location, quantities)
        return moves(kind, cause_of(self.reference, self.version), at, items, reason)


def _accepted(line: PurchaseLine, quantity: int) -> Accepted:
    expected = min(quantity, line.expected)
    return Accepted(line.sku, expected, quantity - expected)


def _taken_in(
    lines: Iterable[PurchaseLine], accepted: Iterable[Accepted]
) -> Iterator[PurchaseLine]:
    by_sku = {each.sku: each for each in accepted}
    for line in lines:
        came = by_sku.get(line.sku, Accepted(line.sku, 0))
        yield replace(
            line, received=line.received + came.quantity, surplus=line.surplus + came.surplus
        )
