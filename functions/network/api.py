"""The places that ship, when and how much they do, and what the carriers ask."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from functions.network.documents import (
    calendar_of,
    card_of,
    card_view,
    charges_of,
    given,
    location_of,
    location_view,
    summary_of,
    transits_of,
    zones_of,
)
from oms.adapters.capacity_slots import capacity_slots
from oms.adapters.http_api import HttpApi, Problem, Request, Response
from oms.adapters.network_table import network_table
from oms.adapters.public_holidays import NoHolidays, public_days
from oms.contracts import rates_csv
from oms.contracts.api.fields import Contract, Identity, Slug
from oms.contracts.api.network import (
    MAX_CAPACITY_DAYS,
    ROWS,
    CapacityQuery,
    CapacityView,
    CardQuery,
    CardsView,
    CardView,
    DayCapacityView,
    LocationsView,
    LocationView,
    PutCard,
    PutLocation,
    Row,
    StartOutage,
    card_faults,
)
from oms.contracts.invalid import Fault, InvalidRequest
from oms.domain.errors import Refused
from oms.domain.inventory import UnknownLocation
from oms.domain.locations import Location
from oms.domain.network.calendars import Calendar, Outage
from oms.domain.network.openness import with_outage, without_outage
from oms.domain.network.rates import Card

ENVIRONMENT: tuple[str, ...] = ("STOCK_TABLE",)

SHOWN_DAYS = 14
CSV = "text/csv"

app = HttpApi("NetworkApi")


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return app.handle(event, context)


class AtLocation(Contract):
    location: Identity


class OfOutage(Contract):
    location: Identity
    outage: Identity


class OfCarrier(Contract):
    carrier: Slug


class OfTable(Contract):
    carrier: Slug
    table: Literal["zones", "charges", "transits"]


class OtherCurrency(Refused):
    """Costs are compared: all of a network's are in one currency."""

    def __init__(self, currency: str, others: str) -> None:
        super().__init__(f"its charges are in {currency}, those of other carriers in {others}")


@app.route("GET", "/locations")
def get_locations(request: Request) -> LocationsView:  # noqa: ARG001  (nothing is asked)
    return LocationsView([location_view(each) for each in network_table().locations()])


@app.route("GET", "/locations/{location}")
def get_location(request: Request) -> LocationView:
    return location_view(network_table().location(_location_id(request)))


@app.route("PUT", "/locations/{location}")
def put_location(request: Request) -> LocationView:
    """Its outages are told apart and stay as they are."""
    location_id, said, at = _location_id(request), request.read(PutLocation), datetime.now(UTC)
    calendar = _with_public_days(calendar_of(said), at.year)

    def changed(old: Location | None) -> Location:
        return location_of(location_id, said, calendar, old.outages if old else ())

    return _changed(request, location_id, changed, at)


@app.route("POST", "/locations/{location}/outages")
def post_outage(request: Request) -> LocationView:
    location_id, said, at = _location_id(request), request.read(StartOutage), datetime.now(UTC)
    outage = outage_of(location_id, said)

    def changed(old: Location | None) -> Location:
        return with_outage(_known(old, location_id), outage, at)

    return _changed(request, location_id, changed, at)


@app.route("POST", "/locations/{location}/outages/{outage}/end")
def end_outage(request: Request) -> LocationView:
    of, at = OfOutage.read(dict(request.path)), datetime.now(UTC)

    def changed(old: Location | None) -> Location:
        return without_outage(_known(old, of.location), of.outage, at)

    return _changed(request, of.location, changed, at)


@app.route("GET", "/locations/{location}/capacity")
def get_capacity(request: Request) -> CapacityView:
    location = network_table().location(_location_id(request))
    asked = request.read_query(CapacityQuery)
    zone = ZoneInfo(location.calendar.time_zone)
    days = days_of(asked, datetime.now(UTC).astimezone(zone).date())
    used = capacity_slots().used([location.location_id], days)
    items = [_day_view(location, day, used[location.location_id, day]) for day in days]
    return CapacityView(location.location_id, items)


@app.route("GET", "/rates")
def get_rates(request: Request) -> CardsView:  # noqa: ARG001  (nothing is asked)
    return CardsView([summary_of(card) for card in network_table().cards()])


@app.route("GET", "/rates/{carrier}")
def get_card(request: Request) -> CardView:
    carrier = OfCarrier.read(dict(request.path)).carrier
    return card_view(network_table().card(carrier, request.read_query(CardQuery).version))


