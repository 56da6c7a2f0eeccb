"""Customers: who is new, who comes again, and what each is worth over a lifetime.

Figures are kept for each customer, and the report is the sum over customers of what each brings to
it. So whatever the order of events: when a customer's order turns out to be earlier than those that
were known, all that the customer brings moves with it.

spent       price of the goods that were ordered, less discounts, less what was cancelled: not what
            was captured. Without shipping and taxes, as the sales report has them
returned    of refunds, what was for goods and goodwill; net: spent less returned, which is the net
            of the sales report, on the same days
refunded    all that was granted beside cancellations
returns     that were asked for; units that came back are counted when the return is settled

A customer is an identity, as the order names it: merging two does not change what was counted.
Guests are everybody anew, so they are counted apart: `guest_orders`. A customer is new on the day
of the earliest order that was placed, cancelled ones too, in that order's market and currency.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from oms.domain import events as e
from oms.domain.reporting import sales
from oms.domain.reporting.base import Count, Known, Told, day_bucket

CUSTOMERS = "customers"
PERSON = "person"  # the axis of what is kept for each customer; no rows of a report
MARKET, COHORT = "market", "cohort"
BUYERS = {
    "buyers": (),
    "buyers_by_country": ("country",),
    "buyers_by_channel": ("channel",),
    "buyers_by_market": ("channel", "country"),
}
COHORT_BUYERS, COHORT_BUYERS_SINCE = "cohort_buyers", "cohort_buyers_since"
GUEST = "cus_guest_"
COUNTS = ("orders", "units", "cancelled_orders", "cancelled_units", "returns", "returned_units")
MONEY = ("spent", "returned", "refunded")
SALES = sales.Sales()

Figures = Mapping[str, int]
Place = tuple[str, str, tuple[str, ...]]  # axis, bucket, values
Brought = dict[Place, Counter[str]]
OfDay = tuple[str, str, tuple[str, ...], Figures]  # likewise, with a day for the bucket


@dataclass(frozen=True, slots=True)
class Market:
    channel: str
    currency: str
    country: str


@dataclass(frozen=True, slots=True)
class Deed:
    """What an event adds to a customer; `day` is the event's, in the report's time zone. `placed`:
    an order was placed just `at`."""

    at: datetime
    day: str
    order_id: str
    market: Market
    figures: Figures
    placed: bool = False


@dataclass(frozen=True, slots=True)
class First:
    at: datetime
    order_id: str
    day: str
    market: Market


@dataclass(frozen=True, slots=True)
class Active:
    """A day of a customer in a market; `net` in minor units."""

    day: str
    market: Market
    orders: int
    net: int


@dataclass(frozen=True, slots=True)
class Lifetime:
    """Of one identity. `money`: by name and currency, minor units; `days`: sorted."""

    figures: dict[str, int] = field(default_factory=dict)
    money: dict[str, dict[str, int]] = field(default_factory=dict)
    first: First | None = None
    last_at: datetime | None = None
    days: tuple[Active, ...] = ()

    @property
    def channels(self) -> frozenset[str]:
        return frozenset(each.market.channel for each in self.days if each.orders)

    @property
    def countries(self) -> frozenset[str]:
        return frozenset(each.market.country for each in self.days if each.orders)


class Customers:
    name = CUSTOMERS
    kinds: frozenset[type[Any]] = frozenset(
        {
            e.OrderPlaced,
            e.OrderLinesCancelled,
            e.OrderCancelled,
            e.OrderEdited,
            e.RefundGranted,
            e.ReturnSettled,
            e.ReturnRequested,
        }
    )

    def counts(self, told: Told, known: Known) -> Iterable[Count]:
        header, placed = known.header(), isinstance(told.event, e.OrderPlaced)
        at = header.placed_at if placed else told.at
        of = (
            header.customer_id,
            told.order_id,
            header.channel,
            header.currency,
            header.country,
            day_bucket(at, known.zone),
            "placed" if placed else "",
        )
        yield Count(CUSTOMERS, PERSON, at.isoformat(), of, _figures(told, known))

    def remembers(self, told: Told) -> Mapping[str, str]:  # noqa: ARG002
        return {}


def _figures(told: Told, known: Known) -> Figures:
    """As the sales report counts them for the event's market."""
    if isinstance(told.event, e.ReturnRequested):
        return {"returns": 1}
    sold = next(count.figures for count in SALES.counts(told, known) if count.axis == sales.MARKET)
    spent = sold.get("gross", 0) - sold.get("discounts", 0) - sold.get("cancelled", 0)
    names = (*COUNTS, "returned", "refunded")
    return {**{name: sold[name] for name in names if sold.get(name)}, "spent": spent}


def deed_of(count: Count) -> tuple[str, Deed]:
    """The customer, and what the count adds to them."""
    customer_id, order_id, channel, currency, country, day, placed = count.of
    market = Market(channel, currency, country)
    at = datetime.fromisoformat(count.bucket)
    return customer_id, Deed(at, day, order_id, market, count.figures, placed == "placed")


