"""Numbers that carriers use again, and what comes late."""

from __future__ import annotations

from datetime import timedelta

from oms.domain import commands as c
from oms.domain import events as e
from oms.domain.order import OrderStatus
from oms.domain.tracking import Scan, TrackingStatus, scan
from tests.builders import NOW, Story
from tests.domain.test_returning import approved, labelled, the_return


def seen(status: TrackingStatus, days: float, number: str = "EZ1") -> Scan:
    return scan("easypost", number, status, NOW + timedelta(days=days), status.value)


def told(story: Story, *scans: Scan) -> Story:
    return story.do(c.RecordScans("easypost", "EZ1", scans))


def shipped() -> Story:
    return Story().authorized().routed().shipped()


def test_the_delivery_of_an_older_parcel_of_this_number_is_not_that_of_the_new_one() -> None:
    story = told(
        shipped(), seen(TrackingStatus.DELIVERED, -200), seen(TrackingStatus.DELIVERED, -2)
    )

    assert story.order.status is OrderStatus.IN_FULFILLMENT
    assert not story.events(e.ParcelScanned)
    assert not story.order.fulfillment_orders[0].parcels[0].scans


def test_of_one_message_about_both_parcels_the_newer_ones_scans_count() -> None:
    story = told(
        shipped(),
        seen(TrackingStatus.DELIVERED, -200),
        seen(TrackingStatus.LABEL_CREATED, -0.5),
        seen(TrackingStatus.IN_TRANSIT, 1),
    )

    (parcel,) = story.order.fulfillment_orders[0].parcels
    assert (parcel.status, len(parcel.scans)) == (TrackingStatus.IN_TRANSIT, 2)


def test_what_a_warehouse_reports_days_after_it_left_is_delivered_all_the_same() -> None:
    story = Story().authorized().routed()
    story.at += timedelta(days=5)

    told(story.shipped(), seen(TrackingStatus.DELIVERED, 2))

    assert story.order.status is OrderStatus.COMPLETED


def test_a_return_that_is_told_after_the_delivery_it_came_before_needs_a_person() -> None:
    story = told(shipped(), seen(TrackingStatus.DELIVERED, 5))
    assert story.order.status is OrderStatus.COMPLETED

    told(story, seen(TrackingStatus.RETURN_TO_SENDER, 3))

    (parcel,) = story.order.fulfillment_orders[0].parcels
    assert parcel.status is TrackingStatus.RETURN_TO_SENDER
    assert story.order.attention.endswith("return_to_sender")


def test_an_older_parcel_of_the_number_does_not_put_a_return_on_its_way() -> None:
    story = labelled(approved())
    found = the_return(story)
    old = (scan("easypost", "RT1", TrackingStatus.IN_TRANSIT, NOW - timedelta(days=9), "x"),)

    story.do(c.RecordReturnScans(found.return_id, "easypost", "RT1", old))

    assert not the_return(story).parcels[0].scans
