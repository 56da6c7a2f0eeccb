"""Parcels that nobody has heard of for days, and that are heard of after all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from oms.adapters.lost_parcels import silences
from oms.domain import commands as c
from oms.domain import events as e
from oms.domain.fulfillment import Quantity
from oms.domain.network.lanes import Basis
from oms.domain.tracking import Scan, TrackingStatus, scan
from oms.domain.watching import TrackingPolicy
from tests.builders import NOW, RECORD, Story, line, placement

POLICY = TrackingPolicy(silent_days=8)
LATER = NOW + timedelta(days=9)


def seen(status: TrackingStatus, days: float, number: str = "EZ1") -> Scan:
    return scan("easypost", number, status, NOW + timedelta(days=days), status.value)


def told(story: Story, *scans: Scan, number: str = "EZ1") -> Story:
    return story.do(c.RecordScans("easypost", number, scans))


def underway() -> Story:
    story = Story().authorized().routed().shipped()
    return told(story, seen(TrackingStatus.IN_TRANSIT, 0.5))


def given_up(story: Story, at: datetime = LATER) -> Iterator[c.RecordScans]:
    return silences(story.order, POLICY, at)


def status(story: Story) -> TrackingStatus:
    return story.order.fulfillment_orders[0].parcels[0].status


def test_a_scan_that_was_under_way_when_a_parcel_was_given_up_finds_it_again() -> None:
    """It was seen a day before nobody had heard of it, and told a day after."""
    story = underway()
    story.do(*given_up(story))
    assert status(story) is TrackingStatus.LOST

    told(story, seen(TrackingStatus.OUT_FOR_DELIVERY, 8))

    assert status(story) is TrackingStatus.OUT_FOR_DELIVERY


def test_a_parcel_that_was_heard_of_while_it_was_given_up_is_not_lost() -> None:
    story = underway()
    commands = list(given_up(story))
    told(story, seen(TrackingStatus.OUT_FOR_DELIVERY, 8))

    story.do(*commands)

    assert status(story) is TrackingStatus.OUT_FOR_DELIVERY
    assert not story.order.attention


def test_two_who_give_up_the_same_parcel_say_so_once() -> None:
    story = underway()

    story.do(*given_up(story), *given_up(story, LATER + timedelta(minutes=1)))

    lost = [x for each in story.events(e.ParcelScanned) for x in each.scans if x.status == "lost"]
    assert len(lost) == 1


def test_a_parcel_that_is_silent_again_is_lost_again() -> None:
    story = underway()
    story.do(*given_up(story))
    told(story, seen(TrackingStatus.IN_TRANSIT, 9.5))

    story.do(*given_up(story, NOW + timedelta(days=20)))

    assert status(story) is TrackingStatus.LOST


def test_an_order_whose_lost_parcel_is_found_needs_nobody_for_it_any_more() -> None:
    story = underway()
    story.do(*given_up(story))
    assert story.order.attention == "parcel easypost EZ1: lost"

    told(story, seen(TrackingStatus.IN_TRANSIT, 9))

    assert not story.order.attention


def test_what_else_an_order_needs_somebody_for_stays_when_a_parcel_is_found() -> None:
    story = underway()
    story.do(*given_up(story), c.RaiseAttention("the customer called"))

    told(story, seen(TrackingStatus.IN_TRANSIT, 9))

    assert story.order.attention == "the customer called"


def test_a_lost_parcel_that_is_delivered_leaves_the_rest_of_its_order_to_go_on() -> None:
    story = Story(placement(line(1), line(2))).authorized()
    story.routed(("austin", {"line_1": 1}), ("boston", {"line_2": 1})).shipped()
    told(story, seen(TrackingStatus.LOST, 1))

    told(story, seen(TrackingStatus.DELIVERED, 2))

    assert not story.order.attention
    assert not told(story, seen(TrackingStatus.RETURN_TO_SENDER, 3)).order.attention


PARTS = ("EZ1", "EZ2", "EZ3")  # two boxes, one of them in two parcels
GOES_BACK = TrackingStatus.RETURN_TO_SENDER


def in_three_parcels() -> Story:
    story = Story(placement(line(1, quantity=2), line(2))).authorized()
    story.routed(("austin", {"line_1": 2}), ("boston", {"line_2": 1})).packed().packed(2)
    each = (Quantity("line_1", 1),)
    one, two = (e.PackedParcel("easypost", number, each) for number in PARTS[:2])
    other = e.PackedParcel("easypost", PARTS[2], (Quantity("line_2", 1),))
    story.do(c.ShipFulfillmentOrder(story.box(1), (one, two)))
    return story.do(c.ShipFulfillmentOrder(story.box(2), (other,)))


def where(story: Story) -> tuple[object, ...]:
    boxes = story.order.fulfillment_orders
    parcels = tuple((p.status, p.scanned_at, frozenset(p.scans)) for b in boxes for p in b.parcels)
    return parcels, tuple(box.status for box in boxes), story.order.status


SAID = st.tuples(
    st.sampled_from(PARTS),
    st.sampled_from([each for each in TrackingStatus if each is not GOES_BACK]),
    st.integers(0, 3),
)


@settings(deadline=None)
@given(st.lists(SAID, min_size=1, max_size=7), st.randoms(use_true_random=False))
def test_in_whatever_order_parcels_are_told_of_the_order_comes_to_the_same(
    said: list[tuple[str, TrackingStatus, int]], chance: Random
) -> None:
    """And a person is asked for exactly while a parcel is lost."""
    stories = [in_three_parcels(), in_three_parcels()]
    for story in stories:
        for number, status, days in said:
            told(story, seen(status, days, number), number=number)
        chance.shuffle(said)

    first, second = stories
    assert where(first) == where(second)
    for story in stories:
        parcels = [each for box in story.order.fulfillment_orders for each in box.parcels]
        lost = any(each.status is TrackingStatus.LOST for each in parcels)
        assert bool(story.order.attention) == lost


def test_of_two_lost_parcels_one_that_is_found_leaves_the_other_to_a_person() -> None:
    story = in_three_parcels()
    for number in PARTS[:2]:
        told(story, seen(TrackingStatus.LOST, 1, number), number=number)

    told(story, seen(TrackingStatus.IN_TRANSIT, 2, "EZ2"), number="EZ2")
    assert story.order.attention

    told(story, seen(TrackingStatus.IN_TRANSIT, 2, "EZ1"), number="EZ1")
    assert not story.order.attention


def by_hand() -> Story:
    story = Story(placement(deliver_by="2026-03-06")).authorized()
    box = replace(story.plan(("austin", {"line_1": 1}))[0], basis=Basis("manual", "standard"))
    story.do(c.RecordRouting((box,), RECORD)).packed()
    parcel = e.PackedParcel("manual", "M1", box.lines)
    return story.do(c.ShipFulfillmentOrder(box.fulfillment_order_id, (parcel,)))


def test_of_whom_no_carrier_tells_nobody_expects_to_hear() -> None:
    assert not list(given_up(by_hand(), NOW + timedelta(days=60)))


def test_what_staff_delivered_has_not_arrived_when_it_was_called_lost() -> None:
    story = by_hand()
    lost = scan("manual", "M1", TrackingStatus.LOST, NOW + timedelta(days=9), "silence")
    story.do(c.RecordScans("manual", "M1", (lost,)))

    story.do(c.DeliverFulfillmentOrder(story.box(1)))

    (delivered,) = story.events(e.FulfillmentOrderDelivered)
    assert delivered.way
    assert delivered.way.arrived_at is None
