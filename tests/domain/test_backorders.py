"""Units that stock is lacking for: what goes ahead, what waits, and for how long."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from oms.domain import commands as c
from oms.domain import events as e
from oms.domain.decide import MAX_ROUTING_ROUNDS, OUT_OF_STOCK
from oms.domain.errors import Refused
from oms.domain.fulfillment import Quantity
from oms.domain.items import Backorders
from oms.domain.lines import Part
from oms.domain.order import (
    Order,
    OrderStatus,
    awaited_items,
    backorder_deadline,
    excluded,
    is_tried_again,
    next_release,
    overdue_backorders,
    preordered,
    preordered_items,
)
from oms.domain.payment import OperationKind
from oms.domain.waits import Wait, outcome, place_to_wait
from tests.builders import NOW, RECORD, Story, line, placement, quantities

DAY = timedelta(days=1)


def of_two(**changes: object) -> Story:
    return Story(placement(line(1, quantity=3), line(2, quantity=2), **changes)).authorized()


def in_part(story: Story, **said: object) -> Story:
    """Two of the three of line 1, all of line 2; the third waits, unless it is said otherwise."""
    plan = story.plan(("austin", {"line_1": 2, "line_2": 2}))
    short = said.pop("short", quantities([("line_1", 1)]))
    return story.do(c.RecordRouting(plan, RECORD, short=short, **said))  # type: ignore[arg-type]


def waits_of(order: Order) -> set[Wait]:
    return {wait for wait in (Wait.STOCK, Wait.FULFILLMENT) if outcome(order, wait) is None}


def after_days(number: int) -> Callable[[str], Backorders]:
    return lambda _: Backorders(cancel_after_days=number)


# --- a part goes ahead ------------------------------------------------------------------------


def test_a_part_is_routed_and_the_rest_waits_by_one_decision() -> None:
    story = in_part(of_two(), expected_on="2026-03-20")

    assert [type(fact.event) for fact in story.facts[-2:]] == [e.OrderRouted, e.OrderBackordered]
    first = story.order.line("line_1")
    assert (first.allocated, first.backordered, first.open) == (2, 1, 0)
    waiting = story.order.backorder("line_1")
    assert waiting is not None
    assert (waiting.expected_on, waiting.since) == ("2026-03-20", story.at)
    assert waits_of(story.order) == {Wait.FULFILLMENT}


@pytest.mark.parametrize("short", [(), quantities([("line_1", 2)]), quantities([("line_2", 1)])])
def test_a_decision_that_forgets_or_doubles_a_unit_is_refused(short: tuple[Quantity, ...]) -> None:
    with pytest.raises(Refused, match="does not cover"):
        in_part(of_two(), short=short)


def test_a_decision_that_gives_nothing_to_anybody_is_refused() -> None:
    story = of_two()
    short = quantities([("line_1", 3), ("line_2", 2)])

    with pytest.raises(Refused, match="none"):
        story.do(c.RecordRouting((), RECORD, short=short))


def test_what_may_not_wait_is_cancelled_by_the_same_decision_and_not_paid_for() -> None:
    story = in_part(of_two(provider="external", captured=5500), short=(), denied=one_of("line_1"))

    assert story.order.line("line_1").cancelled == 1
    assert story.events(e.OrderLinesCancelled)[0].reason == OUT_OF_STOCK
    (refund,) = [x for x in story.order.payment.operations if x.kind is OperationKind.REFUND]
    assert refund.amount == 1000
    assert story.order.status is OrderStatus.IN_FULFILLMENT


def one_of(line_id: str) -> tuple[Quantity, ...]:
    return (Quantity(line_id, 1),)


def test_stock_that_comes_while_the_first_part_is_packed_is_routed_too() -> None:
    story = in_part(of_two())
    story.do(c.PickFulfillmentOrder(story.box(1)))

    story.do(c.ReleaseBackorder("SKU-1"))

    assert outcome(story.order, Wait.FULFILLMENT) == "remainder"
    story.routed()
    assert waits_of(story.order) == {Wait.FULFILLMENT}
    story.do(c.PackFulfillmentOrder(story.box(1)))
    for number in (1, 2):
        parcels = story.parcels(number, f"EZ{number}")
        story = story if number == 1 else story.packed(2)
        story.do(c.ShipFulfillmentOrder(story.box(number), parcels))
    story.captured().delivered("EZ1").delivered("EZ2")
    assert story.order.status is OrderStatus.COMPLETED


def test_when_the_first_part_arrives_first_the_order_waits_for_stock_alone() -> None:
    story = in_part(of_two()).shipped().captured()
    assert place_to_wait(story.order) == "routed"

    story.delivered()

    assert outcome(story.order, Wait.FULFILLMENT) == "remainder"
    assert place_to_wait(story.order) == "backordered"
    assert waits_of(story.order) == {Wait.STOCK}
    assert story.order.status is OrderStatus.IN_FULFILLMENT
    story.do(c.ReleaseBackorder("SKU-1"))
    assert outcome(story.order, Wait.STOCK) == "released"


def test_when_the_first_part_is_rejected_all_is_decided_anew() -> None:
    story = in_part(of_two())

    story.do(c.RejectFulfillmentOrder(story.box(1), "flooded"))

    assert [each.open for each in story.order.lines] == [3, 2]
    assert outcome(story.order, Wait.FULFILLMENT) == "remainder"


def test_when_the_rest_is_cancelled_the_first_part_completes_the_order() -> None:
    story = in_part(of_two()).shipped().captured().delivered()

    story.do(c.CancelOrder(OUT_OF_STOCK, one_of("line_1"), waiting=True))

    assert story.order.status is OrderStatus.COMPLETED
    assert outcome(story.order, Wait.STOCK) == "released"


def test_what_is_routed_by_now_is_not_cancelled_for_lack_of_stock() -> None:
    story = in_part(of_two()).do(c.ReleaseBackorder("SKU-1")).routed()
    version = story.order.version

    story.do(c.CancelOrder(OUT_OF_STOCK, one_of("line_1"), waiting=True))

    assert story.order.version == version


def test_a_large_plan_keeps_what_it_does_without_until_its_batches_are_taken() -> None:
    lines = [line(number, quantity=2) for number in range(1, 46)]
    story = Story(placement(*lines)).authorized()
    plan = story.plan(("austin", {each.line_id: 2 - (each.line_id == "line_1") for each in lines}))
    said = {"short": one_of("line_1"), "expected_on": "2026-04-01"}

    story.do(c.PlanRouting(plan, RECORD, **said))  # type: ignore[arg-type]

    with pytest.raises(Refused, match="another plan"):
        story.do(c.RecordRouting(plan, RECORD))
    story.do(c.RecordRouting(plan, RECORD, **said))  # type: ignore[arg-type]
    assert story.order.line("line_1").backordered == 1
    assert story.order.routing_plan is None


# --- waiting ----------------------------------------------------------------------------------


def test_a_release_in_vain_costs_neither_the_place_in_line_nor_the_time_that_was_waited() -> None:
    story = of_two().do(c.Backorder(one_of("line_1")))
    since = story.at
    story.do(c.ReleaseBackorder("SKU-1"))
    assert awaited_items(story.order) == ("SKU-1",)
    assert is_tried_again(story.order)

    story.do(c.Backorder(one_of("line_1")))

    waiting = story.order.backorder("line_1")
    assert waiting is not None
    assert waiting.since == since
    assert [event.again for event in story.events(e.OrderBackordered)] == [False, True]


def test_another_day_is_news() -> None:
    story = of_two().do(c.Backorder(one_of("line_1"), "2026-03-20"))

    story.do(c.RescheduleBackorder("SKU-1", "2026-04-02"))
    story.do(c.RescheduleBackorder("SKU-1", "2026-04-02"), c.RescheduleBackorder("SKU-2", ""))

    assert story.events(e.BackorderRescheduled) == [
        e.BackorderRescheduled(("line_1",), "2026-04-02")
    ]
    waiting = story.order.backorder("line_1")
    assert waiting is not None
    assert waiting.expected_on == "2026-04-02"


def test_what_is_no_day_is_refused() -> None:
    with pytest.raises(Refused, match="no day"):
        of_two().do(c.Backorder(one_of("line_1"), "soon"))


def test_who_lacks_a_kit_stands_in_line_for_its_parts() -> None:
    kit = replace(line(1, sku="SET"), takes=(Part("CUP", 2), Part("POT")))
    story = Story(placement(kit)).authorized().do(c.Backorder(one_of("line_1")))

    assert awaited_items(story.order) == ("CUP", "POT")
    story.do(c.ReleaseBackorder("POT"))
    assert story.order.line("line_1").open == 1


def test_only_what_has_waited_too_long_is_overdue() -> None:
    story = of_two().do(c.Backorder(one_of("line_1")))
    since = story.at
    story.at += DAY
    story.do(c.Backorder(one_of("line_2")))

    assert overdue_backorders(story.order, since + 9 * DAY, after_days(10)) == ()
    assert overdue_backorders(story.order, since + 10 * DAY, after_days(10)) == one_of("line_1")
    assert backorder_deadline(story.order, after_days(10)) == since + 10 * DAY
    assert backorder_deadline(story.order, lambda _: Backorders()) is None


# --- pre-orders -------------------------------------------------------------------------------


def test_a_pre_order_is_nobodys_before_its_day_and_waits_from_then_on() -> None:
    story = of_two().do(c.Backorder(one_of("line_1"), "2026-06-01", preorder=True))
    release = datetime(2026, 6, 1, tzinfo=UTC)

    assert preordered(story.order, NOW) == {"line_1"}
    assert preordered_items(story.order, NOW) == {"SKU-1"}
    assert next_release(story.order, NOW) == release
    assert preordered(story.order, release) == frozenset()
    assert next_release(story.order, release) is None
    assert backorder_deadline(story.order, after_days(3)) == release + 3 * DAY


# --- routing windows --------------------------------------------------------------------------


def deferred() -> Story:
    return of_two().do(c.DeferRouting(NOW + timedelta(minutes=10), "SKU-1"))


def test_a_deferred_order_waits_until_its_time_has_come() -> None:
    order = deferred().order

    assert outcome(order, Wait.STOCK) is None
    assert outcome(order, Wait.STOCK, NOW + timedelta(minutes=9)) is None
    assert outcome(order, Wait.STOCK, NOW + timedelta(minutes=10)) == "released"


def test_a_joint_decision_ends_the_wait() -> None:
    story = deferred().routed()

    assert outcome(story.order, Wait.STOCK) == "released"
    assert (story.order.deferred_until, place_to_wait(story.order)) == (None, "routed")


def test_who_gets_nothing_by_a_joint_decision_waits_for_stock() -> None:
    story = deferred().do(c.Backorder(one_of("line_1")))

    assert (story.order.is_deferred, waits_of(story.order)) == (False, {Wait.STOCK})


def test_to_defer_twice_until_the_same_time_is_once() -> None:
    story = deferred()
    version = story.order.version

    story.do(c.DeferRouting(NOW + timedelta(minutes=10), "SKU-1"))

    assert story.order.version == version


# --- locations that cannot do it --------------------------------------------------------------


def rejected(story: Story, until: datetime | None = None) -> Story:
    story.routed()
    box = story.order.fulfillment_orders[-1].fulfillment_order_id
    return story.do(c.RejectFulfillmentOrder(box, "no time", until))


def test_a_location_may_be_asked_again_when_its_exclusion_is_over() -> None:
    order = rejected(of_two(), NOW + DAY).order

    assert excluded(order, NOW + DAY - timedelta(seconds=1)) == {"austin": "rejected: no time"}
    assert excluded(order, NOW + DAY) == {}


def test_a_location_that_is_left_out_for_good_stays_out() -> None:
    assert excluded(rejected(of_two()).order, NOW + 999 * DAY) == {"austin": "rejected: no time"}


def test_rounds_end_with_a_person_even_when_every_exclusion_is_over() -> None:
    story = of_two()
    for _ in range(MAX_ROUTING_ROUNDS - 1):
        rejected(story, NOW)
        assert not story.order.attention

    rejected(story, NOW)

    assert story.order.attention
    assert excluded(story.order, NOW) == {}


def test_a_person_who_decides_to_try_again_begins_the_rounds_anew() -> None:
    story = of_two()
    for _ in range(MAX_ROUTING_ROUNDS):
        rejected(story)

    story.do(c.ResolveAttention("retry"))

    assert (story.order.refused_by, excluded(story.order, NOW)) == ((), {})
    assert not rejected(story).order.attention


def test_a_person_who_ignores_it_decides_nothing_about_those_who_refused() -> None:
    story = rejected(of_two()).do(c.RaiseAttention("odd"), c.ResolveAttention("ignore"))

    assert len(story.order.refused_by) == 1
