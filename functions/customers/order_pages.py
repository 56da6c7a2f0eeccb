"""Orders of one person, of all identities together, newest first, page by page.

A page costs one look into the index for each identity and the orders that it shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from oms.adapters.order_rows import instant, moment
from oms.contracts.api.views import OrderPage, OrderView
from oms.contracts.cursors import BadCursor, decode_cursor, encode_cursor
from oms.contracts.render import order_view
from oms.domain.order import Order

MAX_PAGE_BYTES = 1_000_000
LOADED_AT_ONCE = 25
MAX_SHOWN = 40  # names in a cursor: of orders that were placed in the same millisecond


class Orders(Protocol):
    def many(self, order_ids: Iterable[str]) -> dict[str, Order]: ...
    def listed(
        self, customer_id: str, until: datetime | None, limit: int
    ) -> tuple[tuple[str, str], ...]: ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where a listing has stopped: at an instant, of which these orders were shown."""

    at: str = ""
    shown: frozenset[str] = frozenset()

    def after(self, order: Order) -> Place:
        at = instant(order.placed_at)
        shown = {order.order_id, *(self.shown if self.at == at else ())}
        return Place(at, frozenset(shown))

    @property
    def fits(self) -> Place:
        """What a cursor has room for; so many in one millisecond are not the same buyer's."""
        if len(self.shown) <= MAX_SHOWN:
            return self
        return Place(instant(moment(self.at) - timedelta(milliseconds=1)))


def page_of(
    orders: Orders, identities: Sequence[str], limit: int, cursor: str | None = None
) -> OrderPage:
    place, items, room = read_cursor(cursor), list[OrderView](), MAX_PAGE_BYTES
    found = _found(orders, identities, limit, place)
    for order in _loaded(orders, found[:limit]):
        items.append(order_view(order))
        place, room = place.after(order), room - len(msgspec.json.encode(items[-1]))
        if room <= 0:
            break
    more = len(items) < len(found)
    return OrderPage(items, write_cursor(place.fits) if more and items else None)


def _found(orders: Orders, identities: Sequence[str], limit: int, place: Place) -> list[str]:
    """Newest first; one more than asked for, where there is one."""
    until = moment(place.at) if place.at else None
    asked = limit + 1 + len(place.shown)
    at = dict(pair for each in identities for pair in orders.listed(each, until, asked))
    newest = sorted(at, key=lambda order_id: (at[order_id], order_id), reverse=True)
    return [order_id for order_id in newest if order_id not in place.shown][: limit + 1]


def _loaded(orders: Orders, order_ids: Sequence[str]) -> Iterator[Order]:
    """A few at a time: fifty huge orders are more than the memory that we have."""
    for first in range(0, len(order_ids), LOADED_AT_ONCE):
        some = order_ids[first : first + LOADED_AT_ONCE]
        found = orders.many(some)
        yield from (found[order_id] for order_id in some if order_id in found)


def read_cursor(cursor: str | None) -> Place:
    if cursor is None:
        return Place()
    given = decode_cursor(cursor)
    if given.keys() != {"at", "shown"}:
        raise BadCursor
    try:
        at = instant(moment(given["at"]))
    except (ValueError, OverflowError):
        raise BadCursor from None
    names = given["shown"].split()[:MAX_SHOWN]
    return Place(at, frozenset(f"ord_{name}" for name in names))


def write_cursor(place: Place) -> str:
    names = sorted(order_id.removeprefix("ord_") for order_id in place.shown)
    return encode_cursor({"at": place.at, "shown": " ".join(names)})
