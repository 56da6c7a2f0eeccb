"""Rules hold exactly the orders that they speak of."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oms.domain.holds import HoldStep, NewHold
from oms.domain.screening import (
    HoldPolicy,
    HoldRule,
    HoldThen,
    HoldWhen,
    Mismatch,
    OrderFacts,
    Risk,
    Velocity,
    screen,
)

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
FACTS = OrderFacts(
    total=100_00,
    currency="EUR",
    channel="web",
    provider="stripe",
    placed_at=AT,
    country="FR",
    billing_country="DE",
    email_domain="example.com",
    tags=("gift",),
    risk=Risk(70, "stripe", "BR"),
)
FRAUD = HoldThen("fraud", "look")


def minutes(*ago: int) -> tuple[datetime, ...]:
    return tuple(AT - timedelta(minutes=each) for each in ago)


def fits(facts: OrderFacts = FACTS, **when: Any) -> bool:
    return bool(screen(HoldPolicy((HoldRule("rule", HoldWhen(**when), FRAUD),)), facts))


@pytest.mark.parametrize(
    "when",
    [
        {},
        {"currency": "EUR", "min_total": 100_00},
        {"currency": "EUR", "below_total": 100_01},
        {"first_order": True},
        {"mismatches": (Mismatch.BILLING_COUNTRY,)},
        {"mismatches": (Mismatch.CARD_COUNTRY,)},
        {"min_risk": 70},
        {"email_domains": ("mail.test", "example.com")},
        {"channels": ("web",)},
        {"tags": ("vip", "gift")},
        {"countries": ("FR", "BE")},
        {"payment_providers": ("stripe",)},
    ],
)
def test_what_fits_is_held(when: dict[str, Any]) -> None:
    assert fits(**when)


@pytest.mark.parametrize(
    "when",
    [
        {"currency": "USD"},
        {"currency": "EUR", "min_total": 100_01},
        {"currency": "EUR", "below_total": 100_00},
        {"first_order": False},
        {"velocity": Velocity(2, 60)},
        {"min_risk": 71},
        {"email_domains": ("mail.test",)},
        {"channels": ("till",)},
        {"tags": ("vip",)},
        {"countries": ("DE",)},
        {"payment_providers": ("external",)},
        {"channels": ("web",), "countries": ("DE",)},
    ],
)
def test_what_does_not_fit_in_all_is_not_held(when: dict[str, Any]) -> None:
    assert not fits(**when)


def test_orders_of_one_customer_are_counted_with_the_new_one_within_the_time() -> None:
    known = replace(FACTS, earlier=minutes(5, 59, 60, 500))

    assert fits(known, velocity=Velocity(3, 60))
    assert not fits(known, velocity=Velocity(4, 60))
    assert fits(known, velocity=Velocity(5, 501))
    assert fits(known, first_order=False)


def test_what_is_not_known_does_not_differ_and_is_no_risk() -> None:
    unknown = replace(FACTS, billing_country="", risk=None)

    assert not fits(unknown, mismatches=tuple(Mismatch))
    assert not fits(unknown, min_risk=0)
    assert not fits(replace(FACTS, country=""), mismatches=tuple(Mismatch))


def test_a_remorse_window_is_a_hold_that_ends_by_itself() -> None:
    then = HoldThen("remorse", "", (HoldStep.FULFILLMENT,), release_after_minutes=30)

    (hold,) = screen(HoldPolicy((HoldRule("may be regretted", HoldWhen(), then),)), FACTS)

    until = AT + timedelta(minutes=30)
    assert hold == NewHold("remorse", "may be regretted", (HoldStep.FULFILLMENT,), until)


def test_nobody_looks_back_for_rules_that_do_not_ask() -> None:
    def looks_back(*whens: HoldWhen) -> int:
        return HoldPolicy(tuple(HoldRule("rule", when, FRAUD) for when in whens)).looks_back

    assert looks_back() == looks_back(HoldWhen(min_risk=50), HoldWhen(tags=("vip",))) == 0
    assert looks_back(HoldWhen(first_order=False)) == 1
    assert looks_back(HoldWhen(velocity=Velocity(6, 60)), HoldWhen(first_order=True)) == 5


WORDS = st.sampled_from(["FR", "DE", "web", "till", "gift", "vip", "stripe"])
LISTED = st.lists(WORDS, max_size=2, unique=True).map(tuple)
WHENS = st.builds(
    HoldWhen,
    currency=st.sampled_from(["", "EUR", "USD"]),
    min_total=st.none() | st.integers(0, 300),
    below_total=st.none() | st.integers(0, 300),
    velocity=st.none() | st.builds(Velocity, st.integers(2, 5), st.integers(1, 90)),
    first_order=st.none() | st.booleans(),
    mismatches=st.lists(st.sampled_from(Mismatch), unique=True).map(tuple),
    min_risk=st.none() | st.integers(0, 100),
    channels=LISTED,
    tags=LISTED,
    countries=LISTED,
)
RULES = st.lists(st.builds(HoldRule, st.text(max_size=3), WHENS, st.just(FRAUD)), max_size=4).map(
    tuple
)
ORDERS = st.builds(
    OrderFacts,
    total=st.integers(0, 300),
    currency=st.sampled_from(["EUR", "USD"]),
    channel=st.sampled_from(["web", "till"]),
    provider=st.just("stripe"),
    placed_at=st.just(AT),
    country=st.sampled_from(["", "FR", "DE"]),
    billing_country=st.sampled_from(["", "FR", "DE"]),
    tags=LISTED,
    risk=st.none() | st.builds(Risk, st.integers(0, 100)),
    earlier=st.lists(st.integers(0, 100), max_size=8).map(lambda ago: minutes(*sorted(ago))),
)


@given(rules=RULES, more=RULES, facts=ORDERS)
def test_each_rule_holds_by_itself(
    rules: tuple[HoldRule, ...], more: tuple[HoldRule, ...], facts: OrderFacts
) -> None:
    apart = [hold for rule in (*rules, *more) for hold in screen(HoldPolicy((rule,)), facts)]

    assert list(screen(HoldPolicy((*rules, *more)), facts)) == apart


@given(rules=RULES, facts=ORDERS)
def test_as_many_earlier_orders_as_the_policy_looks_back_decide(
    rules: tuple[HoldRule, ...], facts: OrderFacts
) -> None:
    policy = HoldPolicy(rules)
    fewer = replace(facts, earlier=facts.earlier[: policy.looks_back])

    assert screen(policy, facts) == screen(policy, fewer)


@given(rules=RULES, facts=ORDERS, score=st.integers(0, 100))
def test_more_risk_never_means_fewer_holds(
    rules: tuple[HoldRule, ...], facts: OrderFacts, score: int
) -> None:
    known = facts.risk.score if facts.risk else 0
    riskier = replace(facts, risk=Risk(max(score, known)))

    assert len(screen(HoldPolicy(rules), riskier)) >= len(screen(HoldPolicy(rules), facts))


def test_a_rule_of_a_segment_holds_its_members_and_nobody_else() -> None:
    member = replace(FACTS, segments=("abusers", "vips"))

    assert fits(member, segments=("abusers", "others"))
    assert not fits(member, segments=("others",))
    assert not fits(FACTS, segments=("abusers",))
