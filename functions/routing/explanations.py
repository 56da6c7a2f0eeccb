"""Why an order was routed as it was: every decision with what it was made of, and in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Protocol

from oms.contracts import codec
from oms.contracts.api.routing import (
    ChangeView,
    KnownLocationView,
    LocationVerdictView,
    PlannedView,
    RoutingDecisionView,
    RoutingView,
    RunnerUpView,
    WantedView,
)
from oms.contracts.render_promises import basis_view, standing_view
from oms.domain import events as e
from oms.domain.order import Fact, Order
from oms.domain.routing.changing import Change
from oms.domain.routing.decision import Assignment, Decision
from oms.domain.routing.explaining import LocationExplanation, explain
from oms.domain.routing.kept import KeptDecision
from oms.domain.routing.rules import RuleSet
from oms.domain.routing.snapshot import LocationFacts, Snapshot

SECONDS = 10.0  # of all explanations of an answer; the newest decision comes first
MAX_FIGURES = 10_000  # by line and location, of one decision: an answer has 6 MB at most
CHOSEN, REJECTED, BEATEN, UNKNOWN = "chosen", "rejected", "beaten", "unknown"


class Orders(Protocol):
    def get(self, order_id: str) -> Order: ...
    def decisions(self, order_id: str) -> Iterator[tuple[Fact, bytes]]: ...
    def whole_history(self, order_id: str) -> tuple[Fact, ...]: ...


class RuleSets(Protocol):
    def rule_set(self, version: int) -> RuleSet: ...


@dataclass(frozen=True, slots=True)
class Asked:
    """`location` None: all of them. After `late`, by the clock, nothing more is computed."""

    location: str | None
    late: float
    clock: Callable[[], float]

    @property
    def seconds_left(self) -> float:
        return max(0.0, self.late - self.clock())


def routing_view(
    orders: Orders,
    rule_sets: RuleSets,
    order_id: str,
    location: str | None = None,
    clock: Callable[[], float] = perf_counter,
) -> RoutingView:
    asked = Asked(location, clock() + SECONDS, clock)
    order = orders.get(order_id)
    kept = list(orders.decisions(order_id))
    views = [_kept_view(fact, body, rule_sets, asked) for fact, body in reversed(kept)]
    views += map(_recorded_view, _not_kept(orders.whole_history(order_id), kept))
    decisions = sorted(views, key=lambda view: view.seq)
    return RoutingView(order_id, decisions, standing_view(order))


def _not_kept(history: Sequence[Fact], kept: Sequence[tuple[Fact, bytes]]) -> Iterator[Fact]:
    """Routed orders of which nothing but the event is there; a plan is kept with its planning."""
    known = {fact.seq for fact, _ in kept}
    planned = False
    for fact in history:
        if isinstance(fact.event, e.OrderRoutingPlanned):
            planned = fact.seq in known
        elif isinstance(fact.event, e.OrderRouted) and fact.seq not in known:
            if not planned:
                yield fact
            planned = False


def _kept_view(fact: Fact, body: bytes, rule_sets: RuleSets, asked: Asked) -> RoutingDecisionView:
    kept = codec.decode(body, KeptDecision)
    decision, order = kept.decision, kept.snapshot.order
    rule_set = rule_sets.rule_set(decision.version)
    runner_up = decision.runner_up
    return RoutingDecisionView(
        seq=fact.seq,
        at=fact.at,
        event=type(fact.event).__name__,
        kept=True,
        outcome=decision.outcome,
        rule_set=decision.rule_set,
        rule_set_version=decision.version,
        objective=decision.objective,
        rules=list(decision.rules),
        plan=[_planned(each, kept.snapshot) for each in decision.plan],
        cost=decision.cost,
        proved=decision.proved,
        lower_bound=decision.lower_bound,
        runner_up=RunnerUpView(list(runner_up.location_ids), runner_up.cost) if runner_up else None,
        backordered=dict(decision.backordered),
        wanted=[WantedView(each.line_id, each.sku, each.quantity) for each in order.wanted],
        inputs=[_known(each, kept.snapshot) for each in _shown(kept, asked.location)],
        locations=list(_verdicts(kept, rule_set, asked)),
        words=f"{explain(kept.snapshot, rule_set, decision, ()).summary}{_meanwhile(fact.event)}",
        reason=decision.reason,
    )


def _shown(kept: KeptDecision, location: str | None) -> list[LocationFacts]:
    """What was known of whom: of one that was asked for beside the chosen; of all, if they fit."""
    locations, lines = kept.snapshot.locations, len(kept.snapshot.order.wanted)
    if location is None and len(locations) * lines <= MAX_FIGURES:
        return list(locations)
    shown = {location, *(each.location_id for each in kept.decision.plan)}
    return [each for each in locations if each.location_id in shown]


def _meanwhile(event: object) -> str:
    if not isinstance(event, e.OrderRoutingDeferred):
        return ""
    others = f"others that want {event.sku}"
    return f" That was not done: it waits until {event.until:%H:%M:%S} to be shared with {others}."


def _planned(each: Assignment, snapshot: Snapshot) -> PlannedView:
    basis = snapshot.location(each.location_id).basis
    return PlannedView(
        location_id=each.location_id,
        lines={part.line_id: part.quantity for part in each.lines},
        cost=each.cost,
        ship_on=each.ship_on.isoformat() if each.ship_on else None,
        ship_by=each.ship_by,
        deliver_by=each.deliver_by.isoformat() if each.deliver_by else None,
        basis=basis_view(basis) if basis else None,
    )


def _known(each: LocationFacts, snapshot: Snapshot) -> KnownLocationView:
    wanted = [line.line_id for line in snapshot.order.wanted]
    return KnownLocationView(
        location_id=each.location_id,
        kind=each.kind,
        available=dict(each.available),
        fixed_cost=each.fixed_cost,
        unit_costs=dict(zip(wanted, each.unit_costs, strict=True)),
        capacity=each.capacity,
        closed=each.closed,
        refused=each.refused,
        unreachable=each.unreachable,
        ship_by=each.ship_by,
        deliver_by=each.deliver_by.isoformat() if each.deliver_by else None,
        distance_km=each.distance_km,
    )


def _verdicts(kept: KeptDecision, rule_set: RuleSet, asked: Asked) -> Iterator[LocationVerdictView]:
    """Each costs a few more solves: after a while only what is known already is told."""
    known = sorted(each.location_id for each in kept.snapshot.locations)
    rejected = {each.location_id: list(each.reasons) for each in kept.decision.rejected}
    if asked.location is not None and asked.location not in known:
        yield _untold(asked.location, UNKNOWN, [], "nobody knew it when this was decided")
    for location_id in known if asked.location is None else {asked.location} & {*known}:
        if not (seconds := asked.seconds_left):
            yield _later(location_id, kept.decision, rejected.get(location_id, []))
            continue
        only, clock = (location_id,), asked.clock
        told = explain(kept.snapshot, rule_set, kept.decision, only, budget=seconds, clock=clock)
        yield _verdict(told.locations[0], rejected)


def _verdict(said: LocationExplanation, rejected: Mapping[str, list[str]]) -> LocationVerdictView:
    beaten = REJECTED if said.location_id in rejected else BEATEN
    return LocationVerdictView(
        location_id=said.location_id,
        verdict=CHOSEN if said.chosen else beaten,
        reasons=rejected.get(said.location_id, []),
        words=said.why,
        to_win=list(map(_change, said.changes)),
        wins=said.wins or said.chosen,
        what_if=said.what_if,
    )


def _later(location_id: str, decision: Decision, reasons: list[str]) -> LocationVerdictView:
    chosen = any(each.location_id == location_id for each in decision.plan)
    verdict = CHOSEN if chosen else REJECTED if reasons else BEATEN
    return _untold(location_id, verdict, reasons, f"ask for it alone: ?location={location_id}")


def _untold(location_id: str, verdict: str, reasons: list[str], words: str) -> LocationVerdictView:
    chosen = verdict == CHOSEN
    return LocationVerdictView(location_id, verdict, reasons, words, [], chosen, "")


def _change(change: Change) -> ChangeView:
    return ChangeView(change.kind, change.words, change.subject, change.amount)


def _recorded_view(fact: Fact) -> RoutingDecisionView:
    """Of what was decided before the inputs were kept: nothing can be computed again."""
    assert isinstance(fact.event, e.OrderRouted)
    record, plan = fact.event.record, fact.event.plan
    second = record.runner_up
    return RoutingDecisionView(
        seq=fact.seq,
        at=fact.at,
        event=type(fact.event).__name__,
        kept=False,
        outcome="routed",
        rule_set=record.rule_set,
        rule_set_version=record.rule_set_version,
        objective=record.objective,
        rules=[],
        plan=list(map(_assigned, plan)),
        cost=record.cost,
        proved=record.proved,
        lower_bound=record.cost if record.proved else 0,
        runner_up=RunnerUpView(list(second), record.runner_up_cost or 0) if second else None,
        backordered={},
        wanted=[],
        inputs=[],
        locations=[
            _untold(each.location_id, REJECTED, [each.reason], f"It was set aside: {each.reason}.")
            for each in record.rejected
        ],
        words=" ".join(_recorded_words(fact.event)),
    )


def _assigned(each: e.Assigned) -> PlannedView:
    return PlannedView(
        location_id=each.location_id,
        lines={part.line_id: part.quantity for part in each.lines},
        cost=0,
        ship_on=each.ship_on or None,
        ship_by=each.ship_by,
        deliver_by=each.deliver_by or None,
        basis=basis_view(each.basis) if each.basis else None,
    )


def _recorded_words(event: e.OrderRouted) -> Iterator[str]:
    record = event.record
    who = " and ".join(each.location_id for each in event.plan)
    yield f"{who} ship{'s' if len(event.plan) == 1 else ''} for {record.cost}."
    if record.runner_up:
        second = " and ".join(record.runner_up)
        yield f"The next best plan was {second} for {record.runner_up_cost}."
    yield "What was known of stock and costs then was not kept: this is all that is recorded."
