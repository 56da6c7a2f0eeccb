"""Small orders and networks, and what trying everything finds for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from itertools import combinations

from hypothesis import strategies as st

from oms.domain.lines import Part
from oms.domain.locations import LocationKind
from oms.domain.routing.decision import Decision, Destination
from oms.domain.routing.objective import ENOUGH_DAYS, UNKNOWN_KM
from oms.domain.routing.rules import RuleSet, Tier, effective
from oms.domain.routing.snapshot import LocationFacts, OrderFacts, Snapshot, Wanted

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
PROMISED = date(2026, 3, 5)

Plan = dict[str, tuple[int, ...]]  # by location: units by wanted line


def order(*wanted: Wanted, **facts: object) -> OrderFacts:
    given: dict[str, object] = {
        "order_id": "ord_1",
        "channel": "web",
        "currency": "EUR",
        "value": 5_000,
        "destination": Destination("FR"),
        "method": "standard",
        "wanted": wanted,
    }
    return OrderFacts(**{**given, **facts})  # type: ignore[arg-type]


def wants(**quantities: int) -> tuple[Wanted, ...]:
    return tuple(Wanted(f"line_{sku}", sku, quantity) for sku, quantity in quantities.items())


def place(
    name: str,
    stock: dict[str, int],
    fixed: int = 500,
    unit: int = 10,
    lines: int = 0,
    **facts: object,
) -> LocationFacts:
    given: dict[str, object] = {
        "location_id": name,
        "kind": LocationKind.WAREHOUSE,
        "country": "FR",
        "available": tuple(stock.items()),
        "fixed_cost": fixed,
        "unit_costs": (unit,) * (lines or len(stock)),
        "deliver_by": date(2026, 3, 4),
    }
    return LocationFacts(**{**given, **facts})  # type: ignore[arg-type]


def used(decision: Decision) -> list[str]:
    return [assignment.location_id for assignment in decision.plan]


@st.composite
def snapshots(draw: st.DrawFn, *, kits: bool = False) -> Snapshot:
    wanted = [
        Wanted(f"l{n}", sku, draw(st.integers(1, 2)), draw(parts) if kits else ())
        for n, sku in enumerate(draw(st.lists(st.sampled_from("AB"), min_size=1, max_size=3)))
    ]
    locations = [draw(_location(f"L{n}", len(wanted))) for n in range(draw(st.integers(1, 4)))]
    facts = order(*wanted, deliver_by=draw(st.sampled_from([None, PROMISED])))
    return Snapshot(facts, tuple(locations), AT)


parts = st.lists(
    st.builds(Part, st.sampled_from("AB"), st.integers(1, 2)), max_size=2
).map(tuple)  # fmt: skip
days = st.sampled_from([None, date(2026, 3, 4), PROMISED, date(2026, 3, 6)])


@st.composite
def _location(draw: st.DrawFn, name: str, lines: int) -> LocationFacts:
    costs = st.sampled_from([0, 1, 5, 20])
    same = draw(st.booleans())
    unit = draw(costs)
    return LocationFacts(
        name,
        LocationKind.STORE,
        "FR",
        tuple((item, draw(st.integers(0, 4))) for item in "AB"),
        draw(st.sampled_from([0, 1, 3, 20])),
        tuple(unit if same else draw(costs) for _ in range(lines)),
        capacity=draw(st.none() | st.integers(0, 4)),
        deliver_by=draw(days),
        distance_km=draw(st.sampled_from([None, 10, 12, 50])),
        cover_days=tuple((item, draw(st.sampled_from([5, 30, 90]))) for item in "AB"),
    )


def allocations(snapshot: Snapshot, chosen: Sequence[LocationFacts]) -> Iterator[Plan]:
    """Every way in which the chosen together ship all of it."""
    wanted = snapshot.order.wanted
    yield from _allocated(
        snapshot, chosen, {each.location_id: (0,) * len(wanted) for each in chosen}, 0, 0
    )


def _allocated(
    snapshot: Snapshot, chosen: Sequence[LocationFacts], plan: Plan, line: int, first: int
) -> Iterator[Plan]:
    wanted = snapshot.order.wanted
    if line == len(wanted):
        yield plan
        return
    if sum(units[line] for units in plan.values()) == wanted[line].quantity:
        yield from _allocated(snapshot, chosen, plan, line + 1, 0)
        return
    for number in range(first, len(chosen)):
        facts = chosen[number]
        units = plan[facts.location_id]
        more = (*units[:line], units[line] + 1, *units[line + 1 :])
        if is_possible(snapshot, facts, more):
            further = {**plan, facts.location_id: more}
            yield from _allocated(snapshot, chosen, further, line, number)


def is_possible(snapshot: Snapshot, facts: LocationFacts, units: Sequence[int]) -> bool:
    taken: dict[str, int] = {}
    for wanted, count in zip(snapshot.order.wanted, units, strict=True):
        for part in wanted.parts:
            taken[part.item] = taken.get(part.item, 0) + count * part.quantity
    available = dict(facts.available)
    within = facts.capacity is None or sum(units) <= facts.capacity
    return within and all(count <= available.get(item, 0) for item, count in taken.items())


def amounts(snapshot: Snapshot, plan: Plan, rule_set: RuleSet) -> dict[Tier, int]:
    """Of each tier, counted from scratch; the cost with its penalties."""
    facts = [(snapshot.location(name), units) for name, units in plan.items()]
    promise = snapshot.order.deliver_by
    days = [each.deliver_by or date.max for each, _ in facts]
    cost = sum(
        each.fixed_cost + sum(u * c for u, c in zip(units, each.unit_costs, strict=True))
        for each, units in facts
    )
    return {
        Tier.PROMISE: sum(promise is not None and day > promise for day in days),
        Tier.ARRIVAL: max(day.toordinal() for day in days),
        Tier.SHIPMENTS: len(facts),
        Tier.COST: cost + rule_set.split_penalty * (len(facts) - 1),
        Tier.STOCK_HEALTH: sum(_lacking(snapshot, each, units) for each, units in facts),
        Tier.DISTANCE: sum(
            UNKNOWN_KM if each.distance_km is None else each.distance_km for each, _ in facts
        ),
    }


def _lacking(snapshot: Snapshot, facts: LocationFacts, units: Sequence[int]) -> int:
    cover = dict(facts.cover_days)
    return sum(
        count * part.quantity * max(0, ENOUGH_DAYS - cover.get(part.item, ENOUGH_DAYS))
        for wanted, count in zip(snapshot.order.wanted, units, strict=True)
        for part in wanted.parts
    )


def tiers_of(snapshot: Snapshot, rule_set: RuleSet) -> tuple[Tier, ...]:
    tiers = effective(rule_set, snapshot.order).tiers
    return tiers if Tier.COST in tiers else (*tiers, Tier.COST)


def plans_of_sets(snapshot: Snapshot, rule_set: RuleSet) -> dict[tuple[str, ...], dict[Tier, int]]:
    """By set of locations: what it has of each tier with units where they cost least."""
    by_unit = [t for t in tiers_of(snapshot, rule_set) if t in {Tier.COST, Tier.STOCK_HEALTH}]
    found = {}
    for size in range(1, len(snapshot.locations) + 1):
        for chosen in combinations(snapshot.locations, size):
            counted = [amounts(snapshot, plan, rule_set) for plan in allocations(snapshot, chosen)]
            if counted and (rule_set.max_splits is None or size <= rule_set.max_splits + 1):
                ids = tuple(sorted(each.location_id for each in chosen))
                found[ids] = min(counted, key=lambda has: [has[tier] for tier in by_unit])
    return found


def tried_everything(snapshot: Snapshot, rule_set: RuleSet) -> tuple[int, ...] | None:
    """What the best plan has of each tier."""
    left = list(plans_of_sets(snapshot, rule_set).values())
    for tier in tiers_of(snapshot, rule_set) if left else ():
        band = rule_set.cost_band if tier is Tier.COST else 0
        most = min(has[tier] for has in left) + band
        left = [has for has in left if has[tier] <= most]
    if not left:
        return None
    best = min(left, key=lambda has: has[Tier.COST])
    return tuple(best[tier] for tier in tiers_of(snapshot, rule_set))


def plan_of(snapshot: Snapshot, decision: Decision) -> Plan:
    ids = [wanted.line_id for wanted in snapshot.order.wanted]
    plan: Plan = {}
    for assignment in decision.plan:
        units = dict.fromkeys(ids, 0)
        for part in assignment.lines:
            units[part.line_id] += part.quantity
        plan[assignment.location_id] = tuple(units.values())
    return plan


def amounts_of(snapshot: Snapshot, decision: Decision, rule_set: RuleSet) -> tuple[int, ...]:
    has = amounts(snapshot, plan_of(snapshot, decision), rule_set)
    return tuple(has[tier] for tier in tiers_of(snapshot, rule_set))
