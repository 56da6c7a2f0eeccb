"""What comes back, why, and what it costs."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from oms.domain import commands as c
from oms.domain.decide import decide, facts
from oms.domain.errors import NotFound, Refused
from oms.domain.reporting import returned
from oms.domain.reporting.fulfillment import LOCATION, Fulfillment
from oms.domain.reporting.returned import DISPOSITION, MARKET, REASON, SKU, Returns
from tests.builders import NOW, Story
from tests.domain.reporting.counting import Counted, counted, figures
from tests.domain.test_order_histories import WISHES, orders, wishes


def told(story: Story) -> Counted:
    return counted(Returns(), story.order_id, story.facts)


@settings(max_examples=60, deadline=None)
@given(orders(), st.lists(wishes(), min_size=12, max_size=40))
def test_every_unit_that_left_or_came_back_is_counted_once_on_every_axis(
    command: c.PlaceOrder, asked: list[tuple[str, int, int]]
) -> None:
    story = a_history(command, asked)
    found = told(story)
    order = story.order

    market, sku = figures(found, MARKET), figures(found, SKU)
    here = {
        x.fulfillment_order_id for x in order.fulfillment_orders if x.location_id != "elsewhere"
    }
    left = sum(
        q.quantity
        for box in order.fulfillment_orders
        if box.fulfillment_order_id in here and not box.in_warehouse and box.lines
        for q in box.lines
        if box.has_left or box.status in ("delivered", "collected")
    )
    assert market["sold_units"] == left
    announced = sum(line.quantity for each in order.returns for line in each.lines)
    arrived = sum(line.arrived for each in order.returns for line in each.lines)
    assert market["received_units"] >= arrived
    assert market["asked_units"] <= announced or not order.returns
    for name in ("sold_units", "asked_units", "received_units", "damaged_units"):
        assert market[name] == sku[name]
    assert figures(found, REASON)["asked_units"] == market["asked_units"]
    judged = sum(market[name] for name in market if name.endswith("_units") and name in JUDGED)
    assert figures(found, DISPOSITION)["judged_units"] == judged
    assert {n: figures(found, MARKET, 7)[n] for n in market} == market
    shipped = figures(counted(Fulfillment(), story.order_id, story.facts), LOCATION)
    assert shipped["shipped_units"] == market["sold_units"]


JUDGED = {
    *returned.JUDGED,
    "refused_units",
}


def a_history(command: c.PlaceOrder, asked: list[tuple[str, int, int]]) -> Story:
    """Whatever of it the domain allows."""
    story = Story(command)
    for kind, n, m in asked:
        try:
            decided = decide(WISHES[kind](story.order, n, m), story.order)
        except (Refused, NotFound):
            continue
        if decided:
            recorded, story.order = facts(story.order_id, story.order, decided, NOW, "test")
            story.facts += recorded
    return story
