"""Expected units, the day by which they are enough, and what a change of a document brings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Generic, Protocol, TypeVar

from oms.domain.errors import NotFound, Refused
from oms.domain.events import StockFreed, StockReceived
from oms.domain.inventory import MovementKind, StockChange, StockItemChange, summed

# A change is one transaction of 100 writes: 4 are the document, its two places in lists and the
# request; the document's lines share the others.
MAX_PURCHASE_LINES = 30  # 3 writes each
MAX_RECEIPT_LINES = 19  # up to 5 each: what was expected and a surplus
MAX_TRANSFER_LINES = 13  # up to 7 each, where units come back

D = TypeVar("D")
Told = StockReceived | StockFreed


class SupplyLine(Protocol):
    @property
    def sku(self) -> str: ...

    @property
    def stock_item(self) -> str: ...


L = TypeVar("L", bound=SupplyLine)


@dataclass(frozen=True, slots=True)
class ExpectedSupply:
    """Units of a stock item that have not come yet; `source` is the document that says so:
    `purchase/<id>` or `transfer/<id>`."""

    on: date
    location: str
    quantity: int
    source: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a receipt brought of a SKU: what was expected of it, and what came beyond that."""

    sku: str
    quantity: int
    surplus: int = 0


@dataclass(frozen=True, slots=True)
class Step(Generic[D]):
    """A document as it is after a change, and what is written with it."""

    document: D
    changes: tuple[StockChange, ...] = ()
    events: tuple[Told, ...] = ()
    accepted: tuple[Accepted, ...] = ()


class UnknownLine(NotFound):
    def __init__(self, identity: str, sku: str) -> None:
        super().__init__(f"line of {identity} for", sku)


class TooMany(Refused):
    def __init__(self, identity: str, sku: str, requested: int, expected: int) -> None:
        super().__init__(f"{identity}: {requested} of {sku} asked for, {expected} expected")
        self.sku, self.requested, self.expected = sku, requested, expected


def expected_on(
    ahead: int, quantity: int, supply: Iterable[ExpectedSupply], today: date = date.min
) -> date | None:
    """The day on which `quantity` units are there for who has `ahead` units in line before.

    None if all that is expected does not suffice. What is overdue comes today at the earliest.
    """
    needed = ahead + quantity
    for each in sorted(supply, key=lambda each: each.on):
        needed -= each.quantity
        if needed <= 0:
            return max(each.on, today)
    return None


def cause_of(reference: str, version: int) -> str:
    """Of the movements of that version of a document."""
    return f"{reference}#{version:06d}"


def items_of(
    lines: Iterable[SupplyLine], location: str, quantities: Mapping[str, int]
) -> tuple[StockItemChange, ...]:
    """Of those lines that have a quantity, by SKU, at a location."""
    return tuple(
        StockItemChange(line.stock_item, location, quantity)
        for line in lines
        if (quantity := quantities.get(line.sku, 0))
    )


def moves(
    kind: MovementKind,
    cause: str,
    at: datetime,
    items: tuple[StockItemChange, ...],
    reason: str = "",
) -> tuple[StockChange, ...]:
    """One change, or none where nothing moves."""
    return (StockChange(kind, cause, at, items, reason),) if items else ()


def received(changes: Iterable[StockChange]) -> tuple[StockReceived, ...]:
    """One event per stock item and location, whether its units were expected or not."""
    came = (item for change in changes for item in change.items)
    return tuple(StockReceived(it.sku, it.location, it.quantity) for it in summed(came))


def lines_named(identity: str, lines: Sequence[L], named: Mapping[str, object]) -> list[L]:
    """The lines of these SKUs; what the document has no line for is refused."""
    known = {line.sku for line in lines}
    for sku in named:
        if sku not in known:
            raise UnknownLine(identity, sku)
    return [line for line in lines if line.sku in named]
