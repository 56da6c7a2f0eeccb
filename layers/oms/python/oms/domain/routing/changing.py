"""What would have to change for a location to ship an order, as data that can be applied."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from oms.domain.routing.decision import (
    BREAKS_PROMISE,
    EXCLUDED_BY,
    METHOD_NOT_OFFERED,
    NO_CAPACITY,
    NO_PICKUP,
    NO_STOCK,
    NOT_THE_PICKUP_LOCATION,
    TAG_NOT_HANDLED,
)
from oms.domain.routing.filters import per_unit
from oms.domain.routing.rules import Rule, RuleSet
from oms.domain.routing.snapshot import LocationFacts, OrderFacts, Snapshot


class ChangeKind(StrEnum):
    OPEN = "open"
    ADMIT = "admit"
    REACH = "reach"
    METHOD = "method"
    HANDLE = "handle"
    PICKUP = "pickup"
    PICKUP_CHOICE = "pickup_choice"
    RULE = "rule"
    STOCK = "stock"
    CAPACITY = "capacity"
    EARLIER = "earlier"
    CHEAPER = "cheaper"


@dataclass(frozen=True, slots=True)
class Change:
    """`subject` is the method, tag, rule or stock item; `amount` units, days or minor units."""

    kind: ChangeKind
    subject: str = ""
    amount: int = 0

    @property
    def words(self) -> str:
        return WORDS[self.kind].format(
            subject=self.subject, amount=self.amount, s="" if self.amount == 1 else "s"
        )


WORDS = {
    ChangeKind.OPEN: "it would have to be open ({subject})",
    ChangeKind.ADMIT: "this order would have to be allowed there ({subject})",
    ChangeKind.REACH: "it would have to deliver there by this method ({subject})",
    ChangeKind.METHOD: "it would have to offer the method {subject}",
    ChangeKind.HANDLE: "it would have to handle {subject}",
    ChangeKind.PICKUP: "it would have to offer pickup",
    ChangeKind.PICKUP_CHOICE: "the customer would have to collect the order there",
    ChangeKind.RULE: "rule {subject} would have to admit it",
    ChangeKind.STOCK: "it would need {amount} more of {subject}",
    ChangeKind.CAPACITY: "it would need capacity for {amount} more unit{s}",
    ChangeKind.EARLIER: "it would have to deliver {amount} day{s} earlier",
    ChangeKind.CHEAPER: "its shipment would have to cost {amount} less",
}


def applied(
    snapshot: Snapshot, rule_set: RuleSet, location_id: str, changes: Sequence[Change]
) -> tuple[Snapshot, RuleSet]:
    """The world in which these changes were made, and nothing else."""
    order, facts = snapshot.order, snapshot.location(location_id)
    for change in changes:
        facts = _changed(facts, change)
        if change.kind is ChangeKind.PICKUP_CHOICE:
            order = replace(order, pickup_location=location_id)
        elif change.kind is ChangeKind.RULE:
            rule_set = _admitting(rule_set, change.subject, location_id)
    locations = tuple(
        facts if each.location_id == location_id else each for each in snapshot.locations
    )
    return Snapshot(order, locations, snapshot.at), rule_set


def _changed(facts: LocationFacts, change: Change) -> LocationFacts:
    match change.kind:
        case ChangeKind.OPEN:
            return replace(facts, closed="")
        case ChangeKind.ADMIT:
            return replace(facts, refused="")
        case ChangeKind.REACH:
            return replace(facts, unreachable="")
        case ChangeKind.METHOD:
            return replace(facts, methods=(*facts.methods, change.subject))
        case ChangeKind.HANDLE:
            return replace(facts, handles=(*facts.handles, change.subject))
        case ChangeKind.PICKUP:
            return replace(facts, pickup=True)
        case _:
            return _changed_by(facts, change)


def _changed_by(facts: LocationFacts, change: Change) -> LocationFacts:
    match change.kind:
        case ChangeKind.STOCK:
            available = dict(facts.available)
            available[change.subject] = available.get(change.subject, 0) + change.amount
            return replace(facts, available=tuple(available.items()))
        case ChangeKind.CAPACITY if facts.capacity is not None:
            return replace(facts, capacity=facts.capacity + change.amount)
        case ChangeKind.EARLIER if facts.deliver_by is not None:
            return replace(facts, deliver_by=facts.deliver_by - timedelta(change.amount))
        case ChangeKind.CHEAPER:
            return replace(facts, fixed_cost=facts.fixed_cost - change.amount)
        case _:
            return facts


def _admitting(rule_set: RuleSet, name: str, location_id: str) -> RuleSet:
    def admitting(rule: Rule) -> Rule:
        spared = (*rule.then.except_for, location_id)
        return replace(rule, then=replace(rule.then, except_for=spared))

    rules = (admitting(rule) if rule.name == name else rule for rule in rule_set.rules)
    return replace(rule_set, rules=tuple(rules))


def remedies(
    order: OrderFacts, facts: LocationFacts, reasons: Sequence[str]
) -> tuple[Change, ...] | None:
    """What would undo the reasons; None when one of them cannot be undone."""
    found: list[Change] = []
    for reason in reasons:
        changes = list(_remedy(order, facts, reason))
        if not changes:
            return None
        found += changes
    return tuple(dict.fromkeys(found))


def _remedy(order: OrderFacts, facts: LocationFacts, reason: str) -> Iterator[Change]:
    if reason in {facts.closed, facts.refused, facts.unreachable}:
        yield from _opened(facts, reason)
    if reason.startswith(EXCLUDED_BY):
        yield Change(ChangeKind.RULE, reason.removeprefix(EXCLUDED_BY))
    elif reason == METHOD_NOT_OFFERED:
        yield Change(ChangeKind.METHOD, order.method)
    elif reason == NO_STOCK:
        yield from lacking_stock(order, facts)
        yield from _unhandled(order, facts)
    elif reason == TAG_NOT_HANDLED:
        yield from _unhandled(order, facts)
    else:
        yield from _service(order, facts, reason)


def _opened(facts: LocationFacts, reason: str) -> Iterator[Change]:
    if reason == facts.closed:
        yield Change(ChangeKind.OPEN, reason)
    if reason == facts.refused:
        yield Change(ChangeKind.ADMIT, reason)
    if reason == facts.unreachable:
        yield Change(ChangeKind.REACH, reason)


def _service(order: OrderFacts, facts: LocationFacts, reason: str) -> Iterator[Change]:
    if reason == NO_CAPACITY:
        yield from lacking_capacity(order, facts)
    elif reason == NO_PICKUP:
        yield Change(ChangeKind.PICKUP)
    elif reason == NOT_THE_PICKUP_LOCATION:
        yield Change(ChangeKind.PICKUP_CHOICE)
        if not facts.pickup:
            yield Change(ChangeKind.PICKUP)
    elif reason == BREAKS_PROMISE and order.deliver_by and facts.deliver_by:
        yield Change(ChangeKind.EARLIER, amount=(facts.deliver_by - order.deliver_by).days)


def lacking_stock(order: OrderFacts, facts: LocationFacts) -> Iterator[Change]:
    """What it would need to ship the whole order."""
    needed: dict[str, int] = {}
    for wanted in order.wanted:
        for item, units in per_unit(wanted).items():
            needed[item] = needed.get(item, 0) + units * wanted.quantity
    available = dict(facts.available)
    for item, units in sorted(needed.items()):
        if (missing := units - available.get(item, 0)) > 0:
            yield Change(ChangeKind.STOCK, item, missing)


def lacking_capacity(order: OrderFacts, facts: LocationFacts) -> Iterator[Change]:
    units = sum(wanted.quantity for wanted in order.wanted)
    if facts.capacity is not None and facts.capacity < units:
        yield Change(ChangeKind.CAPACITY, amount=units - facts.capacity)


def _unhandled(order: OrderFacts, facts: LocationFacts) -> Iterator[Change]:
    tags = {tag for wanted in order.wanted for tag in wanted.tags}
    for tag in sorted(tags.difference(facts.handles)):
        yield Change(ChangeKind.HANDLE, tag)


def all_it_lacks(order: OrderFacts, facts: LocationFacts) -> tuple[Change, ...]:
    return (
        *lacking_stock(order, facts),
        *lacking_capacity(order, facts),
        *_unhandled(order, facts),
    )
