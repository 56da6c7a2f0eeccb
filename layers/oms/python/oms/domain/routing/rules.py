"""How orders are to be routed, as data: rule sets are versions that never change.

A rule set says what counts as better, and its rules what differs for which orders. Rules are read
in their order: exclusions add up, settings of a later rule replace those of an earlier one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from math import inf
from typing import TypeVar

from oms.domain.locations import LocationKind
from oms.domain.routing.decision import EXCLUDED_BY, Decision, RoutingOutcome
from oms.domain.routing.snapshot import LocationFacts, OrderFacts, Snapshot

T = TypeVar("T")


class Objective(StrEnum):
    CHEAPEST = "cheapest"
    FASTEST = "fastest"
    FEWEST_BOXES = "fewest_boxes"


class Tier(StrEnum):
    """What plans are compared by, less being better: late shipments, the day of the last arrival,
    shipments, cost, days of cover that the stock taken from lacks, kilometres of all shipments."""

    PROMISE = "promise"
    ARRIVAL = "arrival"
    SHIPMENTS = "shipments"
    COST = "cost"
    STOCK_HEALTH = "stock_health"
    DISTANCE = "distance"


TIERS = {
    Objective.CHEAPEST: (Tier.COST,),
    Objective.FASTEST: tuple(Tier),
    Objective.FEWEST_BOXES: tuple(tier for tier in Tier if tier is not Tier.ARRIVAL),
}


@dataclass(frozen=True, slots=True)
class When:
    """Orders that a rule speaks of: each condition that is given must hold.

    Values are in minor units, both ends included; tags are those of the order and of its lines,
    segments those that the customer belongs to as the order is routed.
    """

    channels: tuple[str, ...] = ()
    tags_any: tuple[str, ...] = ()
    tags_all: tuple[str, ...] = ()
    min_value: int | None = None
    max_value: int | None = None
    customer_tiers: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()

    def holds_for(self, order: OrderFacts) -> bool:
        return self._names(order) and self._has_tags(order) and self._has_value(order.value)

    def _names(self, order: OrderFacts) -> bool:
        return (
            _names(self.channels, order.channel)
            and _names(self.customer_tiers, order.customer_tier)
            and _names(self.countries, order.destination.country)
            and _names(self.methods, order.method)
            and _meets(self.segments, order.segments)
        )

    def _has_tags(self, order: OrderFacts) -> bool:
        tags = {*order.tags, *(tag for wanted in order.wanted for tag in wanted.tags)}
        return tags.issuperset(self.tags_all) and _meets(self.tags_any, tags)

    def _has_value(self, value: int) -> bool:
        dear_enough = self.min_value is None or value >= self.min_value
        return dear_enough and (self.max_value is None or value <= self.max_value)


@dataclass(frozen=True, slots=True)
class Then:
    """What a rule asks for. Locations are named by id, by kind or by a tag of theirs.

    No exclusion concerns those in `except_for`.
    """

    exclude: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    exclude_kinds: tuple[LocationKind, ...] = ()
    only_kinds: tuple[LocationKind, ...] = ()
    exclude_tags: tuple[str, ...] = ()
    only_tags: tuple[str, ...] = ()
    except_for: tuple[str, ...] = ()
    max_splits: int | None = None
    objective: Objective | None = None
    cost_band: int | None = None
    split_penalty: int | None = None
    allow_partial: bool | None = None
    hard_promise: bool | None = None

    def __post_init__(self) -> None:
        if min(self.max_splits or 0, self.cost_band or 0, self.split_penalty or 0) < 0:
            raise ValueError("a rule asks for a figure below zero")

    def excludes(self, location: LocationFacts) -> bool:
        if location.location_id in self.except_for:
            return False
        named = (
            location.location_id in self.exclude
            or location.kind in self.exclude_kinds
            or any(tag in self.exclude_tags for tag in location.tags)
        )
        return named or not (
            _names(self.only, location.location_id)
            and _names(self.only_kinds, location.kind)
            and _meets(self.only_tags, location.tags)
        )


@dataclass(frozen=True, slots=True)
class Rule:
    name: str
    when: When = When()
    then: Then = Then()


@dataclass(frozen=True, slots=True)
class Example:
    """An order that must be routed as told; `location_ids` in any order."""

    name: str
    snapshot: Snapshot
    location_ids: tuple[str, ...] = ()
    outcome: RoutingOutcome = RoutingOutcome.ROUTED


@dataclass(frozen=True, slots=True)
class RuleSet:
    """`tiers` replace the preset of `objective`. Money is in minor units of the network.

    Plans within `cost_band` of the cheapest count as equally dear; a `max_splits` of 1 allows two
    shipments. For `exclusion_hours` a location that has rejected an order is not asked again.
    Orders that want an item of which fewer than `scarce_below` units are available wait for
    `window_seconds` and are routed together.
    """

    name: str
    version: int
    objective: Objective = Objective.FEWEST_BOXES
    tiers: tuple[Tier, ...] = ()
    cost_band: int = 0
    split_penalty: int = 0
    max_splits: int | None = None
    hard_promise: bool = False
    exclusion_hours: int = 24
    window_seconds: int = 0
    scarce_below: int = 0
    rules: tuple[Rule, ...] = ()
    examples: tuple[Example, ...] = ()

    @property
    def asks_segments(self) -> bool:
        return any(rule.when.segments for rule in self.rules)

    def __post_init__(self) -> None:
        figures = (self.version, self.cost_band, self.split_penalty, self.max_splits or 0)
        if min(*figures, self.exclusion_hours, self.window_seconds, self.scarce_below) < 0:
            raise ValueError(f"rule set {self.name} has a figure below zero")
        if _repeats(self.tiers):
            raise ValueError(f"rule set {self.name} has a tier twice")
        if _repeats(rule.name for rule in self.rules):
            raise ValueError(f"rule set {self.name} has two rules of one name")


@dataclass(frozen=True, slots=True)
class Effective:
    """A rule set as it applies to one order; `matched` are the rules that speak of it."""

    objective: str
    tiers: tuple[Tier, ...]
    cost_band: int
    split_penalty: int
    max_splits: int | None
    hard_promise: bool
    allow_partial: bool
    matched: tuple[Rule, ...]

    @property
    def compared(self) -> tuple[Tier, ...]:
        """The tiers, and at last the cost where they do not name it."""
        return self.tiers if Tier.COST in self.tiers else (*self.tiers, Tier.COST)

    @property
    def most_shipments(self) -> float:
        return inf if self.max_splits is None else self.max_splits + 1

    def exclusions(self, location: LocationFacts) -> Iterator[str]:
        for rule in self.matched:
            if rule.then.excludes(location):
                yield f"{EXCLUDED_BY}{rule.name}"


@dataclass(frozen=True, slots=True)
class ExampleResult:
    example: Example
    decision: Decision

    @property
    def location_ids(self) -> tuple[str, ...]:
        return tuple(each.location_id for each in self.decision.plan)

    @property
    def is_as_expected(self) -> bool:
        as_told = self.location_ids == tuple(sorted(self.example.location_ids))
        return as_told and self.decision.outcome is self.example.outcome


def effective(rule_set: RuleSet, order: OrderFacts) -> Effective:
    matched = tuple(rule for rule in rule_set.rules if rule.when.holds_for(order))
    asked = [rule.then for rule in matched]
    objective = _last((then.objective for then in asked), None)
    return Effective(
        objective=(objective or ("tiers" if rule_set.tiers else rule_set.objective)),
        tiers=TIERS[objective] if objective else rule_set.tiers or TIERS[rule_set.objective],
        cost_band=_last((then.cost_band for then in asked), rule_set.cost_band),
        split_penalty=_last((then.split_penalty for then in asked), rule_set.split_penalty),
        max_splits=_last((then.max_splits for then in asked), rule_set.max_splits),
        hard_promise=_last((then.hard_promise for then in asked), rule_set.hard_promise),
        allow_partial=_last((then.allow_partial for then in asked), order.allow_partial),
        matched=matched,
    )


def chosen_version(active: int, canary: int | None, percent: int, order_id: str) -> int:
    """The canary for so many of a hundred orders: the same order always gets the same answer."""
    share = int.from_bytes(sha256(order_id.encode()).digest()[:8]) % 100
    return canary if canary is not None and share < percent else active


def _names(allowed: tuple[str, ...], asked: str) -> bool:
    return not allowed or asked in allowed


def _meets(wanted: tuple[str, ...], tags: Iterable[str]) -> bool:
    return not wanted or not set(wanted).isdisjoint(tags)


def _repeats(names: Iterable[str]) -> bool:
    listed = list(names)
    return len(set(listed)) < len(listed)


def _last(asked: Iterable[T | None], otherwise: T) -> T:
    given = [each for each in asked if each is not None]
    return given[-1] if given else otherwise


DEFAULT_RULES = RuleSet("default", 0)
