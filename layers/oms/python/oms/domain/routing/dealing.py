"""From units by row back to order lines: which location ships which units of which line."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from oms.domain.routing.decision import Assignment, Demand
from oms.domain.routing.problem import Problem, Row
from oms.domain.routing.snapshot import Wanted
from oms.domain.sourcing import Shipment


def assignments(problem: Problem, shipments: Sequence[Shipment]) -> tuple[Assignment, ...]:
    """By location id, each with its lines by line id."""
    lines: defaultdict[str, list[Demand]] = defaultdict(list)
    for number, row in enumerate(problem.rows):
        quotas = {each.location_id: each.quantities[number] for each in shipments}
        for location_id, part in _dealt(_shipped(row, problem.quantities[number]), quotas):
            lines[location_id].append(part)
    costs = {each.location_id: _cost(problem, each) for each in shipments}
    return tuple(
        _assignment(problem, location_id, lines[location_id], costs[location_id])
        for location_id in sorted(lines)
    )


def _assignment(
    problem: Problem, location_id: str, lines: Sequence[Demand], cost: int
) -> Assignment:
    facts = problem.candidate(location_id).facts
    return Assignment(
        location_id,
        tuple(sorted(lines, key=lambda part: part.line_id)),
        cost,
        facts.ship_on,
        facts.ship_by,
        facts.deliver_by,
    )


def _cost(problem: Problem, shipment: Shipment) -> int:
    return problem.candidate(shipment.location_id).source.cost(shipment.quantities)


def _shipped(row: Row, units: int) -> Iterator[tuple[Wanted, int]]:
    """What of each line is shipped at all: the first lines first."""
    for wanted in row.lines:
        if taken := min(units, wanted.quantity):
            yield wanted, taken
            units -= taken


def _dealt(
    lines: Iterator[tuple[Wanted, int]], quotas: Mapping[str, int]
) -> Iterator[tuple[str, Demand]]:
    """A line is split only when no location's quota takes it whole."""
    left = {where: quota for where, quota in sorted(quotas.items()) if quota}
    split = []
    for wanted, units in sorted(lines, key=lambda line: (-line[1], line[0].line_id)):
        whole = [where for where, quota in left.items() if quota >= units]
        if whole:
            where = min(whole, key=lambda where: (left[where], where))
            left[where] -= units
            yield where, Demand(wanted.line_id, wanted.sku, units)
        else:
            split.append((wanted, units))
    for wanted, units in split:
        yield from _split(wanted, units, left)


def _split(wanted: Wanted, units: int, left: dict[str, int]) -> Iterator[tuple[str, Demand]]:
    for where in left:
        if taken := min(units, left[where]):
            left[where] -= taken
            units -= taken
            yield where, Demand(wanted.line_id, wanted.sku, taken)
