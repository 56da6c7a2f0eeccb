"""Locations and cards as they are said over HTTP, and as the domain has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import msgspec

from oms.contracts.api.network import (
    ROWS,
    WEEKDAYS,
    CardSummaryView,
    CardView,
    ChargeGiven,
    ChargeView,
    CutOffView,
    LocationView,
    OpeningView,
    OutageView,
    PlaceView,
    PutCard,
    PutLocation,
    TransitGiven,
    TransitView,
    ZoneGiven,
    ZoneView,
    clock_of,
    minutes,
)
from oms.domain.locations import Location, LocationKind
from oms.domain.network.calendars import ALL_WEEK, Calendar, CutOff, Opening, Outage
from oms.domain.network.geography import Place
from oms.domain.network.rates import Card, Charge, Tables, Transit, Zone


def location_of(
    location_id: str, said: PutLocation, calendar: Calendar, outages: tuple[Outage, ...]
) -> Location:
    return Location(
        location_id=location_id,
        name=said.name,
        kind=LocationKind(said.kind),
        country=said.country,
        region=said.region,
        postal_code=said.postal_code,
        fixed_cost=said.fixed_cost,
        unit_cost=said.unit_cost,
        active=said.active,
        latitude=said.latitude,
        longitude=said.longitude,
        calendar=calendar,
        daily_capacity=said.daily_capacity,
        methods=tuple(said.methods),
        handles=tuple(said.handles),
        tags=tuple(said.tags),
        pickup=said.pickup,
        outages=outages,
        line1=said.line1,
        line2=said.line2,
        city=said.city,
        phone=said.phone,
    )


def calendar_of(said: PutLocation) -> Calendar:
    """Without the public days, which are looked up."""
    opening = (
        Opening(WEEKDAYS.index(each.weekday), minutes(each.opens), minutes(each.closes))
        for each in said.opening or ()
    )
    cut_offs = (CutOff(each.method, minutes(each.at)) for each in said.cut_offs)
    return Calendar(
        time_zone=said.time_zone,
        opening=tuple(sorted(opening, key=_by_time)) or ALL_WEEK,
        holidays=tuple(sorted(set(said.holidays))),
        public_holidays=said.public_holidays,
        cut_offs=tuple(cut_offs),
        handling_minutes=said.handling_minutes,
    )


def _by_time(opening: Opening) -> tuple[int, int]:
    return opening.weekday, opening.opens


def location_view(location: Location) -> LocationView:
    calendar = location.calendar
    return LocationView(
        location_id=location.location_id,
        name=location.name,
        kind=location.kind,
        country=location.country,
        line1=location.line1,
        line2=location.line2,
        city=location.city,
        region=location.region,
        postal_code=location.postal_code,
        phone=location.phone,
        fixed_cost=location.fixed_cost,
        unit_cost=location.unit_cost,
        active=location.active,
        latitude=location.latitude,
        longitude=location.longitude,
        place=_place_view(location.place),
        time_zone=calendar.time_zone,
        opening=list(map(_opening_view, calendar.opening)),
        holidays=list(calendar.holidays),
        public_holidays=calendar.public_holidays,
        public_days=list(calendar.public_days),
        cut_offs=[CutOffView(each.method, clock_of(each.minute)) for each in calendar.cut_offs],
        handling_minutes=calendar.handling_minutes,
        daily_capacity=location.daily_capacity,
        methods=list(location.methods),
        handles=list(location.handles),
        tags=list(location.tags),
        pickup=location.pickup,
        outages=[OutageView(**asdict(each)) for each in location.outages],
    )


def _place_view(place: Place | None) -> PlaceView | None:
    return PlaceView(*place.point, place.precision) if place else None


def _opening_view(opening: Opening) -> OpeningView:
    weekday = WEEKDAYS[opening.weekday]
    return OpeningView(weekday, clock_of(opening.opens), clock_of(opening.closes))


def card_of(carrier: str, said: PutCard) -> Card:
    return Card(
        carrier=carrier,
        cm3_per_kg=said.cm3_per_kg,
        zones=zones_of(said.zones),
        charges=charges_of(said.charges),
        transits=transits_of(said.transits),
    )


def zones_of(rows: Sequence[ZoneGiven]) -> tuple[Zone, ...]:
    return tuple(Zone(**{k: v for k, v in dict(row).items() if v is not None}) for row in rows)


def charges_of(rows: Sequence[ChargeGiven]) -> tuple[Charge, ...]:
    return tuple(Charge(**dict(row)) for row in rows)


def transits_of(rows: Sequence[TransitGiven]) -> tuple[Transit, ...]:
    return tuple(
        Transit(
            row.method,
            row.zone,
            row.min_days,
            row.max_days,
            tuple(map(WEEKDAYS.index, row.weekdays)),
        )
        for row in rows
    )


def given(card: Card) -> PutCard:
    """The card as somebody would say it again."""
    view = card_view(card)
    tables = {name: _rows(getattr(view, name)) for name in ROWS}
    return PutCard.model_validate({"cm3_per_kg": card.cm3_per_kg, **tables})


def _rows(views: Sequence[object]) -> list[dict[str, object]]:
    """Fields with their defaults are left out, as in an answer."""
    return [msgspec.to_builtins(view) for view in views]


def card_view(card: Card) -> CardView:
    return CardView(
        carrier=card.carrier,
        version=card.version,
        cm3_per_kg=card.cm3_per_kg,
        zones=[ZoneView(**asdict(zone)) for zone in card.zones],
        charges=[ChargeView(**asdict(charge)) for charge in card.charges],
        transits=[_transit_view(transit) for transit in card.transits],
    )


def _transit_view(transit: Transit) -> TransitView:
    weekdays: list[str] = [WEEKDAYS[day] for day in transit.weekdays]
    days = transit.min_days, transit.max_days
    return TransitView(transit.method, transit.zone, *days, weekdays)


def summary_of(card: Card) -> CardSummaryView:
    return CardSummaryView(
        carrier=card.carrier,
        version=card.version,
        currency=card.currency,
        methods=list(Tables([card]).methods),
        zones=len(card.zones),
        charges=len(card.charges),
        transits=len(card.transits),
    )
