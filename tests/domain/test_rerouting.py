"""What is taken back of a location that has closed, is out, or can do less."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oms.domain import commands as c
from oms.domain.decide import MAX_ROUTING_ROUNDS, decide
from oms.domain.errors import IllegalTransition
from oms.domain.events import FulfillmentOrderRejected
from oms.domain.fulfillment import FulfillmentOrder, FulfillmentStatus, Quantity
from oms.domain.locations import Location, LocationKind
from oms.domain.network.calendars import Outage
from oms.domain.order import OrderStatus
from oms.domain.rerouting import Booked, beyond, booked, given_up, is_not_begun, may_be_out
from tests.builders import Story

AT = datetime(2026, 11, 23, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
MONDAY = date(2026, 11, 23)
LYON = Location("LYON", "Lyon", LocationKind.WAREHOUSE, "FR")
WORK = FulfillmentOrder("ful_a-1", "LYON", (Quantity("line_1", 2),), ship_by=AT + 8 * HOUR)


def test_a_location_that_ships_gives_up_nothing() -> None:
    past = replace(LYON, outages=(Outage("out_1", AT - 9 * HOUR, AT),))

    assert given_up(LYON, WORK, AT) is None
    assert given_up(past, WORK, AT) is None
    assert not may_be_out(past, AT)


def test_a_closed_location_gives_up_everything_and_nobody_knows_until_when() -> None:
    taken = given_up(replace(LYON, active=False), WORK, AT)

    assert taken is not None
    assert (taken.reason, taken.until) == ("closed", None)


def test_an_outage_gives_its_reason_and_its_end() -> None:
    out = replace(LYON, outages=(Outage("out_1", AT - HOUR, AT + HOUR, "flood"),))
    taken = given_up(out, WORK, AT)

    assert taken is not None
    assert (taken.reason, taken.until) == ("outage: flood", AT + HOUR)


def test_an_outage_to_come_gives_up_what_should_leave_while_it_lasts() -> None:
    out = replace(LYON, outages=(Outage("out_1", AT + 4 * HOUR, AT + 10 * HOUR),))

    assert given_up(out, WORK, AT)
    assert given_up(out, replace(WORK, ship_by=AT + 3 * HOUR), AT) is None
    assert given_up(out, replace(WORK, ship_by=AT + 12 * HOUR), AT) is None
    assert given_up(out, replace(WORK, ship_by=None), AT) is None


def test_what_is_begun_or_is_elsewhere_is_not_taken_back() -> None:
    picking = replace(WORK, status=FulfillmentStatus.PICKING)

    assert is_not_begun(WORK, "LYON")
    assert is_not_begun(replace(WORK, status=FulfillmentStatus.ACCEPTED), "LYON")
    assert not is_not_begun(picking, "LYON")
    assert not is_not_begun(WORK, "PARIS")


def test_only_what_has_taken_capacity_is_booked() -> None:
    dated = replace(WORK, ship_on="2026-11-23", deliver_by="2026-11-25")

    assert list(booked([WORK, dated])) == [Booked("ful_a-1", MONDAY, 2, "2026-11-25")]


def test_what_is_promised_latest_goes_first_and_of_these_the_newest() -> None:
    newest_first = [
        Booked("ful_d-1", MONDAY, 1, "2026-11-25"),
        Booked("ful_c-1", MONDAY, 1, "2026-11-26"),
        Booked("ful_b-1", MONDAY, 1, "2026-11-26"),
        Booked("ful_a-1", MONDAY, 1),
    ]
    order = [
        [each.fulfillment_order_id for each in beyond(limit, {MONDAY: 4}, newest_first, AT)]
        for limit in (4, 3, 2, 1, 0)
    ]

    assert order[0] == []
    assert order[1] == ["ful_a-1"]
    assert order[2] == ["ful_a-1", "ful_c-1"]
    assert order[3] == ["ful_a-1", "ful_c-1", "ful_b-1"]
    assert order[4] == ["ful_a-1", "ful_c-1", "ful_b-1", "ful_d-1"]


def test_a_small_one_stays_when_a_large_one_has_to_go_anyway() -> None:
    newest_first = [Booked("ful_b-1", MONDAY, 1), Booked("ful_a-1", MONDAY, 5)]

    taken = beyond(1, {MONDAY: 6}, newest_first, AT)

    assert [each.fulfillment_order_id for each in taken] == ["ful_a-1"]


works = st.lists(
    st.builds(
        Booked,
        st.uuids().map(lambda each: f"ful_{each.hex}-1"),
        st.sampled_from([MONDAY, MONDAY + timedelta(days=1)]),
        st.integers(1, 9),
        st.sampled_from(["", "2026-11-25", "2026-11-26"]),
    ),
    max_size=12,
    unique_by=lambda each: each.fulfillment_order_id,
)


@given(works, st.integers(0, 30), st.integers(0, 9))
def test_a_cut_takes_what_it_must_and_could_leave_none_of_it(
    work: list[Booked], limit: int, begun: int
) -> None:
    used = {
        day: begun + sum(each.units for each in work if each.day == day)
        for day in {each.day for each in work}
    }
    gone = {each.fulfillment_order_id for each in beyond(limit, used, work, AT)}

    for day, units in used.items():
        taken = [
            each.units for each in work if each.day == day if each.fulfillment_order_id in gone
        ]
        left = units - sum(taken)
        assert left <= limit or len(taken) == sum(each.day == day for each in work)
        assert all(left + each > limit for each in taken)


def test_only_work_that_nobody_has_begun_is_taken_back_and_once() -> None:
    story = Story().authorized().routed(("AUSTIN", {"line_1": 1}))
    taking = c.TakeBackFulfillmentOrder(story.box(1), "outage: flood", AT)

    decided = decide(taking, story.order)
    again = decide(taking, story.do(taking).order)

    assert decided == (FulfillmentOrderRejected(story.box(1), "AUSTIN", "outage: flood", AT),)
    assert again == ()


def test_work_that_is_being_picked_is_not_taken_back() -> None:
    story = Story().authorized().routed(("AUSTIN", {"line_1": 1}))
    story.do(c.PickFulfillmentOrder(story.box(1)))

    with pytest.raises(IllegalTransition, match="picking"):
        decide(c.TakeBackFulfillmentOrder(story.box(1), "outage"), story.order)


def test_an_order_whose_every_location_goes_down_ends_with_a_person() -> None:
    story = Story().authorized()
    for number in range(1, MAX_ROUTING_ROUNDS + 1):
        assert not story.order.attention
        story.routed((f"L{number}", {"line_1": 1}))
        story.do(c.TakeBackFulfillmentOrder(story.box(number), "outage", AT))

    assert story.order.attention == "rejected by 5 locations, the last: outage"
    assert story.order.status is not OrderStatus.CANCELLED
