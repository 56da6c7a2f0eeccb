"""The fulfillment network: locations, their calendars and capacity, the carriers' rates."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Annotated, Any, Literal, NamedTuple, get_args
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from oms.contracts.api.fields import (
    YEARS,
    Contract,
    Country,
    Currency,
    Day,
    FreeText,
    Identity,
    Instant,
    Label,
    UnitPrice,
    backwards,
    repeats,
)
from oms.contracts.api.views import At, View
from oms.contracts.invalid import Fault
from oms.domain.network.geography import LETTERS, normal

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)

MAX_OPENINGS = 28
MAX_DAYS_OFF = 400
MAX_NAMES = 100  # of methods, of tags
MAX_HANDLING = 30 * 24 * 60
MAX_CAPACITY = 10_000_000
MAX_ROWS = 50_000
MAX_GRAMS = 100_000_000
MAX_KM = 20_100  # half way round the world
MAX_TRANSIT = 120
MAX_CAPACITY_DAYS = 62
CLOCK = "(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)"


def minutes(clock: str) -> int:
    """Of the day; 24:00 is its end."""
    hours, _, rest = clock.partition(":")
    return int(hours) * 60 + int(rest)


def clock_of(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        raise PydanticCustomError("time_zone", "is no time zone of the IANA database") from None
    return name


def _clock(said: str) -> str:
    if not re.fullmatch(CLOCK, said):
        raise PydanticCustomError("clock", "is no time of the form hh:mm")
    return said


def _prefix(said: Any) -> Any:
    return normal(said) if isinstance(said, str) else said


def _whole_code(prefix: str) -> str:
    if len(prefix) > LETTERS:
        reason = "is longer than the {letters} characters of it that an order keeps"
        raise PydanticCustomError("postal_prefix", reason, {"letters": LETTERS})
    return prefix


def _once(names: list[str]) -> list[str]:
    return list(dict.fromkeys(names))


Clock = Annotated[str, AfterValidator(_clock), Field(json_schema_extra={"pattern": CLOCK})]
TimeZone = Annotated[
    str,
    StringConstraints(max_length=60, pattern=r"^[A-Za-z0-9]+([/_+-][A-Za-z0-9]+)*$"),
    AfterValidator(_known_zone),
]
HolidayPlace = Annotated[str, StringConstraints(pattern=r"^([A-Z]{2}(-[A-Z0-9]{1,4})?)?$")]
Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
Names = Annotated[list[Label], AfterValidator(_once), Field(max_length=MAX_NAMES)]
Prefix = Annotated[
    str,
    BeforeValidator(_prefix),
    StringConstraints(max_length=10, pattern=r"^[A-Z0-9-]*$"),
]
Kilometres = Annotated[int, Field(ge=0, le=MAX_KM)]
Grams = Annotated[int, Field(ge=1, le=MAX_GRAMS)]
TransitDays = Annotated[int, Field(ge=0, le=MAX_TRANSIT)]


class OpeningGiven(Contract):
    """Local time, of one day: what goes on after midnight is the next day's."""

    weekday: Weekday
    opens: Clock
    closes: Clock


class CutOffGiven(Contract):
    """Orders by this method that are in by then, local time, are worked on the same day."""

    method: Label
    at: Clock


class PutLocation(Contract):
    """Costs are in minor units: of a shipment from here, and of each unit in it.

    Without `opening` it is always open. `public_holidays` is a country or a part of it (`DE-BY`).
    `handling_minutes` are minutes while it is open. Without a `daily_capacity` (units per ship
    day) there is no limit; without `methods` it offers all. It `handles` goods with these tags.
    """

    name: Label
    kind: Literal["warehouse", "store", "third_party", "vendor"] = "warehouse"
    country: Country
    line1: FreeText = ""
    line2: FreeText = ""
    city: FreeText = ""
    region: FreeText = ""
    postal_code: FreeText = ""
    phone: FreeText = ""
    fixed_cost: UnitPrice = 0
    unit_cost: UnitPrice = 0
    active: bool = True
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    time_zone: TimeZone = "UTC"
    opening: Annotated[list[OpeningGiven], Field(min_length=1, max_length=MAX_OPENINGS)] | None = (
        None
    )
    holidays: Annotated[list[Day], Field(max_length=MAX_DAYS_OFF)] = Field(default_factory=list)
    public_holidays: HolidayPlace = ""
    cut_offs: Annotated[list[CutOffGiven], Field(max_length=MAX_NAMES)] = Field(
        default_factory=list
    )
    handling_minutes: Annotated[int, Field(ge=0, le=MAX_HANDLING)] = 0
    daily_capacity: Annotated[int, Field(ge=0, le=MAX_CAPACITY)] | None = None
    methods: Names = Field(default_factory=list)
    handles: Names = Field(default_factory=list)
    tags: Names = Field(default_factory=list)
    pickup: bool = False

    def faults(self) -> Iterator[Fault]:
        if (self.latitude is None) != (self.longitude is None):
            missing = "latitude" if self.latitude is None else "longitude"
            yield Fault(missing, "is needed beside the other coordinate")
        yield from self._opening_faults()
        for place in repeats(cut_off.method for cut_off in self.cut_offs):
            yield Fault(f"cut_offs[{place}].method", "has a cut-off already")

    def _opening_faults(self) -> Iterator[Fault]:
        by_time = sorted(
            (WEEKDAYS.index(each.weekday), minutes(each.opens), minutes(each.closes), place)
            for place, each in enumerate(self.opening or ())
        )
        for _, opens, closes, place in by_time:
            if opens >= closes:
                yield Fault(f"opening[{place}].closes", "is not after it opens")
        for before, after in pairwise(by_time):
            if before[0] == after[0] and after[1] < before[2]:
                yield Fault(f"opening[{after[3]}].opens", "is before another opening has ended")


