"""Many buyers, few units: nothing is sold twice, and the line is served in its order."""

from collections import Counter
from functools import partial

import pytest

from infra.local.client import Json
from tests.cloud import eventually
from tests.system.shop import Shop, at_once

pytestmark = [pytest.mark.system, pytest.mark.timeout(400)]

BUYERS, UNITS, ARRIVED = 200, 20, 5


def test_of_200_buyers_twenty_get_the_twenty_units_and_the_others_wait_in_line(shop: Shop) -> None:
    sku = shop.stocked(UNITS)
    channel = sku.lower()

    placed = at_once([partial(shop.place, (sku, 1), channel=channel)] * BUYERS)
    eventually(lambda: len(shop.line(sku)) >= BUYERS - UNITS, 300)

    assert len(set(placed)) == BUYERS
    said = Counter(order["fulfillment_status"] for order in orders(shop, channel))
    assert said == {"allocated": UNITS, "backordered": BUYERS - UNITS}
    assert shop.units(sku) == (UNITS, 0, UNITS)
    shop.books()

    line = in_line(shop, channel)
    shop.receive(sku, ARRIVED)
    eventually(lambda: shop.units(sku) == (UNITS + ARRIVED, 0, UNITS + ARRIVED), 60)

    assert in_line(shop, channel) == line[ARRIVED:]
    shop.cancel(line[-1])
    assert shop.until_ended(line[-1]) == ("SUCCEEDED", "Order cancelled")


def in_line(shop: Shop, channel: str) -> list[str]:
    """Who waits, in the order in which they came."""
    waiting = [o for o in orders(shop, channel) if o["fulfillment_status"] == "backordered"]
    waiting.sort(key=lambda order: (order["placed_at"], order["order_id"]))
    return [order["order_id"] for order in waiting]


def orders(shop: Shop, channel: str) -> list[Json]:
    found: list[Json] = []
    page = shop.api.get("/orders", channel=channel, limit=200)
    while True:
        found += page["items"]
        if not page["cursor"]:
            return found
        page = shop.api.get("/orders", channel=channel, limit=200, cursor=page["cursor"])
