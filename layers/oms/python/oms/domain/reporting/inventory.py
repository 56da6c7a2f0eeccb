"""Inventory: what lay where at the end of a day, what moved during it, and how old it is.

Positions are those at the day's end, of a SKU at a location; figures of several days have the last
day's. `value` is at the cost of that day, `units_without_cost` have none.

received         new goods that came in; returned_in: customers' that went back into stock; arrived:
                 from a supplier or another location, as announced
sold             units that left to customers; sent: to another location
damaged, lost, theft, expired, sample, returned_to_vendor, own_use, donated   written off, less what
                 was put back for that reason
found            put into stock; corrected: by hand, either way
counted_more, counted_less   what counts found; missing: that pickers did not find
told_late        either way: of days that had been counted when it was told
on_hand_days     units × days that they lay there; sku_days: SKUs × locations × days
stock_out_days   of them, that ended with nothing available; stock_out_seconds: had nothing
aged_…           units by the days since they came in; what goes out is what came first. Units that
                 arrive from another location begin anew

`on_hand` = the day's before + what came less what went, always.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from oms.domain.inventory import NO_EFFECT, AdjustmentReason, Effect, Level, Movement, MovementKind
from oms.domain.reporting.base import Count
from oms.domain.reporting.description import DAY, Axis, Derived, Report, added, ratio

INVENTORY = "inventory"
STOCK, PLACE = "stock", "place"
OF_STOCK = ("sku", "location", "category", "currency")
OF_PLACE = OF_STOCK[1:]

CAME = ("received", "returned_in", "arrived", "found", "corrected", "counted_more", "told_late")
SHRUNK = ("damaged", "lost", "theft", "expired", "counted_less", "missing")
WENT = ("sold", "sent", *SHRUNK, "sample", "returned_to_vendor", "own_use", "donated")
AGES = {"aged_0_30": 30, "aged_31_60": 60, "aged_61_90": 90, "aged_91_180": 180}
OLDEST = "aged_over_180"
POSITIONS = ("on_hand", "available", "reserved", "incoming")
CLOSING = frozenset({*POSITIONS, *AGES, OLDEST, "value", "units_without_cost"})
FIGURES = (
    *POSITIONS,
    "value",
    "units_without_cost",
    *AGES,
    OLDEST,
    *CAME,
    *WENT,
    "on_hand_days",
    "sku_days",
    "stock_out_days",
    "stock_out_seconds",
)
OF_KIND = {
    MovementKind.RECEIVED: "received",
    MovementKind.ARRIVED: "arrived",
    MovementKind.CONSUMED: "sold",
    MovementKind.SENT: "sent",
    MovementKind.MISSING: "missing",
}
PUT_BACK = {  # of adjustments that add units
    AdjustmentReason.CUSTOMER_RETURN: "returned_in",
    AdjustmentReason.FOUND: "found",
    AdjustmentReason.CORRECTION: "corrected",
}

Figures = Mapping[str, int]
Layer = tuple[int, int]  # the ordinal of the day on which units came in, and how many are left


@dataclass(frozen=True, slots=True)
class Terms:
    """What a stock item was on the day: `sku` is what it was called. Minor units of `currency`."""

    item: str
    sku: str
    category: str = ""
    active: bool = True
    unit_cost: int | None = None
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Window:
    """A day, from `begins` until before `ends`."""

    on: date
    begins: datetime
    ends: datetime
    zone: tzinfo = UTC

    @classmethod
    def of(cls, on: date, zone: tzinfo) -> Window:
        first = datetime.combine(on, time(), zone)
        last = datetime.combine(on + timedelta(days=1), time(), zone)
        return cls(on, first.astimezone(UTC), last.astimezone(UTC), zone)


@dataclass(frozen=True, slots=True)
class Shelf:
    """A stock item at a location: its counters, and the units that are left of each day, the oldest
    first."""

    on_hand: int = 0
    available: int = 0
    reserved: int = 0
    incoming: int = 0
    layers: tuple[Layer, ...] = ()

    @property
    def counters(self) -> Effect:
        return Effect(self.on_hand, self.available, self.reserved, self.incoming)

    def moved(self, on: date, effect: Effect) -> Shelf:
        layers = self.layers
        if effect.on_hand > 0:
            layers = _laid(layers, (on.toordinal(), effect.on_hand))
        elif effect.on_hand < 0:
            layers = _taken(layers, -effect.on_hand)
        return Shelf(*self.counters.plus(effect), layers)

    def settled(self, on: date) -> Shelf:
        """Layers have all units that are on hand, though what went was told before what came; what
        is older than any age that is told apart is one."""
        beyond = sum(units for _, units in self.layers) - max(0, self.on_hand)
        layers = self.layers
        if beyond > 0:
            layers = _taken(layers, beyond)
        elif beyond < 0:
            layers = _laid(layers, (on.toordinal(), -beyond))
        return Shelf(*self.counters, _together(layers, on))

    def ages(self, on: date) -> dict[str, int]:
        found: Counter[str] = Counter()
        for came, units in self.layers:
            found[_age(on.toordinal() - came)] += units
        return dict(found)


EMPTY = Shelf()


@dataclass(slots=True)
class Course:
    """What happens on a shelf during a day; movements come in the order of their instants."""

    window: Window
    shelf: Shelf
    since: datetime
    figures: Counter[str] = field(default_factory=Counter)
    moves: int = 0

    def take(self, movement: Movement) -> None:
        self._wait(movement.at)
        self.shelf = self.shelf.moved(self.window.on, movement.effect)
        self.figures.update(flow(movement))
        self.moves += 1

    def end(self, closing: Effect) -> None:
        """What the ledger says of the day's end by now: the rest was told late."""
        self._wait(self.window.ends)
        late = closing.plus(self.shelf.counters.times(-1))
        if late != NO_EFFECT:
            self.shelf = self.shelf.moved(self.window.on, late)
            self.figures["told_late"] += late.on_hand
            self.moves += 1
        self.shelf = self.shelf.settled(self.window.on)

    def told(self, terms: Terms) -> dict[str, int]:
        """The figures of the day that has ended."""
        found = {name: n for name, n in self.figures.items() if name != "stock_out_seconds"}
        found |= dict(zip(POSITIONS, self.shelf.counters, strict=True))
        found |= self.shelf.ages(self.window.on)
        found |= {"on_hand_days": self.shelf.on_hand, "sku_days": 1}
        found |= _valued(self.shelf.on_hand, terms)
        if terms.active:
            found["stock_out_days"] = int(self.shelf.available <= 0)
            found["stock_out_seconds"] = self.figures["stock_out_seconds"]
        return {name: figure for name, figure in found.items() if figure}

    def matters(self, terms: Terms) -> bool:
        """What is retired, and has gone, is not told of any more."""
        return bool(terms.active or self.moves or any(self.shelf.counters))

    def _wait(self, until: datetime) -> None:
        if self.shelf.available <= 0:
            self.figures["stock_out_seconds"] += int((until - self.since).total_seconds())
        self.since = until


