"""Where a cart's units are kept: in one place if any has them all, else in as few as can be found.

A kit ships whole: all that one unit of a line takes lies in one place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from oms.domain.availability import whole_units
from oms.domain.errors import Refused
from oms.domain.inventory import Level
from oms.domain.locations import Location
from oms.domain.network.geography import distance_km, place_of
from oms.domain.stock_holds import HeldLine, Where

MAX_COMBINATIONS = 2_000  # of two or three places that are tried before the fullest are taken
MAX_TRIED = 3
NEARBY_KM = 100  # what is about as far is chosen by its costs


@dataclass(frozen=True, slots=True)
class ShortLine:
    """Of a line of the cart, `place` in it: whole units that can be had of it."""

    place: int
    sku: str
    requested: int
    available: int


class NotEnough(Refused):
    """Every line that cannot be held whole is named; nothing was taken or given back."""

    def __init__(self, short: Iterable[ShortLine]) -> None:
        self.short = tuple(short)
        told = (f"{x.requested} of {x.sku}, {x.available} available" for x in self.short)
        super().__init__("; ".join(told))


@dataclass(frozen=True, slots=True)
class Shelf:
    """What a cart may take of each stock item at one location: what is free above safety stock,
    and what it has there already."""

    location: Location
    units: Mapping[str, int]
    own: bool = False


def shelves(
    locations: Sequence[Location],
    levels: Mapping[str, Sequence[Level]],
    floors: Mapping[Where, int],
    own: Mapping[Where, int],
) -> list[Shelf]:
    units: dict[str, dict[str, int]] = {each.location_id: {} for each in locations}
    for level in (level for of_item in levels.values() for level in of_item):
        if level.location in units:
            at = (level.sku, level.location)
            free = max(0, level.available - floors.get(at, 0)) + own.get(at, 0)
            units[level.location][level.sku] = free
    has_own = {location for _, location in own}
    return [Shelf(x, units[x.location_id], x.location_id in has_own) for x in locations]


def chosen(
    lines: Sequence[HeldLine], shelves: Iterable[Shelf], country: str = "", postal_code: str = ""
) -> dict[Where, int]:
    """Units to hold, by stock item and location; `NotEnough` names the lines that are short."""
    ranked = sorted(
        (each for each in shelves if any(each.units.values())),
        key=lambda each: _rank(each, country, postal_code),
    )
    for some in _sets(ranked):
        taken, short = _filled(lines, some)
        if not any(short.values()):
            return taken
    return _from_the_fullest(lines, ranked)


def _sets(ranked: Sequence[Shelf]) -> Iterator[tuple[Shelf, ...]]:
    """One place after the other, then two of them, then three, the best ranked first."""
    tried = 0
    for size in range(1, MAX_TRIED + 1):
        for some in combinations(ranked, size):
            tried += 1
            if tried > MAX_COMBINATIONS:
                return
            yield some


def _rank(shelf: Shelf, country: str, postal_code: str) -> tuple[object, ...]:
    """Where the cart has units already, then its own country, then near, then cheap."""
    here = shelf.location
    return (
        not shelf.own,
        bool(country) and here.country != country,
        _far(here, country, postal_code),
        here.fixed_cost,
        here.unit_cost,
        here.location_id,
    )


def _far(location: Location, country: str, postal_code: str) -> int:
    """In steps; what nobody knows is as far as can be."""
    there, here = place_of(country, postal_code) if country else None, location.place
    if there is None or here is None:
        return 1_000
    return round(distance_km(here.point, there.point) / NEARBY_KM)


def _filled(
    lines: Sequence[HeldLine], some: Sequence[Shelf]
) -> tuple[dict[Where, int], dict[int, int]]:
    """What of the lines these give, and what each line still lacks, by its place. Kits first:
    what they leave serves the others."""
    left = {each.location.location_id: Counter(each.units) for each in some}
    taken: Counter[Where] = Counter()
    short: dict[int, int] = {}
    for place in sorted(range(len(lines)), key=lambda place: -len(lines[place].parts)):
        line = lines[place]
        short[place] = line.quantity
        for location, had in _by_supply(line, left):
            count = min(had, short[place])
            for part in line.parts:
                left[location][part.item] -= part.quantity * count
                taken[part.item, location] += part.quantity * count
            short[place] -= count
    return {where: units for where, units in taken.items() if units}, short


def _by_supply(line: HeldLine, left: Mapping[str, Counter[str]]) -> list[tuple[str, int]]:
    """Who has the line whole, in their order; then who has most of it."""
    supply = [
        (location, whole_units(line.parts, units.__getitem__)) for location, units in left.items()
    ]
    return sorted(supply, key=lambda each: -min(each[1], line.quantity))


def _from_the_fullest(lines: Sequence[HeldLine], ranked: Sequence[Shelf]) -> dict[Where, int]:
    """Who gives most of what is missing, again and again."""
    some: list[Shelf] = []
    taken, short = _filled(lines, some)
    while any(short.values()):
        rest = [each for each in ranked if each not in some]
        tries = [(sum(_filled(lines, [*some, each])[1].values()), each) for each in rest]
        lacking, best = min(tries, key=lambda each: each[0], default=(sum(short.values()), None))
        if best is None or lacking >= sum(short.values()):
            raise NotEnough(_short(lines, short))
        some.append(best)
        taken, short = _filled(lines, some)
    return taken


def _short(lines: Sequence[HeldLine], short: Mapping[int, int]) -> Iterator[ShortLine]:
    for place, line in enumerate(lines):
        if lacking := short[place]:
            yield ShortLine(place, line.sku, line.quantity, line.quantity - lacking)
