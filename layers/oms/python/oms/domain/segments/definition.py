"""What a segment says of its members: rules that are data, of which one is enough."""

from __future__ import annotations

from dataclasses import dataclass

MAX_SEGMENTS = 40  # a customer's memberships are changed in one transaction


@dataclass(frozen=True, slots=True)
class Consented:
    purpose: str
    channel: str


@dataclass(frozen=True, slots=True)
class Scores:
    """What makes a score of 2, 3, 4 and 5; below the first threshold it is 1. Recency is in days
    since the last order, the fewer the better: at most `recency[0]` days are a 2, at most
    `recency[3]` a 5. Money is what was spent, in minor units of the rule's currency."""

    recency: tuple[int, int, int, int] = (365, 180, 90, 30)
    frequency: tuple[int, int, int, int] = (2, 3, 5, 10)
    money: tuple[int, int, int, int] = (5_000, 15_000, 50_000, 150_000)


@dataclass(frozen=True, slots=True)
class SegmentWhen:
    """All of it must fit; what is left out fits everybody, and of a list one is enough. Amounts are
    minor units of `currency`, of what was spent; days are spans of 24 hours; rates are hundredths
    of the units that were ordered. Who never ordered has no recency and no rate."""

    currency: str = ""
    min_spent: int | None = None
    below_spent: int | None = None
    min_orders: int | None = None
    max_orders: int | None = None
    ordered_within_days: int | None = None
    not_ordered_for_days: int | None = None
    first_order_within_days: int | None = None
    min_return_rate: int | None = None
    max_return_rate: int | None = None
    min_recency: int | None = None
    min_frequency: int | None = None
    min_money: int | None = None
    channels: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    without_tags: tuple[str, ...] = ()
    consents: tuple[Consented, ...] = ()


@dataclass(frozen=True, slots=True)
class SegmentRule:
    name: str
    when: SegmentWhen


@dataclass(frozen=True, slots=True)
class Segment:
    """`version` 0: nobody has saved it yet."""

    name: str
    title: str = ""
    rules: tuple[SegmentRule, ...] = ()
    scores: Scores = Scores()
    version: int = 0

    @property
    def asks_profiles(self) -> bool:
        """Whether it asks what only the profile knows."""
        asked = (rule.when for rule in self.rules)
        return any(when.tags or when.without_tags or when.consents for when in asked)