@dataclass(slots=True)
class Walk:
    """Through the movements of one stock item. Shelves that nobody has counted begin with its
    first movement; those that are `known` are as they were when the day began."""

    window: Window
    known: Mapping[str, Shelf]
    begun: dict[str, Shelf] = field(default_factory=dict)
    courses: dict[str, Course] = field(default_factory=dict)
    after: dict[str, Effect] = field(default_factory=dict)

    def take(self, movement: Movement) -> None:
        at, place = movement.at, movement.location
        if at >= self.window.ends:
            self.after[place] = self.after.get(place, NO_EFFECT).plus(movement.effect)
        elif at >= self.window.begins:
            self._course(place, at).take(movement)
        elif place not in self.known:
            on, shelf = at.astimezone(self.window.zone).date(), self.begun.get(place, EMPTY)
            self.begun[place] = shelf.moved(on, movement.effect)

    def ended(self, levels: Iterable[Level]) -> dict[str, Course]:
        """`levels`: as they are after all movements."""
        now = {level.location: level.counters for level in levels}
        for place in sorted({*now, *self.known, *self.courses}):
            since = self.after.get(place, NO_EFFECT)
            course = self._course(place, self.window.begins)
            course.end(now.get(place, NO_EFFECT).plus(since.times(-1)))
        return self.courses

    def _course(self, place: str, at: datetime) -> Course:
        """A shelf on which nothing ever lay begins then, and was not out of stock before."""
        if place not in self.courses:
            before = self.known.get(place) or self.begun.get(place)
            shelf = (before or EMPTY).settled(self.window.on)
            since = at if before is None else self.window.begins
            self.courses[place] = Course(self.window, shelf, since)
        return self.courses[place]


