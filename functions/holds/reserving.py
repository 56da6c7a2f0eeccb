"""Keeping units for carts: what a cart asks for, from where it is kept, and for how long."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from oms.adapters.holds_table import HeldBefore, HoldsTable
from oms.adapters.order_reader import OrderReader
from oms.adapters.stock_table import StockTable
from oms.domain.availability import Channel, Floors, floors
from oms.domain.cart_stock import NotEnough, chosen, shelves
from oms.domain.errors import Contended, Refused
from oms.domain.inventory import OutOfStock
from oms.domain.items import StockItem
from oms.domain.locations import Location
from oms.domain.stock_holds import (
    HeldLine,
    HoldChanged,
    HoldState,
    StockHold,
    Where,
    may_be_taken_by,
    units_of,
)

ROUNDS = 8  # of a choice that others overtook
T = TypeVar("T")


class Overtaken(Refused):
    """There is more stock now than there was when it was looked at."""


class SpokenFor(Refused):
    """An order was placed with the hold: its units are no longer the cart's to give away."""

    def __init__(self, hold_id: str, order_id: str) -> None:
        super().__init__(f"{hold_id} is for order {order_id}; cancel that to let go of it")


@dataclass(frozen=True, slots=True)
class Cart:
    """`lines` carry the stock items that they take. Without a location: from wherever is best
    for a destination."""

    channel: str
    lines: tuple[HeldLine, ...]
    location: str = ""
    country: str = ""
    postal_code: str = ""

    @property
    def wanted(self) -> dict[str, int]:
        """Units by stock item."""
        wanted: Counter[str] = Counter()
        for line in self.lines:
            for part in line.parts:
                wanted[part.item] += part.quantity * line.quantity
        return dict(wanted)

    @property
    def items(self) -> list[str]:
        return sorted(self.wanted)


@dataclass(frozen=True, slots=True)
class Network:
    """What a channel may take: from the open locations that it sells from, above safety stock.

    `reclaim`: units of stock items at these locations that are leased and not sold become
    available; how many.
    """

    locations: Callable[[], Sequence[Location]]
    channel: Callable[[str], Channel]
    items: Callable[[Iterable[str]], Mapping[str, StockItem]]
    reclaim: Callable[[Mapping[str, int], Container[str]], int] = lambda wanted, locations: 0  # noqa: ARG005

    def of(self, cart: Cart) -> tuple[list[Location], Floors]:
        channel = self.channel(cart.channel)
        usable = [each for each in self.locations() if _sells(channel, each, cart.location)]
        names = [each.location_id for each in usable]
        return usable, floors(channel, self.items(cart.items).values(), names)


@dataclass(frozen=True, slots=True)
class Reserve:
    holds: HoldsTable
    stock: StockTable
    orders: OrderReader
    network: Network

    def hold(
        self, hold_id: str, cart: Cart, lasts: timedelta, fingerprint: str, at: datetime
    ) -> tuple[StockHold, bool]:
        """The hold, and whether it is new. `NotEnough` names what is short; then none is held."""
        if known := self._known(hold_id, fingerprint):
            return known, False
        try:
            return _again(lambda: self._begin(hold_id, cart, lasts, fingerprint, at)), True
        except HeldBefore as before:
            return before.hold, False
        except NotEnough:  # perhaps because the same request, at the same time, was faster
            if known := self._known(hold_id, fingerprint):
                return known, False
            raise

    def change(self, hold_id: str, cart: Cart, at: datetime) -> StockHold:
        """Hold what the cart has become, all of it, or what it was."""
        return _again(lambda: self._change(hold_id, cart, at))

    def extend(self, hold_id: str, lasts: timedelta, at: datetime) -> StockHold:
        def extended() -> StockHold:
            hold = self.holds.get(hold_id)
            return self.holds.save(hold, hold.extended(at + lasts), at)

        return _again(extended)

    def release(self, hold_id: str, at: datetime) -> StockHold:
        """Give its units back; what has ended in another way stays as it ended."""

        def released() -> StockHold:
            hold = self.holds.get(hold_id)
            if hold.state in (HoldState.RELEASED, HoldState.EXPIRED):
                return hold
            hold.must_be_held("be released")
            self._not_spoken_for(hold)
            return self.holds.save(hold, hold.ended(HoldState.RELEASED), at)

        return _again(released)

    def _begin(
        self, hold_id: str, cart: Cart, lasts: timedelta, fingerprint: str, at: datetime
    ) -> StockHold:
        units, floors = self._choice(cart, {})
        hold = StockHold(
            hold_id=hold_id,
            channel=cart.channel,
            created_at=at,
            expires_at=at + lasts,
            due_at=at + lasts,
            lines=cart.lines,
            units=units_of(units),
        )
        self.holds.begin(hold, fingerprint, floors)
        return hold

    def _change(self, hold_id: str, cart: Cart, at: datetime) -> StockHold:
        hold = self.holds.get(hold_id)
        hold.must_be_held("be changed")
        if hold.lines == cart.lines:
            return hold
        self._not_spoken_for(hold)
        units, floors = self._choice(replace(cart, channel=hold.channel), hold.held)
        return self.holds.save(hold, hold.changed(cart.lines, units), at, floors)

    def _choice(self, cart: Cart, own: Mapping[Where, int]) -> tuple[dict[Where, int], Floors]:
        locations, floors = self.network.of(cart)
        found = shelves(locations, self.stock.levels(cart.items), floors, own)
        try:
            return chosen(cart.lines, found, cart.country, cart.postal_code), floors
        except NotEnough:
            if self.network.reclaim(cart.wanted, {each.location_id for each in locations}):
                raise Overtaken from None
            raise

    def _known(self, hold_id: str, fingerprint: str) -> StockHold | None:
        return self.holds.asked_before(hold_id, fingerprint)

    def _not_spoken_for(self, hold: StockHold) -> None:
        for order in self.orders.many(hold.orders).values():
            if may_be_taken_by(order):
                raise SpokenFor(hold.hold_id, order.order_id)


def _sells(channel: Channel, location: Location, only: str) -> bool:
    here = location.location_id
    return location.active and channel.sells_from(here) and only in ("", here)


def _again(deed: Callable[[], T]) -> T:
    """What was decided on stock or a hold that others have changed meanwhile is decided anew."""
    for _ in range(ROUNDS):
        try:
            return deed()
        except (OutOfStock, HoldChanged, Overtaken):
            continue
    raise Contended(f"others were faster, {ROUNDS} times")
