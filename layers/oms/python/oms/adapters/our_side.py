"""What of orders a statement may speak of, read: by the day, and by what a line names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Protocol

from oms.adapters.carriers import names
from oms.adapters.labels_table import LabelRow, LabelStatus
from oms.adapters.order_reader import KeyPage
from oms.domain.errors import NotFound
from oms.domain.ids import order_id_of, order_of_fulfillment, order_of_return
from oms.domain.order import Fact, Order
from oms.domain.reconciling.entries import Entry, EntryKind, Ours, Scope, StatementKind
from oms.domain.reconciling.ours import (
    channel_order,
    is_nameless,
    moves_money,
    parcels_of,
    payments_of,
    tracking,
)

THREADS = 8
ISSUED = frozenset({LabelStatus.BOUGHT, LabelStatus.VOIDING, LabelStatus.VOIDED})


class Orders(Protocol):
    def by_day(self, day: date, **how: Any) -> KeyPage: ...
    def many(self, order_ids: Iterable[str]) -> dict[str, Order]: ...
    def whole_history(self, order_id: str) -> tuple[Fact, ...]: ...
    def parcels(self, carrier: str, tracking_number: str) -> tuple[str, ...]: ...


class Labels(Protocol):
    def of_order(self, order_id: str) -> tuple[LabelRow, ...]: ...


@dataclass(frozen=True, slots=True)
class OursPage:
    ours: tuple[Ours, ...]
    start: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class OurSide:
    orders: Orders
    labels: Labels

    def page(
        self, scope: Scope, day: date, start: Mapping[str, Any] | None, limit: int
    ) -> OursPage:
        """Of some orders that were placed on the day."""
        page = self.orders.by_day(day, start=start, limit=limit, newest_first=False)
        ids = [pk.removeprefix("ORDER#") for pk, _ in page.keys]
        found = self.orders.many(ids)
        known = [found[each] for each in ids if each in found]
        with ThreadPoolExecutor(THREADS) as threads:
            lists = list(threads.map(lambda order: self.of_order(scope, order), known))
        return OursPage(tuple(each for some in lists for each in some), page.start)

    def of_order(self, scope: Scope, order: Order) -> tuple[Ours, ...]:
        return tuple(_READ[scope.kind](self, scope, order))

    def meant(self, scope: Scope, entry: Entry) -> tuple[Ours, ...]:
        """What a line may be about though its order was not looked at: of the orders that it
        names, what has one of its references, or no name of its own."""
        found = self.orders.many(self._named(scope, entry))
        several = (self.of_order(scope, order) for order in found.values())
        alike = (each for some in several for each in some if each.kind is entry.kind)
        return tuple(each for each in alike if _may_be(each, entry, scope))

    def _named(self, scope: Scope, entry: Entry) -> list[str]:
        if scope.kind is StatementKind.CARRIER_INVOICE:
            return list(self._shipped(scope, entry))
        if scope.kind is StatementKind.CHANNEL_ORDERS:
            return [order_id_of(scope.source, each) for each in entry.references]
        if entry.order.startswith("ord_"):
            return [entry.order]
        return [order_id_of(scope.channel, entry.order)] if scope.channel and entry.order else []

    def _shipped(self, scope: Scope, entry: Entry) -> Iterator[str]:
        for number in entry.references:
            for identity in self.orders.parcels(scope.ours, number):
                try:
                    of = order_of_return if identity.startswith("ret_") else order_of_fulfillment
                    yield of(identity)
                except NotFound:
                    continue

    def payments(self, scope: Scope, order: Order) -> Iterator[Ours]:
        if scope.channel not in ("", order.channel) or not moves_money(order, scope.ours):
            return iter(())
        return payments_of(order, self.orders.whole_history(order.order_id), scope.ours)

    def parcels(self, scope: Scope, order: Order) -> Iterator[Ours]:
        """A label knows what its parcel costs; one that was bought and never used is ours too."""
        if not order.fulfillment_orders and not order.returns:
            return
        parcels = {each.reference: each for each in parcels_of(order, scope.ours)}
        for label in self.labels.of_order(order.order_id):
            number = tracking(label.tracking_number)
            if label.status in ISSUED and (number in parcels or _is_of(label, scope.ours)):
                parcels[number] = _labelled(parcels.get(number), order, label, number)
        yield from (each for each in parcels.values() if each.reference)

    def channel_order(self, scope: Scope, order: Order) -> Iterator[Ours]:
        if order.channel == scope.source:
            yield channel_order(order)


_READ = {
    StatementKind.PAYOUTS: OurSide.payments,
    StatementKind.CARRIER_INVOICE: OurSide.parcels,
    StatementKind.CHANNEL_ORDERS: OurSide.channel_order,
}


def _may_be(ours: Ours, entry: Entry, scope: Scope) -> bool:
    if not entry.references or ours.reference in entry.references:
        return True
    return scope.kind is StatementKind.PAYOUTS and is_nameless(ours, scope.ours)


def _is_of(label: LabelRow, carrier: str) -> bool:
    return carrier == label.carrier or carrier in names.ours(label.carrier)


def _labelled(parcel: Ours | None, order: Order, label: LabelRow, number: str) -> Ours:
    """Of two labels of one number the one that was not voided counts."""
    is_void = label.status is not LabelStatus.BOUGHT
    if parcel and parcel.amount is not None and is_void:
        return parcel
    at = label.bought_at or label.asked_at
    told = Ours(
        EntryKind.PARCEL,
        number,
        order.order_id,
        f"parcel_{number}",
        label.cost,
        label.currency or order.currency,
        at,
        is_void=is_void,
    )
    return replace(told, at=parcel.at) if parcel else told
