"""When the waits of a return's workflow are over, whatever has happened in whatever order."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oms.domain import commands as c
from oms.domain.errors import Refused
from oms.domain.order import Order
from oms.domain.returns import (
    Acceptance,
    Disposition,
    Inspected,
    Received,
    RefundWhen,
    Resolution,
    ReturnLine,
    ReturnStatus,
    Terms,
)
from oms.domain.returns.waits import (
    HAND_OVER_WITHIN,
    ReturnWait,
    ended,
    hand_over_by,
    needs,
    needs_workflow,
    outcome,
    settled,
    token_name,
)
from oms.domain.returns.way_back import goes_back_to, needs_no_label
from oms.domain.tracking import TrackingStatus
from oms.domain.waits import has_business
from tests.builders import NOW, Story, line, placement, scanned

UNTIL = NOW + timedelta(days=14)
UNIT = (Inspected("line_1", 1, Acceptance.ACCEPTED, Disposition.RESTOCK),)


def asked(**how: object) -> Story:
    story = Story(placement(line(quantity=2))).authorized().routed().shipped()
    story.captured().delivered()
    wish = c.RequestReturn((ReturnLine("line_1", 2),), Resolution.REFUND, **how)  # type: ignore[arg-type]
    return story.do(wish)


def approved(terms: Terms = Terms()) -> Story:  # noqa: B008
    return asked(terms=terms, expires_at=None if terms.keep else UNTIL)


def identity(story: Story) -> str:
    return story.order.returns[0].return_id


def over(story: Story, wait: ReturnWait = ReturnWait.GOODS) -> str | None:
    return outcome(story.order, identity(story), wait)


COMMANDS = st.sampled_from(
    (
        lambda r: c.ReceiveReturn(r, "austin", (Received("line_1", 1),)),
        lambda r: c.InspectReturn(r, UNIT),
        lambda r: c.RecordReturnLabel(r, "easypost", "EZ9"),
        lambda r: c.RecordReturnScans(
            r, "easypost", "EZ9", (scanned("EZ9", TrackingStatus.IN_TRANSIT),)
        ),
        lambda r: c.CancelReturn(r, "kept"),
        lambda r: c.ExpireReturn(r),
        lambda r: c.RaiseAttention("late", r),
        lambda r: c.ResolveAttention("retry", r),
        lambda r: c.ResolveAttention("ignore", r),
    )
)
TERMS = st.builds(Terms, refund_when=st.sampled_from(RefundWhen), keep=st.booleans())


@given(TERMS, st.lists(COMMANDS, max_size=12))
def test_whatever_happens_a_wait_that_ends_is_told_by_the_change_that_ends_it(
    terms: Terms, steps: list[object]
) -> None:
    story = approved(terms)
    for step in steps:
        before = story.order
        try:
            story.do(step(identity(story)))  # type: ignore[operator]
        except Refused:
            continue
        told = ended(before, story.order)
        for wait in ReturnWait:
            was = outcome(before, identity(story), wait)
            now = over(story, wait)
            said = told.get(token_name(identity(story), wait))
            assert said == (now if was is None else None)


@given(TERMS, st.lists(COMMANDS, max_size=12))
def test_a_return_that_is_under_way_or_before_a_person_is_business_of_its_order(
    terms: Terms, steps: list[object]
) -> None:
    story = approved(terms)
    for step in steps:
        try:
            story.do(step(identity(story)))  # type: ignore[operator]
        except Refused:
            continue
        (found,) = story.order.returns
        ignored = found.decision == "ignore"
        assert needs_workflow(found) == (bool(found.attention) or (found.is_open and not ignored))
        assert has_business(story.order) or not needs_workflow(found)


@given(TERMS, st.lists(COMMANDS, max_size=12))
def test_what_the_next_step_is_told_is_never_a_wait_that_is_over(
    terms: Terms, steps: list[object]
) -> None:
    """Or the workflow would go round without anything to wait for."""
    story = approved(terms)
    for step in steps:
        try:
            story.do(step(identity(story)))  # type: ignore[operator]
        except Refused:
            continue
    said = settled(story.order, identity(story))
    if said == "inspecting":
        assert over(story, ReturnWait.INSPECTION) is None
    if said == "attention":
        assert over(story, ReturnWait.ATTENTION) is None
    if needs(story.order, identity(story), NOW) == "goods":
        assert over(story) is None


def test_a_return_that_was_asked_for_and_not_approved_waits_for_nothing() -> None:
    story = asked()

    assert not needs_workflow(story.order.returns[0])
    assert not has_business(story.order)


def test_goods_are_late_from_the_day_on_by_which_they_were_to_be_handed_over() -> None:
    order = approved().order
    return_id = order.returns[0].return_id

    assert needs(order, return_id, UNTIL - timedelta(seconds=1)) == "goods"
    assert needs(order, return_id, UNTIL) == "late"


def test_a_return_without_a_last_day_is_awaited_for_two_months() -> None:
    story = asked(terms=Terms())
    (found,) = story.order.returns

    assert hand_over_by(found) == story.at + HAND_OVER_WITHIN


def test_what_is_paid_for_and_not_looked_at_yet_is_still_inspected() -> None:
    story = approved(Terms(refund_when=RefundWhen.RECEIPT))
    story.do(c.ReceiveReturn(identity(story), "austin", (Received("line_1", 1),)))

    assert over(story) == "received"
    assert settled(story.order, identity(story)) == "inspecting"


def test_the_attention_of_a_return_is_not_that_of_its_order() -> None:
    story = approved().do()
    story.do(c.RaiseAttention("late", identity(story)))
    story.do(c.RaiseAttention("late", identity(story)))

    assert story.order.attention == ""
    assert story.order.returns[0].attention == "late"
    story.do(c.ResolveAttention("retry"))  # of the order, which needs nobody
    assert story.order.returns[0].attention == "late"
    story.do(c.ResolveAttention("ignore", identity(story)))
    assert (story.order.resolution, story.order.returns[0].decision) == ("", "ignore")


@pytest.mark.parametrize(
    ("terms", "in_store", "why"),
    [
        (Terms(), "", ""),
        (Terms(keep=True), "", "nothing has to come back"),
        (Terms(), "RENO", "it is handed over a counter"),
    ],
)
def test_only_what_travels_needs_a_label(terms: Terms, in_store: str, why: str) -> None:
    (found,) = asked(terms=terms, in_store=in_store).order.returns

    assert needs_no_label(found) == why


def test_goods_go_back_to_where_most_of_them_came_from() -> None:
    story = Story(placement(line(quantity=5))).authorized()
    story.routed(("austin", {"line_1": 2}), ("reno", {"line_1": 3}))
    story.shipped(1).shipped(2, "EZ2").captured().delivered().delivered("EZ2")
    story.do(c.RequestReturn((ReturnLine("line_1", 1),), Resolution.REFUND, terms=Terms()))

    assert goes_back_to(story.order, story.order.returns[0]) == "reno"
    assert status(story.order) is ReturnStatus.APPROVED


def status(order: Order) -> ReturnStatus:
    return order.returns[0].status
