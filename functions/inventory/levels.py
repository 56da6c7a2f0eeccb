"""What lies where, as the API tells it: of a stock item, and of what a kit's components allow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from oms.adapters.stock_ledger import Standing
from oms.contracts.api.inventory import (
    ComponentView,
    LevelView,
    MovementView,
    ReservationView,
    StockView,
)
from oms.contracts.cursors import BadCursor, decode_cursor, encode_cursor
from oms.domain.availability import whole_units
from oms.domain.inventory import Level, Movement
from oms.domain.items import StockItem
from oms.domain.reservations import Reservation

NAMES = ("since", "reservation", "location")


def of_item(item: StockItem, levels: Sequence[Level], at: datetime | None = None) -> StockView:
    return StockView(
        sku=item.sku,
        item_id=item.item,
        on_hand=sum(level.on_hand for level in levels),
        available=sum(level.available for level in levels),
        reserved=sum(level.reserved for level in levels),
        incoming=sum(level.incoming for level in levels),
        levels=[level_view(level, item.policy.safety("", level.location)) for level in levels],
        at=at,
    )


def of_kit(
    kit: StockItem,
    components: Mapping[str, StockItem],
    levels: Mapping[str, Sequence[Level]],
    at: datetime | None = None,
) -> StockView:
    """Kits that could be put together at each location; none is on a shelf or reserved as such."""
    available = {(x.sku, x.location): x.available for of in levels.values() for x in of}
    places = sorted({location for _, location in available})
    whole = ((location, _whole(kit, available, location)) for location in places)
    allowed = [Level(kit.item, location, units, units) for location, units in whole if units]
    view = of_item(kit, allowed, at)
    view.components = component_views(kit, components)
    return view


def _whole(kit: StockItem, available: Mapping[tuple[str, str], int], location: str) -> int:
    return whole_units(kit.parts, lambda item: available.get((item, location), 0))


def with_reservations(
    view: StockView, standing: Standing, limit: int, cursor: str | None
) -> StockView:
    page, onward = page_of(standing.reservations, limit, cursor)
    view.reservations = [reservation_view(each) for each in page]
    view.reservations_omitted = not standing.is_whole
    view.cursor = onward
    return view


def page_of(
    found: Iterable[Reservation], limit: int, cursor: str | None
) -> tuple[list[Reservation], str | None]:
    """The latest first; the cursor names the last one of a page."""
    after = _decoded(cursor) if cursor else None
    rest = [each for each in found if after is None or _name(each) < after]
    more = len(rest) > limit
    onward = encode_cursor(dict(zip(NAMES, _name(rest[limit - 1]), strict=True))) if more else None
    return rest[:limit], onward


def _name(each: Reservation) -> tuple[str, ...]:
    return each.since.isoformat(timespec="microseconds"), each.reservation, each.location


def _decoded(cursor: str) -> tuple[str, ...]:
    found = decode_cursor(cursor)
    if found.keys() != set(NAMES):
        raise BadCursor
    return tuple(found[name] for name in NAMES)


def component_views(kit: StockItem, components: Mapping[str, StockItem]) -> list[ComponentView]:
    """By the names that they have now."""
    return [
        ComponentView(components[part.item].sku, part.item, part.quantity)
        for part in kit.components
    ]


def level_view(level: Level, safety_stock: int = 0) -> LevelView:
    return LevelView(
        level.location,
        level.on_hand,
        level.available,
        level.reserved,
        level.incoming,
        safety_stock,
    )


def reservation_view(each: Reservation) -> ReservationView:
    return ReservationView(each.reservation, each.holder, each.location, each.quantity, each.since)


def movement_view(movement: Movement) -> MovementView:
    return MovementView(
        at=movement.at,
        kind=movement.kind,
        location_id=movement.location,
        quantity=movement.quantity,
        on_hand=movement.effect.on_hand,
        available=movement.effect.available,
        reserved=movement.effect.reserved,
        incoming=movement.effect.incoming,
        cause=movement.cause,
        reason=movement.reason,
        note=movement.note,
        reservation_id=movement.reservation,
        taken_from=movement.taken_from,
        actor=movement.actor,
    )