def lived(before: Lifetime, deeds: Iterable[Deed]) -> Lifetime:
    """The same, whatever the order of deeds."""
    figures = Counter(before.figures)
    money = {name: Counter(sums) for name, sums in before.money.items()}
    days = {(x.day, x.market): Counter(orders=x.orders, net=x.net) for x in before.days}
    first, last = before.first, before.last_at
    for deed in deeds:
        _add(deed, figures, money)
        days.setdefault((deed.day, deed.market), Counter()).update(_of_day(deed))
        if deed.placed:
            first = _earlier(first, First(deed.at, deed.order_id, deed.day, deed.market))
            last = max(last, deed.at) if last else deed.at
    return Lifetime(
        {name: figures[name] for name in sorted(figures)},
        {name: dict(sorted(money[name].items())) for name in sorted(money)},
        first,
        last,
        tuple(_active(days)),
    )


def _add(deed: Deed, figures: Counter[str], money: dict[str, Counter[str]]) -> None:
    figures.update({name: deed.figures[name] for name in COUNTS if name in deed.figures})
    for name in MONEY:
        if deed.figures.get(name):
            money.setdefault(name, Counter())[deed.market.currency] += deed.figures[name]


def _of_day(deed: Deed) -> Figures:
    said = deed.figures
    return {
        "orders": said.get("orders", 0),
        "net": said.get("spent", 0) - said.get("returned", 0),
    }


def _earlier(one: First | None, other: First) -> First:
    if one is None:
        return other
    return min(one, other, key=lambda each: (each.at, each.order_id))


def _active(days: Mapping[tuple[str, Market], Counter[str]]) -> Iterator[Active]:
    def place(key: tuple[str, Market]) -> tuple[str, ...]:
        return key[0], key[1].channel, key[1].currency, key[1].country

    for key in sorted(days, key=place):
        yield Active(*key, days[key]["orders"], days[key]["net"])


def moved(customer_id: str, before: Lifetime, after: Lifetime) -> Brought:
    """What the rows of the report must be changed by, as the customer is another one now."""
    change = brought(customer_id, after)
    for place, figures in brought(customer_id, before).items():
        change.setdefault(place, Counter()).subtract(figures)
    found = {
        place: Counter({name: x for name, x in figures.items() if x})
        for place, figures in change.items()
    }
    return {place: figures for place, figures in found.items() if figures}


def brought(customer_id: str, life: Lifetime) -> Brought:
    """All that one customer brings to the report."""
    found: Brought = {}
    guest = customer_id.startswith(GUEST)
    for axis, day, of, figures in (*_of_market(life, guest=guest), *_of_cohort(life, guest=guest)):
        for bucket in (day, day[:7]):
            found.setdefault((axis, bucket, of), Counter()).update(figures)
    for axis, day, of in () if guest else (*_buyers(life), *_cohort_buyers(life)):
        for bucket in (day, day[:7]):
            found[axis, bucket, of] = Counter(customers=1)
    return found


def _of_market(life: Lifetime, *, guest: bool) -> Iterator[OfDay]:
    for each in life.days:
        figures = {"orders": each.orders, "net": each.net}
        if guest:
            figures["guest_orders"] = each.orders
        yield MARKET, each.day, _values(each.market), figures
    if life.first and not guest:
        yield MARKET, life.first.day, _values(life.first.market), {"new_customers": 1}


def _of_cohort(life: Lifetime, *, guest: bool) -> Iterator[OfDay]:
    if guest or life.first is None:
        return
    cohort, currency = life.first.day[:7], life.first.market.currency
    yield COHORT, life.first.day, (cohort, "0", currency), {"cohort_customers": 1}
    for each in life.days:
        of = (cohort, _since(cohort, each.day), each.market.currency)
        yield COHORT, each.day, of, {"orders": each.orders, "net": each.net}


def _buyers(life: Lifetime) -> Iterator[Place]:
    for each in life.days:
        values = {"channel": each.market.channel, "country": each.market.country}
        for axis, names in BUYERS.items() if each.orders else ():
            yield axis, each.day, (each.market.currency, *(values[name] for name in names))


def _cohort_buyers(life: Lifetime) -> Iterator[Place]:
    if life.first is None:
        return
    cohort = life.first.day[:7]
    for each in life.days:
        if each.orders:
            currency = each.market.currency
            yield COHORT_BUYERS, each.day, (cohort, currency)
            yield COHORT_BUYERS_SINCE, each.day, (cohort, _since(cohort, each.day), currency)


def _values(market: Market) -> tuple[str, ...]:
    return market.channel, market.currency, market.country


def _since(cohort: str, day: str) -> str:
    """Whole months of the calendar; what an order that came late turns back is none."""
    months = (int(day[:4]) - int(cohort[:4])) * 12 + int(day[5:7]) - int(cohort[5:7])
    return str(months)


def counts_of(many: Iterable[Brought]) -> list[Count]:
    total: Brought = {}
    for each in many:
        for place, figures in each.items():
            total.setdefault(place, Counter()).update(figures)
    return [Count(CUSTOMERS, *place, figures) for place, figures in sorted(total.items())]
