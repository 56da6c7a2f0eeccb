"""How a report says what it counts of an event; the engine counts it once, whatever comes twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any, Protocol

from oms.domain.order import Fact, Order


@dataclass(frozen=True, slots=True)
class Told:
    """An event as it was told. `subject`: the order's id, or what else it is about: a SKU, a
    location, an account; `order_id` is empty then. `event` is the event itself, of `kinds`."""

    event_id: str
    at: datetime
    actor: str
    order_id: str
    subject: str
    event: Any


@dataclass(frozen=True, slots=True)
class Header:
    """What an order is from its first event on; `country` is where it goes, an ISO code."""

    channel: str
    currency: str
    country: str
    customer_id: str
    placed_at: datetime


@dataclass(frozen=True, slots=True)
class Count:
    """`figures` are added to one row: of an axis, in a bucket (`hour_bucket`, `day_bucket`,
    `month_bucket`), for these values of the axis. `once`: only by the first that has this name in
    this row, as is a customer of a month."""

    report: str
    axis: str
    bucket: str
    of: tuple[str, ...]
    figures: Mapping[str, int]
    once: str = ""


class Known(Protocol):
    """What is known when an event is counted: the same, however often it is counted."""

    @property
    def zone(self) -> tzinfo:
        """Whose days the report has."""
        ...

    def header(self) -> Header:
        """Of the event's order, in whatever order its events came."""
        ...

    def remembered(self, name: str) -> str | None:
        """What the projection asked to keep of the order's events, of those that came so far."""
        ...

    def order(self) -> Order:
        """As it was just before this event: reads its history. For what a header cannot tell."""
        ...

    def facts(self) -> Sequence[Fact]:
        """Of the order, before this event; also those that are told to nobody."""
        ...


class Projection(Protocol):
    """`kinds`: the events that it counts or remembers. All is pure: it may be asked twice."""

    @property
    def name(self) -> str: ...

    @property
    def kinds(self) -> frozenset[type[Any]]: ...

    def counts(self, told: Told, known: Known) -> Iterable[Count]: ...

    def remembers(self, told: Told) -> Mapping[str, str]:
        """Short facts of the order, by names of the projection's own; later ones of a name are
        not kept."""
        ...


def hour_bucket(at: datetime) -> str:
    """Hours are those of UTC, whatever days a report has."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H")


def day_bucket(at: datetime, zone: tzinfo) -> str:
    return at.astimezone(zone).date().isoformat()


def month_bucket(at: datetime, zone: tzinfo) -> str:
    return day_bucket(at, zone)[:7]
