"""How a promise stands after everything that can happen to an order."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oms.contracts import codec
from oms.domain import commands as c
from oms.domain import events as e
from oms.domain.errors import IllegalTransition
from oms.domain.network.lanes import Basis
from oms.domain.order import Order, fold
from oms.domain.promising.standing import Standing, State, next_look, standing
from oms.domain.tracking import TrackingStatus, scan
from tests.builders import NOW, RECORD, Story, placement, quantities

# Ordered on Monday the 2nd, leaves by Tuesday at five in the afternoon, is there on Thursday.
BASIS = Basis("ups", "standard", "near", 3, days=2, time_zone="America/Chicago", utc_hours=-6)
LEAVES = datetime(2026, 3, 3, 23, tzinfo=UTC)
THURSDAY, FRIDAY, MONDAY = "2026-03-05", "2026-03-06", "2026-03-09"
NOON_OF_THURSDAY = datetime(2026, 3, 5, 18, tzinfo=UTC)
HOUR = timedelta(hours=1)


def promised(told: str = "", **said: Any) -> Story:
    story = Story(placement(deliver_by=told)).authorized()
    (plan,) = story.plan(("AUS1", {"line_1": 1}))
    given = {"ship_by": LEAVES, "deliver_by": THURSDAY, "basis": BASIS, **said}
    return story.do(c.RecordRouting((replace(plan, **given),), RECORD))


def shipped(story: Story, at: datetime = LEAVES) -> Story:
    story.at = at - 3 * timedelta(minutes=1)
    return story.shipped()


def scanned(story: Story, status: TrackingStatus, at: datetime) -> Story:
    story.at = at
    said = scan("easypost", "EZ1", status, at, status.value)
    return story.do(c.RecordScans("easypost", "EZ1", (said,)))


def stands(story: Story, at: datetime) -> Standing:
    found = standing(story.order, at)
    assert found
    return found


def revised(story: Story, at: datetime) -> list[tuple[str, str]]:
    story.at = at
    story.do(c.RevisePromise(at), c.RevisePromise(at))
    return [(x.deliver_by, x.instead_of) for x in story.events(e.PromiseRevised)]


def test_the_first_plan_makes_the_promise_where_the_storefront_made_none() -> None:
    story = promised()
    promise = story.order.promise

    assert promise
    assert (promise.deliver_by, promise.ours, promise.days_apart) == (THURSDAY, THURSDAY, 0)
    assert (promise.ship_by, promise.made_of) == (LEAVES, (story.box(1),))
    assert story.order.fulfillment_orders[0].basis == BASIS


@pytest.mark.parametrize(("told", "apart"), [("2026-03-04", -1), (THURSDAY, 0), (MONDAY, 4)])
def test_what_the_storefront_told_holds_and_the_difference_is_kept(told: str, apart: int) -> None:
    promise = promised(told).order.promise

    assert promise
    assert (promise.deliver_by, promise.ours, promise.days_apart) == (told, THURSDAY, apart)


def test_an_order_of_which_nobody_can_tell_a_day_has_no_promise_and_costs_nothing_more() -> None:
    story = Story().authorized().routed().shipped()

    assert story.order.promise is None
    assert standing(story.order, NOW + timedelta(days=400)) is None
    assert b"shipped_at" not in codec.encode(story.order)
    assert b"promise" not in b"".join(codec.encode(fact.event) for fact in story.facts)


def test_what_waits_for_stock_is_promised_nothing_by_its_first_part() -> None:
    story = Story(placement()).authorized()
    lines = quantities([("line_1", 1)])
    story.do(c.Backorder(lines, "2026-03-10"))

    assert story.order.promise is None


def test_a_promise_is_kept_while_everything_goes_as_planned() -> None:
    story = promised()
    assert stands(story, LEAVES) == Standing(
        State.KEPT, date(2026, 3, 5), fulfillment_order_id=story.box(1)
    )

    shipped(story)
    assert stands(story, NOON_OF_THURSDAY - HOUR).state is State.KEPT


def test_what_has_not_left_in_time_comes_as_much_later() -> None:
    found = stands(promised(), LEAVES + HOUR)
    next_day = stands(promised(), LEAVES + timedelta(days=1))

    assert (found.state, found.day) == (State.AT_RISK, date(2026, 3, 5))
    assert (next_day.state, next_day.day) == (State.AT_RISK, date(2026, 3, 6))


def test_what_left_late_is_expected_late_before_it_is() -> None:
    story = shipped(promised(), LEAVES + timedelta(days=1))

    assert revised(story, LEAVES + timedelta(days=1, hours=1)) == [(FRIDAY, THURSDAY)]


def test_what_is_not_out_for_delivery_at_noon_comes_on_the_next_day_of_delivery() -> None:
    story = shipped(promised(FRIDAY, deliver_by=FRIDAY, basis=replace(BASIS, days=3)))
    noon = NOON_OF_THURSDAY + timedelta(days=1)

    assert stands(story, noon - HOUR).state is State.KEPT
    assert revised(story, noon) == [(MONDAY, FRIDAY)]


def test_what_is_out_for_delivery_is_waited_for() -> None:
    story = scanned(
        shipped(promised()), TrackingStatus.OUT_FOR_DELIVERY, NOON_OF_THURSDAY - 5 * HOUR
    )

    assert stands(story, NOON_OF_THURSDAY).state is State.KEPT


@pytest.mark.parametrize("status", [TrackingStatus.ATTEMPT_FAILED, TrackingStatus.EXCEPTION])
def test_a_carrier_in_trouble_puts_it_off(status: TrackingStatus) -> None:
    story = scanned(shipped(promised()), status, NOON_OF_THURSDAY)

    assert revised(story, NOON_OF_THURSDAY) == [(FRIDAY, THURSDAY)]


def test_of_a_lost_parcel_nobody_knows_the_day_and_that_is_told_once() -> None:
    story = scanned(shipped(promised()), TrackingStatus.LOST, NOON_OF_THURSDAY)
    later = NOON_OF_THURSDAY + timedelta(days=9)

    assert stands(story, NOON_OF_THURSDAY).state is State.AT_RISK
    assert stands(story, later).state is State.MISSED
    assert revised(story, NOON_OF_THURSDAY) == revised(story, later) == [("", THURSDAY)]


def test_what_was_lost_and_is_found_is_told_a_day_again() -> None:
    story = scanned(shipped(promised()), TrackingStatus.LOST, LEAVES + HOUR)
    revised(story, LEAVES + HOUR)
    scanned(story, TrackingStatus.IN_TRANSIT, LEAVES + 2 * HOUR)

    assert revised(story, LEAVES + 2 * HOUR)[1:] == [(THURSDAY, "")]


def test_each_later_day_is_told_once_and_no_sooner_one() -> None:
    story = shipped(promised())
    days = [NOON_OF_THURSDAY + timedelta(days=more) for more in range(3)]
    told = [revised(story, at)[-1] for at in (*days, days[0])]

    assert told == [(FRIDAY, THURSDAY), (MONDAY, FRIDAY), (MONDAY, FRIDAY), (MONDAY, FRIDAY)]


def test_nothing_is_told_after_it_was_delivered() -> None:
    story = shipped(promised()).delivered()

    assert standing(story.order, NOON_OF_THURSDAY + timedelta(days=30)) is None
    assert revised(story, NOON_OF_THURSDAY + timedelta(days=30)) == []


def test_a_day_that_somebody_knows_better_counts_if_it_is_later() -> None:
    story = promised()
    known = {story.box(1): date(2026, 3, 9)}
    sooner = {story.box(1): date(2026, 3, 3)}

    found = standing(story.order, NOW, known)

    assert found
    assert (found.state, found.day) == (State.AT_RISK, date(2026, 3, 9))
    assert standing(story.order, NOW, sooner) == standing(story.order, NOW)


def test_what_waits_for_stock_beyond_the_day_is_at_risk() -> None:
    story = Story(placement(deliver_by=THURSDAY)).authorized()
    lines = quantities([("line_1", 1)])
    soon = Story(placement(deliver_by=THURSDAY)).authorized()

    story.do(c.Backorder(lines, THURSDAY))
    soon.do(c.Backorder(lines, "2026-03-04"))

    assert stands(story, NOW).state is State.AT_RISK
    assert stands(soon, NOW).state is State.KEPT


def test_where_no_carrier_tells_a_day_the_promise_stands_until_it_is_over() -> None:
    story = shipped(promised(THURSDAY, ship_by=None, deliver_by="", basis=None))
    over = NOON_OF_THURSDAY + timedelta(days=1)

    assert stands(story, NOON_OF_THURSDAY).state is State.KEPT
    assert stands(story, over).state is State.MISSED
    assert revised(story, over) == revised(story, over + timedelta(days=3)) == [("", THURSDAY)]


def test_what_can_be_collected_is_there_whenever_its_customer_comes() -> None:
    story = Story(placement(deliver_by=THURSDAY, pickup_location="AUS1")).authorized()
    (plan,) = story.plan(("AUS1", {"line_1": 1}))
    pickup = replace(plan, ship_by=LEAVES, deliver_by="2026-03-03", delivery="pickup")
    story.do(c.RecordRouting((pickup,), RECORD)).packed()
    late = NOON_OF_THURSDAY + timedelta(days=3)
    assert stands(story, late).state is State.MISSED

    story.do(c.ReadyFulfillmentOrder(story.box(1)))

    assert stands(story, late).state is State.KEPT
    assert revised(story, late) == []


def test_what_was_delivered_tells_its_way() -> None:
    story = shipped(promised())
    scanned(story, TrackingStatus.DELIVERED, NOON_OF_THURSDAY)

    (delivered,) = story.events(e.FulfillmentOrderDelivered)

    assert delivered.way
    assert delivered.way.arrived_at == NOON_OF_THURSDAY
    assert (delivered.way.promised, delivered.way.basis) == (THURSDAY, BASIS)
    assert delivered.way.shipped_at == LEAVES
    assert delivered.way.location_id == "AUS1"


def test_without_a_promise_nothing_is_told_of_the_way() -> None:
    story = Story().authorized().routed().shipped().delivered()

    (delivered,) = story.events(e.FulfillmentOrderDelivered)

    assert delivered.way is None


def upgrade(story: Story, method: str = "express") -> c.UpgradeFulfillmentOrder:
    faster = replace(BASIS, method=method, days=1)
    day = date(2026, 3, 4)
    return c.UpgradeFulfillmentOrder(
        story.box(1), method, "promise at risk", day, LEAVES, faster, 600, "USD"
    )


def test_an_upgrade_changes_method_and_day_and_is_made_once() -> None:
    story = promised()
    story.do(upgrade(story), upgrade(story))

    (box,) = story.order.fulfillment_orders
    assert (box.method, box.deliver_by) == ("express", "2026-03-04")
    assert len(story.events(e.FulfillmentOrderUpgraded)) == 1
    assert fold(story.order_id, story.facts) == story.order


def test_what_has_left_is_not_upgraded() -> None:
    story = shipped(promised())

    with pytest.raises(IllegalTransition):
        story.do(upgrade(story))


def test_a_promise_is_looked_at_as_it_leaves_and_at_noon_of_its_day() -> None:
    story = promised()
    (box,) = story.order.fulfillment_orders

    assert next_look(story.order, box, NOW) == LEAVES
    assert next_look(story.order, box, LEAVES) == LEAVES + timedelta(days=1)
    shipped(story)
    (box,) = story.order.fulfillment_orders
    assert next_look(story.order, box, LEAVES) == NOON_OF_THURSDAY
    assert next_look(story.order, box, NOON_OF_THURSDAY) == NOON_OF_THURSDAY + timedelta(days=1)
    assert next_look(story.order, box, NOON_OF_THURSDAY + timedelta(days=14)) is None


STATUSES = st.sampled_from([x for x in TrackingStatus if x is not TrackingStatus.DELIVERED])
SCANS = st.lists(st.tuples(STATUSES, st.integers(1, 20 * 24)), max_size=6)


@given(SCANS, st.integers(0, 30 * 24))
def test_whatever_is_scanned_a_day_is_told_only_after_a_sooner_one_or_none(
    scans: list[tuple[TrackingStatus, int]], last: int
) -> None:
    story = shipped(promised())
    for status, hours in scans:
        at = LEAVES + hours * HOUR
        scanned(story, status, at)
        story.do(c.RevisePromise(at))
    story.do(c.RevisePromise(LEAVES + last * HOUR))

    told = [each.deliver_by for each in story.events(e.PromiseRevised)]
    for before, after in pairwise([THURSDAY, *told]):
        assert before != after
        assert not before or not after or before < after
    assert_folds(story)


def assert_folds(story: Story) -> None:
    order: Order = codec.decode(codec.encode(story.order), Order)
    assert order == fold(story.order_id, story.facts) == story.order
