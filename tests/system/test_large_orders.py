"""An order may be larger than a transaction; it still happens whole, or not at all."""

from functools import partial

import pytest

from infra.local.client import Json
from tests.cloud import eventually
from tests.system.shop import PATIENCE, Shop, at_once

pytestmark = pytest.mark.system

LINES, UNITS = 120, 80_995


@pytest.fixture(scope="module")
def skus(shop: Shop) -> list[str]:
    return at_once([lambda: shop.stocked(50)] * LINES, threads=8)


def totals(shop: Shop, skus: list[str]) -> set[tuple[int, int, int]]:
    return set(at_once([partial(shop.units, sku) for sku in skus], threads=8))


def settled(shop: Shop, skus: list[str], wanted: tuple[int, int, int]) -> None:
    eventually(lambda: totals(shop, skus) == {wanted}, PATIENCE)


def test_an_order_of_120_skus_is_routed_shipped_and_delivered(shop: Shop, skus: list[str]) -> None:
    order = shop.routed(*((sku, 2) for sku in skus))
    settled(shop, skus, (50, 48, 2))

    shop.finish(order["order_id"])

    done = shop.until(order["order_id"], status="completed", payment_status="paid")
    assert done["paid"] == 500 + LINES * 2 * 1000
    settled(shop, skus, (48, 48, 0))
    assert shop.until_ended(order["order_id"]) == ("SUCCEEDED", "Order completed")


def test_a_cancelled_order_of_120_skus_gives_everything_back_once(
    shop: Shop, skus: list[str]
) -> None:
    before = totals(shop, skus)
    order = shop.routed(*((sku, 1) for sku in skus))

    shop.cancel(order["order_id"])

    assert shop.until_ended(order["order_id"]) == ("SUCCEEDED", "Order cancelled")
    shop.until(order["order_id"], payment_status="voided")
    assert totals(shop, skus) == before


def test_an_order_of_120_skus_that_one_lacks_takes_nothing(shop: Shop, skus: list[str]) -> None:
    before = totals(shop, skus)
    lines = [(sku, 1) for sku in skus[1:]]

    order_id = shop.place((skus[0], 1000), *lines)

    waiting = shop.until(order_id, fulfillment_status="backordered")
    assert short(waiting) == [skus[0]]
    assert totals(shop, skus) == before
    shop.cancel(order_id)
    assert shop.until_ended(order_id) == ("SUCCEEDED", "Order cancelled")


def short(order: Json) -> list[str]:
    return [line["sku"] for line in order["lines"] if line["quantities"]["backordered"]]


def test_a_line_of_80995_units_is_bought_and_half_of_it_cancelled(shop: Shop) -> None:
    sku = shop.stocked(UNITS)
    tax = [{"name": "VAT", "rate": "0.2", "amount": 16_199_001}]
    line = {"sku": sku, "quantity": UNITS, "unit_price": 1000, "taxes": tax}
    total = UNITS * 1000 + 16_199_001 + 500
    order_id = shop.routed(lines=[line], total=total)["order_id"]

    half = {"lines": [{"line_id": "line_1", "quantity": UNITS // 2}]}
    shop.api.post(f"/orders/{order_id}/cancel", half, key="half")
    shop.finish(order_id)

    done = shop.until(order_id, status="completed", payment_status="paid")
    kept = UNITS - UNITS // 2
    assert done["lines"][0]["quantities"]["delivered"] == kept
    assert abs(done["paid"] - 500 - kept * 1200) <= 2
    assert shop.units(sku) == (UNITS // 2, UNITS // 2, 0)
