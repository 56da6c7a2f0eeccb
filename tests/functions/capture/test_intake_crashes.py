"""A worker that dies at any of its calls leaves nothing half done, and nothing is done twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from functions.capture.following import Follower
from functions.capture.intake import Intake, intake
from oms.adapters.channel_inbox import ChannelInbox
from oms.adapters.channels.base import Fulfilled, Placed, Units, Updated, What
from oms.adapters.heard_table import HeardTable
from oms.adapters.orders_table import OrdersTable
from oms.adapters.stock_table import StockTable
from oms.domain.order import OrderStatus
from oms.domain.payment import OperationKind
from tests.functions.capture.test_intake import AT, an_order, cancelled, changed, of, refunded
from tests.functions.doors import House, house
from tests.functions.world import Crash, Mortal

__all__ = ["house"]
pytestmark = pytest.mark.cloud


def mortal(house: House, dies_at: int, *, after: bool) -> Intake:
    """The intake, whose worker dies at one of its calls."""
    whole, environment = intake(), house.environment
    client: Any = Mortal(house.cloud.client("dynamodb"), dies_at, after)
    stock = StockTable(client, environment["STOCK_TABLE"])
    orders = OrdersTable(client, environment["ORDERS_TABLE"], stock)
    heard = HeardTable(client, environment["CHANNELS_TABLE"])
    vault = whole.inbox._vault
    follower: Follower = replace(whole.follower, orders=orders, heard=heard)
    return replace(
        whole,
        orders=orders,
        desk=replace(whole.desk, orders=orders),
        follower=follower,
        inbox=ChannelInbox(client, environment["CHANNELS_TABLE"], vault),
    )


def survived(house: House, *said: What) -> int:
    """Told again to workers that die one call later each time, and at last to one that lives."""

    def told(desk: Intake) -> None:
        for each in said:
            desk.apply(each, AT)

    return _deaths(house, told)


def _deaths(house: House, deed: Callable[[Intake], None]) -> int:
    deaths = 0
    for dies_at in range(1, 60):
        for after in (False, True):
            try:
                deed(mortal(house, dies_at, after=after))
            except Crash:
                deaths += 1
            else:
                deed(intake())
                return deaths
    raise AssertionError("it never ends")


def test_an_order_that_was_called_off_before_it_came(house: House) -> None:
    order = an_order()

    assert survived(house, cancelled(order), Placed(order)) > 5

    found = of(house, order)
    assert (found.status, found.payment.refunded) == (OrderStatus.CANCELLED, 2500)
    assert "EARLY#" not in str(house.rows("channels"))


def test_an_order_that_was_shipped_before_we_heard_of_it(house: House) -> None:
    order = an_order()
    told = (Placed(order), Fulfilled(order.channel, order.external_id, "f-1"))

    def tell(desk: Intake) -> None:
        desk.apply_all(told, AT)
        assert of(house, order).status is OrderStatus.COMPLETED

    assert _deaths(house, tell) > 5

    assert [x.location_id for x in of(house, order).fulfillment_orders] == ["elsewhere"]


def test_an_order_that_is_changed_and_refunded(house: House) -> None:
    order = an_order(("MUG", 3, 1000))
    more = changed(order, ("MUG", 4, 1000), ("CUP", 1, 700))

    assert survived(
        house, Placed(order), Updated(more, AT), refunded(order, "r", 1100, Units(1, "L-MUG"))
    )

    found = of(house, order)
    assert [(x.sku, x.quantity, x.cancelled) for x in found.lines] == [
        ("MUG", 3, 0),
        ("MUG", 1, 1),
        ("CUP", 1, 0),
    ]
    assert found.payment.committed(OperationKind.REFUND) == found.payment.refunded == 1100
    assert found.payment.captured == more.total
