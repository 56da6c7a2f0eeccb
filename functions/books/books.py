"""Do units and money balance? Everything is looked at, and a difference is looked at again.

The tables are read while orders go on: what differs because it moved between two reads is read
again at one moment before it is called a difference.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import NamedTuple, Protocol

from functions.books.credit_books import (
    Ledger,
    audited,
    credit_of_order,
    figures,
    payouts,
    unasked,
)
from oms.adapters.histories import Filed
from oms.adapters.item_books import ItemBook
from oms.domain.books import money
from oms.domain.books.difference import Difference
from oms.domain.books.orders import audit, exchange, money_is_moving
from oms.domain.books.units import ALL_ITEMS, in_is_out, uneven
from oms.domain.ids import order_of_return
from oms.domain.inventory import Balance
from oms.domain.order import Fact, Order, planned_change, stock_change

LOOKS = 3
BATCH = 100
EVER = datetime(9999, 1, 1, tzinfo=UTC)
RESERVED = "reserved units are allocated to open orders"
STOCK = "stock:"  # begins the name of where a check goes on, when the orders have been looked at
CREDIT = "credit:"  # likewise, when the stock has been looked at

Place = tuple[str, str]  # stock item and location


class Filing(Protocol):
    def scan(self, after: str | None = None) -> Iterator[Filed]: ...
    def read(self, order_id: str) -> Filed: ...


class Orders(Protocol):
    def open_orders(self, before: datetime) -> Iterator[str]: ...
    def many(self, order_ids: Iterable[str]) -> dict[str, Order]: ...
    def fact(self, order_id: str, seq: int) -> Fact: ...


class Stock(Protocol):
    def scan(self, after: str | None = None) -> Iterator[ItemBook]: ...
    def read(self, sku: str) -> ItemBook: ...


@dataclass(frozen=True, slots=True)
class Shelves:
    """Where the figures are kept; `is_late` says when to stop and go on in another request."""

    filing: Filing
    orders: Orders
    stock: Stock
    is_late: Callable[[], bool]
    credit: Ledger | None = None


@dataclass(slots=True)
class Findings:
    differences: list[Difference] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)
    stopped_after: str | None = None
    payouts: set[str] = field(default_factory=set)  # keys of refunds to other accounts


class Promised(NamedTuple):
    """`pending` is moved in batches at this time: some of it is in the counters, some is not."""

    live: Counter[Place]
    pending: Counter[Place]

    def differs(self, place: Place, reserved: int) -> bool:
        return not self.live[place] <= reserved <= self.live[place] + self.pending[place]


def check(shelves: Shelves, after: str | None = None) -> Findings:
    """Orders first, then the stock, then store credit; where time ends, another request goes on."""
    findings, whole, began = Findings(), after is None, datetime.now(UTC)
    if after is None or not after.startswith((STOCK, CREDIT)):
        _check_orders(shelves, findings, after)
        after = None
    if findings.stopped_after is None and not (after and after.startswith(CREDIT)):
        _check_stock(shelves, findings, after.removeprefix(STOCK) if after else None)
        after = None
    if findings.stopped_after is None and shelves.credit:
        _check_credit(shelves, shelves.credit, findings, after, began if whole else None)
    return findings


def _check_orders(shelves: Shelves, findings: Findings, after: str | None) -> None:
    for filed in shelves.filing.scan(after):
        _check_order(shelves, filed, findings)
        if shelves.is_late():
            findings.stopped_after = filed.order_id
            return


def _check_credit(
    shelves: Shelves, credit: Ledger, findings: Findings, after: str | None, began: datetime | None
) -> None:
    """What no order has asked to be paid out is looked for by a check in one go only."""
    start = after.removeprefix(CREDIT) if after else None
    for file, differences in audited(credit, shelves.orders, start):
        findings.differences += differences
        if began is not None:
            findings.differences += unasked(file, findings.payouts, began)
        findings.counted.update(figures(file))
        if shelves.is_late():
            findings.stopped_after = f"{CREDIT}{file.account_id}"
            return


def _differences(shelves: Shelves, filed: Filed) -> list[Difference]:
    found = audit(filed.order_id, filed.order, filed.facts, filed.unreadable)
    if shelves.credit and filed.order:
        found += credit_of_order(shelves.credit, filed.order)
    if filed.order and filed.order.linked_to:
        before = order_of_return(filed.order.linked_to)
        for order in shelves.orders.many([before]).values():
            found += exchange(order, filed.order)
    return found


def _check_order(shelves: Shelves, filed: Filed, findings: Findings) -> None:
    differences = _differences(shelves, filed)
    if differences:
        filed = shelves.filing.read(filed.order_id)
        differences = _differences(shelves, filed)
    findings.differences += differences
    findings.counted.update(orders=1, events=len(filed.facts))
    if filed.order is not None:
        findings.payouts.update(payouts(filed.order))
        findings.counted.update(order_figures(filed.order, filed.facts))


def order_figures(order: Order, facts: Sequence[Fact]) -> dict[str, int]:
    moved = money.figures(order, facts) if facts else {}
    return {
        "open_orders": int(not order.is_final),
        "orders_with_money_on_its_way": int(money_is_moving(order)),
        **{f"{name}_{order.currency}": amount for name, amount in moved.items()},
    }


def _check_stock(shelves: Shelves, findings: Findings, after: str | None = None) -> None:
    """Units that orders claim where nothing ever lay are looked for by a check in one go only."""
    promised = promised_units(shelves.orders)
    unseen = {place for place, units in promised.live.items() if units}
    suspects: set[Place] = set()
    done = after
    for balance in _balances(shelves, findings, after):
        place = (balance.level.sku, balance.level.location)
        if done not in (after, balance.level.sku) and shelves.is_late():
            findings.stopped_after = f"{STOCK}{done}"
            break
        done = balance.level.sku
        unseen.discard(place)
        findings.differences += uneven(balance)
        findings.counted.update(_levels(balance))
        if promised.differs(place, balance.allocated):
            suspects.add(place)
    if after is None:
        findings.counted["units_pending"] += promised.pending.total()
    whole = after is None and findings.stopped_after is None
    findings.differences += _confirmed(shelves, suspects | unseen if whole else suspects)


def _balances(shelves: Shelves, findings: Findings, after: str | None) -> Iterator[Balance]:
    """An item's units are counted when its balances were all looked at."""
    for book in shelves.stock.scan(after):
        yield from book.balances
        flows = book.flows.figures(book.on_hand)
        findings.counted.update({f"units_{name}": units for name, units in flows.items()})


