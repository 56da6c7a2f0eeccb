"""Transfers: units on their way from one of our locations to another.

A draft moves nothing. Once sent, of a line `quantity = received + returned + written_off +
in_transit`, always; and what is in transit is what its destination expects of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from oms.domain.errors import IllegalTransition
from oms.domain.events import StockFreed
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


class TransferStatus(StrEnum):
    DRAFT = "draft"
    IN_TRANSIT = "in_transit"
    PARTIALLY_RECEIVED = "partially_received"
    RECEIVED = "received"
    CANCELLED = "cancelled"


class Disposition(StrEnum):
    """What becomes of units that will not reach their destination."""

    BACK_TO_SOURCE = "back_to_source"
    WRITE_OFF = "write_off"


ENDED = frozenset({TransferStatus.RECEIVED, TransferStatus.CANCELLED})


class DispositionNeeded(IllegalTransition):
    def __init__(self, identity: str) -> None:
        super().__init__(identity, "on its way", "end without saying back_to_source or write_off")


@dataclass(frozen=True, slots=True)
class TransferLine:
    sku: str
    quantity: int
    item: str = ""
    received: int = 0
    returned: int = 0
    written_off: int = 0

    @property
    def in_transit(self) -> int:
        """Once it is sent."""
        return self.quantity - self.received - self.returned - self.written_off

    @property
    def stock_item(self) -> str:
        return self.item or self.sku


@dataclass(frozen=True, slots=True)
class Transfer:
    transfer_id: str
    source: str
    destination: str
    lines: tuple[TransferLine, ...]
    expected_on: date
    created_at: datetime
    status: TransferStatus = TransferStatus.DRAFT
    version: int = 1
    reason: str = ""

    @property
    def identity(self) -> str:
        return self.transfer_id

    @property
    def reference(self) -> str:
        """Of no other document, also where a purchase order has the same id."""
        return f"transfer/{self.transfer_id}"

    @property
    def is_on_its_way(self) -> bool:
        return self.status in (TransferStatus.IN_TRANSIT, TransferStatus.PARTIALLY_RECEIVED)

    @property
    def supply(self) -> tuple[tuple[str, ExpectedSupply], ...]:
        """By stock item."""
        if not self.is_on_its_way:
            return ()
        return tuple(
            (
                line.stock_item,
                ExpectedSupply(self.expected_on, self.destination, line.in_transit, self.reference),
            )
            for line in self.lines
            if line.in_transit
        )

    def send(self, at: datetime) -> Step[Transfer]:
        """The units leave their source and are expected at their destination."""
        if self.status in ENDED:
            raise IllegalTransition(self.identity, self.status, "be sent")
        if self.status is not TransferStatus.DRAFT:
            return Step(self)
        after = replace(self._next(self.lines), status=TransferStatus.IN_TRANSIT)
        quantities = self._in_transit()
        return Step(
            after,
            (
                *after._moves(MovementKind.SENT, self.source, quantities, at),
                *after._moves(MovementKind.EXPECTED, self.destination, quantities, at),
            ),
        )

    def receive(
        self, quantities: Mapping[str, int], at: datetime, reason: str = ""
    ) -> Step[Transfer]:
        """Units by SKU, all or some of those on their way; more is refused: count them instead."""
        if not self.is_on_its_way:
            raise IllegalTransition(self.identity, self.status, "receive anything")
        for line in lines_named(self.identity, self.lines, quantities):
            if quantities[line.sku] > line.in_transit:
                raise TooMany(self.identity, line.sku, quantities[line.sku], line.in_transit)
        lines = (
            replace(line, received=line.received + quantities.get(line.sku, 0))
            for line in self.lines
        )
        after = self._next(lines)._settled()
        changes = after._moves(MovementKind.ARRIVED, self.destination, quantities, at, reason)
        accepted = tuple(Accepted(sku, quantity) for sku, quantity in quantities.items())
        return Step(after, changes, received(changes), accepted)

    def cancel(
        self, at: datetime, reason: str, disposition: Disposition | None = None
    ) -> Step[Transfer]:
        """As long as nothing has been received; on its way only with a word on what becomes of it.

        Told twice, it is cancelled once.
        """
        if self.status is TransferStatus.CANCELLED:
            return Step(self)
        if self.status is TransferStatus.DRAFT:
            return Step(
                replace(self._next(self.lines), status=TransferStatus.CANCELLED, reason=reason)
            )
        if self.status is not TransferStatus.IN_TRANSIT:
            raise IllegalTransition(self.identity, self.status, "be cancelled, but closed")
        if disposition is None:
            raise DispositionNeeded(self.identity)
        return self._end(at, reason, disposition)

    def close(self, at: datetime, reason: str, disposition: Disposition) -> Step[Transfer]:
        """What is still on its way does not arrive; told twice, it is closed once."""
        if self.status in ENDED:
            return Step(self)
        if not self.is_on_its_way:
            raise IllegalTransition(self.identity, self.status, "be closed, but cancelled")
        return self._end(at, reason, disposition)

    def reschedule(self, on: date) -> Step[Transfer]:
        if self.status in ENDED:
            raise IllegalTransition(self.identity, self.status, "be expected on another day")
        if on == self.expected_on:
            return Step(self)
        return Step(replace(self._next(self.lines), expected_on=on))

    def _end(self, at: datetime, reason: str, disposition: Disposition) -> Step[Transfer]:
        missing = {sku: left for sku, left in self._in_transit().items() if left}
        after = replace(self._next(_ended(self.lines, disposition)), reason=reason)._settled()
        gone = after._moves(MovementKind.UNEXPECTED, self.destination, missing, at, reason)
        if disposition is Disposition.WRITE_OFF:
            return Step(after, gone)
        back = (  # it was sent once: what comes back is expected and arrives, at its source
            *after._moves(MovementKind.EXPECTED, self.source, missing, at, reason),
            *after._moves(MovementKind.ARRIVED, self.source, missing, at, reason),
        )
        freed = tuple(
            StockFreed(it.sku, it.location_id, it.quantity, disposition)
            for it in received(back[1:])
        )
        return Step(after, (*gone, *back), freed)

    def _settled(self) -> Transfer:
        """With the status that its lines tell."""
        came = any(line.received for line in self.lines)
        if any(line.in_transit for line in self.lines):
            status = TransferStatus.PARTIALLY_RECEIVED if came else TransferStatus.IN_TRANSIT
        else:
            status = TransferStatus.RECEIVED if came else TransferStatus.CANCELLED
        return replace(self, status=status)

    def _next(self, lines: Iterable[TransferLine]) -> Transfer:
        return replace(self, lines=tuple(lines), version=self.version + 1)

    def _in_transit(self) -> dict[str, int]:
        return {line.sku: line.in_transit for line in self.lines}

    def _moves(
        self,
        kind: MovementKind,
        location: str,
        quantities: Mapping[str, int],
        at: datetime,
        reason: str = "",
    ) -> tuple[StockChange, ...]:
        items = items_of(self.lines, location, quantities)
        return moves(kind, cause_of(self.reference, self.version), at, items, reason)


def _ended(lines: Iterable[TransferLine], disposition: Disposition) -> Iterator[TransferLine]:
    for line in lines:
        if disposition is Disposition.WRITE_OFF:
            yield replace(line, written_off=line.written_off + line.in_transit)
        else:
            yield replace(line, returned=line.returned + line.in_transit)
