"""An order that is edited on its way: what is new is routed by the workflow that runs already."""

import pytest

from infra.local.client import Json
from tests.system.shop import PRICE, SHIPPING, Shop

pytestmark = pytest.mark.system


def edit(shop: Shop, order_id: str, **changes: object) -> Json:
    """Proposed, and applied at the figure that it comes to."""
    found = shop.api.post(f"/orders/{order_id}/edits", changes)
    paid = {"payment": {"provider": "test", "token": "tok_ok"}}
    shop.api.post(f"/orders/{order_id}/edits/{found['edit_id']}/apply", paid)
    return dict(found)


def more(sku: str, quantity: int = 1) -> Json:
    return {"sku": sku, "quantity": quantity, "unit_price": PRICE}


def test_units_that_are_added_ship_with_the_order_and_are_paid_for(shop: Shop) -> None:
    mug, pen = shop.stocked(5), shop.stocked(5)
    order = shop.routed((mug, 2))
    order_id = str(order["order_id"])

    edit(shop, order_id, add=[more(pen)], remove=[{"line_id": "line_1", "quantity": 1}])
    edit(shop, order_id, add=[more(pen, 2)])
    shop.until(order_id, authorized=SHIPPING + 4 * PRICE)
    shop.finish(order_id)

    done = shop.until(order_id, status="completed", paid=SHIPPING + 4 * PRICE)
    assert [each["status"] for each in done["edits"]] == ["applied", "applied"]
    assert (shop.units(mug)[0], shop.units(pen)[0]) == (4, 2)


def test_an_order_that_waits_for_stock_is_woken_by_what_is_there(shop: Shop) -> None:
    mug, pen = shop.stocked(1), shop.stocked(5)
    order_id = shop.place((mug, 3))
    shop.until_at(order_id, "Await stock")

    edit(shop, order_id, add=[more(pen)], remove=[{"line_id": "line_1", "quantity": 2}])
    shop.finish(order_id)

    shop.until(order_id, status="completed", paid=SHIPPING + 2 * PRICE)
    assert (shop.units(mug)[0], shop.units(pen)[0]) == (0, 4)