class StartOutage(Contract):
    """Without an end it lasts until somebody ends it."""

    starts: Annotated[Instant, Field(alias="from")]
    ends: Annotated[Instant | None, Field(alias="until")] = None
    reason: FreeText = ""

    def faults(self) -> Iterator[Fault]:
        if self.ends is not None and self.ends <= self.starts:
            yield Fault("until", "is not after from")


class CapacityQuery(Contract):
    """Without days: two weeks from the location's today on."""

    first_day: Annotated[Day | None, Field(alias="from")] = None
    last_day: Annotated[Day | None, Field(alias="to")] = None

    def faults(self) -> Iterator[Fault]:
        for name, day in (("from", self.first_day), ("to", self.last_day)):
            if day and day.year not in YEARS:
                yield Fault(name, "is not of this century")
        yield from backwards(self.first_day, self.last_day)
        most = timedelta(MAX_CAPACITY_DAYS)
        if self.first_day and self.last_day and self.last_day - self.first_day >= most:
            yield Fault("to", f"is more than {MAX_CAPACITY_DAYS} days after from")


class ZoneGiven(Contract):
    """Destinations that cost the same, from the same origins. Bands are from `min_km` up to, not
    including, `max_km`. A postal prefix of the destination has as much as an order keeps of it."""

    zone: Identity
    country: Country
    postal_prefix: Annotated[Prefix, AfterValidator(_whole_code)] = ""
    from_location: Identity | None = None
    from_country: Country | None = None
    from_prefix: Prefix = ""
    min_km: Kilometres | None = None
    max_km: Kilometres | None = None

    def faults(self) -> Iterator[Fault]:
        if self.max_km is not None and (self.min_km or 0) >= self.max_km:
            yield Fault("max_km", "is not more than min_km")
        if self.from_prefix and not (self.from_country or self.from_location):
            yield Fault("from_country", "is needed: a postal prefix is one of a country")

    @property
    def identity(self) -> tuple[Any, ...]:
        """What a parcel is matched by."""
        return tuple(getattr(self, name) for name in type(self).model_fields if name != "zone")


class ChargeGiven(Contract):
    """In minor units: `base` for the first `first_g` grams of a parcel, `per_kg` for each further
    kilogram. A parcel weighs at most `max_g`."""

    method: Label
    zone: Identity
    currency: Currency
    base: UnitPrice
    per_kg: UnitPrice = 0
    first_g: Grams = 1_000
    max_g: Grams | None = None

    def faults(self) -> Iterator[Fault]:
        if self.max_g is not None and self.max_g < self.first_g:
            yield Fault("max_g", "is less than first_g")

    @property
    def identity(self) -> tuple[Any, ...]:
        return self.method, self.zone


def _listed(said: Any) -> Any:
    """A cell of a table has the days in one text: `mon tue wed`."""
    return said.split() if isinstance(said, str) else said


class TransitGiven(Contract):
    """Business days from the ship day on, counted in days on which the carrier delivers."""

    method: Label
    zone: Identity
    min_days: TransitDays
    max_days: TransitDays
    weekdays: Annotated[
        list[Weekday], BeforeValidator(_listed), Field(min_length=1, max_length=7)
    ] = Field(default_factory=lambda: list(WEEKDAYS[:5]))

    def faults(self) -> Iterator[Fault]:
        if self.max_days < self.min_days:
            yield Fault("max_days", "is less than min_days")
        if len(set(self.weekdays)) < len(self.weekdays):
            yield Fault("weekdays", "names a day twice")

    @property
    def identity(self) -> tuple[Any, ...]:
        return self.method, self.zone


