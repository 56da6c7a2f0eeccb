"""What the APIs of marketplaces that only tell have in common: nothing is told to them by API."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from oms.adapters.channels.base import Fetch, Ignored, MalformedOrder, What
from oms.adapters.channels.reading import Reader
from oms.adapters.channels.shop_api import (
    Access,
    CalledOff,
    GivenBack,
    Later,
    RefusedByShop,
    Shipped,
    Stocked,
)
from oms.adapters.channels.shop_fields import Json, text
from oms.contracts.invalid import InvalidRequest

PAUSE = 60  # seconds
Read = Callable[[Json, str], Sequence[What]]


class ToldByHand:
    """The half of a ShopApi that changes a shop: a person does it there."""

    where = "the marketplace"

    def ship(self, access: Access, done: Shipped) -> str:
        raise self._not_told("shipments are")

    def call_off(self, access: Access, done: CalledOff) -> str:
        raise self._not_told("cancellations are")

    def give_back(self, access: Access, done: GivenBack) -> str:
        raise self._not_told("refunds are")

    def set_stock(self, access: Access, levels: Sequence[Stocked], key: str) -> str:
        raise self._not_told("stock is")

    def _not_told(self, what: str) -> RefusedByShop:
        return RefusedByShop(f"{what} not told to {self.where} by API: enter it there")


def whole(reader: Reader, said: Sequence[What]) -> Sequence[What]:
    """An answer that has to be asked for again would be asked for without end."""
    if any(isinstance(each, Fetch) for each in said):
        raise reader.refused("the order that was asked for is not whole")
    return said


def answered(reader: Reader, found: Any) -> Json:
    """What was done, if it was, is not known from anything else."""
    if not isinstance(found, dict):
        raise Later(f"{reader.code}: the answer is no object", PAUSE)
    return found


def each_told(
    orders: Iterable[Json], id_of: Callable[[Json], Any], read: Read, channel: str
) -> Iterator[What]:
    """What every order of a page says. One that cannot be read is asked for by itself: so it holds
    up no other one, and is kept as it is."""
    for order in orders:
        try:
            yield from (what for what in read(order, channel) if not isinstance(what, Ignored))
        except (MalformedOrder, InvalidRequest):
            if order_id := text(str(id_of(order) or "")):
                yield Fetch(channel, order_id)
