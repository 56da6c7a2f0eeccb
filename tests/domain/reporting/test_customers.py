"""Customers: what each brings to the report, whatever the order in which it is told."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from oms.domain.reporting import sales
from oms.domain.reporting.customers import (
    COHORT,
    MARKET,
    Brought,
    Customers,
    Deed,
    Lifetime,
    Market,
    brought,
    counts_of,
    deed_of,
    lived,
    moved,
)
from oms.domain.reporting.sales import Sales
from tests.adapters import test_projections as told_stories
from tests.projecting import plain_counts

WEB, TILL = Market("web", "USD", "US"), Market("till", "EUR", "FR")
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
ADA = "cus_ada"


def ordered(day: int, order_id: str, market: Market = WEB, spent: int = 1_000) -> Deed:
    at = BEGIN + timedelta(days=day)
    figures = {"orders": 1, "units": 2, "spent": spent}
    return Deed(at, at.date().isoformat(), order_id, market, figures, placed=True)


def returned(day: int, order_id: str, amount: int, market: Market = WEB) -> Deed:
    at = BEGIN + timedelta(days=day)
    figures = {"spent": 0, "returned": amount, "refunded": amount, "returned_units": 1}
    return Deed(at, at.date().isoformat(), order_id, market, figures)


def figures(of: Brought, axis: str, bucket: str) -> dict[tuple[str, ...], dict[str, int]]:
    return {
        values: {name: n for name, n in each.items() if n}
        for (name, when, values), each in of.items()
        if (name, when) == (axis, bucket) and any(each.values())
    }


def test_a_cohort_is_the_month_of_the_first_order_and_its_later_months_are_counted_from_it() -> (
    None
):
    life = lived(
        Lifetime(), [ordered(5, "ord_1"), ordered(40, "ord_2"), returned(70, "ord_2", 300)]
    )

    found = brought(ADA, life)

    assert figures(found, COHORT, "2026-01") == {
        ("2026-01", "0", "USD"): {"cohort_customers": 1, "orders": 1, "net": 1_000}
    }
    assert figures(found, COHORT, "2026-02") == {
        ("2026-01", "1", "USD"): {"orders": 1, "net": 1_000}
    }
    assert figures(found, COHORT, "2026-03") == {("2026-01", "2", "USD"): {"net": -300}}
    assert figures(found, "buyers", "2026-02") == {("USD",): {"customers": 1}}
    assert figures(found, "buyers", "2026-03") == {}


def test_an_earlier_order_that_comes_later_moves_the_customer_to_its_month() -> None:
    before = lived(Lifetime(), [ordered(40, "ord_2")])
    after = lived(before, [ordered(5, "ord_1", TILL)])

    change = moved(ADA, before, after)

    assert figures(change, MARKET, "2026-02") == {("web", "USD", "US"): {"new_customers": -1}}
    assert figures(change, MARKET, "2026-01")["till", "EUR", "FR"]["new_customers"] == 1
    assert figures(change, COHORT, "2026-02") == {
        ("2026-02", "0", "USD"): {"cohort_customers": -1, "orders": -1, "net": -1_000},
        ("2026-01", "1", "USD"): {"orders": 1, "net": 1_000},
    }


def test_a_guest_orders_and_is_no_new_customer() -> None:
    found = brought("cus_guest_1", lived(Lifetime(), [ordered(5, "ord_1")]))

    assert {axis for axis, _, _ in found} == {MARKET}
    assert figures(found, MARKET, "2026-01-06") == {
        ("web", "USD", "US"): {"orders": 1, "guest_orders": 1, "net": 1_000}
    }


deeds = st.lists(
    st.builds(
        ordered,
        st.integers(0, 80),
        st.sampled_from(["ord_1", "ord_2", "ord_3"]),
        st.sampled_from([WEB, TILL]),
        st.integers(0, 5_000),
    )
    | st.builds(returned, st.integers(0, 80), st.just("ord_1"), st.integers(0, 500), st.just(WEB)),
    min_size=1,
    max_size=8,
)


@st.composite
def told(draw: st.DrawFn) -> tuple[list[Deed], list[list[Deed]]]:
    """All deeds, and the same in any order, in any number of segments."""
    whole = draw(deeds)
    mixed = draw(st.permutations(whole))
    cuts = sorted(draw(st.lists(st.integers(0, len(mixed)), max_size=4)))
    starts, ends = [0, *cuts], [*cuts, len(mixed)]
    return whole, [list(mixed[a:b]) for a, b in zip(starts, ends, strict=True)]


@given(told())
@settings(max_examples=60, deadline=None)
def test_any_order_of_events_gives_the_same_customer_and_the_same_report(
    said: tuple[list[Deed], list[list[Deed]]],
) -> None:
    whole, segments = said
    life, total = Lifetime(), Counter[tuple[object, ...]]()
    for segment in segments:
        after = lived(life, segment)
        for count in counts_of([moved(ADA, life, after)]):
            for name, n in count.figures.items():
                total[count.axis, count.bucket, count.of, name] += n
        life = after

    expected = lived(Lifetime(), whole)
    assert life == expected
    plain = {
        (*place, name): n
        for place, each in brought(ADA, expected).items()
        for name, n in each.items()
        if n
    }
    assert {key: n for key, n in total.items() if n} == plain


def test_what_customers_bring_is_the_net_of_the_sales_report() -> None:
    """Of histories with cancellations, edits, returns and refunds."""
    stories = told_stories.stories()
    ours: Counter[str] = Counter()
    for customer_id, deed in map(deed_of, plain_counts(Customers(), stories)):
        for (axis, bucket, _), each in brought(customer_id, lived(Lifetime(), [deed])).items():
            if axis == MARKET and len(bucket) == len("2026-01-01"):
                ours.update(each)
    sold: Counter[str] = Counter()
    for count in plain_counts(Sales(), stories):
        if count.axis == sales.MARKET and len(count.bucket) == len("2026-01-01"):
            sold.update(count.figures)

    assert ours["orders"] == sold["orders"] > 0
    lost = sold["discounts"] + sold["cancelled"] + sold["returned"]
    assert ours["net"] == sold["gross"] - lost
    assert min(sold["cancelled"], sold["returned"]) > 0
