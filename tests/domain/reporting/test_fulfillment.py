"""What locations and carriers did, and how long it took them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from oms.domain import commands as c
from oms.domain.fulfillment import Quantity
from oms.domain.reporting.fulfillment import CARRIER, LOCATION, MARKET, Fulfillment
from oms.domain.tracking import TrackingStatus
from tests.builders import NOW, RECORD, Story, line, placement, scans
from tests.domain.reporting.counting import counted, figures

DAY = "2026-03-02"
AUSTIN = (LOCATION, DAY, ("austin", "ship"))


def a_story(quantity: int = 2) -> Story:
    return Story(placement(line(quantity=quantity))).authorized()


def due(story: Story, hours: float, deliver_by: str = "") -> Story:
    (assigned,) = story.plan(("austin", {"line_1": 2}))
    ship_by = NOW + timedelta(hours=hours)
    plan = (replace(assigned, ship_by=ship_by, deliver_by=deliver_by),)
    return story.do(c.RecordRouting(plan, RECORD))


def test_each_step_takes_the_time_since_the_one_before_it() -> None:
    story = a_story().routed()
    story.at += timedelta(hours=1)
    story.do(c.PickFulfillmentOrder(story.box(1)))
    story.at += timedelta(hours=2)
    story.do(c.PackFulfillmentOrder(story.box(1)))
    story.at += timedelta(hours=3)
    story.do(c.ShipFulfillmentOrder(story.box(1), story.parcels(1, "EZ1")))

    found = counted(Fulfillment(), story.order_id, story.facts)[AUSTIN]

    took = [found[f"{step}_seconds"] // 3600 for step in ("picking", "packing", "leaving")]
    assert (took, found["picking_count"], found["shipped_units"]) == ([1, 2, 3], 1, 2)


def test_an_order_is_split_or_not_by_its_first_plan() -> None:
    story = a_story().routed(("austin", {"line_1": 1}), ("reno", {"line_1": 1}))
    story.do(c.RejectFulfillmentOrder(story.box(2), "broken")).routed(("lyon", {"line_1": 1}))

    found = counted(Fulfillment(), story.order_id, story.facts)

    assert figures(found, MARKET) == {
        "routed_orders": 1,
        "split_orders": 1,
        "boxes": 2,
        "planned_cost": RECORD.cost,
    }
    assert figures(found, LOCATION)["assigned"] == 3
    assert found[LOCATION, DAY, ("reno", "ship")]["rejected"] == 1


def test_what_leaves_until_its_time_is_on_time_and_what_leaves_later_is_not() -> None:
    for hours, kept in ((2, 1), (0.01, 0)):
        story = due(a_story(), hours).shipped()
        found = counted(Fulfillment(), story.order_id, story.facts)[AUSTIN]
        assert (found["due"], found["on_time"]) == (1, kept)


def test_a_promise_is_kept_by_the_day_that_the_carrier_says() -> None:
    for promised, kept in (("2026-03-05", 1), ("2026-03-04", 0)):
        story = due(a_story(), 2, promised).shipped()
        arrives = NOW + timedelta(days=2)
        story.do(scans("EZ1", TrackingStatus.DELIVERED, since=arrives))
        found = counted(Fulfillment(), story.order_id, story.facts)
        carrier = figures(found, CARRIER)
        assert (carrier["arrived"], carrier["promised"], carrier["kept"]) == (1, 1, kept)
        assert carrier["transit_count"] == 1
        assert figures(found, LOCATION)["kept"] == kept


def test_a_shelf_that_was_short_is_told_by_its_location() -> None:
    story = a_story().routed()
    story.do(c.PickFulfillmentOrder(story.box(1)))
    missing = (Quantity("line_1", 1),)
    story.do(c.ShortPickFulfillmentOrder(story.box(1), "empty shelf", missing))

    found = counted(Fulfillment(), story.order_id, story.facts)[AUSTIN]

    assert (found["short_picked"], found["missing_units"]) == (1, 1)


def test_days_are_those_of_the_shop() -> None:
    from zoneinfo import ZoneInfo

    story = a_story().routed()
    found = counted(Fulfillment(), story.order_id, story.facts, ZoneInfo("Pacific/Kiritimati"))

    assert {bucket for _, bucket, _ in found} == {"2026-03-02", "2026-03"}
    story.at += timedelta(hours=2)
    story.shipped()
    found = counted(Fulfillment(), story.order_id, story.facts, ZoneInfo("Pacific/Kiritimati"))
    assert found[LOCATION, "2026-03-03", ("austin", "ship")]["shipped"] == 1
