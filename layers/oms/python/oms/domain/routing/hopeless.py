"""Orders that neither stock nor time will ever let anybody ship: a person must decide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from oms.domain.network.quoting import Reason
from oms.domain.routing.deciding import route_order
from oms.domain.routing.decision import (
    EXCLUDED_BY,
    INACTIVE,
    METHOD_NOT_OFFERED,
    NO_PICKUP,
    NOT_THE_PICKUP_LOCATION,
    Decision,
    Rejection,
    RoutingOutcome,
)
from oms.domain.routing.rules import RuleSet
from oms.domain.routing.snapshot import Snapshot
from oms.domain.routing.surveying import NOT_ASSIGNED

TOO_LARGE = "no location that has the stock ships so much in one day"
NOBODY = "no location may ship it, whatever comes in"
FOR_GOOD = frozenset(
    {
        METHOD_NOT_OFFERED,
        NO_PICKUP,
        NOT_ASSIGNED,
        NOT_THE_PICKUP_LOCATION,
        *(str(each) for each in Reason if each is not Reason.NO_SHIP_DAY),
    }
)


def hopeless(
    snapshot: Snapshot,
    decision: Decision,
    rule_set: RuleSet,
    limits: Mapping[str, int],
    budget: float | None = None,
) -> str:
    """Why it is; empty while there is hope. `limits` are units a day, by location."""
    if decision.outcome is RoutingOutcome.ROUTED:
        return ""
    if why := _barred_everywhere(snapshot, decision):
        return f"{NOBODY}: {', '.join(why)}"[:500]
    return TOO_LARGE if _exceeds_every_day(snapshot, rule_set, limits, budget) else ""


def _barred_everywhere(snapshot: Snapshot, decision: Decision) -> list[str]:
    """What speaks against every location, and will not pass; of one suffices one such reason."""
    pickup = bool(snapshot.order.pickup_location)
    barred = [_for_good(each, pickup=pickup) for each in decision.rejected]
    if len(barred) < len(snapshot.locations) or not all(barred):
        return []
    return sorted({reason for reasons in barred for reason in reasons})


def _for_good(rejection: Rejection, *, pickup: bool) -> list[str]:
    """A store that is closed is nowhere to collect anything; what is shipped may wait for it."""
    return [
        reason
        for reason in rejection.reasons
        if reason in FOR_GOOD or reason.startswith(EXCLUDED_BY) or (pickup and reason == INACTIVE)
    ]


def _exceeds_every_day(
    snapshot: Snapshot, rule_set: RuleSet, limits: Mapping[str, int], budget: float | None
) -> bool:
    """All that speaks against it are limits that the whole of it is too large for."""
    units = sum(wanted.quantity for wanted in snapshot.order.wanted)
    roomy = tuple(
        replace(x, capacity=None) if 0 < limits.get(x.location_id, 0) < units else x
        for x in snapshot.locations
    )
    unlimited = replace(snapshot, locations=roomy)
    if unlimited == snapshot:
        return False
    other = route_order(unlimited, rule_set, budget=budget, runner_up=False)
    return other.outcome is RoutingOutcome.ROUTED
