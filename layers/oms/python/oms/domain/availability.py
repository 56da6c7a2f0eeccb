"""Available to promise: what a sales channel may sell of a stock item, where, and when more comes.

A kit ships whole from one location, so it can be promised as often as one location has all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import pairwise

from oms.domain.inventory import Level
from oms.domain.items import WAITING, BackorderMode, Backorders, StockItem
from oms.domain.lines import Part
from oms.domain.supply.expecting import ExpectedSupply

Levels = Mapping[str, Sequence[Level]]  # by stock item
Floors = Mapping[tuple[str, str], int]  # by stock item and location


class OnShortage(StrEnum):
    """What becomes of an order when not all of it is there: it waits whole, what is there ships
    ahead, or what is short is cancelled."""

    WAIT = "wait"
    PARTIAL = "partial"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Channel:
    """What a sales channel sells from; `locations` None: from all that ship.

    `safety_stock` is in units of each item at each location, where the item itself says nothing.
    """

    channel: str
    locations: tuple[str, ...] | None = None
    safety_stock: int = 0
    on_shortage: OnShortage = OnShortage.WAIT

    def sells_from(self, location: str) -> bool:
        return self.locations is None or location in self.locations

    def safety(self, item: StockItem, location: str) -> int:
        return item.policy.safety(self.channel, location, self.safety_stock)


EVERYWHERE = Channel("")


Expecting = Mapping[str, Sequence[ExpectedSupply]]  # by stock item


@dataclass(frozen=True, slots=True)
class Stock:
    """All that a promise is made of. `items` has every item and every component of a kit, by
    identity; `locations` are open."""

    items: Mapping[str, StockItem]
    levels: Levels
    locations: Sequence[str]
    expected: Expecting


@dataclass(frozen=True, slots=True)
class Offer:
    """`incoming`: what each day adds; `expected_on`: when units that are short can be had."""

    sku: str
    available: int = 0
    locations: tuple[tuple[str, int], ...] = ()
    incoming: tuple[tuple[date, int], ...] = ()
    backorders: Backorders = WAITING
    expected_on: date | None = None


def floors(
    channel: Channel, items: Iterable[StockItem], locations: Iterable[str]
) -> dict[tuple[str, str], int]:
    """Units that an allocation for this channel must leave, where there are any to leave."""
    asked = tuple(locations)
    every = {
        (item.item, location): channel.safety(item, location)
        for item in items
        for location in asked
    }
    return {place: units for place, units in every.items() if units}


def offer(item: StockItem, channel: Channel, stock: Stock) -> Offer:
    """Of an item that is not sold any more: nothing."""
    if not item.active:
        return Offer(item.sku, backorders=Backorders(BackorderMode.DENY))
    locations = [each for each in stock.locations if channel.sells_from(each)]
    free = _Free(channel, stock)
    units = tuple((each, free.units(item, each)) for each in locations)
    incoming = _incoming(item, locations, free)
    return Offer(
        sku=item.sku,
        available=sum(units for _, units in units),
        locations=tuple(each for each in units if each[1]),
        incoming=incoming,
        backorders=item.policy.backorders,
        expected_on=_expected_on(item.policy.backorders, incoming),
    )


def whole_units(parts: Iterable[Part], of_item: Callable[[str], int]) -> int:
    """How many can be put together of so many units of each stock item."""
    return min(of_item(part.item) // part.quantity for part in parts)


class _Free:
    """What a channel may take of each stock item, now and when more has come."""

    def __init__(self, channel: Channel, stock: Stock) -> None:
        self._channel, self._stock = channel, stock
        levels = (level for of_item in stock.levels.values() for level in of_item)
        self._available = {(each.sku, each.location): each.available for each in levels}

    def units(self, item: StockItem, location: str, until: date = date.min) -> int:
        """Whole units of an item, or of a kit, with all that is expected up to that day."""
        return whole_units(item.parts, lambda part: self._of(part, location, until))

    def days(self, item: StockItem) -> list[date]:
        expected = self._stock.expected
        return sorted({each.on for p in item.parts for each in expected.get(p.item, ())})

    def _of(self, item: str, location: str, until: date) -> int:
        coming = self._stock.expected.get(item, ())
        more = sum(e.quantity for e in coming if e.location == location and e.on <= until)
        kept = self._channel.safety(self._stock.items[item], location)
        return max(0, self._available.get((item, location), 0) + more - kept)


def _incoming(
    item: StockItem, locations: Sequence[str], free: _Free
) -> tuple[tuple[date, int], ...]:
    def by(day: date) -> int:
        return sum(free.units(item, location, day) for location in locations)

    added = _steps(by, free.days(item))
    return tuple((day, units) for day, units in added if units)


def _steps(total: Callable[[date], int], days: Sequence[date]) -> list[tuple[date, int]]:
    """What each day adds to the total."""
    totals = pairwise(total(day) for day in (date.min, *days))
    return [(day, after - before) for day, (before, after) in zip(days, totals, strict=True)]


def _expected_on(backorders: Backorders, incoming: Sequence[tuple[date, int]]) -> date | None:
    if backorders.mode is BackorderMode.DENY:
        return None
    if backorders.mode is BackorderMode.PREORDER and backorders.release_on:
        return backorders.release_on
    return incoming[0][0] if incoming else None
