"""Who belongs to a segment, and until when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oms.domain.customers import Consent, Profile
from oms.domain.reporting.customers import Active, Deed, First, Lifetime, Market, lived
from oms.domain.segments.definition import Consented, Scores, Segment, SegmentRule, SegmentWhen
from oms.domain.segments.membership import (
    Figures,
    belongs,
    figures_of,
    memberships,
    turns_at,
)
from tests.domain.reporting.test_customers import BEGIN, told

NOW = datetime(2026, 3, 9, 12, tzinfo=UTC)
A_DAY = timedelta(days=1)
ADA = Figures(
    orders=4,
    units=10,
    returned_units=3,
    spent={"USD": 20_000},
    first_order_at=NOW - 100 * A_DAY,
    last_order_at=NOW - 20 * A_DAY,
    channels=frozenset({"web"}),
    countries=frozenset({"US"}),
    tags=frozenset({"vip"}),
    consents=frozenset({("marketing", "email")}),
)


def said(*whens: SegmentWhen, name: str = "them") -> Segment:
    rules = (SegmentRule(str(number), when) for number, when in enumerate(whens))
    return Segment(name, rules=tuple(rules), version=1)


@pytest.mark.parametrize(
    ("fits", "fails"),
    [
        (SegmentWhen("USD", min_spent=20_000), SegmentWhen("USD", min_spent=20_001)),
        (SegmentWhen("USD", below_spent=20_001), SegmentWhen("USD", below_spent=20_000)),
        (SegmentWhen("EUR", below_spent=1), SegmentWhen("EUR", min_spent=1)),
        (SegmentWhen(min_orders=4), SegmentWhen(min_orders=5)),
        (SegmentWhen(max_orders=4), SegmentWhen(max_orders=3)),
        (SegmentWhen(ordered_within_days=21), SegmentWhen(ordered_within_days=20)),
        (SegmentWhen(not_ordered_for_days=20), SegmentWhen(not_ordered_for_days=21)),
        (SegmentWhen(first_order_within_days=101), SegmentWhen(first_order_within_days=100)),
        (SegmentWhen(min_return_rate=30), SegmentWhen(min_return_rate=31)),
        (SegmentWhen(max_return_rate=30), SegmentWhen(max_return_rate=29)),
        (SegmentWhen(min_recency=5), SegmentWhen(min_recency=5, min_orders=5)),
        (SegmentWhen(min_frequency=3), SegmentWhen(min_frequency=4)),
        (SegmentWhen("USD", min_money=3), SegmentWhen("USD", min_money=4)),
        (SegmentWhen(channels=("till", "web")), SegmentWhen(channels=("till",))),
        (SegmentWhen(countries=("US",)), SegmentWhen(countries=("FR",))),
        (SegmentWhen(tags=("vip",)), SegmentWhen(tags=("staff",))),
        (SegmentWhen(without_tags=("staff",)), SegmentWhen(without_tags=("vip",))),
        (
            SegmentWhen(consents=(Consented("marketing", "email"),)),
            SegmentWhen(consents=(Consented("marketing", "sms"),)),
        ),
    ],
)
def test_each_condition_lets_in_whom_it_names_and_nobody_else(
    fits: SegmentWhen, fails: SegmentWhen
) -> None:
    assert belongs(said(fits), ADA, NOW)
    assert not belongs(said(fails), ADA, NOW)
    assert belongs(said(fails, fits), ADA, NOW)


def test_who_never_ordered_is_in_no_segment_of_days_or_rates() -> None:
    nobody = Figures()
    for when in (
        SegmentWhen(ordered_within_days=3_000),
        SegmentWhen(not_ordered_for_days=1),
        SegmentWhen(max_return_rate=100),
        SegmentWhen(min_recency=2),
    ):
        assert not belongs(said(when), nobody, NOW)
    assert turns_at([said(SegmentWhen(ordered_within_days=3))], nobody, NOW) is None


def test_a_person_is_the_sum_of_its_identities() -> None:
    web, till = Market("web", "USD", "US"), Market("till", "EUR", "FR")
    one = Lifetime(
        {"orders": 1, "units": 2},
        {"spent": {"USD": 500}},
        First(NOW - 9 * A_DAY, "ord_1", "2026-02-28", web),
        NOW - 9 * A_DAY,
        (Active("2026-02-28", web, 1, 500),),
    )
    other = Lifetime(
        {"orders": 2, "units": 3, "returned_units": 1},
        {"spent": {"USD": 100, "EUR": 900}},
        First(NOW - 50 * A_DAY, "ord_2", "2026-01-18", till),
        NOW - 3 * A_DAY,
        (Active("2026-01-18", till, 2, 1_000), Active("2026-03-06", web, 0, -5)),
    )
    agreed = Consent("marketing", "email", True, NOW, "a box", "user:1")
    refused = Consent("marketing", "sms", False, NOW, "a call", "user:1")

    both = figures_of([one, other], Profile(tags=("vip",), consents=(agreed, refused)))

    assert both == Figures(
        3,
        5,
        1,
        {"USD": 600, "EUR": 900},
        NOW - 50 * A_DAY,
        NOW - 3 * A_DAY,
        frozenset({"web", "till"}),
        frozenset({"US", "FR"}),
        frozenset({"vip"}),
        frozenset({("marketing", "email")}),
    )


days = st.integers(1, 60)
instants = st.integers(-90 * 86_400, 0).map(lambda seconds: NOW + timedelta(seconds=seconds))
whens = st.builds(
    SegmentWhen,
    ordered_within_days=st.none() | days,
    not_ordered_for_days=st.none() | days,
    first_order_within_days=st.none() | days,
    min_recency=st.none() | st.integers(2, 5),
    min_orders=st.none() | st.integers(0, 5),
)
segments = st.lists(whens, min_size=1, max_size=3).map(
    lambda whens: Segment(
        "them",
        rules=tuple(SegmentRule(str(n), when) for n, when in enumerate(whens)),
        scores=Scores(recency=(40, 20, 10, 5)),
    )
)


@st.composite
def known(draw: st.DrawFn) -> Figures:
    first, last = sorted((draw(instants), draw(instants)))
    return Figures(orders=draw(st.integers(1, 5)), first_order_at=first, last_order_at=last)


@given(st.lists(segments, min_size=1, max_size=3), known(), st.floats(0, 1))
def test_until_it_turns_the_clock_changes_no_membership(
    asked: list[Segment], figures: Figures, part: float
) -> None:
    turns = turns_at(asked, figures, NOW)
    until = turns - timedelta(microseconds=1) if turns else NOW + 4_000 * A_DAY
    between = NOW + (until - NOW) * part

    assert memberships(asked, figures, between) == memberships(asked, figures, NOW)


@given(told(), segments)
@settings(deadline=None)
def test_a_membership_is_the_definition_on_the_figures_whatever_the_order_of_events(
    said: tuple[list[Deed], list[list[Deed]]], segment: Segment
) -> None:
    whole, parts = said
    life = Lifetime()
    for part in parts:
        life = lived(life, part)
    at = BEGIN + 80 * A_DAY
    orders = [each for each in whole if each.placed]
    plainly = Figures(
        orders=len(orders),
        first_order_at=min((each.at for each in orders), default=None),
        last_order_at=max((each.at for each in orders), default=None),
    )

    assert belongs(segment, figures_of([life], Profile()), at) == belongs(segment, plainly, at)