@app.route("PUT", "/rates/{carrier}")
def put_card(request: Request) -> CardView:
    carrier = OfCarrier.read(dict(request.path)).carrier
    card = card_of(carrier, request.read(PutCard))
    return card_view(_put_card(carrier, lambda _: card))


@app.route("GET", "/rates/{carrier}/{table}")
def get_table(request: Request) -> Response:
    of = OfTable.read(dict(request.path))
    card = network_table().card(of.carrier, request.read_query(CardQuery).version)
    rows = [row.model_dump() for row in getattr(given(card), of.table)]
    body = rates_csv.written(ROWS[of.table], rows)
    return Response(body=body, headers={"content-type": f"{CSV}; charset=utf-8"})


@app.route("PUT", "/rates/{carrier}/{table}")
def put_table(request: Request) -> CardView:
    """One of a card's tables; the others stay, and must still fit."""
    of = OfTable.read(dict(request.path))
    if not request.headers.get("content-type", "").startswith(CSV):
        raise Problem(415, "Unsupported media type", f"send {CSV}")
    rows, lines = rates_csv.read_rows(ROWS[of.table], request.body)

    def changed(old: Card | None) -> Card:
        card = old or Card(of.carrier)
        _check(given(card), of.table, rows, lines)
        return _with_table(card, of.table, rows)

    return card_view(_put_card(of.carrier, changed))


def outage_of(location_id: str, said: StartOutage) -> Outage:
    """The same outage told twice has one id."""
    ends = said.ends.astimezone(UTC) if said.ends else None
    starts = said.starts.astimezone(UTC)
    seed = f"{location_id}\x1f{starts}\x1f{ends}\x1f{said.reason}"
    name = base64.b32encode(hashlib.sha256(seed.encode()).digest()).decode()[:16].lower()
    return Outage(f"out_{name}", starts, ends, said.reason)


def days_of(asked: CapacityQuery, today: date) -> list[date]:
    span = timedelta(SHOWN_DAYS - 1)
    first = asked.first_day or (min(today, asked.last_day) if asked.last_day else today)
    last = asked.last_day or first + span
    shown = min((last - first).days + 1, MAX_CAPACITY_DAYS)
    return [first + timedelta(number) for number in range(shown)]


def _location_id(request: Request) -> str:
    return AtLocation.read(dict(request.path)).location


def _known(location: Location | None, location_id: str) -> Location:
    if location is None:
        raise UnknownLocation(location_id)
    return location


def _changed(
    request: Request,
    location_id: str,
    change: Callable[[Location | None], Location],
    at: datetime,
) -> LocationView:
    table = network_table()
    return location_view(table.change_location(location_id, change, at=at, actor=request.actor))


def _with_public_days(calendar: Calendar, year: int) -> Calendar:
    if not calendar.public_holidays:
        return calendar
    try:
        return replace(calendar, public_days=public_days(calendar.public_holidays, year))
    except NoHolidays:
        fault = Fault("public_holidays", "is no country or part whose holidays are known")
        raise InvalidRequest([fault]) from None


def _day_view(location: Location, day: date, used: int) -> DayCapacityView:
    limit = location.daily_capacity
    return DayCapacityView(day, used, limit, None if limit is None else limit - used)


def _put_card(carrier: str, change: Callable[[Card | None], Card]) -> Card:
    others = {c.currency for c in network_table().cards() if c.carrier != carrier} - {""}

    def checked(old: Card | None) -> Card:
        card = change(old)
        if card.currency and others - {card.currency}:
            raise OtherCurrency(card.currency, ", ".join(sorted(others)))
        return card

    return network_table().change_card(carrier, checked)


def _check(card: PutCard, table: str, rows: Sequence[Row], lines: list[int]) -> None:
    """The card as it would be with these rows; a fault of theirs is told by their line."""
    tables: dict[str, Any] = {name: getattr(card, name) for name in ROWS} | {table: rows}
    faults = [
        Fault(rates_csv.at(lines[f.number], f.column), f.reason)
        if f.table == table
        else Fault(f"{f.table}[{f.number}].{f.column}", f.reason)
        for f in card_faults(**tables)
    ]
    if faults:
        raise InvalidRequest(faults)


def _with_table(card: Card, table: str, rows: Any) -> Card:
    if table == "zones":
        return replace(card, zones=zones_of(rows))
    if table == "charges":
        return replace(card, charges=charges_of(rows))
    return replace(card, transits=transits_of(rows))
