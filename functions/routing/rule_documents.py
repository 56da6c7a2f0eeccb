"""Rule sets as they are written down, and as the domain reads them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from oms.contracts.api.routing import ExampleGiven, ExampleLocation, ExampleOrder, RuleSetGiven
from oms.domain.lines import Part
from oms.domain.locations import LocationKind
from oms.domain.routing import Destination, RoutingOutcome
from oms.domain.routing.rules import Example, Objective, Rule, RuleSet, Then, Tier, When
from oms.domain.routing.snapshot import LocationFacts, OrderFacts, Snapshot, Wanted

EXAMPLE_MOMENT = datetime(2026, 1, 1, tzinfo=UTC)  # examples give days, never hours


def rule_set_of(said: RuleSetGiven, version: int) -> RuleSet:
    return RuleSet(
        name=said.name,
        version=version,
        objective=Objective(said.objective),
        tiers=tuple(map(Tier, said.tiers)),
        cost_band=said.cost_band,
        split_penalty=said.split_penalty,
        max_splits=said.max_splits,
        hard_promise=said.hard_promise,
        exclusion_hours=said.exclusion_hours,
        window_seconds=said.window_seconds,
        scarce_below=said.scarce_below,
        rules=tuple(
            Rule(
                rule.name,
                When(**_tuples(rule.when.model_dump())),
                _then(rule.then.model_dump()),
            )
            for rule in said.rules
        ),
        examples=tuple(map(_example, said.examples)),
    )


def _tuples(members: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(each) if isinstance(each, list) else each for name, each in members.items()}


def _then(members: dict[str, Any]) -> Then:
    read = _tuples(members)
    for name in ("exclude_kinds", "only_kinds"):
        read[name] = tuple(map(LocationKind, read[name]))
    if read["objective"] is not None:
        read["objective"] = Objective(read["objective"])
    return Then(**read)


def _example(said: ExampleGiven) -> Example:
    order = _order(said)
    locations = tuple(_location(each, order) for each in said.locations)
    return Example(
        said.name,
        Snapshot(order, locations, EXAMPLE_MOMENT),
        tuple(sorted(said.expect.locations)),
        RoutingOutcome(said.expect.outcome),
    )


def _order(said: ExampleGiven) -> OrderFacts:
    order = said.order
    where = order.destination
    return OrderFacts(
        order_id=said.name,
        channel=order.channel,
        currency=order.currency,
        value=order.value,
        destination=Destination(where.country, where.region, where.postal_code),
        method=order.method,
        wanted=_wanted(order),
        tags=tuple(order.tags),
        customer_tier=order.customer_tier,
        deliver_by=order.deliver_by,
        pickup_location=order.pickup_location,
        allow_partial=order.allow_partial,
        segments=tuple(order.segments),
    )


def _wanted(order: ExampleOrder) -> tuple[Wanted, ...]:
    return tuple(
        Wanted(
            f"line_{number}",
            line.sku,
            line.quantity,
            tuple(Part(part.item, part.quantity) for part in line.takes),
            tuple(line.tags),
        )
        for number, line in enumerate(order.lines, 1)
    )


def _location(said: ExampleLocation, order: OrderFacts) -> LocationFacts:
    return LocationFacts(
        location_id=said.location_id,
        kind=LocationKind(said.kind),
        country=said.country,
        available=tuple(sorted(said.stock.items())),
        fixed_cost=said.fixed_cost,
        unit_costs=(said.unit_cost,) * len(order.wanted),
        capacity=said.capacity,
        closed=said.closed,
        methods=tuple(said.methods),
        handles=tuple(said.handles),
        tags=tuple(said.tags),
        pickup=said.pickup,
        deliver_by=said.deliver_by,
        distance_km=said.distance_km,
        cover_days=tuple(sorted(said.cover_days.items())),
    )
