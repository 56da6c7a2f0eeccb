from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from oms.adapters.channels.shop_api import CalledOff, GivenBack, Shipped
from oms.domain import commands as c
from oms.domain.events import PackedParcel
from oms.domain.fulfillment import Quantity
from oms.domain.shop_tasks import TaskState
from oms.domain.shops import Told
from tests.builders import Story, line, placement
from tests.functions.channels.trade import ALL, CHANNEL_SAID, SHOP, ShopStory, Trade

pytestmark = pytest.mark.cloud


@pytest.fixture
def trade(dynamodb: Any) -> Trade:
    return Trade.new(dynamodb)


def two_parcels() -> ShopStory:
    story = ShopStory(replace(line(1, sku="MUG", quantity=3), external_id="41"))
    story.authorized().routed().packed()
    parcels = (
        PackedParcel("ups", "1Z1", (Quantity("line_1", 2),)),
        PackedParcel("ups", "1Z2", (Quantity("line_1", 1),)),
    )
    return story.by("client:warehouse", c.ShipFulfillmentOrder(story.box(1), parcels))


def test_each_parcel_is_told_with_its_own_units_and_number(trade: Trade) -> None:
    trade.tell(two_parcels())
    trade.send()

    shipped = [done for done in trade.fake.of(Shipped) if isinstance(done, Shipped)]
    told = [(x.tracking_number, x.units[0].quantity, x.units[0].line_id) for x in shipped]
    assert told == [("1Z1", 2, "41"), ("1Z2", 1, "41")]
    assert shipped[0].carrier == "ups"
    assert "1Z1" in shipped[0].tracking_url
    assert shipped[0].location_id == "austin"


def test_an_event_that_comes_twice_is_one_task(trade: Trade) -> None:
    story = two_parcels()

    assert trade.tell(story) == ["2 queued"]
    assert trade.tell(story) == ["0 queued"]
    assert len(trade.listed(TaskState.WAITING)) == 2


def test_a_cancellation_is_told_before_the_refund_that_follows_from_it(trade: Trade) -> None:
    story = ShopStory(line(1, sku="MUG", quantity=2)).authorized().captured()
    story.by("client:desk", c.CancelOrder("out of stock")).captured()
    trade.tell(story)
    trade.send()

    off, back = trade.fake.effects.values()
    assert isinstance(off, CalledOff)
    assert isinstance(back, GivenBack)
    assert (off.whole, off.reason, off.units[0].quantity) == (True, "out of stock", 2)
    assert (back.amount, back.currency, back.units) == (story.order.total, "USD", off.units)


def test_what_was_not_delivered_to_us_is_told_with_what_came_after_it(trade: Trade) -> None:
    story = ShopStory(line(1, sku="MUG", quantity=2)).authorized().captured()
    story.by("client:desk", c.CancelOrder("out of stock")).captured()
    refunded = [fact for fact in story.facts if type(fact.event).__name__ == "PaymentRefunded"]

    assert trade.hear(story, refunded[0]) == "2 queued"


def test_nothing_the_channel_said_is_told_back_to_it(trade: Trade) -> None:
    story = ShopStory(line(1, sku="MUG", quantity=2)).authorized().captured()
    story.by(CHANNEL_SAID, c.CancelOrder("changed my mind")).captured()

    assert story.order.payment.refunded == story.order.total
    assert set(trade.tell(story)) == {"the shop's own word", "nothing to tell"}
    trade.send()
    assert trade.fake.calls == []


def test_a_cancellation_of_another_shop_is_told(trade: Trade) -> None:
    story = ShopStory(line(1, sku="MUG")).authorized()
    story.by("channel:fake:other.example", c.CancelOrder("no"))

    assert trade.tell(story) == ["1 queued"]


def test_goodwill_is_told_with_its_reason_and_no_units(trade: Trade) -> None:
    story = ShopStory(line(1, sku="MUG", quantity=2)).authorized().captured()
    story.routed().shipped().captured()
    story.by("user:ann", c.GrantRefund(300, "came late")).captured()
    trade.tell(story)
    trade.send()

    (back,) = trade.fake.of(GivenBack)
    assert isinstance(back, GivenBack)
    assert (back.amount, back.reason, back.units) == (300, "came late", ())


def test_money_that_we_have_moved_ourselves_is_not_told(trade: Trade) -> None:
    story = ShopStory(line(1, sku="MUG"), provider="test", captured=0).authorized()
    story.routed().shipped().captured()
    story.by("user:ann", c.GrantRefund(300, "came late")).captured()

    assert story.order.payment.refunded == 300
    assert trade.tell(story)[-1] == "0 queued"
    assert {task.kind for task in trade.listed(TaskState.WAITING)} == {"fulfillment"}


def test_orders_of_no_shop_cost_one_read_and_no_write(trade: Trade) -> None:
    story = Story(placement(line(1))).authorized().routed().shipped()

    assert trade.tell(story) == ["its channel is told nothing"]
    assert trade.orders.reads == 1
    assert not trade.nudges.shops


def test_where_no_shop_is_told_anything_no_order_is_read(dynamodb: Any) -> None:
    trade = Trade.new(dynamodb, replace(SHOP, told=()))

    assert trade.tell(two_parcels()) == ["no shop is told anything"]
    assert trade.orders.reads == 0


@pytest.mark.parametrize("left_out", [Told.FULFILLMENTS, Told.CANCELLATIONS, Told.REFUNDS])
def test_a_shop_is_told_what_it_wants_to_hear_only(dynamodb: Any, left_out: Told) -> None:
    told = tuple(each for each in ALL if each is not left_out)
    trade = Trade.new(dynamodb, replace(SHOP, told=told))
    story = ShopStory(line(1, sku="MUG", quantity=2), line(2, sku="CUP")).authorized().captured()
    story.by("user:ann", c.CancelOrder("no", (Quantity("line_2", 1),))).captured()
    story.routed().shipped().captured()
    trade.tell(story)

    kinds = {f"{task.kind}s" for task in trade.listed(TaskState.WAITING)}
    assert kinds == {str(each) for each in told} - {"stock"}


def test_what_an_exchange_brings_is_no_order_of_the_shop(trade: Trade) -> None:
    story = ShopStory(line(1, sku="MUG"), linked_to="ret_x-1", captured=0)
    story.by("user:ann", c.CancelOrder("no"))

    assert trade.tell(story) == ["nothing to tell"]
