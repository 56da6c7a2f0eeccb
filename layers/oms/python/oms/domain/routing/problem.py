"""An order as the solver sees it: rows instead of lines, the locations that may ship it.

Lines that take the same of the same stock at the same cost are one row. Rows that share a stock
item without being alike, such as two kits with a part in common, draw on pools.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from oms.domain.routing.decision import Rejection
from oms.domain.routing.filters import handles, objections, per_unit
from oms.domain.routing.rules import Effective
from oms.domain.routing.snapshot import LocationFacts, Snapshot, Wanted
from oms.domain.sourcing import Source
from oms.domain.sourcing.joint import Draw, Pool


@dataclass(frozen=True, slots=True)
class Row:
    """`line` is where the unit costs of all its lines stand."""

    takes: Mapping[str, int]
    lines: tuple[Wanted, ...]
    line: int

    @property
    def quantity(self) -> int:
        return sum(wanted.quantity for wanted in self.lines)


class Candidate(NamedTuple):
    """A location that may ship the order; the source is at its own costs, without penalties."""

    facts: LocationFacts
    source: Source

    @property
    def location_id(self) -> str:
        return self.facts.location_id


@dataclass(frozen=True)
class Problem:
    """`quantities` are the units by row that are to be shipped now."""

    snapshot: Snapshot
    rules: Effective
    rows: tuple[Row, ...]
    quantities: tuple[int, ...]
    candidates: tuple[Candidate, ...]
    rejected: tuple[Rejection, ...] = ()

    @classmethod
    def read(cls, snapshot: Snapshot, rules: Effective) -> Problem:
        order = snapshot.order
        locations = sorted(snapshot.locations, key=lambda each: each.location_id)
        against = [(each, tuple(objections(order, each, rules))) for each in locations]
        rows = tuple(_rows(order.wanted, locations))
        rejected = [(each.location_id, reasons) for each, reasons in against if reasons]
        return cls(
            snapshot,
            rules,
            rows,
            tuple(row.quantity for row in rows),
            tuple(_candidate(each, rows) for each, reasons in against if not reasons),
            tuple(Rejection(identity, reasons[0], reasons) for identity, reasons in rejected),
        )

    def without(self, location_id: str) -> Problem:
        return self.among(each for each in self.candidates if each.location_id != location_id)

    def among(self, candidates: Iterable[Candidate]) -> Problem:
        return replace(self, candidates=tuple(candidates))

    def shipping(self, quantities: Sequence[int]) -> Problem:
        return replace(self, quantities=tuple(quantities))

    @property
    def location_ids(self) -> tuple[str, ...]:
        return tuple(each.location_id for each in self.candidates)

    def candidate(self, location_id: str) -> Candidate:
        return next(each for each in self.candidates if each.location_id == location_id)

    @cached_property
    def pools(self) -> tuple[Pool, ...]:
        """Stock that is too little for all rows that take of it together."""
        return tuple(self._pools(dict(self._shared()))) if len(self.rows) > 1 else ()

    def _shared(self) -> Iterator[tuple[str, tuple[Draw, ...]]]:
        draws: defaultdict[str, list[Draw]] = defaultdict(list)
        for number, row in enumerate(self.rows):
            for item, units in row.takes.items():
                draws[item].append(Draw(0, number, units))
        for item, drawn in sorted(draws.items()):
            if len(drawn) > 1:
                yield item, tuple(drawn)

    def _pools(self, shared: Mapping[str, tuple[Draw, ...]]) -> Iterator[Pool]:
        for each in self.candidates if shared else ():
            available = dict(each.facts.available)
            for item, draws in shared.items():
                asked = sum(self.quantities[draw.line] * draw.per_unit for draw in draws)
                if asked > (units := available.get(item, 0)):
                    yield Pool(each.location_id, max(0, units), draws)


def _candidate(location: LocationFacts, rows: Sequence[Row]) -> Candidate:
    available = dict(location.available)
    source = Source(
        location.location_id,
        location.fixed_cost,
        tuple([location.unit_costs[row.line] for row in rows]),
        tuple([_stock(row, location, available) for row in rows]),
        location.capacity,
    )
    return Candidate(location, source)


def _rows(wanted: Sequence[Wanted], locations: Sequence[LocationFacts]) -> Iterator[Row]:
    alike: defaultdict[object, list[int]] = defaultdict(list)
    for line in sorted(range(len(wanted)), key=lambda line: wanted[line].line_id):
        takes = tuple(sorted(per_unit(wanted[line]).items()))
        costs = tuple(each.unit_costs[line] for each in locations)
        alike[takes, tuple(sorted(set(wanted[line].tags))), costs].append(line)
    for lines in alike.values():
        members = tuple(wanted[line] for line in lines)
        yield Row(per_unit(members[0]), members, lines[0])


def _stock(row: Row, location: LocationFacts, available: Mapping[str, int]) -> int:
    if row.lines[0].tags and not handles(location, row.lines[0]):
        return 0
    units = min([available.get(item, 0) // each for item, each in row.takes.items()])
    return units if units > 0 else 0


def shortage(problem: Problem, shipped: Sequence[int]) -> tuple[tuple[str, int], ...]:
    """Units by line that are not shipped, the last lines of a row first."""
    short: Counter[str] = Counter()
    for row, units in zip(problem.rows, shipped, strict=True):
        missing = row.quantity - units
        for wanted in reversed(row.lines):
            short[wanted.line_id] = min(missing, wanted.quantity)
            missing -= short[wanted.line_id]
    return tuple((line_id, units) for line_id, units in sorted(short.items()) if units)