Row = ZoneGiven | ChargeGiven | TransitGiven
ROWS: dict[str, type[Row]] = {
    "zones": ZoneGiven,
    "charges": ChargeGiven,
    "transits": TransitGiven,
}


class PutCard(Contract):
    """Everything that a carrier asks. `cm3_per_kg`: what a kilogram may measure before its size is
    what is paid for; 0 where only weight counts."""

    cm3_per_kg: Annotated[int, Field(ge=0, le=1_000_000)] = 5_000
    zones: Annotated[list[ZoneGiven], Field(max_length=MAX_ROWS)]
    charges: Annotated[list[ChargeGiven], Field(max_length=MAX_ROWS)]
    transits: Annotated[list[TransitGiven], Field(max_length=MAX_ROWS)] = Field(
        default_factory=list
    )

    def faults(self) -> Iterator[Fault]:
        for table, number, column, reason in card_faults(self.zones, self.charges, self.transits):
            yield Fault(f"{table}[{number}].{column}", reason)


class RowFault(NamedTuple):
    """`number` counts the rows of the table from 0 on."""

    table: str
    number: int
    column: str
    reason: str


def card_faults(
    zones: Sequence[ZoneGiven], charges: Sequence[ChargeGiven], transits: Sequence[TransitGiven]
) -> Iterator[RowFault]:
    """What is wrong with each row, and between rows that are each right."""
    known = {zone.zone for zone in zones}
    tables: dict[str, Sequence[Row]] = {"zones": zones, "charges": charges, "transits": transits}
    for table, rows in tables.items():
        seen: Counter[tuple[Any, ...]] = Counter()
        for number, row in enumerate(rows):
            for fault in row.faults():
                yield RowFault(table, number, *fault)
            if seen[row.identity]:
                yield RowFault(table, number, "zone", "is told twice for the same")
            seen[row.identity] += 1
            if row.zone not in known:
                yield RowFault(table, number, "zone", "is no zone of this carrier")
    for number, charge in enumerate(charges):
        if charge.currency != charges[0].currency:
            yield RowFault("charges", number, "currency", "is another than the first row's")


class OpeningView(View):
    weekday: str
    opens: str
    closes: str


class CutOffView(View):
    method: str
    at: str


class OutageView(View, omit_defaults=True, rename={"starts": "from", "ends": "until"}):
    """Without `until` it lasts until somebody ends it."""

    outage_id: str
    starts: At
    ends: At | None = None
    reason: str = ""


class PlaceView(View):
    """Degrees. `precision`: `exact` as given, `postal_code` the middle of its first letters' area,
    `country` where most of its people live."""

    latitude: float
    longitude: float
    precision: str


class LocationView(View):
    """`place` is what distances are measured from; null where nothing is known."""

    location_id: str
    name: str
    kind: str
    country: str
    line1: str
    line2: str
    city: str
    region: str
    postal_code: str
    phone: str
    fixed_cost: int
    unit_cost: int
    active: bool
    latitude: float | None
    longitude: float | None
    place: PlaceView | None
    time_zone: str
    opening: list[OpeningView]
    holidays: list[date]
    public_holidays: str
    public_days: list[date]
    cut_offs: list[CutOffView]
    handling_minutes: int
    daily_capacity: int | None
    methods: list[str]
    handles: list[str]
    tags: list[str]
    pickup: bool
    outages: list[OutageView]


class LocationsView(View):
    items: list[LocationView]


class DayCapacityView(View):
    """Units. `left` is below zero when the limit was cut after more had been taken. Without a limit
    nothing is counted."""

    day: date
    used: int
    limit: int | None
    left: int | None


class CapacityView(View):
    location_id: str
    items: list[DayCapacityView]


class ZoneView(View, omit_defaults=True):
    zone: str
    country: str
    postal_prefix: str = ""
    from_location: str = ""
    from_country: str = ""
    from_prefix: str = ""
    min_km: int | None = None
    max_km: int | None = None


class ChargeView(View, omit_defaults=True):
    method: str
    zone: str
    currency: str
    base: int
    per_kg: int
    first_g: int
    max_g: int | None = None


class TransitView(View):
    method: str
    zone: str
    min_days: int
    max_days: int
    weekdays: list[str]


class CardView(View):
    """Every change is a new `version`; decisions name it, and `?version=` shows it again."""

    carrier: str
    version: int
    cm3_per_kg: int
    zones: list[ZoneView]
    charges: list[ChargeView]
    transits: list[TransitView]


class CardSummaryView(View):
    """How many rows each of its tables has."""

    carrier: str
    version: int
    currency: str
    methods: list[str]
    zones: int
    charges: int
    transits: int


class CardsView(View):
    items: list[CardSummaryView]


class CardQuery(Contract):
    """Without a version: the newest."""

    version: Annotated[int, Field(strict=False, ge=1, le=99_999_999)] | None = None