def _levels(balance: Balance) -> dict[str, int]:
    level = balance.level
    return {
        "stock_levels": 1,
        "units_available": level.available,
        "units_reserved": level.reserved,
        "units_of_carts_and_leases": balance.aside,
        "units_incoming": level.incoming,
    }


def _confirmed(shelves: Shelves, suspects: set[Place]) -> list[Difference]:
    """Those that differ at every look."""
    found: list[Difference] = []
    for _ in range(LOOKS - 1):
        if not suspects:
            return []
        promised = promised_units(shelves.orders)
        allocated = _allocated(shelves.stock, suspects)
        suspects = {place for place in suspects if promised.differs(place, allocated[place])}
        found = [
            Difference(" ".join(place), RESERVED, promised.live[place], allocated[place])
            for place in sorted(suspects)
        ]
    return found


def _allocated(stock: Stock, places: set[Place]) -> Counter[Place]:
    """Reserved units without those of carts and leases."""
    allocated: Counter[Place] = Counter()
    for sku in sorted({sku for sku, _ in places}):
        for balance in stock.read(sku).balances:
            allocated[sku, balance.level.location] = balance.allocated
    return allocated


def promised_units(orders: Orders) -> Promised:
    """What the orders that have business left have in the warehouses, or are moving there."""
    promised = Promised(Counter(), Counter())
    ids = orders.open_orders(before=EVER)
    while batch := list(islice(ids, BATCH)):
        for order in orders.many(batch).values():
            _promise(order, orders, promised)
    return promised


def _promise(order: Order, orders: Orders, promised: Promised) -> None:
    for place, units in _held(order):
        promised.live[place] += units
    changes = [stock_change(order, orders.fact(order.order_id, seq)) for seq in order.owed_stock]
    if order.routing_plan is not None:
        changes.append(planned_change(order.routing_plan, order.line))
    for item in (item for change in changes if change for item in change.items):
        promised.pending[item.sku, item.location] += item.quantity


def _held(order: Order) -> Iterator[tuple[Place, int]]:
    """Units of stock items that lie in warehouses for the order; of a kit, those of its parts."""
    for each in order.fulfillment_orders:
        for q in each.lines if each.in_warehouse else ():
            for part in order.line(q.line_id).parts:
                yield (part.item, each.location_id), part.quantity * q.quantity


def in_all(counted: Mapping[str, int]) -> list[Difference]:
    """What was counted, added up over all of it: the figures that must be equal, side by side."""
    units = {name.removeprefix("units_"): many for name, many in counted.items()}
    currencies = {
        name.removeprefix("captured_") for name in counted if name.startswith("captured_")
    }
    return [
        *([in_is_out(ALL_ITEMS, units)] if "units_in" in counted else []),
        *(
            each
            for currency in sorted(currencies)
            for each in money.in_all(
                currency, {name: counted.get(f"{name}_{currency}", 0) for name in money.FIGURES}
            )
        ),
    ]
