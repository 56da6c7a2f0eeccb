"""One order, one stock item, one account, one execution: what differs, with what would mend it.

The tables are read while orders go on: what differs because it moved between two reads is read
again before it is called a difference.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import islice
from typing import Protocol

from functions.books import credit_books
from functions.books.credit_books import Ledger, credit_of_order
from oms.adapters.histories import Filed
from oms.adapters.item_books import ItemBook
from oms.adapters.told_events import Window
from oms.adapters.workflow import order_id_of
from oms.contracts.events import CATALOGUE
from oms.domain.books import orders, outbox, proposals, reservations, units, workflow
from oms.domain.books.difference import Difference
from oms.domain.books.reservations import Whose
from oms.domain.books.tasks import Found
from oms.domain.errors import NotFound
from oms.domain.ids import order_of_fulfillment, order_of_return
from oms.domain.inventory import Balance
from oms.domain.order import Fact, Order

LOOKS = 3
AT_ONCE = 200  # reservations whose orders are read together


class Filing(Protocol):
    def scan(self, after: str | None = None) -> Iterator[Filed]: ...
    def read(self, order_id: str) -> Filed: ...


class Orders(Protocol):
    def many(self, order_ids: Iterable[str]) -> dict[str, Order]: ...


class Items(Protocol):
    def scan(self, after: str | None = None) -> Iterator[ItemBook]: ...
    def read(self, sku: str, part: int = 0, only: Collection[Whose] | None = None) -> ItemBook: ...


class Told(Protocol):
    def seqs(self, order_ids: Iterable[str]) -> dict[str, frozenset[int]]: ...
    def window(self, now: datetime) -> Window: ...


class Workflow(Protocol):
    def runs(self, name: str) -> bool: ...
    def running_page(self, start: str | None = None) -> tuple[list[str], str | None]: ...


class Executions(Protocol):
    @property
    def workflow(self) -> Workflow: ...
    def name(self, order_id: str) -> str: ...


@dataclass(frozen=True)
class Auditor:
    """`now` is the moment of the audit; the archive is judged as far as it has come by then."""

    filing: Filing
    orders: Orders
    items: Items
    credit: Ledger
    told: Told
    executions: Executions
    returns: Executions
    clock: Callable[[], datetime]

    @cached_property
    def window(self) -> Window:
        return self.told.window(self.clock())

    def orders_of(self, filed: Sequence[Filed]) -> Iterator[list[Found]]:
        """Of each, in their order."""
        told = self.told.seqs(each.order_id for each in filed)
        for each in filed:
            found = self._order(each, told.get(each.order_id, frozenset()))
            yield self.order(each.order_id) if found else found

    def order(self, order_id: str) -> list[Found]:
        """As it is now; the archive is read first, as it is the later of the two."""
        told = self.told.seqs([order_id]).get(order_id, frozenset())
        return self._order(self.filing.read(order_id), told)

    def _order(self, filed: Filed, told: frozenset[int]) -> list[Found]:
        is_there = filed.order or filed.facts or filed.unreadable
        differences = list(self._differences(filed)) if is_there else []
        can_be_rebuilt = orders.rebuilt(filed.order, filed.facts) is not None
        return [
            *proposals.of_order(filed.order_id, differences, can_be_rebuilt=can_be_rebuilt),
            *self._events(filed, told),
        ]

    def _differences(self, filed: Filed) -> Iterator[Difference]:
        yield from orders.audit(filed.order_id, filed.order, filed.facts, filed.unreadable)
        if filed.order is None:
            return
        yield from credit_of_order(self.credit, filed.order)
        if filed.order.linked_to:
            before = order_of_return(filed.order.linked_to)
            for order in self.orders.many([before]).values():
                yield from orders.exchange(order, filed.order)

    def _events(self, filed: Filed, told: frozenset[int]) -> Iterator[Found]:
        loud = [fact for fact in filed.facts if is_published(fact)]
        judged = [fact for fact in loud if self.window.judges(fact.at)]
        before = self.window.before
        missing = outbox.untold(filed.order_id, judged, told, before)
        extra = () if filed.unreadable else outbox.uncommitted(filed.order_id, told, filed.facts)
        for each in (*missing, *extra):
            seq = int(each.subject.rpartition(" ")[2])
            yield proposals.of_event(filed.order_id, seq, each)

    def item(
        self, book: ItemBook, held: Callable[[ItemBook], Mapping[Whose, int]] | None = None
    ) -> list[Found]:
        """Counters and movements, then whose the reserved units are, part by part.

        `held`: what orders claim of it, of the reservations of the book's part, as somebody has
        gathered it; without it only what is reserved is compared with its orders.
        """
        found = [each for balance in book.balances for each in level_found(balance)]
        for part in range(book.parts):
            book = book if part == book.part else self.items.read(book.sku, part)
            claimed = held(book) if held else {}
            found += self._reserved(book, claimed, is_whole=held is not None)
        return found

    def _reserved(
        self, book: ItemBook, held: Mapping[Whose, int], *, is_whole: bool
    ) -> Iterator[Found]:
        reserved = book.of_orders
        suspects = reservations.suspects(held, reserved) if is_whole else set(reserved)
        rest = iter(sorted(suspects))
        while some := list(islice(rest, AT_ONCE)):
            yield from self.reservations(book.sku, some)

    def reservations(self, sku: str, whose: Collection[Whose]) -> list[Found]:
        """Those of these that differ from what their orders hold at every look."""
        found: list[Found] = []
        for _ in range(LOOKS):
            if not whose:
                return []
            found = list(self._compared(sku, whose))
            whose = {whose_of(each) for each in found}
        return found

    def _compared(self, sku: str, whose: Collection[Whose]) -> Iterator[Found]:
        """Orders whose stock moves in batches are looked at when it has arrived."""
        unnamed = {(location, "") for location, _ in whose}
        owners = {name: owner_of(name) for _, name in whose if name}
        known = self.orders.many({owner for owner in owners.values() if owner})
        moving = {each.order_id for each in known.values() if reservations.is_moving(each)}
        judged = {each for each in whose if owners.get(each[1]) not in moving}
        held = Counter[Whose]()
        for order in known.values():
            held.update(reservations.held_of(order, sku))
        reserved = self.items.read(sku, only=judged | unnamed).reserved
        mine = {each: units for each, units in held.items() if each in judged}
        for each in reservations.unmatched(sku, mine, reserved):
            location, _, name = each.subject.removeprefix(f"{sku} ").rpartition(" ")
            yield proposals.of_reservation(sku, location, name, each)

    def account(self, account_id: str) -> list[Found]:
        file = self.credit.file(account_id)
        differences = credit_books.differences(file, self.orders)
        return list(proposals.of_credit(account_id, differences))

    def execution(self, name: str) -> list[Found]:
        """By its name, which may be that of an order or return: then of its newest execution."""
        identity = identity_of(name)
        filed = self._filed_for(identity)
        if filed is not None and not workflow.is_settled(filed.facts, self.clock()):
            return []
        machine = self.returns if identity.startswith("ret_") else self.executions
        newest = machine.name(identity) if filed is not None else identity
        about = newest if name == identity else name
        due = workflow.due_of(filed.order if filed else None, identity)
        if about != newest:  # a newer one has taken over
            due = workflow.Due.MUST_NOT
        differences = workflow.unattended(about, due, running=machine.workflow.runs(about))
        return [proposals.of_execution(about, each) for each in differences]

    def _filed_for(self, identity: str) -> Filed | None:
        try:
            is_of_return = identity.startswith("ret_")
            order_id = order_of_return(identity) if is_of_return else identity
        except NotFound:
            return None
        filed = self.filing.read(order_id)
        return filed if filed.order else None


def level_found(balance: Balance) -> Iterator[Found]:
    level = balance.level
    differences = list(units.uneven(balance))
    sound = min(balance.moved) >= 0 and (
        balance.moved.on_hand == balance.moved.available + balance.moved.reserved
    )
    yield from proposals.of_level(level.sku, level.location, differences, is_sound=sound)


def whose_of(found: Found) -> Whose:
    """Of a difference of a reservation."""
    fields = found.proposal.fields
    return str(fields["location"]), str(fields["reservation"])


def is_published(fact: Fact) -> bool:
    return not CATALOGUE[type(fact.event).__name__].quiet


def owner_of(reservation: str) -> str:
    """The order that it is of; empty for what is none of an order's."""
    try:
        return order_of_fulfillment(reservation)
    except NotFound:
        return ""


def identity_of(name: str) -> str:
    """Of the order or return that an execution of this name is of."""
    if name.startswith("ret_"):
        return "-".join(name.split("-")[:2])
    return order_id_of(name)