def flow(movement: Movement) -> dict[str, int]:
    """What people call it; reservations move nothing."""
    units = movement.effect.on_hand
    if not units:
        return {}
    if movement.kind is MovementKind.COUNTED:
        return {"counted_more": units} if units > 0 else {"counted_less": -units}
    if movement.kind is MovementKind.ADJUSTED:
        return _adjusted(movement.reason, units)
    if movement.reason == AdjustmentReason.CUSTOMER_RETURN:
        return {"returned_in": units}
    return {OF_KIND[movement.kind]: abs(units)}


def counts(terms: Terms, place: str, window: Window, figures: Figures) -> Count:
    of = (terms.sku, place, terms.category, terms.currency)
    return Count(INVENTORY, STOCK, window.on.isoformat(), of, figures)


def by_place(window: Window, rows: Iterable[tuple[tuple[str, ...], Figures]]) -> Iterator[Count]:
    """All SKUs of a day, added up; `rows` are of `OF_STOCK`."""
    found: dict[tuple[str, ...], Counter[str]] = {}
    for (_, *of), figures in rows:
        found.setdefault(tuple(of), Counter()).update(figures)
    for place, sums in found.items():
        yield Count(INVENTORY, PLACE, window.on.isoformat(), place, sums)


def _adjusted(reason: str, units: int) -> dict[str, int]:
    if reason in PUT_BACK:
        return {PUT_BACK[AdjustmentReason(reason)]: units}
    return {reason: -units} if reason in WENT else {"corrected": units}


def _valued(on_hand: int, terms: Terms) -> dict[str, int]:
    if terms.unit_cost is None:
        return {"units_without_cost": on_hand}
    return {"value": on_hand * terms.unit_cost}


def _laid(layers: tuple[Layer, ...], new: Layer) -> tuple[Layer, ...]:
    day, units = new
    if layers and layers[-1][0] >= day:
        last, there = layers[-1]
        return (*layers[:-1], (last, there + units))
    return (*layers, new)


def _taken(layers: tuple[Layer, ...], units: int) -> tuple[Layer, ...]:
    """The oldest first; no more than there is."""
    for place, (day, there) in enumerate(layers):
        if there > units:
            return ((day, there - units), *layers[place + 1 :])
        units -= there
    return ()


def _together(layers: tuple[Layer, ...], on: date) -> tuple[Layer, ...]:
    old = [layer for layer in layers if _age(on.toordinal() - layer[0]) == OLDEST]
    if len(old) < 2:
        return layers
    return ((old[0][0], sum(units for _, units in old)), *layers[len(old) :])


def _age(days: int) -> str:
    return next((name for name, most in AGES.items() if days <= most), OLDEST)


def _over(name: str, part: str, times: str, whole: str, places: int) -> Derived:
    def made(figures: Figures) -> float | None:
        of = figures.get(whole, 0)
        return round(figures.get(part, 0) * figures.get(times, 0) / of, places) if of else None

    return Derived(name, made, (part, times, whole))


def _shrinkage(figures: Figures) -> float | None:
    of, lost = figures.get("on_hand_days", 0), sum(figures.get(name, 0) for name in SHRUNK)
    return round(lost * figures.get("days", 0) / of, 4) if of else None


def _opening(figures: Figures) -> int:
    came = sum(figures.get(name, 0) for name in CAME)
    return figures.get("on_hand", 0) - came + sum(figures.get(name, 0) for name in WENT)


REPORT = Report(
    INVENTORY,
    axes=(
        Axis(PLACE, OF_PLACE, (*FIGURES, "days"), frozenset({DAY}), closing=CLOSING),
        Axis(STOCK, OF_STOCK, (*FIGURES, "days"), frozenset({DAY}), most_days=92, closing=CLOSING),
    ),
    derived=(
        Derived("opening_on_hand", _opening, ("on_hand", *CAME, *WENT)),
        ratio("average_on_hand", "on_hand_days", "days"),
        _over("turnover", "sold", "days", "on_hand_days", 4),
        _over("days_of_cover", "on_hand", "days", "sold", 1),
        ratio("stock_out_share", "stock_out_days", "sku_days"),
        added("shrinkage_units", *SHRUNK),
        Derived("shrinkage_rate", _shrinkage, (*SHRUNK, "on_hand_days", "days")),
    ),
    default=(DAY, "location"),
    money=frozenset({"value"}),
)
