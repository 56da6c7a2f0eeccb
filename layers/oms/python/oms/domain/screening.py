"""Rules that hold orders back as they are placed, and what becomes of a screener's verdict."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from oms.domain.holds import HoldStep, NewHold

FRAUD = "fraud"
MAX_REASON = 500
SCREENERS = ("none", "test")  # who may be named in a policy


class Mismatch(StrEnum):
    """Of the country that the order ships to with that of the bill, or of the card."""

    BILLING_COUNTRY = "billing_country"
    CARD_COUNTRY = "card_country"


@dataclass(frozen=True, slots=True)
class Risk:
    """What somebody who knows the payment says of it: 0 to 100, 100 is the worst."""

    score: int
    provider: str = ""
    card_country: str = ""


@dataclass(frozen=True, slots=True)
class Velocity:
    """At least so many orders of one customer within the minutes, the new one among them."""

    orders: int
    minutes: int


@dataclass(frozen=True, slots=True)
class HoldWhen:
    """All of it must fit; what is left out fits every order. Amounts are minor units of `currency`,
    the total is from `min_total` to below `below_total`. Of a list one is enough."""

    currency: str = ""
    min_total: int | None = None
    below_total: int | None = None
    velocity: Velocity | None = None
    first_order: bool | None = None
    mismatches: tuple[Mismatch, ...] = ()
    min_risk: int | None = None
    email_domains: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    payment_providers: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HoldThen:
    """The hold; with `release_after_minutes` it is released by itself, so long after placement."""

    type: str
    reason: str = ""
    blocks: tuple[HoldStep, ...] = ()
    release_after_minutes: int | None = None


@dataclass(frozen=True, slots=True)
class HoldRule:
    name: str
    when: HoldWhen
    then: HoldThen


class VerdictKind(StrEnum):
    """UNAVAILABLE: the screener has not answered."""

    APPROVE = "approve"
    REVIEW = "review"
    REJECT = "reject"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`score`: 0 to 100, 100 is the worst."""

    provider: str
    kind: VerdictKind
    score: int | None = None
    reasons: tuple[str, ...] = ()

    @property
    def told(self) -> str:
        score = "" if self.score is None else f" {self.score}"
        return f"{self.provider}: {self.kind}{score}" + "".join(f", {why}" for why in self.reasons)


class Unavailable(StrEnum):
    """What becomes of an order that the screener did not answer for."""

    HOLD = "hold"
    LET_GO = "let_go"


@dataclass(frozen=True, slots=True)
class Screening:
    """Who screens orders before they are routed; `none` costs nothing."""

    provider: str = "none"
    unavailable: Unavailable = Unavailable.HOLD
    cancel_rejected: bool = False


def held_by(verdict: Verdict, screening: Screening) -> tuple[NewHold, ...]:
    """What the verdict lays over the order."""
    if verdict.kind is VerdictKind.APPROVE:
        return ()
    if verdict.kind is VerdictKind.UNAVAILABLE and screening.unavailable is Unavailable.LET_GO:
        return ()
    return (NewHold(FRAUD, verdict.told[:MAX_REASON]),)


@dataclass(frozen=True, slots=True)
class HoldPolicy:
    """No rule, no hold."""

    rules: tuple[HoldRule, ...] = ()
    screening: Screening = Screening()

    @property
    def looks_back(self) -> int:
        """How many earlier orders of a customer its rules must know of."""
        return max((_looks_back(rule.when) for rule in self.rules), default=0)

    @property
    def asks_segments(self) -> bool:
        return any(rule.when.segments for rule in self.rules)


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """What rules may ask of a new order. `earlier`: when the customer's last orders were placed,
    newest first, as many as the policy looks back; `segments`: those that the customer belonged to
    before, where a rule asks for them."""

    total: int
    currency: str
    channel: str
    provider: str
    placed_at: datetime
    country: str = ""
    billing_country: str = ""
    email_domain: str = ""
    tags: tuple[str, ...] = ()
    risk: Risk | None = None
    order_id: str = ""
    earlier: tuple[datetime, ...] = ()
    segments: tuple[str, ...] = ()


def screen(policy: HoldPolicy, facts: OrderFacts) -> tuple[NewHold, ...]:
    """A hold for each rule that fits, in the order of the rules."""
    return tuple(
        _hold(rule, facts.placed_at) for rule in policy.rules if all(_fits(rule.when, facts))
    )


def _hold(rule: HoldRule, placed_at: datetime) -> NewHold:
    then, until = rule.then, None
    if then.release_after_minutes is not None:
        until = placed_at + timedelta(minutes=then.release_after_minutes)
    return NewHold(then.type, then.reason or rule.name, then.blocks, until)


def _fits(when: HoldWhen, facts: OrderFacts) -> Iterator[bool]:
    yield when.currency in ("", facts.currency)
    yield when.min_total is None or facts.total >= when.min_total
    yield when.below_total is None or facts.total < when.below_total
    yield when.velocity is None or _is_fast(when.velocity, facts)
    yield when.first_order in (None, not facts.earlier)
    yield not when.mismatches or any(_mismatched(each, facts) for each in when.mismatches)
    yield when.min_risk is None or (facts.risk is not None and facts.risk.score >= when.min_risk)
    yield _is_one_of(facts.email_domain, when.email_domains)
    yield _is_one_of(facts.channel, when.channels)
    yield not when.tags or not set(when.tags).isdisjoint(facts.tags)
    yield _is_one_of(facts.country, when.countries)
    yield _is_one_of(facts.provider, when.payment_providers)
    yield not when.segments or not set(when.segments).isdisjoint(facts.segments)


def _is_one_of(value: str, wanted: Collection[str]) -> bool:
    return not wanted or value in wanted


def _is_fast(velocity: Velocity, facts: OrderFacts) -> bool:
    since = facts.placed_at - timedelta(minutes=velocity.minutes)
    return 1 + sum(at > since for at in facts.earlier) >= velocity.orders


def _mismatched(kind: Mismatch, facts: OrderFacts) -> bool:
    """What is not known does not differ."""
    other = facts.billing_country
    if kind is Mismatch.CARD_COUNTRY:
        other = facts.risk.card_country if facts.risk else ""
    return bool(other and facts.country and other != facts.country)


def _looks_back(when: HoldWhen) -> int:
    known = 0 if when.first_order is None else 1
    return max(known, when.velocity.orders - 1 if when.velocity else 0)
