"""The network's rows in the stock table: locations, the carriers' cards, what a day has taken."""

from __future__ import annotations

from datetime import date, datetime

from oms.adapters.dynamodb import Item, key, n, number, pack, s, text, unpack
from oms.adapters.stock_rows import outbox_row, stamp
from oms.contracts import codec
from oms.domain.events import LocationChanged
from oms.domain.locations import Location, LocationKind
from oms.domain.network.lanes import Measured
from oms.domain.network.rates import Card

LOCATIONS, CARDS = "LOCATIONS", "RATES"
MEASURED = "MEASURED"


def location_key(location_id: str) -> Item:
    return key(LOCATIONS, location_id)


def card_key(carrier: str) -> Item:
    return key(CARDS, carrier)


def past_card_key(carrier: str, version: int) -> Item:
    return key(f"{CARDS}#{carrier}", f"{version:08d}")


def capacity_key(location_id: str, day: date) -> Item:
    return key(f"CAPACITY#{location_id}", day.isoformat())


def location_row(location: Location, version: int = 0) -> Item:
    return {
        **location_key(location.location_id),
        "body": pack(codec.encode(location)),
        **({"version": n(version)} if version else {}),
    }


def read_location(item: Item) -> Location:
    """Rows without a body were written before locations had calendars."""
    if "body" in item:
        return codec.decode(unpack(item["body"]), Location)
    return Location(
        location_id=text(item, "SK"),
        name=text(item, "name"),
        kind=LocationKind(text(item, "kind")),
        country=text(item, "country"),
        region=text(item, "region"),
        postal_code=text(item, "postal_code"),
        fixed_cost=number(item, "fixed_cost"),
        unit_cost=number(item, "unit_cost"),
        active=bool(item["active"]["BOOL"]),
    )


def version_of(item: Item) -> int:
    return number(item, "version") if "version" in item else 0


def card_body(card: Card) -> Item:
    """The attributes of a card, under whichever key."""
    return {"version": n(card.version), "body": pack(codec.encode(card))}


def read_card(item: Item) -> Card:
    return codec.decode(unpack(item["body"]), Card)


def measured_row(carrier: str, measured: tuple[Measured, ...], at: datetime) -> Item:
    return {
        **key(MEASURED, carrier),
        "body": pack(codec.encode(measured)),
        "learned_at": s(stamp(at)),
    }


def read_measured(item: Item) -> tuple[Measured, ...]:
    return codec.decode(unpack(item["body"]), tuple[Measured, ...])


def changed_row(changed: LocationChanged, version: int, at: datetime, actor: str) -> Item:
    """The outbox: the publisher makes an event of it. A version tells each change once."""
    since = f"#{stamp(changed.since)}" if changed.since else ""
    name = f"{stamp(at)}#{version}.{changed.change}{since}"
    return outbox_row(key(f"LOCATION#{changed.location_id}", f"EVENT#{name}"), changed, at, actor)
