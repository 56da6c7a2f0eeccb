"""Orders whose goods are with the customer, over real tables."""

from __future__ import annotations

from typing import Any

from functions.returns import api
from oms.adapters.orders_table import Placement
from oms.adapters.policies_table import policies_table
from oms.domain import commands as c
from oms.domain.events import PackedParcel
from oms.domain.order import Order
from oms.domain.returns.policy import ReturnPolicy
from oms.domain.tracking import TrackingStatus
from tests.builders import RECORD, Story, line, paid, placement, scans
from tests.functions.doors import House, ask
from tests.functions.world import now


def delivered(house: House, quantity: int = 2, **changes: Any) -> Order:
    """Mugs from Austin, shipped, paid and delivered; as many lie in Austin still."""
    house.stocked("MUG", 2 * quantity)
    story = Story(placement(line(1, sku="MUG", quantity=quantity), **changes))
    house.orders.place(story.order_id, story.facts, story.order, Placement("body"))
    story.authorized()
    assigned = story.plan(("AUSTIN", {"line_1": quantity}))
    do(house, story.order_id, paid("op_1"), c.RecordRouting(assigned, RECORD))
    box = assigned[0].fulfillment_order_id
    parcel = PackedParcel("easypost", "EZ1", assigned[0].lines)
    do(house, story.order_id, c.PickFulfillmentOrder(box), c.PackFulfillmentOrder(box))
    do(house, story.order_id, c.ShipFulfillmentOrder(box, (parcel,)), paid("op_2"))
    return do(house, story.order_id, scans("EZ1", TrackingStatus.DELIVERED))


def do(house: House, order_id: str, *commands: c.Command) -> Order:
    order = house.orders.get(order_id)
    for command in commands:
        order = house.orders.change(order_id, command, at=now(), actor="test")
    return order


def allow(**changes: Any) -> None:
    """A policy under which deliveries of long ago can be returned; scans of tests are old."""
    policy = ReturnPolicy(**{"days": 3_650, **changes})
    policies_table().save("returns", policy, expected=None, at=now(), actor="test")


def request(order_id: str, body: Any = None, **more: Any) -> tuple[int, Any]:
    said = {"lines": [{"line_id": "line_1", "quantity": 1, "reason": "too_small"}]}
    return ask(api, "POST /orders/{order_id}/returns", body or said, order_id=order_id, **more)


def post(step: str, return_id: str, body: Any = None, **more: Any) -> tuple[int, Any]:
    route = f"POST /returns/{{return_id}}/{step}"
    return ask(api, route, body, return_id=return_id, **more)


def get(return_id: str) -> Any:
    return ask(api, "GET /returns/{return_id}", return_id=return_id)[1]


def level(house: House, sku: str = "MUG", location: str = "AUSTIN") -> tuple[int, int, int]:
    found = {each.location: each for each in house.stock.levels([sku])[sku]}
    if location not in found:
        return 0, 0, 0
    each = found[location]
    return each.on_hand, each.available, each.reserved
